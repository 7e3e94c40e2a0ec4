//! Verifying the web identity token the way STS does, against the keys the provider publishes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde_json::{Map, Value};

use super::error::{AwsError, AwsErrorCode};

/// What a verified token says.
pub(super) struct Identity {
    pub(super) subject: String,
    /// `azp` where there is one, else `aud`: what policies know as `aud`.
    pub(super) audience: String,
    pub(super) amr: Vec<String>,
    /// Whether the token carries session tags, and their length.
    pub(super) tags: Option<usize>,
}

/// What a token is verified against.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    /// The client ids registered with IAM's OIDC provider; `None`: the account has no such provider.
    pub(super) audiences: Option<&'a [String]>,
    /// The published keys; `None`: the provider does not answer.
    pub(super) keys: Option<&'a JwkSet>,
    /// Unix time, seconds.
    pub(super) now: i64,
}

/// Verifies `token`.
pub(super) fn verify(token: &str, expected: &Expected<'_>) -> Result<Identity, AwsError> {
    let jwt = Jwt::parse(token).ok_or_else(|| invalid(NOT_A_JWT))?;
    let claims = &jwt.claims;
    let issuer = required(claims, "iss")?;
    // The issuer decides which of the account's providers is meant, before any key is looked at.
    let Some(audiences) = expected.audiences.filter(|_| issuer == expected.issuer) else {
        return Err(invalid(&format!("No OpenIDConnect provider found in your account for {issuer}")));
    };
    let keys = expected.keys.ok_or(AwsErrorCode::InvalidIdentityToken)?;
    if !jwt.is_signed_by(keys) {
        return Err(AwsErrorCode::InvalidIdentityToken.into());
    }
    check_times(claims, expected.now)?;
    let audience = match claims.get("azp").or_else(|| claims.get("aud")) {
        Some(Value::String(audience)) => audience.clone(),
        Some(Value::Array(list)) if list.len() == 1 => list[0].as_str().unwrap_or_default().to_owned(),
        Some(_) => return Err(invalid(WRONG_AUDIENCE)),
        None => return Err(missing("aud")),
    };
    if !audiences.contains(&audience) {
        return Err(invalid(WRONG_AUDIENCE));
    }
    let amr = match claims.get("amr") {
        Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        // AWS reads a list and nothing else.
        _ => Vec::new(),
    };
    let tags = claims.get("https://aws.amazon.com/tags").map(|tags| tags.to_string().len());
    Ok(Identity { subject: required(claims, "sub")?.to_owned(), audience, amr, tags })
}

fn check_times(claims: &Map<String, Value>, now: i64) -> Result<(), AwsError> {
    let expires = integer(claims, "exp")?.ok_or_else(|| missing("exp"))?;
    let issued = integer(claims, "iat")?.ok_or_else(|| missing("iat"))?;
    if now >= expires {
        let message = format!(
            "Token expired: current date/time {now} must be before the expiration date/time{expires}"
        );
        return Err(AwsError::new(AwsErrorCode::ExpiredTokenException, &message));
    }
    if now - issued > MAX_AGE {
        return Err(AwsError::new(
            AwsErrorCode::ExpiredTokenException,
            &format!("Token too old: {}", now - issued),
        ));
    }
    let not_before = integer(claims, "nbf")?.unwrap_or(issued).max(issued);
    if not_before > now + LEEWAY {
        return Err(invalid("The ID Token provided is not valid yet"));
    }
    Ok(())
}

/// A token taken apart (RFC 7515 section 3.1), nothing verified.
struct Jwt<'a> {
    header: Map<String, Value>,
    claims: Map<String, Value>,
    message: &'a str,
    signature: &'a str,
}

impl<'a> Jwt<'a> {
    fn parse(token: &'a str) -> Option<Self> {
        let (message, signature) = token.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        let object = |part: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok();
        Some(Self { header: object(header)?, claims: object(claims)?, message, signature })
    }

    /// Only asymmetric algorithms count, whatever the header says (RFC 8725 section 3.1).
    fn is_signed_by(&self, keys: &JwkSet) -> bool {
        let text = |name: &str| self.header.get(name).and_then(Value::as_str);
        let algorithm = match text("alg") {
            Some("RS256") => Algorithm::RS256,
            Some("RS384") => Algorithm::RS384,
            Some("RS512") => Algorithm::RS512,
            Some("ES256") => Algorithm::ES256,
            Some("ES384") => Algorithm::ES384,
            _ => return false,
        };
        let Some(key) = text("kid").and_then(|kid| keys.find(kid)) else { return false };
        let Ok(key) = DecodingKey::from_jwk(key) else { return false };
        crypto::verify(self.signature, self.message.as_bytes(), &key, algorithm).unwrap_or(false)
    }
}

fn required<'a>(claims: &'a Map<String, Value>, name: &str) -> Result<&'a str, AwsError> {
    claims.get(name).and_then(Value::as_str).ok_or_else(|| missing(name))
}

/// STS takes whole seconds only.
fn integer(claims: &Map<String, Value>, name: &str) -> Result<Option<i64>, AwsError> {
    match claims.get(name) {
        None => Ok(None),
        Some(value) => match value.as_i64() {
            Some(seconds) => Ok(Some(seconds)),
            None => Err(invalid(NOT_A_JWT)),
        },
    }
}

fn missing(claim: &str) -> AwsError {
    invalid(&format!("Missing a required claim: {claim}"))
}

fn invalid(message: &str) -> AwsError {
    AwsError::new(AwsErrorCode::InvalidIdentityToken, message)
}

const NOT_A_JWT: &str =
    "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)";
const WRONG_AUDIENCE: &str = "Incorrect token audience";
/// `iat` may lie this far back, seconds.
const MAX_AGE: i64 = 24 * 3600;
/// The provider's clock may run this far ahead of the STS's, seconds.
const LEEWAY: i64 = 300;
