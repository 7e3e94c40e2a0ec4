//! OpenID Connect Core 3.1.3.7: ID token validation.
//!
//! Signatures are RS256, RS384, RS512 and ES256. ES384 and ES512, which AWS would take as well, are refused.

use base64ct::{Base64UrlUnpadded, Encoding};
use secrecy::{ExposeSecret, SecretString};

use super::KeySet;
use super::json::{self, UniqueObjectError};
use crate::code::Code;
use crate::crypto::{self, Algorithm, SignatureError};
use crate::json::{Document, Object, ReadJson, WriteJson};
use crate::time::{DateTime, TimeDelta, Utc};
use crate::{secret, text};

/// A verified ID token: its text, for STS, and what it says.
#[derive(Debug, Clone, ReadJson, WriteJson)]
#[json(rename_all = "camelCase")]
pub struct IdToken {
    /// The compact serialisation. A bearer secret until it expires.
    #[json(write = secret::exposed)]
    pub text: SecretString,
    /// When it stops being valid.
    pub expires_at: DateTime<Utc>,
    /// `iss`: what IAM knows the provider by.
    pub issuer: String,
    /// What AWS takes for the audience: `azp` where it is there, else `aud`.
    pub audience: String,
    /// The header's `kid`.
    pub kid: Option<String>,
    /// Who it is about.
    pub person: Person,
    /// `amr`, which AWS trust policies may look at: authentication methods, or a provider's groups.
    pub amr: Vec<String>,
    /// Whether it carries session tags, nested or flattened (IAM User Guide, "Pass session tags in AWS STS").
    pub has_session_tags: bool,
    /// The values of the claim that [`Provider::roles_claim`](crate::settings::Provider::roles_claim) names.
    pub roles: Vec<String>,
    /// The person's groups, if the provider tells them.
    pub groups: Option<Vec<String>>,
}

impl IdToken {
    /// Whether it is the very same token.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.text.expose_secret() == other.text.expose_secret()
    }
}

/// Who is signed in.
#[derive(Debug, Clone, PartialEq, Eq, ReadJson, WriteJson)]
pub struct Person {
    /// `sub`: unique at this issuer, never reassigned.
    pub sub: String,
    /// `email`, if the provider tells it.
    pub email: Option<String>,
    /// `name`, if the provider tells it.
    pub name: Option<String>,
    /// The claim that [`Provider::username_claim`](crate::settings::Provider::username_claim) names.
    pub username: Option<String>,
    /// By what the provider recognises the person in an authorization request.
    pub login_hint: Option<String>,
}

impl Person {
    /// The person's name, for display.
    #[must_use]
    pub fn label(&self) -> String {
        let label = self.username.as_deref().or(self.email.as_deref()).or(self.name.as_deref());
        text::on_one_line(label.unwrap_or(&self.sub), text::LABEL_MAX)
    }
}

/// The expected content of a token.
#[derive(Debug, Clone, Copy)]
pub struct ExpectedToken<'a> {
    /// The provider's issuer.
    pub issuer: &'a str,
    /// This client.
    pub client_id: &'a str,
    /// The nonce of the request; `None` for a token got by refresh (OIDC Core 12.2).
    pub nonce: Option<&'a str>,
    /// The claim that names the person, if the settings name one.
    pub username_claim: Option<&'a str>,
    /// The claim that lists roles, if the settings name one.
    pub roles_claim: Option<&'a str>,
    /// The claim that lists groups, if anybody wants to know.
    pub groups_claim: Option<&'a str>,
    /// The local clock, and the server's own `Date` where it is known. A token is in time when either says so:
    /// a computer whose clock is wrong still signs in.
    pub clocks: (DateTime<Utc>, Option<DateTime<Utc>>),
}

