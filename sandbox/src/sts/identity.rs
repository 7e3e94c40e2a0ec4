//! Verifies the web identity token as STS does, against the provider's published keys.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::error::{AwsError, AwsErrorCode};
use super::{key_set, roles_claim};

/// The content of a verified token.
pub(super) struct Identity {
    pub(super) subject: String,
    /// `azp` if present, else `aud`: the `aud` of policies.
    pub(super) audience: String,
    pub(super) amr: Vec<String>,
    /// Whether the token has the session tags claim, nested or flattened.
    pub(super) has_tags: bool,
    /// The session tags.
    pub(super) tags: Vec<(String, String)>,
    /// The size of the tags in the token, in bytes.
    pub(super) tags_length: usize,
    /// Whether the token lists the role among those that it is valid for.
    pub(super) role_is_listed: bool,
    /// The `SourceIdentity` of the session.
    pub(super) source: Option<String>,
}

/// The expectations on a token.
pub(super) struct Expected<'a> {
    /// The requested role: the token may list the roles that it is valid for.
    pub(super) role_arn: &'a str,
    pub(super) issuer: &'a str,
    /// The client ids registered with IAM's OIDC provider; `None` if the account has no such provider.
    pub(super) audiences: Option<&'a [String]>,
    /// The published keys; `None` if the provider does not respond.
    pub(super) keys: Option<&'a [Value]>,
    /// Unix time, seconds.
    pub(super) now: i64,
}

/// Verifies `token`, with the recorded refusals of AWS (github.com/radkawar/stackd,
/// `internal/services/sts/testdata/oidc`, September 2026): an unknown provider, an unregistered audience and an invalid
/// signature have the same text.
pub(super) fn verify(token: &str, expected: &Expected<'_>) -> Result<Identity, AwsError> {
    let jwt = Jwt::parse(token).ok_or_else(|| invalid(NOT_A_JWT))?;
    let claims = &jwt.claims;
    for name in ["iss", "sub", "aud", "iat", "exp"] {
        match claims.get(name) {
            Some(Value::Null) if name == "sub" => {
                return Err(AwsError::new(
                    AwsErrorCode::InternalFailure,
                    "Unknown error validating third-party token",
                ));
            }
            None => return Err(missing(name)),
            Some(Value::Array(list)) if list.is_empty() => {
                return Err(invalid(&format!("Claim is not allowed to be empty: {name}")));
            }
            Some(_) => {}
        }
    }
    let issuer = claims.get("iss").and_then(Value::as_str).ok_or_else(|| missing("iss"))?;
    // The issuer selects one of the account's providers, before any key is checked.
    let Some(audiences) = expected.audiences.filter(|_| issuer == expected.issuer) else {
        return Err(invalid(NOT_VALIDATED));
    };
    let keys = expected.keys.ok_or(AwsErrorCode::InvalidIdentityToken)?;
    jwt.verify(keys)?;
    check_times(claims, expected.now)?;
    let audience = match (claims.get("azp"), claims.get("aud")) {
        (Some(Value::String(party)), _) => party.clone(),
        (_, Some(Value::String(audience))) => audience.clone(),
        (_, Some(Value::Array(list))) if list.len() == 1 => list[0].as_str().unwrap_or_default().to_owned(),
        (_, Some(Value::Array(_))) => return Err(invalid(SEVERAL_AUDIENCES)),
        _ => return Err(invalid(NOT_VALIDATED)),
    };
    if !audiences.contains(&audience) {
        return Err(invalid(NOT_VALIDATED));
    }
    let amr = match claims.get("amr") {
        Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        // AWS only reads a list.
        _ => Vec::new(),
    };
    let subject = match claims.get("sub") {
        Some(Value::String(subject)) => subject.clone(),
        Some(other) => other.to_string(),
        None => return Err(missing("sub")),
    };
    let about_tags = claims.iter().filter(|(name, _)| name.starts_with(TAGS));
    Ok(Identity {
        subject,
        audience,
        amr,
        has_tags: about_tags.clone().next().is_some(),
        tags: tags(claims)?,
        tags_length: about_tags.map(|(name, value)| name.len() + value.to_string().len()).sum(),
        role_is_listed: roles_claim::check(claims, expected.role_arn)?,
        source: claims.get(SOURCE_IDENTITY).and_then(Value::as_str).map(str::to_owned),
    })
}

