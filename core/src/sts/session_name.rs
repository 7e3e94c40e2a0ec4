//! The session name, which identifies the person in `CloudTrail`.

use crate::aws::is_name_byte;
use crate::oidc::Person;

/// A `RoleSessionName` that tells who it is: the claim that the settings name, the email address or `sub`, made valid.
///
/// STS API reference: 2 to 64 characters of `[\w+=,.@-]`, ASCII. Anything else becomes `-`.
#[must_use]
pub fn session_name(person: &Person) -> String {
    let names = [&person.username, &person.email];
    let name = names.into_iter().flatten().find(|name| !name.is_empty());
    let who = name.unwrap_or(&person.sub);
    let name: String = who
        .chars()
        .map(|c| if u8::try_from(c).is_ok_and(is_name_byte) { c } else { '-' })
        .take(MAX)
        .collect();
    if name.len() < MIN { format!("rolecall-{name}") } else { name }
}

const MIN: usize = 2;
const MAX: usize = 64;

#[cfg(test)]
mod tests {
    #[cfg(not(target_arch = "wasm32"))]
    use proptest::prelude::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn person(sub: &str, email: Option<&str>) -> Person {
        Person {
            sub: sub.to_owned(),
            email: email.map(str::to_owned),
            name: None,
            username: None,
            login_hint: None,
        }
    }

    #[test]
    fn the_email_address_is_the_session_name() {
        assert_eq!(session_name(&person("00u1", Some("alice+aws@example.com"))), "alice+aws@example.com");
        assert_eq!(session_name(&person("auth0|5f7c", None)), "auth0-5f7c");
        assert_eq!(session_name(&person("7", Some(""))), "rolecall-7");
        assert_eq!(session_name(&person("x", Some("jürgen@example.com"))), "j-rgen@example.com");
    }

    #[test]
    fn the_claim_that_the_settings_name_goes_before_the_email_address() {
        let alice = person("00u1", Some("alice@example.com"));
        let alice = Person { username: Some("aadams".to_owned()), ..alice };
        assert_eq!(session_name(&alice), "aadams");
    }

    #[cfg(not(target_arch = "wasm32"))]

    proptest! {
        #[test]
        fn any_person_gets_a_valid_session_name(sub in ".{1,300}", email in proptest::option::of(".{0,300}")) {
            let name = session_name(&person(&sub, email.as_deref()));
            prop_assert!((2..=64).contains(&name.len()), "{name}");
            prop_assert!(name.bytes().all(is_name_byte), "{name}");
        }
    }
}