/// Verifies an ID token and gives what it says.
pub async fn verify(
    text: SecretString,
    keys: &KeySet,
    expected: ExpectedToken<'_>,
) -> Result<IdToken, IdTokenError> {
    let token = Parts::of(text.expose_secret())?;
    let (header, claims) = (parsed(&token.header)?, parsed(&token.claims)?);
    let (header, claims) = (unique(&header)?, Claims(unique(&claims)?));
    // RFC 7515 section 4.1.4: a `kid` is a string.
    let kid = header.find("kid").and_then(|kid| kid.map(String::read).transpose());
    let kid = kid.map_err(|_| IdTokenError::Malformed)?;
    check_kind(header, claims.0)?;
    verify_signature(&token, header, kid.as_deref(), keys).await?;

    // Step 2: the issuer must be the one discovered, to the letter.
    let issuer = claims.text("iss")?;
    if issuer != expected.issuer {
        return Err(IdTokenError::Issuer { expected: expected.issuer.to_owned(), actual: issuer });
    }
    // Step 3: the audience must contain this client.
    let audience = claims.list("aud")?.ok_or(IdTokenError::Missing("aud"))?;
    if !audience.iter().any(|aud| aud == expected.client_id) {
        return Err(IdTokenError::Audience { actual: audience.join(", ") });
    }
    // Steps 4 and 5: with several audiences someone must be the authorized party; whoever it is, it must be us.
    match claims.optional_text("azp")? {
        Some(azp) if azp != expected.client_id => {
            return Err(IdTokenError::Audience { actual: azp });
        }
        None if audience.len() > 1 => return Err(IdTokenError::Missing("azp")),
        _ => {}
    }
    // Steps 9 and 10.
    let expires_at = claims.time("exp")?.ok_or(IdTokenError::Missing("exp"))?;
    let issued_at = claims.time("iat")?.ok_or(IdTokenError::Missing("iat"))?;
    let not_before = claims.time("nbf")?;
    let in_time = |now: DateTime<Utc>| in_time(now, expires_at, issued_at, not_before);
    let (local, server) = expected.clocks;
    in_time(local).or_else(|error| server.map_or(Err(error), in_time))?;
    // Step 11: the nonce ties the token to the request, against replay.
    if let Some(nonce) = expected.nonce {
        match claims.optional_text("nonce")? {
            Some(actual) if actual == nonce => {}
            Some(_) => return Err(IdTokenError::Nonce),
            None => return Err(IdTokenError::Missing("nonce")),
        }
    }
    let username = expected.username_claim.and_then(|name| claims.label(name));
    let person = Person {
        sub: claims.text("sub")?,
        email: claims.label("email"),
        name: claims.label("name"),
        // Entra ID wants its own `login_hint`, or the UPN, which the email address need not be.
        login_hint: username.clone().or_else(|| LOGIN_HINTS.iter().find_map(|name| claims.label(name))),
        username,
    };
    Ok(IdToken {
        expires_at,
        person,
        issuer,
        // Step 5 has made sure that an `azp` is this client.
        audience: expected.client_id.to_owned(),
        kid,
        has_session_tags: claims.0.names().any(|name| {
            name.strip_prefix(SESSION_TAGS).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }),
        amr: claims.list("amr").ok().flatten().unwrap_or_default(),
        roles: expected.roles_claim.map_or(Ok(None), |name| claims.list(name))?.unwrap_or_default(),
        // Groups only shorten the list of roles: a claim that is no list of them stops nobody.
        groups: expected.groups_claim.and_then(|name| claims.list(name).ok().flatten()),
        text,
    })
}

