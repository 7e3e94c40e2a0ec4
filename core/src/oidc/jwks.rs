//! RFC 7517: the provider's keys, and the choice of one for a token.

use std::collections::BTreeSet;

use jwt_compact::jwk::JsonWebKey;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::discovery::{DiscoveryError, check_status, shown};
use super::{IdTokenError, Metadata};
use crate::platform::HttpResponse;

/// A JSON Web Key Set. Keys this product cannot use are skipped, as RFC 7517 section 5 asks.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct KeySet {
    keys: Vec<Value>,
}

impl KeySet {
    /// Reads the document at `jwks_uri`.
    pub fn read(metadata: &Metadata, response: &HttpResponse) -> Result<Self, DiscoveryError> {
        let url = metadata.jwks_uri.url();
        check_status(url, response)?;
        serde_json::from_slice(response.body())
            .map_err(|error| DiscoveryError::KeysMalformed { url: shown(url), reason: error.to_string() })
    }

    /// The key that must have signed a token with this `kid` and `alg`.
    ///
    /// OIDC Core 10.1: with several keys, `kid` decides; only a sole candidate may go without. The key's own
    /// `use`, `key_ops` and `alg` bind it (RFC 7517 sections 4.2 to 4.4), so that a key is never used for another purpose.
    pub(super) fn select(&self, kid: Option<&str>, alg: &str) -> Result<JsonWebKey<'static>, IdTokenError> {
        let named: Vec<Key> = self
            .keys
            .iter()
            .filter_map(|value| Key::deserialize(value).ok())
            .filter(|key| kid.is_none_or(|kid| key.kid.as_deref() == Some(kid)))
            .collect();
        if named.is_empty() && kid.is_some() {
            return Err(IdTokenError::KeyUnknown { kid: kid.map(str::to_owned) });
        }
        let mut fitting = named.into_iter().filter(|key| key.fits(alg));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(key.parameters),
            (None, _) => Err(IdTokenError::KeyUnfit { alg: alg.to_owned() }),
            (Some(_), Some(_)) => Err(IdTokenError::KeyUnknown { kid: kid.map(str::to_owned) }),
        }
    }
}

/// Something in a key set that AWS STS does not take, though this product and others may.
///
/// AWS answers with "could not be validated" or "Couldn't retrieve verification key" and does not say why. Recorded with
/// the real STS in September 2026 (`tests/recorded`); more than 100 keys: IAM User Guide, "Create an OpenID Connect (OIDC)
/// identity provider in IAM".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFinding {
    /// AWS looks keys up by `kid`.
    #[error("a key without kid")]
    NoKeyId,
    /// Of two keys of one `kid`, AWS takes the first.
    #[error("more than one key with the kid \"{0}\"")]
    DuplicateKeyId(String),
    /// AWS refuses a key that has `key_ops`, whatever it says.
    #[error("a key with key_ops (\"{0}\")")]
    KeyOps(String),
    /// Keys for encryption only.
    #[error("no key that is published for signatures")]
    NoneForSignatures,
    /// AWS reads `n` and `e`, or `x` and `y`, never a certificate.
    #[error("a key that consists of a certificate only (\"{0}\")")]
    CertificateOnly(String),
    /// AWS takes 100 keys of each kind at most.
    #[error("{0} keys, more than the 100 that AWS reads")]
    TooMany(usize),
}

impl KeySet {
    /// What in this set AWS STS does not take.
    #[must_use]
    pub fn what_aws_refuses(&self) -> Vec<KeyFinding> {
        let text = |key: &Value, name: &str| key.get(name).and_then(Value::as_str).map(shortened);
        let for_signatures = |key: &&Value| text(key, "use").is_none_or(|purpose| purpose == "sig");
        let mut findings = Vec::new();
        if !self.keys.iter().any(|key| for_signatures(&key)) {
            findings.push(KeyFinding::NoneForSignatures);
        }
        let mut seen = BTreeSet::new();
        for key in self.keys.iter().filter(for_signatures) {
            let Some(kid) = text(key, "kid") else {
                findings.push(KeyFinding::NoKeyId);
                continue;
            };
            if key.get("key_ops").is_some() {
                findings.push(KeyFinding::KeyOps(kid.clone()));
            }
            if key.get("x5c").is_some() && key.get("n").is_none() && key.get("x").is_none() {
                findings.push(KeyFinding::CertificateOnly(kid.clone()));
            }
            if !seen.insert(kid.clone()) {
                findings.push(KeyFinding::DuplicateKeyId(kid));
            }
        }
        if self.keys.len() > 100 {
            findings.push(KeyFinding::TooMany(self.keys.len()));
        }
        findings
    }

