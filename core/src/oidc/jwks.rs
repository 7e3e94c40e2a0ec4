//! RFC 7517: the provider's keys, and the choice of one for a token.

use base64ct::{Base64, Base64UrlUnpadded, Encoding};

use super::discovery::{DiscoveryError, check_status, shown};
use super::{IdTokenError, Metadata};
use crate::crypto::{Algorithm, PublicKey};
use crate::json::{self, Malformed, ReadJson, Value, WriteJson};
use crate::map::Set;
use crate::platform::HttpResponse;
use crate::text;

/// A JSON Web Key Set.
#[derive(Debug, Clone, Default, WriteJson)]
pub struct KeySet {
    keys: Vec<Key>,
}

/// What this product reads of a JSON Web Key (RFC 7517 section 4, RFC 7518 section 6). A member of another type than the
/// standard's counts as missing, or as a list without entries, so that one odd key costs no other.
#[derive(Debug, Clone, WriteJson)]
struct Key {
    kty: Option<String>,
    kid: Option<String>,
    #[json(name = "use")]
    purpose: Option<String>,
    #[json(name = "key_ops")]
    operations: Option<Vec<String>>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
    #[json(name = "x5c")]
    certificates: Option<Vec<String>>,
}

impl KeySet {
    /// Reads the document at `jwks_uri`.
    pub fn read(metadata: &Metadata, response: &HttpResponse) -> Result<Self, DiscoveryError> {
        let url = metadata.jwks_uri.url();
        check_status(url, response)?;
        json::from_slice(response.body.expose_secret())
            .map_err(|error| DiscoveryError::KeysMalformed { url: shown(url), reason: error.to_string() })
    }

    /// The key that must have signed a token with this `kid` and `alg`.
    ///
    /// OIDC Core 10.1: with several keys, `kid` decides; only a sole candidate may go without. The key's own
    /// `use`, `key_ops` and `alg` bind it (RFC 7517 sections 4.2 to 4.4), so that a key is never used for another purpose.
    /// Keys that this product cannot use are skipped, as RFC 7517 section 5 asks.
    pub(super) fn select(&self, kid: Option<&str>, alg: &str) -> Result<PublicKey, IdTokenError> {
        let named = |key: &&Key| kid.is_none_or(|kid| key.kid.as_deref() == Some(kid));
        let mut usable =
            self.keys.iter().filter(named).filter_map(|key| Some((key, key.public_key()?))).peekable();
        if usable.peek().is_none() && kid.is_some() {
            return Err(IdTokenError::KeyUnknown { kid: kid.map(str::to_owned) });
        }
        let mut fitting = usable.filter(|(key, public_key)| key.fits(public_key, alg));
        match (fitting.next(), fitting.next()) {
            (Some((_, public_key)), None) => Ok(public_key),
            (None, _) => Err(IdTokenError::KeyUnfit { alg: alg.to_owned() }),
            (Some(_), Some(_)) => Err(IdTokenError::KeyUnknown { kid: kid.map(str::to_owned) }),
        }
    }
}

impl ReadJson for KeySet {
    fn read(value: Value<'_>) -> Result<Self, Malformed> {
        let keys = value.object().and_then(|document| document.get("keys"));
        keys.map(|keys| Self { keys }).map_err(|_| Malformed::new("it has no list of keys"))
    }
}

impl ReadJson for Key {
    fn read(value: Value<'_>) -> Result<Self, Malformed> {
        let object = value.object().ok();
        let text = |name: &'static str| object.and_then(|object| object.get::<String>(name).ok());
        let texts = |value: Value<'_>| match value.list() {
            Ok(values) => values.filter_map(|value| String::read(value).ok()).collect(),
            Err(_) => Vec::new(),
        };
        let list = |name: &str| {
            let value = object.and_then(|object| object.find(name).ok()?);
            value.filter(|value| !value.is_null()).map(texts)
        };
        Ok(Self {
            kty: text("kty"),
            kid: text("kid"),
            purpose: text("use"),
            operations: list("key_ops"),
            alg: text("alg"),
            crv: text("crv"),
            n: text("n"),
            e: text("e"),
            x: text("x"),
            y: text("y"),
            certificates: list("x5c"),
        })
    }
}

/// Something in a key set that AWS STS does not take, though this product and others may.
///
/// AWS answers with "could not be validated" or "Couldn't retrieve verification key" and does not say why. All of them are
/// recorded with the real STS, in September 2026 (`tests/recorded`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFinding {
    /// AWS looks keys up by `kid`.
    #[error("a key without kid")]
    NoKeyId,
    /// Of two keys with one `kid`, AWS knows the later one only.
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
    /// AWS compares the two.
    #[error("a key whose certificate (x5c) is of another key (\"{0}\")")]
    CertificateDiffers(String),
    /// AWS takes 100 keys of each kind at most, and else none of them.
    #[error("{0} keys of one kind, more than the 100 that AWS reads")]
    TooMany(usize),
}

