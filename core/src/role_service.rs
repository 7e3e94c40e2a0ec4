//! The previous tool's role service (`roles_url`): it takes an ID token and lists the person's roles.
//!
//! `POST` of `{"token": ID token, "key": the provider's JWK set}`, answered by
//! `{"roles": [ARN], "aliases": {account: [name]}}` or `{"error": text}`. A service that is down or lies never stops a
//! sign-in, and never lists more than names.

use secrecy::ExposeSecret as _;

use crate::aws::{AccountId, RoleArn};
use crate::code::{Code, Problem};
use crate::json::{self, Document, ReadJson, WriteJson};
use crate::map::Map;
use crate::oidc::IdToken;
use crate::platform::{HttpRequest, HttpResponse, Method, TransportError};
use crate::secret::SecretBytes;
use crate::settings::{Endpoint, Provider};
use crate::text;

/// What a role service lists for a person.
#[derive(Debug, Clone, Default, PartialEq, Eq, ReadJson, WriteJson)]
#[json(default)]
pub struct ServedRoles {
    /// The roles.
    pub roles: Vec<RoleArn>,
    /// What accounts are called.
    pub aliases: Vec<(AccountId, String)>,
}

/// The answer, as it is read.
#[derive(Default, ReadJson)]
#[json(default)]
struct Answer {
    roles: Option<Vec<String>>,
    aliases: Map<String, Vec<String>>,
    error: Option<String>,
}

/// The request, with the provider's key set as `keys` has answered it.
#[must_use]
pub fn request(url: &Endpoint, token: &IdToken, keys: &HttpResponse) -> HttpRequest {
    let keys = std::str::from_utf8(keys.body.expose_secret()).unwrap_or_default();
    let keys = if Document::parse(keys).is_ok() { keys } else { "null" };
    // A token is of letters that JSON takes as they are; put together by hand, no further copy of it is left behind.
    let body = ["{\"token\":\"", token.text.expose_secret(), "\",\"key\":", keys, "}"].concat();
    HttpRequest {
        method: Method::Post,
        url: url.url().clone(),
        headers: vec![("content-type", "application/json"), ("accept", "application/json")],
        signature: Vec::new(),
        body: SecretBytes::from(body),
        public_only: false,
    }
}

/// Reads the answer.
pub fn read(url: &Endpoint, response: &HttpResponse) -> Result<ServedRoles, RoleServiceError> {
    let host = || url.url().host_str().unwrap_or_default().to_owned();
    let text = std::str::from_utf8(response.body.expose_secret()).unwrap_or_default();
    let answer: Option<Answer> = json::from_str(text).ok();
    if let Some(reason) = answer.as_ref().and_then(|answer| answer.error.clone()) {
        return Err(RoleServiceError::Refused {
            host: host(),
            reason: text::on_one_line(&reason, text::LABEL_MAX),
        });
    }
    if !response.is_success() {
        return Err(RoleServiceError::Status { host: host(), status: response.status });
    }
    let (Some(roles), aliases) = answer.map_or((None, Map::new()), |answer| (answer.roles, answer.aliases))
    else {
        return Err(RoleServiceError::NotAList { host: host() });
    };
    let alias = |(account, names): (String, Vec<String>)| {
        let name = text::on_one_line(names.first()?, text::LABEL_MAX);
        Some((account.parse().ok()?, name))
    };
    Ok(ServedRoles {
        roles: roles.iter().filter_map(|role| role.parse().ok()).collect(),
        aliases: aliases.into_iter().filter_map(alias).collect(),
    })
}

/// Why a role service has listed nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoleServiceError {
    /// There was no answer.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// It says why.
    #[error("{host} answered: {reason}")]
    Refused {
        /// Which service.
        host: String,
        /// Its words.
        reason: String,
    },
    /// It does not say why.
    #[error("{host} answered with the status {status}.")]
    Status {
        /// Which service.
        host: String,
        /// The status.
        status: u16,
    },
    /// There is nobody to ask for any more.
    #[error("You are not signed in there any more.")]
    SignedOut,
    /// It answers something else.
    #[error("The answer of {host} is not a list of roles.")]
    NotAList {
        /// Which service.
        host: String,
    },
}

impl RoleServiceError {
    /// What people are told.
    #[must_use]
    pub fn problem(&self, provider: &Provider) -> Problem {
        let message = format!("The roles of {} could not be listed: {self}", provider.label());
        let problem = Problem::new(Code::RoleServiceUnavailable, message);
        match self {
            Self::Transport(
                TransportError::NotAllowed { pattern, .. } | TransportError::Withheld { pattern, .. },
            ) => problem
                .with_next_step("Choose Allow to let Rolecall connect to this address.")
                .with_grant(pattern),
            _ => problem,
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn answered(status: u16, body: &str) -> Result<ServedRoles, RoleServiceError> {
        let url = "https://roles.example/roles".parse().unwrap();
        read(&url, &HttpResponse::new(status, body.to_owned().into()))
    }

    #[test]
    fn the_answer_of_the_previous_tools_service_is_read() {
        let served = answered(
            200,
            r#"{"roles": ["arn:aws:iam::123456789012:role/admin", "nonsense", "arn:aws:iam::210987654321:role/x"],
                "aliases": {"123456789012": ["dev\u0007", "other"], "210987654321": [], "evil": ["x"]}, "more": 1}"#,
        );
        let served = served.unwrap();
        assert_eq!(served.roles.iter().map(RoleArn::name).collect::<Vec<_>>(), ["admin", "x"]);
        let [(account, alias)] = &served.aliases[..] else { panic!("{served:?}") };
        assert_eq!((account.as_str(), alias.chars().filter(|c| c.is_control()).count()), ("123456789012", 0));
        assert!(alias.starts_with("dev"));
        assert_eq!(answered(200, r#"{"roles": []}"#).unwrap(), ServedRoles::default());
    }

    #[test]
    fn what_is_no_list_of_roles_is_told_in_the_services_words_if_it_has_any() {
        for (status, body, sentence) in [
            (200, r#"{"error": "token\nexpired"}"#, "roles.example answered: token expired"),
            (403, r#"{"error": "no"}"#, "roles.example answered: no"),
            (503, "<html>", "roles.example answered with the status 503."),
            (200, "<html>", "The answer of roles.example is not a list of roles."),
            (200, "{}", "The answer of roles.example is not a list of roles."),
            (200, r#"{"roles": {"a": 1}}"#, "The answer of roles.example is not a list of roles."),
            (200, "[]", "The answer of roles.example is not a list of roles."),
        ] {
            assert_eq!(answered(status, body).unwrap_err().to_string(), sentence, "{body}");
        }
    }
}
