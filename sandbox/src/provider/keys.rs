//! The provider's signing keys: which one signs, which ones are published, and how they rotate.
//!
//! It only signs bytes, and does not know tokens. The key material is fixed (see `keys/README.md`).

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use p521::ecdsa::signature::Signer as _;
use p521::ecdsa::{Signature, SigningKey};
use p521::pkcs8::DecodePrivateKey as _;
use serde_json::{Value, json};

use crate::config::SigningAlgorithm;

/// How a new signing key comes into use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyRotation {
    /// The old key is removed from the JWKS.
    pub retire_old: bool,
    /// The new key signs at once but is only published with `Sandbox::publish_keys`.
    pub publish_late: bool,
}

/// All keys of the provider, old ones included.
#[derive(Debug)]
pub(crate) struct KeyRing {
    keys: Vec<Key>,
}

impl KeyRing {
    /// One published key of each family.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let keys = [Family::Rsa, Family::P256, Family::P384, Family::P521]
            .into_iter()
            .map(|family| Key::new(family, 1, true))
            .collect::<anyhow::Result<_>>()?;
        Ok(Self { keys })
    }

    /// Adds a new key for `algorithm`'s family and returns its `kid`.
    pub(crate) fn rotate(
        &mut self,
        algorithm: SigningAlgorithm,
        rotation: KeyRotation,
    ) -> anyhow::Result<String> {
        let family = Family::of(algorithm);
        let generation = self.keys.iter().filter(|key| key.family == family).count() + 1;
        let key = Key::new(family, generation, !rotation.publish_late)?;
        if rotation.retire_old {
            for old in self.keys.iter_mut().filter(|old| old.family == family) {
                old.published = Published::Retired;
            }
        }
        let kid = key.kid.clone();
        self.keys.push(key);
        Ok(kid)
    }

    /// Publishes the keys that were held back.
    pub(crate) fn publish(&mut self) {
        for key in self.keys.iter_mut().filter(|key| key.published == Published::Later) {
            key.published = Published::Now;
        }
    }

    /// The keys of the JWK set as published (RFC 7517 section 5).
    pub(crate) fn published(&self, algorithm: SigningAlgorithm) -> Vec<Value> {
        let keys = self.keys.iter().filter(|key| key.published == Published::Now);
        keys.map(|key| key.jwk(algorithm)).collect()
    }

    /// The key that signs with `algorithm` now.
    pub(crate) fn signer(&self, algorithm: SigningAlgorithm) -> anyhow::Result<&Key> {
        let family = Family::of(algorithm);
        self.keys.iter().rev().find(|key| key.family == family).context("every family has a key")
    }
}

/// One signing key.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) kid: String,
    /// The public half as `SubjectPublicKeyInfo`, PEM.
    pub(crate) public_pem: &'static str,
    family: Family,
    published: Published,
    private: Private,
    /// A JWK without `alg`.
    public: Value,
}

/// A private key, of one of two libraries.
enum Private {
    Jose(EncodingKey),
    P521(SigningKey),
}

impl std::fmt::Debug for Private {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Private")
    }
}

impl Private {
    /// The JWS signature of `message`, base64url.
    fn sign(&self, message: &str, algorithm: SigningAlgorithm) -> anyhow::Result<String> {
        match (self, jose(algorithm)) {
            (Self::Jose(key), Some(algorithm)) => Ok(crypto::sign(message.as_bytes(), key, algorithm)?),
            (Self::P521(key), None) => {
                let signature: Signature = key.try_sign(message.as_bytes())?;
                Ok(URL_SAFE_NO_PAD.encode(signature.to_bytes()))
            }
            _ => anyhow::bail!("a key of another family"),
        }
    }

    fn public(&self, family: Family) -> anyhow::Result<Value> {
        match self {
            Self::Jose(key) => {
                let algorithm = jose(family.algorithm()).context("a family of the library")?;
                let mut jwk = serde_json::to_value(Jwk::from_encoding_key(key, algorithm)?)?;
                if let Some(members) = jwk.as_object_mut() {
                    members.remove("alg");
                }
                Ok(jwk)
            }
            Self::P521(key) => {
                let point = p521::ecdsa::VerifyingKey::from(key).to_encoded_point(false);
                let coordinate = |bytes: Option<&p521::FieldBytes>| {
                    bytes.map(|bytes| URL_SAFE_NO_PAD.encode(bytes)).context("a point has coordinates")
                };
                Ok(json!({
                    "kty": "EC",
                    "crv": "P-521",
                    "x": coordinate(point.x())?,
                    "y": coordinate(point.y())?,
                }))
            }
        }
    }
}

impl Key {
    fn new(family: Family, generation: usize, published: bool) -> anyhow::Result<Self> {
        let pool = family.pool();
        // Beyond the pool the material repeats under a new `kid`, which is all that a client sees.
        let (private_pem, public_pem) = pool[(generation - 1) % pool.len()];
        let private = family.private(private_pem)?;
        let mut public = private.public(family)?;
        let kid = format!("sandbox-{}-{generation}", family.name());
        public["kid"] = json!(kid);
        public["use"] = json!("sig");
        let published = if published { Published::Now } else { Published::Later };
        Ok(Self { kid, public_pem, family, published, private, public })
    }