impl KeySet {
    /// What in this set AWS STS does not take.
    #[must_use]
    pub fn what_aws_refuses(&self) -> Vec<KeyFinding> {
        let mut findings = Vec::new();
        if !self.keys.iter().any(Key::is_for_signatures) {
            findings.push(KeyFinding::NoneForSignatures);
        }
        let mut seen = Set::new();
        for key in self.keys.iter().filter(|key| key.is_for_signatures()) {
            findings.extend(key.finding());
            if let Some(kid) = &key.kid
                && !seen.insert(kid)
            {
                findings.push(KeyFinding::DuplicateKeyId(shortened(kid)));
            }
        }
        findings.extend(KINDS.iter().filter_map(|kind| self.too_many_of(kind)));
        findings
    }

    fn too_many_of(&self, kind: &str) -> Option<KeyFinding> {
        let count = self.keys.iter().filter(|key| key.kty.as_deref() == Some(kind)).count();
        (count > MOST_KEYS).then_some(KeyFinding::TooMany(count))
    }

    /// Why AWS finds no key for a token with this `kid`, or none that it takes, if the set itself tells.
    pub(crate) fn why_aws_finds_none(&self, kid: Option<&str>) -> Option<String> {
        let has = |finding: KeyFinding| format!("the provider's key set has {finding}");
        let Some(kid) = kid else {
            return match self.keys.as_slice() {
                [only] => only.finding().map(has),
                _ => Some("the token names no key (kid), and the provider publishes several".to_owned()),
            };
        };
        let Some(key) = self.keys.iter().rfind(|key| key.kid.as_deref() == Some(kid)) else {
            return Some(format!("the provider's key set has no key \"{}\"", shortened(kid)));
        };
        if !key.is_for_signatures() {
            return Some(format!("the key \"{}\" is published for another use", shortened(kid)));
        }
        let too_many = || self.too_many_of(key.kty.as_deref().unwrap_or_default());
        key.finding().or_else(too_many).map(has)
    }
}

/// A key's id as a sentence can hold it.
fn shortened(kid: &str) -> String {
    text::on_one_line(kid, 60)
}

/// Whether a certificate is of the key with this modulus, or this first coordinate: both stand in it as they are. No key that is
/// used is longer than the limit, which keeps the search short.
fn holds(certificate: &str, parameter: &str) -> bool {
    let certificate = Base64::decode_vec(certificate).unwrap_or_default();
    let parameter = Base64UrlUnpadded::decode_vec(parameter).unwrap_or_default();
    (1..=LONGEST_PARAMETER).contains(&parameter.len())
        && certificate.windows(parameter.len()).any(|part| part == parameter)
}

/// `kty` of the keys that AWS takes (RFC 7518 section 6.1).
const KINDS: [&str; 2] = ["RSA", "EC"];
const MOST_KEYS: usize = 100;

/// In bytes: RSA of 16,384 bits.
const LONGEST_PARAMETER: usize = 2_048;

impl Key {
    /// What about this key AWS does not take.
    fn finding(&self) -> Option<KeyFinding> {
        let Some(kid) = self.kid.as_deref().map(shortened) else { return Some(KeyFinding::NoKeyId) };
        if self.operations.is_some() {
            return Some(KeyFinding::KeyOps(kid));
        }
        let certificate = self.certificates.as_ref()?.first().map_or("", String::as_str);
        match self.n.as_deref().or(self.x.as_deref()) {
            None => Some(KeyFinding::CertificateOnly(kid)),
            Some(parameter) if !holds(certificate, parameter) => Some(KeyFinding::CertificateDiffers(kid)),
            Some(_) => None,
        }
    }

    fn is_for_signatures(&self) -> bool {
        self.purpose.as_deref().is_none_or(|purpose| purpose == "sig")
    }

    /// The public key itself, if it is of a kind that this product knows.
    fn public_key(&self) -> Option<PublicKey> {
        match self.kty.as_deref()? {
            "RSA" => PublicKey::rsa(self.n.as_deref()?, self.e.as_deref()?),
            "EC" if self.crv.as_deref() == Some("P-256") => {
                PublicKey::p256(self.x.as_deref()?, self.y.as_deref()?)
            }
            _ => None,
        }
    }