/// Why an ID token is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdTokenError {
    /// Not a signed JWT.
    #[error("The provider's ID token is not a well-formed JWT.")]
    Malformed,
    /// An access token, a logout token or another kind of JWT.
    #[error("The provider sent a token of the type \"{typ}\" instead of an ID token.")]
    OtherKind {
        /// The header's `typ`.
        typ: String,
    },
    /// `none`, HMAC, or anything else that is not on the list.
    #[error("The provider signed the ID token with \"{alg}\", which Rolecall does not accept.")]
    Algorithm {
        /// The header's `alg`.
        alg: String,
    },
    /// No key of this `kid`, or no `kid` and several keys.
    #[error("The provider's key set has no {} for the ID token.", kid.as_deref().map_or("unambiguous key".to_owned(), |kid| format!("key \"{kid}\"")))]
    KeyUnknown {
        /// The header's `kid`.
        kid: Option<String>,
    },
    /// The key is of another kind than the algorithm, or published for another use.
    #[error("The provider's key for the ID token is not for {alg} signatures.")]
    KeyUnfit {
        /// The header's `alg`.
        alg: String,
    },
    /// An RSA key of another length than 2048, 3072 or 4096 bits, or parameters that are no key.
    #[error("The provider's key for the ID token is too weak or invalid.")]
    KeyWeak,
    /// The signature is not the provider's.
    #[error("The ID token's signature is invalid.")]
    Signature,
    /// Another issuer.
    #[error("The ID token comes from \"{actual}\", not from \"{expected}\".")]
    Issuer {
        /// The issuer asked.
        expected: String,
        /// `iss`.
        actual: String,
    },
    /// Meant for another client.
    #[error("The ID token is for another application (\"{actual}\").")]
    Audience {
        /// `aud` or `azp`.
        actual: String,
    },
    /// Of another request.
    #[error("The ID token does not belong to this sign-in (its nonce does not match).")]
    Nonce,
    /// `exp` is past.
    #[error("The ID token expired {seconds} seconds ago.")]
    Expired {
        /// By how much.
        seconds: i64,
    },
    /// `nbf` or `iat` is ahead.
    #[error("The ID token is not valid for another {seconds} seconds.")]
    NotYetValid {
        /// By how much.
        seconds: i64,
    },
    /// A claim is missing.
    #[error("The ID token has no claim \"{0}\".")]
    Missing(&'static str),
    /// A duplicate claim or header parameter.
    #[error("The ID token contains \"{0}\" more than once.")]
    Duplicate(String),
    /// A claim has the wrong type.
    #[error("The ID token's claim \"{0}\" has the wrong type.")]
    WrongType(String),
    /// A refreshed token is about someone else (OIDC Core 12.2).
    #[error("The provider renewed the sign-in for another person.")]
    SubjectChanged,
}

impl IdTokenError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Malformed | Self::OtherKind { .. } => Code::TokenMalformed,
            Self::Algorithm { .. } => Code::TokenAlgorithmRefused,
            Self::KeyUnknown { .. } | Self::KeyUnfit { .. } | Self::KeyWeak => Code::TokenKeyUnknown,
            Self::Signature => Code::TokenSignatureInvalid,
            Self::Issuer { .. } => Code::TokenIssuerMismatch,
            Self::Audience { .. } => Code::TokenAudienceMismatch,
            Self::Nonce => Code::TokenNonceMismatch,
            Self::Expired { .. } => Code::TokenExpired,
            Self::NotYetValid { .. } => Code::TokenNotYetValid,
            Self::Missing(_) => Code::TokenClaimMissing,
            Self::Duplicate(_) => Code::TokenClaimDuplicate,
            Self::WrongType(_) => Code::TokenClaimInvalid,
            Self::SubjectChanged => Code::TokenSubjectChanged,
        }
    }
}

/// A token, taken apart (RFC 7515 section 7.1).
struct Parts<'a> {
    /// What the signature is over: the first two parts, as they stand.
    signed: &'a str,
    header: String,
    claims: String,
    signature: Vec<u8>,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Result<Self, IdTokenError> {
        let (signed, signature) = text.rsplit_once('.').ok_or(IdTokenError::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(IdTokenError::Malformed)?;
        let text = |part| String::from_utf8(decode(part)?).map_err(|_| IdTokenError::Malformed);
        Ok(Self { signed, header: text(header)?, claims: text(claims)?, signature: decode(signature)? })
    }
}

fn parsed(text: &str) -> Result<Document<'_>, IdTokenError> {
    Document::parse(text).map_err(|_| IdTokenError::Malformed)
}

fn unique<'a>(document: &'a Document<'_>) -> Result<Object<'a>, IdTokenError> {
    json::unique_object(document).map_err(|error| match error {
        UniqueObjectError::Duplicate(name) => IdTokenError::Duplicate(name),
        UniqueObjectError::Malformed => IdTokenError::Malformed,
    })
}

fn decode(part: &str) -> Result<Vec<u8>, IdTokenError> {
    Base64UrlUnpadded::decode_vec(part).map_err(|_| IdTokenError::Malformed)
}