    /// The JWS signature of `message`, base64url.
    pub(crate) fn sign(&self, message: &str, algorithm: SigningAlgorithm) -> anyhow::Result<String> {
        self.private.sign(message, algorithm)
    }

    fn jwk(&self, algorithm: SigningAlgorithm) -> Value {
        let mut jwk = self.public.clone();
        let own = Family::of(algorithm) == self.family;
        jwk["alg"] = json!(name(if own { algorithm } else { self.family.algorithm() }));
        jwk
    }
}

/// A signature by an unpublished key.
pub(crate) fn sign_with_foreign_key(message: &str, algorithm: SigningAlgorithm) -> anyhow::Result<String> {
    let family = Family::of(algorithm);
    family.private(family.foreign())?.sign(message, algorithm)
}

/// HS256 with `secret`.
pub(crate) fn hmac(message: &str, secret: &str) -> anyhow::Result<String> {
    Ok(crypto::sign(message.as_bytes(), &EncodingKey::from_secret(secret.as_bytes()), Algorithm::HS256)?)
}

/// The algorithm's `alg` name.
pub(crate) fn name(algorithm: SigningAlgorithm) -> &'static str {
    match algorithm {
        SigningAlgorithm::Rs256 => "RS256",
        SigningAlgorithm::Rs384 => "RS384",
        SigningAlgorithm::Rs512 => "RS512",
        SigningAlgorithm::Es256 => "ES256",
        SigningAlgorithm::Es384 => "ES384",
        SigningAlgorithm::Es512 => "ES512",
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Published {
    Now,
    Later,
    Retired,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Rsa,
    P256,
    P384,
    P521,
}

impl Family {
    fn of(algorithm: SigningAlgorithm) -> Self {
        match algorithm {
            SigningAlgorithm::Rs256 | SigningAlgorithm::Rs384 | SigningAlgorithm::Rs512 => Self::Rsa,
            SigningAlgorithm::Es256 => Self::P256,
            SigningAlgorithm::Es384 => Self::P384,
            SigningAlgorithm::Es512 => Self::P521,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Rsa => "rsa",
            Self::P256 => "p256",
            Self::P384 => "p384",
            Self::P521 => "p521",
        }
    }

    /// The `alg` of its published keys while another family signs.
    fn algorithm(self) -> SigningAlgorithm {
        match self {
            Self::Rsa => SigningAlgorithm::Rs256,
            Self::P256 => SigningAlgorithm::Es256,
            Self::P384 => SigningAlgorithm::Es384,
            Self::P521 => SigningAlgorithm::Es512,
        }
    }

    fn private(self, pem: &str) -> anyhow::Result<Private> {
        Ok(match self {
            Self::Rsa => Private::Jose(EncodingKey::from_rsa_pem(pem.as_bytes())?),
            Self::P256 | Self::P384 => Private::Jose(EncodingKey::from_ec_pem(pem.as_bytes())?),
            Self::P521 => {
                let key =
                    p521::SecretKey::from_pkcs8_pem(pem).map_err(|_| anyhow::anyhow!("no P-521 key"))?;
                Private::P521(SigningKey::from_bytes(&key.to_bytes())?)
            }
        })
    }

    fn pool(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Rsa => RSA,
            Self::P256 => P256,
            Self::P384 => P384,
            Self::P521 => P521,
        }
    }

    fn foreign(self) -> &'static str {
        match self {
            Self::Rsa => include_str!("../keys/rsa-foreign.pem"),
            Self::P256 => include_str!("../keys/p256-foreign.pem"),
            Self::P384 => include_str!("../keys/p384-foreign.pem"),
            Self::P521 => include_str!("../keys/p521-foreign.pem"),
        }
    }
}

/// As `jsonwebtoken` has it; it has no ES512.
fn jose(algorithm: SigningAlgorithm) -> Option<Algorithm> {
    Some(match algorithm {
        SigningAlgorithm::Rs256 => Algorithm::RS256,
        SigningAlgorithm::Rs384 => Algorithm::RS384,
        SigningAlgorithm::Rs512 => Algorithm::RS512,
        SigningAlgorithm::Es256 => Algorithm::ES256,
        SigningAlgorithm::Es384 => Algorithm::ES384,
        SigningAlgorithm::Es512 => return None,
    })
}

/// A private key and its public half.
macro_rules! pair {
    ($name:literal) => {
        (
            include_str!(concat!("../keys/", $name, ".pem")),
            include_str!(concat!("../keys/", $name, ".pub.pem")),
        )
    };
}

const RSA: &[(&str, &str)] = &[pair!("rsa-1"), pair!("rsa-2"), pair!("rsa-3")];
const P256: &[(&str, &str)] = &[pair!("p256-1"), pair!("p256-2"), pair!("p256-3")];
const P384: &[(&str, &str)] = &[pair!("p384-1")];
const P521: &[(&str, &str)] = &[pair!("p521-1")];
