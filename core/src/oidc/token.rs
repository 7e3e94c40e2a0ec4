//! The token endpoint: code exchange (OIDC Core 3.1.3) and refresh (OIDC Core 12), as a public client.

use secrecy::{ExposeSecret, SecretString};

use super::redirect::{plain, sentence_end};
use super::{AuthorizationCode, CodeVerifier, Metadata};
use crate::code::Code;
use crate::json::{self, ReadJson};
use crate::platform::{HttpRequest, HttpResponse, Method};
use crate::settings::{Endpoint, Provider};
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
        &metadata.token_endpoint,
        &[
            ("grant_type", "authorization_code"),
            ("code", code.0.expose_secret()),
            ("redirect_uri", redirect_uri.as_str()),
            ("client_id", &provider.client_id),
            ("code_verifier", code_verifier.secret()),
        ],
    )
}

/// The request for a new ID token (RFC 6749 section 6).
#[must_use]
pub fn refresh_request(
    provider: &Provider,
    metadata: &Metadata,
    refresh_token: &SecretString,
) -> HttpRequest {
    token_request(
        &metadata.token_endpoint,
        &[
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token.expose_secret()),
            ("client_id", &provider.client_id),
        ],
    )
}

/// Reads what the token endpoint answered.
pub fn read_tokens(response: &HttpResponse) -> Result<Tokens, TokenError> {
    #[derive(ReadJson)]
    struct Success {
        id_token: Option<SecretString>,
        refresh_token: Option<SecretString>,
    }
    if response.status != 200 {
        return Err(TokenError::read(response));
    }
    // Some refuse with a status of success.
    if let refused @ TokenError::Refused { .. } = TokenError::read(response) {
        return Err(refused);
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

    /// Reads an error response of the token endpoint.
    ///
    /// Providers have no `error` of their own for "this `Origin` may not" and for "without a secret I will not": they say
    /// `invalid_request`, `unauthorized_client` or `invalid_client`, and tell it in words. Most mention the origin, Okta
    /// speaks of browser requests. Entra ID numbers its refusals: 9002327 mentions the origin and means the opposite, that
    /// there was none.
    #[must_use]
    pub fn read(response: &HttpResponse) -> Self {
        #[derive(ReadJson)]
        struct Failure {
            error: String,
            error_description: Option<String>,
            #[json(default)]
            error_codes: Vec<u32>,
        }
        let status = response.status;
        // Okta says invalid_grant with it, of a code that is as good as before.
        if status == 429 {
            return Self::Busy;
        }
        let Ok(Failure { error, error_description, error_codes }) =
            json::from_slice(response.body.expose_secret())
        else {
            return Self::Status { status };
        };
        let words = error_description.as_deref().map(str::to_ascii_lowercase).unwrap_or_default();
        let description = error_description.as_deref().map(plain).filter(|text| !text.is_empty());
        let says = |text: &str| words.contains(text);
        let is_numbered = |number: u32| error_codes.contains(&number) || says(&format!("aadsts{number}:"));
        match error.as_str() {
            "invalid_request" | "unauthorized_client" | "invalid_client" => {
                if is_numbered(9_002_327) || says("only be redeemed via cross-origin") {
                    Self::OriginRequired { description }
                } else if is_numbered(9_002_326) || says("origin") || says("browser request") {
                    Self::OriginRefused { description }
                } else if is_numbered(7_000_218) || says("client_secret") || says("client secret") {
                    Self::SecretWanted { description }
                } else {
                    Self::Refused { error: plain(&error), description }
                }
            }
            _ => Self::Refused { error: plain(&error), description },
        }
    }
}

/// A form for the token endpoint, whose answers are JSON (RFC 6749 section 5).
fn token_request(endpoint: &Endpoint, parameters: &[(&str, &str)]) -> HttpRequest {
    let mut request = post_form(endpoint, parameters);
    request.headers.push(("accept", "application/json"));
    request
}

/// A form. It says nothing of what it accepts: servers other than the provider's answer otherwise to that.
pub(crate) fn post_form(endpoint: &Endpoint, parameters: &[(&str, &str)]) -> HttpRequest {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    HttpRequest {
        method: Method::Post,
        url: endpoint.url().clone(),
        // A content type that fetch sends without a preflight.
        headers: vec![("content-type", "application/x-www-form-urlencoded")],
        body: body.into(),
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn response(status: u16, body: &str) -> HttpResponse {
        HttpResponse::new(status, body.to_owned().into())
    }

    #[test]
    fn refusals_are_told_apart() {
        for (status, body, code) in [
            (400, r#"{"error":"invalid_grant"}"#, Code::TokenRefused),
            (
                400,
                r#"{"error":"invalid_request","error_description":"origin x is not allowed for client"}"#,
                Code::OriginRefused,
            ),
            (400, r#"{"error":"invalid_request","error_description":"code missing"}"#, Code::TokenRefused),
            (502, "<html>", Code::ProviderUnreachable),
            (200, "{}", Code::TokenResponseInvalid),
            (200, "<html>", Code::TokenResponseInvalid),
            (200, r#"{"error":"invalid_grant"}"#, Code::TokenRefused),
            (400, r#"{"error":{"code":"x"}}"#, Code::TokenRefused),
            (429, r#"{"error":"invalid_grant"}"#, Code::ProviderBusy),
            (400, r#"{"error":"invalid_request","error_codes":[9002326]}"#, Code::OriginRefused),
            (400, r#"{"error":"invalid_request","error_codes":[9002327]}"#, Code::OriginRequired),
            (401, r#"{"error":"invalid_client","error_codes":[7000218]}"#, Code::SecretWanted),
            (
                401,
                r#"{"error":"invalid_client","error_description":"Client secret not provided"}"#,
                Code::SecretWanted,
            ),
        ] {
            assert_eq!(read_tokens(&response(status, body)).unwrap_err().code(), code, "{body}");
        }
    }

    #[test]
    fn a_grant_is_not_spent_by_a_request_that_came_too_soon() {
        let busy = TokenError::read(&response(429, r#"{"error":"invalid_grant"}"#));
        assert!(!busy.is_invalid_grant());
        assert!(TokenError::read(&response(400, r#"{"error":"invalid_grant"}"#)).is_invalid_grant());
    }

    #[test]
    fn no_error_quotes_a_token() {
        let error = read_tokens(&response(200, r#"{"id_token":["eyJhbGciOi"]}"#)).unwrap_err();
        assert!(!error.to_string().contains("eyJ"), "{error}");
    }
}
