//! The token endpoint: code exchange (OIDC Core 3.1.3) and refresh (OIDC Core 12), as a public client.

use secrecy::{ExposeSecret, SecretString};

use super::discovery::usable;
use super::redirect::{plain, sentence_end};
use super::{AuthorizationCode, CodeVerifier, Metadata};
use crate::code::Code;
use crate::json::{self, ReadJson};
use crate::platform::{HttpRequest, HttpResponse, Method};
use crate::settings::{ClientSecret, Endpoint, Provider};
use crate::text;
use crate::url::Url;

/// What the token endpoint gave.
#[derive(Debug)]
pub struct Tokens {
    /// Not verified yet.
    pub id_token: SecretString,
    /// Present when the provider grants one.
    pub refresh_token: Option<SecretString>,
}

/// The request that exchanges a code for tokens (RFC 6749 section 4.1.3, RFC 7636 section 4.5).
#[must_use]
pub fn code_request(
    provider: &Provider,
    metadata: &Metadata,
    redirect_uri: &Url,
    code: &AuthorizationCode,
    code_verifier: &CodeVerifier,
) -> HttpRequest {
    token_request(
        provider,
        &metadata.token_endpoint,
        &[
            ("grant_type", "authorization_code"),
            ("code", code.0.expose_secret()),
            ("redirect_uri", redirect_uri.as_str()),
            ("code_verifier", code_verifier.secret()),
        ],
    )
}

/// The same request without a code: the refusal shows whether answers of the token endpoint can be read.
#[must_use]
pub fn probe_request(provider: &Provider, metadata: &Metadata) -> HttpRequest {
    token_request(provider, &metadata.token_endpoint, &[("grant_type", "authorization_code")])
}

