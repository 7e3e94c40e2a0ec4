//! Which of a provider's published keys STS uses for a token, as recorded from AWS (`tests/recorded`).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use p521::ecdsa::signature::Verifier as _;
use p521::ecdsa::{Signature, VerifyingKey};
use serde_json::Value;

/// The key with a token's `kid`. A key without a `kid` is never found, and a token without one finds the only key. Of
/// two keys with the same `kid` the later one is used.
pub(super) fn find<'a>(keys: &'a [Value], kid: Option<&str>) -> Option<&'a Value> {
    let is_rsa = |key: &&Value| text(key, "kty") == Some("RSA");
    let too_many_rsa = keys.iter().filter(is_rsa).count() > MOST_RSA_KEYS;
    let usable = keys.iter().filter(|key| is_usable(key) && !(is_rsa(key) && too_many_rsa));
    let known: BTreeMap<&str, &Value> = usable.filter_map(|key| Some((text(key, "kid")?, key))).collect();
    match kid {
        Some(kid) => known.get(kid).copied(),
        None => known.values().next().copied().filter(|_| known.len() == 1),
    }
}

/// Whether a key is for signatures, has its parameters, and matches its certificate if it has one.
fn is_usable(key: &Value) -> bool {
    let for_signatures = text(key, "use").is_none_or(|purpose| purpose == "sig");
    let Some(parameter) = text(key, "n").or_else(|| text(key, "x")) else { return false };
    let certificate = key["x5c"][0].as_str().map(|certificate| STANDARD.decode(certificate));
    let agrees = certificate.is_none_or(|certificate| {
        let (Ok(certificate), Ok(parameter)) = (certificate, URL_SAFE_NO_PAD.decode(parameter)) else {
            return false;
        };
        !parameter.is_empty() && certificate.windows(parameter.len()).any(|part| part == parameter)
    });
    for_signatures && agrees
}

/// Whether the key signed the message. Only asymmetric algorithms are accepted, whatever the header says (RFC 8725
/// section 3.1); the key's own `alg` is ignored.
pub(super) fn verifies(key: &Value, algorithm: &str, message: &str, signature: &str) -> bool {
    if key.get("key_ops").is_some() {
        return false;
    }
    let algorithm = match algorithm {
        "RS256" => Algorithm::RS256,
        "RS384" => Algorithm::RS384,
        "RS512" => Algorithm::RS512,
        "ES256" => Algorithm::ES256,
        "ES384" => Algorithm::ES384,
        "ES512" => return verifies_es512(key, message, signature).unwrap_or(false),
        _ => return false,
    };
    let key = match (text(key, "n"), text(key, "e"), text(key, "x"), text(key, "y")) {
        (Some(n), Some(e), ..) => DecodingKey::from_rsa_components(n, e),
        (.., Some(x), Some(y)) => DecodingKey::from_ec_components(x, y),
        _ => return false,
    };
    key.is_ok_and(|key| crypto::verify(signature, message.as_bytes(), &key, algorithm).unwrap_or(false))
}

fn verifies_es512(key: &Value, message: &str, signature: &str) -> Option<bool> {
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
    let point = [vec![UNCOMPRESSED], bytes(text(key, "x")?)?, bytes(text(key, "y")?)?].concat();
    let key = VerifyingKey::from_sec1_bytes(&point).ok()?;
    let signature = Signature::from_slice(&bytes(signature)?).ok()?;
    Some(key.verify(message.as_bytes(), &signature).is_ok())
}

fn text<'a>(key: &'a Value, name: &str) -> Option<&'a str> {
    key.get(name).and_then(Value::as_str)
}

const MOST_RSA_KEYS: usize = 100;
/// SEC 1, section 2.3.3: a point with both coordinates.
const UNCOMPRESSED: u8 = 4;
