//! The authorization response: what the browser comes back with (RFC 6749 section 4.1.2, RFC 9207).
//!
//! A malicious provider can send the browser on to another one, to have the other one's code redeemed at its own token
//! endpoint (RFC 9700 section 4.4). Both defences of section 4.4.2 are used: `iss` where a provider promises it, and
//! otherwise a redirect URI of the provider's own. The first provider of the settings keeps the shared redirect URI, so
//! who has one provider registers one.

use super::Metadata;
use crate::code::Code;
use crate::settings::ProviderId;
use crate::text;
use crate::url::Url;

/// A one-time authorization code.
#[derive(Debug)]
pub struct AuthorizationCode(pub(super) secrecy::SecretString);

/// The expected redirect.
#[derive(Debug, Clone, Copy)]
pub struct ExpectedRedirect<'a> {
    /// Where the provider was told to send the person.
    pub redirect_uri: &'a Url,
    /// The `state` of the request.
    pub state: &'a str,
    /// The provider that was asked.
    pub metadata: &'a Metadata,
}

/// Reads the address at which the browser arrived.
pub fn read_redirect(url: &Url, expected: ExpectedRedirect<'_>) -> Result<AuthorizationCode, RedirectError> {
    if !same_place(url, expected.redirect_uri) {
        return Err(RedirectError::WrongPlace);
    }
    let parameters = Parameters::read(url)?;

    // RFC 6749 section 10.12: nothing in the answer is believed before `state` shows whose answer it is.
    if parameters.state.as_deref() != Some(expected.state) {
        return Err(RedirectError::StateMismatch);
    }
    // RFC 9207 section 2.4: compare `iss` if it is there, and insist on it from a provider that promised it.
    match &parameters.iss {
        Some(iss) if *iss == expected.metadata.issuer => {}
        None if !expected.metadata.authorization_response_iss_parameter_supported => {}
        other => {
            return Err(RedirectError::IssuerMismatch {
                expected: expected.metadata.issuer.clone(),
                actual: other.clone(),
            });
        }
    }
    match (parameters.error, parameters.code) {
        (Some(error), _) => {
            Err(RedirectError::from_provider(&error, parameters.error_description.as_deref()))
        }
        (None, Some(code)) if !code.is_empty() => Ok(AuthorizationCode(code.into())),
        (None, _) => Err(RedirectError::NoCode),
    }
}

/// The redirect URI that only this provider has: below the shared one.
#[must_use]
pub fn own_redirect_uri(shared: &Url, provider: &ProviderId) -> Url {
    let mut own = shared.clone();
    // The prefix makes no dot segment of an id of dots.
    own.set_path(&format!("{}/provider-{provider}", shared.path().trim_end_matches('/')));
    own
}

/// Why a redirect gives no code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RedirectError {
    /// Not the redirect URI.
    #[error("The browser was redirected to another address than Rolecall's redirect URI.")]
    WrongPlace,
    /// `state` is missing or another one's.
    #[error("The provider's response does not belong to this sign-in (its state does not match).")]
    StateMismatch,
    /// `iss` is another one's, or missing though promised.
    #[error("The response comes from {}, not from {expected}.", actual.as_deref().unwrap_or("an unnamed issuer"))]
    IssuerMismatch {
        /// The provider that was asked.
        expected: String,
        /// The issuer in the response.
        actual: Option<String>,
    },
    /// A duplicate parameter, which RFC 6749 section 3.1 forbids.
    #[error("The response contains the parameter \"{0}\" more than once.")]
    Duplicate(String),
    /// Neither code nor error.
    #[error("The response contains neither a code nor an error.")]
    NoCode,
    /// `access_denied`: the person or the provider said no.
    #[error("The provider denied the sign-in{}", sentence_end(description.as_deref()))]
    AccessDenied {
        /// The provider's description.
        description: Option<String>,
    },
    /// OIDC Core 3.1.2.6: a silent request needs the person after all.
    #[error("The provider requires you to sign in ({error}).")]
    InteractionRequired {
        /// `login_required`, `consent_required` and their like.
        error: String,
    },
    /// Any other `error`.
    #[error("The provider refused the sign-in with \"{error}\"{}", sentence_end(description.as_deref()))]
    Refused {
        /// The `error` code of RFC 6749 section 4.1.2.1 or OIDC Core 3.1.2.6.
        error: String,
        /// The provider's description.
        description: Option<String>,
    },
}

impl RedirectError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::StateMismatch => Code::StateMismatch,
            Self::IssuerMismatch { .. } => Code::RedirectIssuerMismatch,
            Self::WrongPlace | Self::Duplicate(_) | Self::NoCode => Code::RedirectInvalid,
            Self::AccessDenied { .. } => Code::AccessDeniedByProvider,
            Self::InteractionRequired { .. } => Code::SignInNeeded,
            Self::Refused { .. } => Code::ProviderRefused,
        }
    }

    fn from_provider(error: &str, description: Option<&str>) -> Self {
        let description = description.map(plain).filter(|text| !text.is_empty());
        match error {
            "access_denied" => Self::AccessDenied { description },
            "login_required" | "interaction_required" | "consent_required" | "account_selection_required" => {
                Self::InteractionRequired { error: error.to_owned() }
            }
            _ => Self::Refused { error: plain(error), description },
        }
    }
}

/// A provider's words as they may be shown.
pub(super) fn plain(text: &str) -> String {
    text::on_one_line(text, 200)
}

/// Ends a sentence with the provider's own words, if it had any.
pub(super) fn sentence_end(description: Option<&str>) -> String {
    description.map_or_else(|| ".".to_owned(), |words| format!(": {}.", words.trim_end_matches('.')))
}

