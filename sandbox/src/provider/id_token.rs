//! ID tokens (OIDC Core section 2), and their configured faults.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::grants::Family;
use super::keys::{self, sign_with_foreign_key};
use crate::config::{IdTokenFault, ProviderConfig, User};
use crate::world::World;

/// The ID token for `user`, with the configured fault.
pub(super) fn issue(
    world: &World,
    config: &ProviderConfig,
    family: &Family,
    user: &User,
    nonce: Option<&str>,
) -> anyhow::Result<String> {
    let fault = config.id_token_fault.as_ref();
    let mut claims = claims(world, config, family, user, nonce);
    if let Some(fault) = fault {
        spoil_claims(&mut claims, fault, world.clock.now().timestamp());
    }
    let payload = match fault {
        Some(IdTokenFault::DuplicateClaim(name)) => with_duplicate(&claims, name),
        _ => Value::Object(claims).to_string(),
    };
    sign(world, config, fault, &payload)
}

/// The claims of a scope (OIDC Core section 5.4). `groups` and everything AWS reads come with any scope: a client that
/// could leave them out could not assume a role.
pub(super) fn person_claims(user: &User, scope: &str) -> Map<String, Value> {
    let mut claims = Map::new();
    let mut claim = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    claim("sub", json!(user.sub));
    claim("groups", json!(user.groups));
    if scope.split(' ').any(|scope| scope == "email") {
        claim("email", json!(user.email));
        claim("email_verified", json!(true));
    }
    if scope.split(' ').any(|scope| scope == "profile") {
        claim("name", json!(user.name));
        claim("preferred_username", json!(user.email));
    }
    claims.extend(user.claims.clone());
    claims
}

fn claims(
    world: &World,
    config: &ProviderConfig,
    family: &Family,
    user: &User,
    nonce: Option<&str>,
) -> Map<String, Value> {
    let now = world.clock.now();
    let mut claims = Map::new();
    let mut claim = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    claim("iss", json!(world.issuer()));
    claim("aud", json!(family.client_id));
    claim("iat", json!(now.timestamp()));
    claim("exp", json!((now + config.id_token_lifetime).timestamp()));
    claim("auth_time", json!(family.auth_time.timestamp()));
    if !user.amr.is_empty() {
        claim("amr", json!(user.amr));
    }
    if let Some(nonce) = nonce {
        claim("nonce", json!(nonce));
    }
    claims.extend(person_claims(user, &family.scope));
    claims
}

fn spoil_claims(claims: &mut Map<String, Value>, fault: &IdTokenFault, now: i64) {
    let mut claim = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    match fault {
        IdTokenFault::WrongIssuer => {
            claim("iss", json!("https://somebody-else.example"));
        }
        IdTokenFault::WrongAudience => {
            claim("aud", json!("another-client"));
        }
        IdTokenFault::WrongNonce => {
            claim("nonce", json!("somebody-elses-nonce"));
        }
        IdTokenFault::Expired => {
            claim("iat", json!(now - 2 * HOUR));
            claim("exp", json!(now - HOUR));
        }
        IdTokenFault::NotYetValid => {
            claim("nbf", json!(now + HOUR));
            claim("iat", json!(now + HOUR));
            claim("exp", json!(now + 2 * HOUR));
        }
        IdTokenFault::IssuedYesterday => {
            claim("iat", json!(now - 25 * HOUR));
        }
        IdTokenFault::MissingClaim(name) => {
            claims.remove(name);
        }
        IdTokenFault::Claim(name, value) => {
            claim(name, value.clone());
        }
        IdTokenFault::ForeignKey
        | IdTokenFault::UnknownKid
        | IdTokenFault::BrokenSignature
        | IdTokenFault::AlgorithmNone
        | IdTokenFault::HmacWithPublicKey
        | IdTokenFault::DuplicateClaim(_) => {}
    }
}

/// The claims as JSON that contains `name` twice.
fn with_duplicate(claims: &Map<String, Value>, name: &str) -> String {
    let mut members: Vec<String> =
        claims.iter().map(|(name, value)| format!("{}:{value}", Value::from(name.as_str()))).collect();
    members.push(format!("{}:\"a-second-value\"", Value::from(name)));
    format!("{{{}}}", members.join(","))
}

fn sign(
    world: &World,
    config: &ProviderConfig,
    fault: Option<&IdTokenFault>,
    payload: &str,
) -> anyhow::Result<String> {
    let ring = world.keys();
    let key = ring.signer(config.signing)?;
    let (algorithm, kid) = match fault {
        Some(IdTokenFault::AlgorithmNone) => ("none", key.kid.as_str()),
        Some(IdTokenFault::HmacWithPublicKey) => ("HS256", key.kid.as_str()),
        Some(IdTokenFault::UnknownKid) => (keys::name(config.signing), "never-published"),
        _ => (keys::name(config.signing), key.kid.as_str()),
    };
    let header = json!({ "alg": algorithm, "kid": kid, "typ": "JWT" }).to_string();
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = match fault {
        Some(IdTokenFault::AlgorithmNone) => String::new(),
        Some(IdTokenFault::HmacWithPublicKey) => keys::hmac(&message, key.public_pem)?,
        Some(IdTokenFault::ForeignKey) => sign_with_foreign_key(&message, config.signing)?,
        Some(IdTokenFault::BrokenSignature) => key.sign(&format!("{message}."), config.signing)?,
        _ => key.sign(&message, config.signing)?,
    };
    Ok(format!("{message}.{signature}"))
}

const HOUR: i64 = 3600;
