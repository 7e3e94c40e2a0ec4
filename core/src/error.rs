//! The errors of a sign-in, with their codes and next steps.
//!
//! Every failure of the product is a typed error with three parts: a stable [`Code`] to search for, one plain
//! sentence (its `Display`), and the next step. [`Problem`] is that triple as it travels in a message.

use crate::aws::{ArnError, RegionError};
use crate::code::{Code, Problem};
use crate::console::ConsoleError;
use crate::oidc::{DiscoveryError, IdTokenError, RedirectError, TokenError};
use crate::platform::{AuthorizeError, RandomnessError, TransportError};
use crate::settings::SettingsError;
use crate::sts::StsError;

/// What functions of this crate return.
pub type Result<T> = std::result::Result<T, Error>;

/// Any failure of a sign-in.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// The settings document is not usable.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Text that is not a role's ARN.
    #[error(transparent)]
    Arn(#[from] ArnError),
    /// Text that is not a region.
    #[error(transparent)]
    Region(#[from] RegionError),
    /// The provider's configuration or keys are not usable.
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
    /// The browser was not redirected back.
    #[error(transparent)]
    Authorize(#[from] AuthorizeError),
    /// The redirect contains no code.
    #[error(transparent)]
    Redirect(#[from] RedirectError),
    /// The token endpoint refused.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The ID token is not acceptable.
    #[error(transparent)]
    IdToken(#[from] IdTokenError),
    /// STS refused.
    #[error(transparent)]
    Sts(#[from] StsError),
    /// The console's sign-in refused.
    #[error(transparent)]
    Console(ConsoleError),
    /// No response.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// No random bytes.
    #[error(transparent)]
    Randomness(#[from] RandomnessError),
}

impl Error {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Settings(error) => error.code(),
            Self::Arn(_) => Code::RoleArnInvalid,
            Self::Region(_) => Code::RegionInvalid,
            Self::Discovery(error) => error.code(),
            Self::Authorize(error) => error.code(),
            Self::Redirect(error) => error.code(),
            Self::Token(error) => error.code(),
            Self::IdToken(error) => error.code(),
            Self::Sts(error) => error.code(),
            Self::Console(error) => error.code(),
            Self::Transport(error) => error.code(),
            Self::Randomness(_) => Code::NoRandomness,
        }
    }
}

impl From<ConsoleError> for Error {
    fn from(error: ConsoleError) -> Self {
        match error {
            ConsoleError::Transport(error) => Self::Transport(error),
            error => Self::Console(error),
        }
    }
}

impl From<ConsoleError> for Problem {
    fn from(error: ConsoleError) -> Self {
        Error::from(error).into()
    }
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        let problem = || Self::new(error.code(), error.to_string());
        match error {
            Error::Transport(TransportError::Relayed(relayed)) => relayed.clone(),
            Error::Transport(
                TransportError::NotAllowed { pattern, .. } | TransportError::Withheld { pattern, .. },
            ) => problem().with_grant(pattern),
            _ => problem(),
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::from(&error)
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn what_the_host_program_says_of_a_request_is_passed_on_also_where_its_code_is_of_a_newer_version() {
        for code in ["certificate-untrusted", "of-a-newer-version"] {
            let mut told = Problem::new(Code::Internal, "The certificate of idp.example is not trusted.")
                .with_next_step("Do what the newer version says.");
            code.clone_into(&mut told.code);
            let error = Error::from(TransportError::Relayed(told.clone()));
            assert_eq!(Problem::from(error), told);
        }
    }

    #[test]
    fn what_servers_and_tokens_say_is_shown_without_controls() {
        use crate::oidc::{IdTokenError, Person, TokenError};
        use crate::platform::HttpResponse;
        let hostile = "\u{1b}]52;c;eA==\u{7}\u{9b}2J\u{202e}x\u{200b}";
        let body = serde_json::json!({ "error": hostile, "error_description": hostile }).to_string();
        let errors = [
            Error::from(TokenError::read(&HttpResponse::new(400, body.into()), None)),
            StsError::from_wire(400, hostile, hostile).into(),
            IdTokenError::Issuer { expected: "https://a.example".into(), actual: hostile.into() }.into(),
            IdTokenError::KeyUnknown { kid: Some(hostile.into()) }.into(),
            TransportError::Unreachable { host: "a.example".into(), reason: hostile.into() }.into(),
        ];
        let person = Person {
            sub: "1".into(),
            email: Some(hostile.into()),
            name: None,
            username: None,
            login_hint: None,
        };
        let shown = errors.map(|error| Problem::from(error).message.clone());
        for text in shown.iter().chain([&person.label()]) {
            assert!(text.contains("\u{fffd}]52;c;eA==\u{fffd}\u{fffd}2J\u{fffd}x"), "{text:?}");
            assert_eq!(crate::text::on_lines(text), **text);
        }
    }

    #[test]
    fn a_problem_tells_code_sentence_and_next_step() {
        let problem = Problem::from(Error::Authorize(AuthorizeError::Cancelled));
        assert_eq!(problem.code, "sign-in-cancelled");
        assert_eq!(problem.message, "The sign-in window was closed before the sign-in was complete.");
        assert_eq!(problem.next_step, "Sign in again when you are ready.");
    }
}