/// The request for a new ID token (RFC 6749 section 6).
#[must_use]
pub fn refresh_request(
    provider: &Provider,
    metadata: &Metadata,
    refresh_token: &SecretString,
) -> HttpRequest {
    token_request(
        provider,
        &metadata.token_endpoint,
        &[("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose_secret())],
    )
}

/// Reads what the token endpoint answered.
pub fn read_tokens(provider: &Provider, response: &HttpResponse) -> Result<Tokens, TokenError> {
    #[derive(ReadJson)]
    struct Success {
        id_token: Option<SecretString>,
        refresh_token: Option<SecretString>,
    }
    // Some refuse with a status of success.
    match TokenError::read(response, provider.client_secret.as_ref()) {
        TokenError::Status { status: 200 } => {}
        refused => return Err(refused),
    }
    let success: Success = json::from_slice(response.body.expose_secret())
        .map_err(|error| TokenError::Malformed { reason: error.to_string() })?;
    // RFC 6749 section 5.1 and OIDC Core 3.1.3.3: `id_token` is what this product came for.
    let id_token = success.id_token.ok_or(TokenError::NoIdToken)?;
    Ok(Tokens { id_token, refresh_token: success.refresh_token })
}

/// Why there are no tokens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// An error document of RFC 6749 section 5.2.
    #[error("The provider refused the token request with \"{error}\"{}", sentence_end(description.as_deref()))]
    Refused {
        /// Such as `invalid_grant`.
        error: String,
        /// The provider's description.
        description: Option<String>,
    },
    /// The provider does not accept requests of a browser extension's origin.
    #[error("The provider does not accept token requests from a browser extension{}", sentence_end(description.as_deref()))]
    OriginRefused {
        /// The provider's description.
        description: Option<String>,
    },
    /// The provider takes the exchange from a browser's page only, and refuses it without an origin.
    #[error("The provider only accepts token requests from a browser{}", sentence_end(description.as_deref()))]
    OriginRequired {
        /// The provider's description.
        description: Option<String>,
    },
    /// The provider wants a secret of this client, which is a public one (RFC 6749 section 2.1).
    #[error("The provider requires a client secret for token requests{}", sentence_end(description.as_deref()))]
    SecretWanted {
        /// The provider's description.
        description: Option<String>,
    },
    /// The provider does not take the client's secret.
    #[error("The provider does not accept the client secret{}", sentence_end(description.as_deref()))]
    SecretRefused {
        /// The provider's description.
        description: Option<String>,
    },
    /// Too many requests. The code or refresh token may still be good.
    #[error("The provider's token endpoint refuses requests because there are too many.")]
    Busy,
    /// A status without an error document.
    #[error("The provider's token endpoint responded with the HTTP status {status}.")]
    Status {
        /// The status.
        status: u16,
    },
    /// A success that cannot be read.
    #[error("The provider's token endpoint did not return a token response ({reason}).")]
    Malformed {
        /// What is wrong with it; never its text.
        reason: String,
    },
    /// A success without an ID token.
    #[error("The provider returned no ID token.")]
    NoIdToken,
}

impl TokenError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::OriginRefused { .. } => Code::OriginRefused,
            Self::OriginRequired { .. } => Code::OriginRequired,
            Self::SecretWanted { .. } => Code::SecretWanted,
            Self::SecretRefused { .. } => Code::SecretRefused,
            Self::Busy => Code::ProviderBusy,
            Self::Status { status: 500.. } => Code::ProviderUnreachable,
            Self::Refused { .. } | Self::Status { .. } => Code::TokenRefused,
            Self::Malformed { .. } | Self::NoIdToken => Code::TokenResponseInvalid,
        }
    }

    /// Whether the grant itself (code or refresh token) was refused, so that a new one may succeed.
    #[must_use]
    pub fn is_invalid_grant(&self) -> bool {
        matches!(self, Self::Refused { error, .. } if error == "invalid_grant")
    }

    /// Reads an error response of the token endpoint, to a request with this client secret or without one.
    ///
    /// Providers have no `error` of their own for "this `Origin` may not" or "without an `Origin` I will not": they say
    /// `invalid_request` or whatever it may be, and tell it in words. Most mention the origin, Okta speaks of browser
    /// requests, Spring answers with a line of text. What decides is whether the request had an `Origin`. Entra ID numbers
    /// its refusals, which decides above all.
    #[must_use]
    pub fn read(response: &HttpResponse, secret: Option<&ClientSecret>) -> Self {
        #[derive(ReadJson)]
        struct Failure {
            error: String,
            #[json(read = usable)]
            error_description: Option<String>,
            #[json(read = usable)]
            error_codes: Vec<u32>,
        }
        let (status, body) = (response.status, response.body.expose_secret());
        // Okta says invalid_grant with it, of a code that is as good as before.
        if status == 429 {
            return Self::Busy;
        }
        let Ok(Failure { error, error_description, error_codes }) = json::from_slice(body) else {
            let is_of_origin =
                status == 403 && speaks_of_origin(&String::from_utf8_lossy(body).to_ascii_lowercase());
            return match (is_of_origin, response.had_origin) {
                (true, true) => Self::OriginRefused { description: None },
                _ => Self::Status { status },
            };
        };
        let words = error_description.as_deref().map(str::to_ascii_lowercase).unwrap_or_default();
        // Some repeat what was wrong.
        let without_secret = |text: &str| match secret {
            Some(secret) => text::replace(text, secret.expose(), ClientSecret::HIDDEN),
            None => text.to_owned(),
        };
        let description = error_description.as_deref().map(|text| plain(&without_secret(text)));
        let description = description.filter(|text| !text.is_empty());
        let is_numbered = |numbers: &[u32]| {
            let is_told = |number: &u32| text::contains(&words, &format!("aadsts{number}"));
            numbers.iter().any(|number| error_codes.contains(number) || is_told(number))
        };
        // RFC 6749 section 5.2: that the client is not known was told before, at the authorization endpoint.
        let is_of_client = error == "invalid_client"
            || status == 401 && matches!(error.as_str(), "unauthorized_client" | "access_denied");
        let is_of_grant =
            matches!(error.as_str(), "invalid_grant" | "invalid_scope" | "unsupported_grant_type");
        if is_numbered(&[ENTRA_ORIGIN_REQUIRED]) {
            Self::OriginRequired { description }
        } else if is_numbered(&[ENTRA_ORIGIN_REFUSED]) {
            Self::OriginRefused { description }
        } else if is_numbered(&ENTRA_SECRET_REFUSED) {
            Self::SecretRefused { description }
        } else if is_of_grant {
            Self::Refused { error: plain(&error), description }
        } else if speaks_of_origin(&words) {
            if response.had_origin {
                Self::OriginRefused { description }
            } else {
                Self::OriginRequired { description }
            }
        } else if is_of_client || speaks_of_secret(&words) {
            if secret.is_some() {
                Self::SecretRefused { description }
            } else {
                Self::SecretWanted { description }
            }
        } else {
            Self::Refused { error: plain(&error), description }
        }
    }
}