    /// Why AWS finds no key for a token with this `kid`, if the set itself tells.
    pub(crate) fn why_aws_finds_none(&self, kid: Option<&str>) -> Option<String> {
        let Some(kid) = kid else {
            let several = self.keys.len() > 1;
            return several
                .then(|| "the token names no key (kid), and the provider publishes several".to_owned());
        };
        let named = |key: &&Value| key.get("kid").and_then(Value::as_str) == Some(kid);
        let Some(key) = self.keys.iter().find(named) else {
            return Some(format!("the provider's key set has no key \"{}\"", shortened(kid)));
        };
        let for_other_use = key.get("use").and_then(Value::as_str).is_some_and(|purpose| purpose != "sig");
        for_other_use.then(|| format!("the key \"{}\" is published for another use", shortened(kid)))
    }
}

/// A key's id as a sentence can hold it.
fn shortened(kid: &str) -> String {
    kid.chars().filter(|c| !c.is_control()).take(60).collect()
}

#[derive(Deserialize)]
struct Key {
    kid: Option<String>,
    r#use: Option<String>,
    #[serde(rename = "key_ops")]
    operations: Option<Vec<String>>,
    alg: Option<String>,
    #[serde(flatten)]
    parameters: JsonWebKey<'static>,
}

impl Key {
    fn fits(&self, alg: &str) -> bool {
        let kind = match &self.parameters {
            JsonWebKey::Rsa { .. } => alg.starts_with("RS"),
            JsonWebKey::EllipticCurve { curve, .. } => alg == "ES256" && curve == "P-256",
            _ => false,
        };
        kind && self.r#use.as_deref().is_none_or(|purpose| purpose == "sig")
            && self.operations.as_ref().is_none_or(|all| all.iter().any(|one| one == "verify"))
            && self.alg.as_deref().is_none_or(|own| own == alg)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn key_set(keys: &Value) -> KeySet {
        serde_json::from_value(json!({ "keys": keys })).unwrap()
    }

    #[test]
    fn a_plain_set_of_keys_is_taken_by_aws() {
        let keys = json!([
            { "kty": "RSA", "kid": "a", "use": "sig", "n": "x", "e": "AQAB", "x5c": ["c"] },
            { "kty": "EC", "kid": "b", "x": "x", "y": "y" },
            { "kty": "RSA", "kid": "c", "use": "enc", "key_ops": ["encrypt"], "n": "x", "e": "AQAB" },
        ]);
        assert_eq!(key_set(&keys).what_aws_refuses(), []);
    }

    #[test]
    fn what_aws_does_not_take_is_named() {
        let many: Vec<_> = (0..101).map(|number| json!({ "kid": number.to_string(), "n": "x" })).collect();
        for (keys, finding) in [
            (json!([{ "kty": "RSA", "n": "x" }]), KeyFinding::NoKeyId),
            (
                json!([{ "kid": "a", "n": "x" }, { "kid": "a", "n": "y" }]),
                KeyFinding::DuplicateKeyId("a".into()),
            ),
            (json!([{ "kid": "a", "n": "x", "key_ops": ["verify"] }]), KeyFinding::KeyOps("a".into())),
            (json!([{ "kid": "a", "n": "x", "use": "enc" }]), KeyFinding::NoneForSignatures),
            (json!([]), KeyFinding::NoneForSignatures),
            (json!([{ "kid": "a", "x5c": ["c"] }]), KeyFinding::CertificateOnly("a".into())),
            (json!(many), KeyFinding::TooMany(101)),
        ] {
            assert_eq!(key_set(&keys).what_aws_refuses(), [finding]);
        }
    }

    #[test]
    fn the_set_tells_why_aws_finds_no_key_in_it() {
        let keys = key_set(&json!([{ "kid": "a", "n": "x" }, { "kid": "b", "n": "x", "use": "enc" }]));
        let why = |kid| keys.why_aws_finds_none(kid).unwrap_or_default();
        assert!(why(None).contains("names no key"), "{}", why(None));
        assert!(why(Some("c")).contains("has no key \"c\""), "{}", why(Some("c")));
        assert!(why(Some("b")).contains("another use"), "{}", why(Some("b")));
        assert_eq!(why(Some("a")), "");
    }
}