/// The session tags (IAM User Guide, "Pass session tags in AWS STS"): nested, each a list of one string, or flattened,
/// each in its own claim.
fn tags(claims: &Map<String, Value>) -> Result<Vec<(String, String)>, AwsError> {
    let nested = claims.get(TAGS).and_then(|tags| tags.get("principal_tags")).and_then(Value::as_object);
    let mut tags = Vec::new();
    for (name, value) in nested.into_iter().flatten() {
        let Some([Value::String(value)]) = value.as_array().map(Vec::as_slice) else {
            return Err(invalid("principal_tags passed in claim is not in correct format."));
        };
        tags.push((name.clone(), value.clone()));
    }
    for (name, value) in claims {
        if let (Some(name), Some(value)) = (name.strip_prefix(FLATTENED_TAGS), value.as_str()) {
            tags.push((name.to_owned(), value.to_owned()));
        }
    }
    Ok(tags)
}

fn check_times(claims: &Map<String, Value>, now: i64) -> Result<(), AwsError> {
    let expires = integer(claims, "exp")?.ok_or_else(|| missing("exp"))?;
    let issued = integer(claims, "iat")?.ok_or_else(|| missing("iat"))?;
    // In AWS's message, the "current" time is the one it compares with.
    let earliest = now - LEEWAY;
    if earliest >= expires {
        let message = format!(
            "Token expired: current date/time {earliest} must be before the expiration date/time {expires}"
        );
        return Err(AwsError::new(AwsErrorCode::ExpiredTokenException, &message));
    }
    if now - issued > MAX_AGE {
        return Err(AwsError::new(
            AwsErrorCode::ExpiredTokenException,
            &format!("Token too old: {}", now - issued),
        ));
    }
    let latest = now + LEEWAY;
    if issued > latest {
        return Err(invalid(&format!("Token issued in the future: {issued}")));
    }
    if let Some(not_before) = integer(claims, "nbf")?.filter(|not_before| *not_before > latest) {
        return Err(invalid(&format!(
            "Token not yet valid: current date/time {latest} must be after or equal to the not-before date/time \
             {not_before}"
        )));
    }
    Ok(())
}

/// A token split into its parts (RFC 7515 section 3.1), not verified.
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

    fn verify(&self, keys: &[Value]) -> Result<(), AwsError> {
        let text = |name: &str| self.header.get(name).and_then(Value::as_str);
        if self.header.contains_key("crit") {
            return Err(invalid(NOT_A_JWT));
        }
        let key = key_set::find(keys, text("kid")).ok_or(AwsErrorCode::InvalidIdentityToken)?;
        let algorithm = text("alg").unwrap_or_default();
        let verified = key_set::verifies(key, algorithm, self.message, self.signature);
        if verified { Ok(()) } else { Err(invalid(NOT_VALIDATED)) }
    }
}

/// STS only accepts whole seconds, as a number or as a string.
fn integer(claims: &Map<String, Value>, name: &str) -> Result<Option<i64>, AwsError> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let seconds = value.as_i64().or_else(|| value.as_str().and_then(|text| text.parse().ok()));
    seconds.map(Some).ok_or_else(|| invalid("Invalid timestamp in token claims."))
}

fn missing(claim: &str) -> AwsError {
    invalid(&format!("Missing a required claim: {claim}"))
}

pub(super) fn invalid(message: &str) -> AwsError {
    AwsError::new(AwsErrorCode::InvalidIdentityToken, message)
}

const NOT_A_JWT: &str =
    "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)";
const NOT_VALIDATED: &str = "The web identity token provided could not be validated. See the \
                             AssumeRoleWithWebIdentity documentation for requirements.";
const SEVERAL_AUDIENCES: &str =
    "Token audience contains more than one audience while authorized party is not present";
const TAGS: &str = "https://aws.amazon.com/tags";
const FLATTENED_TAGS: &str = "https://aws.amazon.com/tags/principal_tags/";
const SOURCE_IDENTITY: &str = "https://aws.amazon.com/source_identity";
/// The maximum age by `iat`, in seconds.
const MAX_AGE: i64 = 24 * 3600;
/// The allowed difference between the provider's clock and the STS's, in seconds.
const LEEWAY: i64 = 300;