/// Whether a refusal, in small letters, is of where the request comes from.
fn speaks_of_origin(words: &str) -> bool {
    // An "original" request is something else.
    let is_sign = |word| matches!(word, "origin" | "origins" | "cors" | "browser" | "browsers");
    words.split(|letter: char| !letter.is_ascii_alphabetic()).any(is_sign)
        || ["cross-site", "single-page"].iter().any(|sign| text::contains(words, sign))
}

/// Whether a refusal, in small letters, is of the client's authentication.
fn speaks_of_secret(words: &str) -> bool {
    const SIGNS: [&str; 4] =
        ["client secret", "client assertion", "client authentication", "client credentials"];
    // In `client_credentials` they are a grant type.
    let words = text::replace(words, "client_secret", "client secret");
    let words = text::replace(&words, "client_assertion", "client assertion");
    SIGNS.iter().chain(&["confidential client"]).any(|sign| text::contains(&words, sign))
}

/// "Tokens issued for the 'Single-Page Application' client-type may only be redeemed via cross-origin requests".
const ENTRA_ORIGIN_REQUIRED: u32 = 9_002_327;

/// "Cross-origin token redemption is permitted only for the 'Single-Page Application' client-type".
const ENTRA_ORIGIN_REFUSED: u32 = 9_002_326;

/// "Invalid client secret is provided", and one that has expired.
const ENTRA_SECRET_REFUSED: [u32; 2] = [7_000_215, 7_000_222];

/// A form for the token endpoint, whose answers are JSON (RFC 6749 section 5).
fn token_request(provider: &Provider, endpoint: &Endpoint, parameters: &[(&str, &str)]) -> HttpRequest {
    let mut request = client_form(provider, endpoint, parameters);
    request.headers.push(("accept", "application/json"));
    request
}

/// A form with the client's own parameters, in the body (RFC 6749 section 2.3.1).
pub(super) fn client_form<'a>(
    provider: &'a Provider,
    endpoint: &Endpoint,
    parameters: &[(&'a str, &'a str)],
) -> HttpRequest {
    let mut parameters = parameters.to_vec();
    parameters.push(("client_id", &provider.client_id));
    parameters.extend(provider.client_secret.as_ref().map(|secret| ("client_secret", secret.expose())));
    HttpRequest { public_only: provider.is_public_only(endpoint), ..post_form(endpoint, &parameters) }
}