    fn fits(&self, public_key: &PublicKey, alg: &str) -> bool {
        Algorithm::named(alg).is_some_and(|algorithm| public_key.fits(algorithm))
            && self.is_for_signatures()
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

    fn key_set(keys: &serde_json::Value) -> KeySet {
        json::from_str(&json!({ "keys": keys }).to_string()).unwrap()
    }

    #[test]
    fn a_plain_set_of_keys_is_taken_by_aws() {
        let keys = json!([
            { "kty": "RSA", "kid": "a", "use": "sig", "n": "bm4", "e": "AQAB", "x5c": ["Li5ubi4u"] },
            { "kty": "EC", "kid": "b", "x": "x", "y": "y" },
            { "kty": "RSA", "kid": "c", "use": "enc", "key_ops": ["encrypt"], "n": "x", "e": "AQAB" },
        ]);
        assert_eq!(key_set(&keys).what_aws_refuses(), []);
    }

    #[test]
    fn what_aws_does_not_take_is_named() {
        let numbered = |number: u8| json!({ "kty": "RSA", "kid": number.to_string(), "n": "x" });
        let many: Vec<_> = (0..101).map(numbered).collect();
        for (keys, finding) in [
            (json!([{ "kty": "RSA", "n": "x" }]), KeyFinding::NoKeyId),
            (
                json!([{ "kid": "a", "n": "x" }, { "kid": "a", "n": "y" }]),
                KeyFinding::DuplicateKeyId("a".into()),
            ),
            (json!([{ "kid": "a", "n": "x", "key_ops": ["verify"] }]), KeyFinding::KeyOps("a".into())),
            (json!([{ "kid": "a", "n": "x", "use": "enc" }]), KeyFinding::NoneForSignatures),
            (json!([]), KeyFinding::NoneForSignatures),
            (json!([{ "kid": "a", "x5c": ["Li5ubi4u"] }]), KeyFinding::CertificateOnly("a".into())),
            (
                json!([{ "kid": "a", "n": "bm0", "x5c": ["Li5ubi4u"] }]),
                KeyFinding::CertificateDiffers("a".into()),
            ),
            (json!(many), KeyFinding::TooMany(101)),
        ] {
            assert_eq!(key_set(&keys).what_aws_refuses(), [finding]);
        }
    }

    #[test]
    fn a_key_set_is_read_back_as_it_was_kept() {
        let keys = key_set(&json!([
            { "kty": "RSA", "kid": "a", "use": "sig", "alg": "RS256", "n": "AQAB", "e": "AQAB", "x5c": ["c"] },
            { "kty": "EC", "kid": "b", "crv": "P-256", "x": "AQAB", "y": "AQAB", "key_ops": ["verify"] },
        ]));
        let kept = json::to_string(&keys);
        assert_eq!(*json::to_string(&json::from_str::<KeySet>(&kept).unwrap()), *kept);
        assert!(keys.select(Some("a"), "RS256").is_ok() && keys.select(Some("b"), "ES256").is_ok());
    }

    #[test]
    fn an_invalid_key_does_not_affect_others() {
        let good = json!({ "kty": "RSA", "kid": "a", "n": "AQAB", "e": "AQAB" });
        for odd in
            [json!(7), json!({ "kty": 7, "kid": "a" }), json!({ "kty": "RSA", "kid": "a", "n": "-/-" })]
        {
            assert!(key_set(&json!([odd, good])).select(Some("a"), "RS256").is_ok(), "{odd}");
        }
        let error = json::from_str::<KeySet>(r#"{"keys":7}"#).unwrap_err();
        assert!(error.to_string().contains("no list of keys"), "{error}");
    }

    #[test]
    fn the_set_shows_why_aws_finds_no_key_in_it() {
        let keys = key_set(&json!([
            { "kid": "a", "n": "x" },
            { "kid": "b", "n": "x", "use": "enc" },
            { "kid": "d", "n": "x", "key_ops": ["verify"] },
        ]));
        let why = |kid| keys.why_aws_finds_none(kid).unwrap_or_default();
        assert!(why(None).contains("names no key"), "{}", why(None));
        assert!(why(Some("c")).contains("has no key \"c\""), "{}", why(Some("c")));
        assert!(why(Some("b")).contains("another use"), "{}", why(Some("b")));
        assert!(why(Some("d")).contains("key_ops"), "{}", why(Some("d")));
        assert_eq!(why(Some("a")), "");

        let only = key_set(&json!([{ "n": "x" }])).why_aws_finds_none(None).unwrap_or_default();
        assert!(only.contains("a key without kid"), "{only}");
    }
}