/// Steps 6 to 8: the signature, by an algorithm on the list, with the key that the header names.
async fn verify_signature(
    token: &Parts<'_>,
    header: Object<'_>,
    kid: Option<&str>,
    keys: &KeySet,
) -> Result<(), IdTokenError> {
    let alg: String = header.get("alg").map_err(|_| IdTokenError::Malformed)?;
    let algorithm = Algorithm::named(&alg)
        .ok_or_else(|| IdTokenError::Algorithm { alg: alg.chars().take(20).collect() })?;
    // RFC 7515 section 4.1.11: an unknown `crit` must be refused.
    if header.names().any(|name| name == "crit") {
        return Err(IdTokenError::Malformed);
    }
    let key = keys.select(kid, &alg)?;
    crypto::verify(algorithm, &key, token.signed.as_bytes(), &token.signature).await.map_err(|error| {
        match error {
            SignatureError::Key => IdTokenError::KeyWeak,
            SignatureError::Signature => IdTokenError::Signature,
        }
    })
}

/// RFC 8725 section 3.11: a token of another kind is none, whoever signed it.
fn check_kind(header: Object<'_>, claims: Object<'_>) -> Result<(), IdTokenError> {
    // Access tokens (RFC 9068 section 2.1), logout tokens and others name it.
    let typ = header.find("typ").and_then(|typ| typ.map(String::read).transpose());
    let typ = typ.map_err(|_| IdTokenError::Malformed)?.unwrap_or_default().to_ascii_lowercase();
    if typ.ends_with("+jwt") {
        return Err(IdTokenError::OtherKind { typ });
    }
    // OpenID Connect Back-Channel Logout 1.0, section 2.4: logout tokens without a type of their own have this claim.
    if claims.names().any(|name| name == "events") {
        return Err(IdTokenError::OtherKind { typ: "logout+jwt".to_owned() });
    }
    Ok(())
}

fn in_time(
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    issued_at: DateTime<Utc>,
    not_before: Option<DateTime<Utc>>,
) -> Result<(), IdTokenError> {
    let late = now - expires_at;
    if late >= LEEWAY {
        return Err(IdTokenError::Expired { seconds: late.num_seconds() });
    }
    let starts_at = not_before.map_or(issued_at, |not_before| not_before.max(issued_at));
    let early = starts_at - now;
    if early > LEEWAY {
        return Err(IdTokenError::NotYetValid { seconds: early.num_seconds() });
    }
    Ok(())
}

struct Claims<'a>(Object<'a>);

impl Claims<'_> {
    /// A claim, if it is there and not null.
    fn claim<T: ReadJson>(&self, name: &str) -> Result<Option<T>, IdTokenError> {
        let value = self.0.find(name).and_then(|value| value.map_or(Ok(None), ReadJson::read));
        value.map_err(|_| IdTokenError::WrongType(name.to_owned()))
    }

    fn optional_text(&self, name: &str) -> Result<Option<String>, IdTokenError> {
        self.claim(name)
    }

    /// A claim that people are shown and nothing is decided by: empty or of a wrong type, it is as good as absent.
    fn label(&self, name: &str) -> Option<String> {
        self.optional_text(name).ok().flatten().filter(|text| !text.is_empty())
    }

    fn text(&self, name: &'static str) -> Result<String, IdTokenError> {
        self.optional_text(name)?.filter(|text| !text.is_empty()).ok_or(IdTokenError::Missing(name))
    }

    /// A claim that is a string or a list of strings (RFC 7519 section 4.1.3).
    fn list(&self, name: &str) -> Result<Option<Vec<String>>, IdTokenError> {
        match self.optional_text(name) {
            Ok(text) => Ok(text.map(|text| vec![text])),
            Err(_) => self.claim(name),
        }
    }

    /// A `NumericDate`. STS takes integers only, so a fraction is refused here rather than there.
    fn time(&self, name: &str) -> Result<Option<DateTime<Utc>>, IdTokenError> {
        self.claim(name)
    }
}

/// How far two clocks may be apart. AWS STS takes tokens up to 300 s late and early (recorded, September 2026): a
/// stricter reader would keep people out whom AWS lets in.
const LEEWAY: TimeDelta = TimeDelta::seconds(300);

/// The claims by one of which the provider recognises the person, the surest first. Entra ID: "Optional claims reference".
const LOGIN_HINTS: [&str; 4] = ["login_hint", "preferred_username", "upn", "email"];

/// The claim that carries session tags.
const SESSION_TAGS: &str = "https://aws.amazon.com/tags";

#[cfg(test)]
mod tests;