/// A form. It says nothing of what it accepts: servers other than the provider's answer otherwise to that.
pub(crate) fn post_form(endpoint: &Endpoint, parameters: &[(&str, &str)]) -> HttpRequest {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    HttpRequest {
        method: Method::Post,
        url: endpoint.url().clone(),
        // A content type that fetch sends without a preflight.
        headers: vec![("content-type", "application/x-www-form-urlencoded")],
        signature: Vec::new(),
        body: body.into(),
        public_only: false,
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::settings::fixture;

    fn response(status: u16, body: &str) -> HttpResponse {
        HttpResponse::new(status, body.to_owned().into())
    }

    /// What becomes of a refusal of a request of this kind.
    fn code(status: u16, body: &str, had_origin: bool, secret: Option<&str>) -> Code {
        let client_secret = secret.map(|secret| secret.to_owned().try_into().unwrap());
        let provider = Provider { client_secret, ..fixture::provider() };
        let response = HttpResponse { had_origin, ..response(status, body) };
        read_tokens(&provider, &response).unwrap_err().code()
    }

    #[test]
    fn refusals_are_told_apart() {
        for (status, body, expected) in [
            (400, r#"{"error":"invalid_grant"}"#, Code::TokenRefused),
            (400, r#"{"error":"invalid_request","error_description":"code missing"}"#, Code::TokenRefused),
            (502, "<html>", Code::ProviderUnreachable),
            (403, "<html>", Code::TokenRefused),
            (200, "{}", Code::TokenResponseInvalid),
            (200, "<html>", Code::TokenResponseInvalid),
            (200, r#"{"error":"invalid_grant"}"#, Code::TokenRefused),
            (200, r#"{"error":"invalid_client"}"#, Code::SecretWanted),
            (400, r#"{"error":{"code":"x"}}"#, Code::TokenRefused),
            (
                401,
                r#"{"error":"invalid_client","error_description":7,"error_codes":"7"}"#,
                Code::SecretWanted,
            ),
            (
                400,
                r#"{"error":"invalid_request","error_description":"not the original redirect_uri; scores differ"}"#,
                Code::TokenRefused,
            ),
            (429, r#"{"error":"invalid_grant"}"#, Code::ProviderBusy),
        ] {
            assert_eq!(code(status, body, false, None), expected, "{body}");
        }
    }

    #[test]
    fn a_number_decides_and_else_whether_there_was_an_origin() {
        let numbered = |number: u32| format!(r#"{{"error":"invalid_request","error_codes":[{number}]}}"#);
        let worded = |words: &str| format!(r#"{{"error":"some_error","error_description":"{words}"}}"#);
        for had_origin in [true, false] {
            assert_eq!(code(400, &numbered(9_002_326), had_origin, None), Code::OriginRefused);
            assert_eq!(code(400, &numbered(9_002_327), had_origin, None), Code::OriginRequired);
            let by_words = if had_origin { Code::OriginRefused } else { Code::OriginRequired };
            for words in [
                "The Origin is unknown",
                "CORS: not allowed",
                "Browsers' requests only",
                "no single-page app",
            ] {
                assert_eq!(code(400, &worded(words), had_origin, None), by_words, "{words}");
            }
        }
        // Spring Authorization Server.
        assert_eq!(code(403, "Invalid CORS request", true, None), Code::OriginRefused);
    }

    #[test]
    fn a_secret_is_wanted_of_who_sent_none_and_wrong_where_one_was_sent() {
        let refusals = [
            (400, r#"{"error":"invalid_request","error_description":"The Client_Secret is required"}"#),
            (400, r#"{"error":"invalid_request","error_description":"Missing client credentials"}"#),
            (400, r#"{"error":"unauthorized_client","error_description":"It is a confidential client."}"#),
            (401, r#"{"error":"invalid_client"}"#),
            (401, r#"{"error":"unauthorized_client"}"#),
        ];
        for (status, body) in refusals {
            assert_eq!(code(status, body, false, None), Code::SecretWanted, "{body}");
            assert_eq!(code(status, body, false, Some("wrong")), Code::SecretRefused, "{body}");
        }
        assert_eq!(code(400, r#"{"error":"unauthorized_client"}"#, false, None), Code::TokenRefused);
        let repeated = response(401, r#"{"error":"invalid_client","error_description":"GOCSPX-1 is wrong"}"#);
        let secret = "GOCSPX-1".to_owned().try_into().unwrap();
        let told = TokenError::read(&repeated, Some(&secret)).to_string();
        assert_eq!(told, "The provider does not accept the client secret: (hidden) is wrong.");
    }

    #[test]
    fn a_secret_of_the_settings_goes_into_the_body_of_every_request_of_the_client_and_nowhere_else() {
        let client_secret = Some("GOCSPX-&1".to_owned().try_into().unwrap());
        let provider = Provider { client_secret, ..fixture::provider() };
        let endpoint: Endpoint = "https://idp.example/token".parse().unwrap();
        let request = token_request(&provider, &endpoint, &[("grant_type", "refresh_token")]);
        let body = "grant_type=refresh_token&client_id=abcdef&client_secret=GOCSPX-%261";
        assert_eq!(request.body.expose_secret(), body.as_bytes());
        assert_eq!(request.url.as_str(), "https://idp.example/token");
        assert!(!format!("{provider:?} {request:?}").contains("GOCSPX"));
    }

    #[test]
    fn a_grant_is_not_spent_by_a_request_that_came_too_soon() {
        let read = |status| TokenError::read(&response(status, r#"{"error":"invalid_grant"}"#), None);
        assert!(!read(429).is_invalid_grant());
        assert!(read(400).is_invalid_grant());
    }

    #[test]
    fn no_error_quotes_a_token() {
        let error =
            read_tokens(&fixture::provider(), &response(200, r#"{"id_token":["eyJhbGciOi"]}"#)).unwrap_err();
        assert!(!error.to_string().contains("eyJ"), "{error}");
    }
}