#[derive(Default)]
struct Parameters {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

impl Parameters {
    fn read(url: &Url) -> Result<Self, RedirectError> {
        let mut parameters = Self::default();
        for (name, value) in url.query_pairs() {
            let place = match &*name {
                "code" => &mut parameters.code,
                "state" => &mut parameters.state,
                "iss" => &mut parameters.iss,
                "error" => &mut parameters.error,
                "error_description" => &mut parameters.error_description,
                // RFC 6749 section 4.1.2: unrecognised parameters are ignored.
                _ => continue,
            };
            if place.replace(value.into_owned()).is_some() {
                return Err(RedirectError::Duplicate(name.into_owned()));
            }
        }
        Ok(parameters)
    }
}

fn same_place(url: &Url, redirect_uri: &Url) -> bool {
    url.origin() == redirect_uri.origin() && url.path() == redirect_uri.path()
}

#[cfg(test)]
mod tests {
    #[cfg(not(target_arch = "wasm32"))]
    use proptest::prelude::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn metadata(promises_iss: bool) -> Metadata {
        crate::json::from_str(
            &serde_json::json!({
                "issuer": "https://idp.example",
                "authorization_endpoint": "https://idp.example/authorize",
                "token_endpoint": "https://idp.example/token",
                "jwks_uri": "https://idp.example/jwks",
                "authorization_response_iss_parameter_supported": promises_iss,
            })
            .to_string(),
        )
        .unwrap()
    }

    fn read(url: &str, promises_iss: bool) -> Result<AuthorizationCode, RedirectError> {
        let expected = ExpectedRedirect {
            redirect_uri: &"https://abc.chromiumapp.org/callback".parse().unwrap(),
            state: "s1",
            metadata: &metadata(promises_iss),
        };
        read_redirect(&url.parse().unwrap(), expected)
    }

    #[test]
    fn a_code_with_the_right_state_is_taken() {
        assert!(read("https://abc.chromiumapp.org/callback?code=c&state=s1", false).is_ok());
        assert!(
            read("https://abc.chromiumapp.org/callback?code=c&state=s1&iss=https%3A%2F%2Fidp.example", true)
                .is_ok()
        );
    }

    #[test]
    fn what_does_not_belong_to_this_sign_in_is_refused() {
        for (query, code) in [
            ("code=c", Code::StateMismatch),
            ("code=c&state=s2", Code::StateMismatch),
            ("error=access_denied&state=s2", Code::StateMismatch),
            ("code=c&state=s1&iss=https://evil.example", Code::RedirectIssuerMismatch),
            ("error=access_denied&state=s1&iss=https://evil.example", Code::RedirectIssuerMismatch),
            ("code=c&code=d&state=s1", Code::RedirectInvalid),
            ("code=c&state=s1&state=s1", Code::RedirectInvalid),
            ("state=s1", Code::RedirectInvalid),
            ("error=access_denied&state=s1", Code::AccessDeniedByProvider),
            ("error=login_required&state=s1", Code::SignInNeeded),
            ("error=unauthorized_client&state=s1", Code::ProviderRefused),
        ] {
            let error = read(&format!("https://abc.chromiumapp.org/callback?{query}"), false).unwrap_err();
            assert_eq!(error.code(), code, "{query}");
        }
    }

    #[test]
    fn a_promised_issuer_must_be_there() {
        let error = read("https://abc.chromiumapp.org/callback?code=c&state=s1", true).unwrap_err();
        assert_eq!(error.code(), Code::RedirectIssuerMismatch);
    }

    #[test]
    fn another_address_is_refused_even_with_the_right_state() {
        for url in [
            "https://abd.chromiumapp.org/callback",
            "https://abc.chromiumapp.org/other",
            "http://abc.chromiumapp.org/callback",
        ] {
            assert_eq!(
                read(&format!("{url}?code=c&state=s1"), false).unwrap_err(),
                RedirectError::WrongPlace
            );
        }
    }

    #[test]
    fn each_provider_has_a_redirect_address_of_its_own_below_the_shared_one() {
        let own = |shared: &str, id: &str| {
            own_redirect_uri(&shared.parse().unwrap(), &id.parse().unwrap()).to_string()
        };
        let (chromium, firefox) = ("https://abc.chromiumapp.org/", "http://127.0.0.1/mozoauth2/abc");
        assert_eq!(own(chromium, "corp"), "https://abc.chromiumapp.org/provider-corp");
        assert_eq!(own(firefox, "corp"), "http://127.0.0.1/mozoauth2/abc/provider-corp");
        for id in [".", "..", "a.b"] {
            assert_eq!(own(chromium, id), format!("{chromium}provider-{id}"));
        }
    }

    #[test]
    fn the_providers_description_is_shown_on_one_line() {
        let url = "https://abc.chromiumapp.org/callback?error=access_denied&state=s1&error_description=Not%0Athis%20time.";
        assert_eq!(
            read(url, false).unwrap_err().to_string(),
            "The provider denied the sign-in: Not this time."
        );
    }

    #[cfg(not(target_arch = "wasm32"))]

    proptest! {
        #[test]
        fn no_redirect_without_the_right_state_gives_a_code(query in "[ -~]{0,80}") {
            prop_assume!(!query.contains("state=s1"));
            let mut url: Url = "https://abc.chromiumapp.org/callback".parse().unwrap();
            url.set_query(Some(&query));
            prop_assert!(read(url.as_str(), false).is_err());
        }
    }
}
