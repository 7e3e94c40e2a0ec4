//! Values of the schema that are checked when they are parsed: names and durations.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::json::{Malformed, ReadJson, Value, WriteJson, Writer, as_text};

macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $allowed:expr, $max:expr, $rule:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                let allowed: fn(u8) -> bool = $allowed;
                if (1..=$max).contains(&text.len()) && text.bytes().all(allowed) {
                    Ok(Self(text.to_owned()))
                } else {
                    let shown = crate::text::on_one_line(text, crate::text::LABEL_MAX);
                    Err(format!(concat!("\"{}\" must be ", $rule), shown))
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                text.parse()
            }
        }

        as_text!($name);

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }
    };
}

checked_text!(
    /// What roles refer to a provider by.
    ProviderId,
    |byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte),
    64,
    "1 to 64 letters, digits and _.-"
);

/// A client secret. Every copy of the settings contains it, so it proves nothing (RFC 8252 section 8.5). It is kept out
/// of logs, errors and pages all the same.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub struct ClientSecret(String);

impl ClientSecret {
    /// What stands for a secret where settings are shown.
    pub const HIDDEN: &str = "(hidden)";

    /// The text, for a request to the provider.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is shown instead of it.
    #[must_use]
    pub fn hidden() -> Self {
        Self(Self::HIDDEN.to_owned())
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ClientSecret([REDACTED])")
    }
}

impl TryFrom<String> for ClientSecret {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        match text.as_str() {
            "" => Err("it is empty"),
            Self::HIDDEN => Err("rolecall settings show has hidden it; enter the secret itself"),
            _ => Ok(Self(text)),
        }
    }
}

impl WriteJson for ClientSecret {
    fn write(&self, writer: &mut Writer) {
        writer.string(&self.0);
    }
}

impl From<ClientSecret> for String {
    fn from(secret: ClientSecret) -> Self {
        secret.0
    }
}

checked_text!(
    /// An AWS profile's name, of the characters that botocore and the SDKs read the same way.
    ProfileName,
    is_profile_name_byte,
    ProfileName::MAX_BYTES,
    "1 to 200 letters, digits and _./%@:+-"
);

fn is_profile_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_./%@:+-".contains(&byte)
}

impl ProfileName {
    /// How long a name may be.
    pub const MAX_BYTES: usize = 200;

    /// Whether it is the profile of every command that names none.
    pub(super) fn is_default(&self) -> bool {
        self.0 == "default"
    }

    /// Whether commands take it for an option.
    pub(super) fn is_like_an_option(&self) -> bool {
        self.0.starts_with('-')
    }

    /// A name of this text, with what a name cannot hold replaced and what is too long cut off.
    fn from_text(text: &str) -> Self {
        let allowed = |c: char| u8::try_from(c).is_ok_and(is_profile_name_byte);
        Self(text.chars().map(|c| if allowed(c) { c } else { '-' }).take(Self::MAX_BYTES).collect())
    }
}

/// How profiles are named: text with [`ProfilePart`]s in braces, such as `{alias}-{role}`. Roles differ in their names, so
/// `{role}` must be one of the parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub struct ProfileTemplate(String);

/// What a profile's name can be made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfilePart {
    /// The account's digits.
    Account,
    /// The account's alias, else its name, else its digits.
    Alias,
    /// The role's name without its path.
    Role,
    /// The role's region.
    Region,
    /// The role's partition, such as `aws`.
    Partition,
    /// The account's environment.
    Environment,
    /// The provider's id.
    Provider,
}

impl ProfilePart {
    const ALL: [(&'static str, Self); 7] = [
        ("account", Self::Account),
        ("alias", Self::Alias),
        ("role", Self::Role),
        ("region", Self::Region),
        ("partition", Self::Partition),
        ("environment", Self::Environment),
        ("provider", Self::Provider),
    ];
}

impl ProfileTemplate {
    /// The usual one.
    pub(super) fn usual() -> Self {
        Self("{alias}-{role}".to_owned())
    }

    /// The name that these parts make. It is not the default profile's: roles and accounts may be called anything.
    pub(super) fn fill<'a>(&self, part: impl Fn(ProfilePart) -> &'a str) -> ProfileName {
        let mut name = String::new();
        // What the template cannot hold was refused when it was read.
        let _ = each_part(&self.0, &mut |text, found| {
            name.push_str(text);
            name.push_str(found.map_or("", &part));
        });
        let mut name = ProfileName::from_text(&name);
        if name.is_like_an_option() {
            name.0.replace_range(..1, "_");
        }
        if name.is_default() { ProfileName(part(ProfilePart::Account).to_owned() + "-default") } else { name }
    }
}

/// Tells of each part of a template, with the text before it; and of the text behind the last one.
fn each_part(template: &str, tell: &mut dyn FnMut(&str, Option<ProfilePart>)) -> Result<(), String> {
    let mut rest = template;
    while let Some((text, behind)) = rest.split_once('{') {
        let part = behind.split_once('}').and_then(|(name, behind)| {
            let (_, part) = ProfilePart::ALL.iter().find(|(known, _)| *known == name)?;
            Some((*part, behind))
        });
        let (part, behind) = part.ok_or_else(|| {
            let names = ProfilePart::ALL.map(|(name, _)| name).join("}, {");
            format!("what is in braces must be one of {{{names}}}")
        })?;
        tell(text, Some(part));
        rest = behind;
    }
    tell(rest, None);
    Ok(())
}

impl TryFrom<String> for ProfileTemplate {
    type Error = String;

    fn try_from(template: String) -> Result<Self, String> {
        let (mut has_role, mut is_allowed) = (false, true);
        each_part(&template, &mut |text, part| {
            has_role |= part == Some(ProfilePart::Role);
            is_allowed &= text.bytes().all(is_profile_name_byte);
        })?;
        match (has_role, is_allowed && template.len() <= ProfileName::MAX_BYTES) {
            (false, _) => Err("it must contain {role}".to_owned()),
            (_, false) => {
                Err("beside the braces it may contain up to 200 letters, digits and _./%@:+-".to_owned())
            }
            _ => Ok(Self(template)),
        }
    }
}

impl WriteJson for ProfileTemplate {
    fn write(&self, writer: &mut Writer) {
        writer.string(&self.0);
    }
}

impl From<ProfileTemplate> for String {
    fn from(template: ProfileTemplate) -> Self {
        template.0
    }
}

/// A session duration in seconds: 900 to 43200 (STS API reference, `DurationSeconds`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(into = "u32")]
pub struct Duration(u32);

impl Duration {
    /// The longest that any role allows: 12 hours.
    pub const MAX: Self = Self(43_200);
    /// What a role allows unless its owner changed it: 1 hour.
    pub const DEFAULT: Self = Self(3_600);
    /// The shortest that STS gives: 15 minutes.
    pub const MIN: Self = Self(900);

    pub(super) fn refusal(seconds: i64) -> String {
        format!("duration must be 900 to 43200 seconds, not {seconds}")
    }

    /// In seconds.
    #[must_use]
    pub fn seconds(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for Duration {
    type Error = String;

    fn try_from(seconds: u32) -> Result<Self, String> {
        if (Self::MIN.0..=Self::MAX.0).contains(&seconds) {
            Ok(Self(seconds))
        } else {
            Err(Self::refusal(seconds.into()))
        }
    }
}

impl WriteJson for Duration {
    fn write(&self, writer: &mut Writer) {
        self.0.write(writer);
    }
}

impl ReadJson for Duration {
    fn read(value: Value<'_>) -> Result<Self, Malformed> {
        u32::read(value)?.try_into().map_err(|reason: String| Malformed::new(reason))
    }
}

impl From<Duration> for u32 {
    fn from(duration: Duration) -> Self {
        duration.0
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn a_template_is_refused_for_what_no_profile_can_be_called() {
        let read = |template: &str| ProfileTemplate::try_from(template.to_owned());
        for good in ["{role}", "aws/{alias}.{role}", "{role}{role}", "x-{account}-{region}-{role}"] {
            assert!(read(good).is_ok(), "{good}");
        }
        let long = format!("{{role}}{}", "x".repeat(200));
        for (bad, reason) in [
            ("", "must contain {role}"),
            ("{alias}", "must contain {role}"),
            ("{role} x", "beside the braces"),
            ("{role}]", "beside the braces"),
            (&long, "beside the braces"),
            ("{role", "must be one of {account}, {alias}"),
            ("{Role}", "must be one of"),
            ("{}{role}", "must be one of"),
        ] {
            assert!(read(bad).unwrap_err().contains(reason), "{bad}");
        }
    }

    #[test]
    fn what_a_name_cannot_hold_is_replaced_and_what_is_too_long_cut_off() {
        let template = ProfileTemplate::usual();
        let name = |alias: &str| {
            template.fill(|part| if part == ProfilePart::Alias { alias } else { "admin" }).as_str().to_owned()
        };
        assert_eq!(name("Zahlungen (Köln)"), "Zahlungen--K-ln--admin");
        assert_eq!(name(&"é".repeat(300)), format!("_{}", "-".repeat(199)));
        assert_eq!(name("--keys"), "_-keys-admin");
    }

    #[test]
    fn no_names_of_roles_and_accounts_make_the_default_profile() {
        for (template, alias, role) in [("{role}", "x", "default"), ("{alias}{role}", "def", "ault")] {
            let template = ProfileTemplate::try_from(template.to_owned()).unwrap();
            let name = template.fill(|part| match part {
                ProfilePart::Alias => alias,
                ProfilePart::Role => role,
                _ => "123456789012",
            });
            assert_eq!(name.as_str(), "123456789012-default");
        }
    }
}
