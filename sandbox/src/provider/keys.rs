//! The provider's signing keys: which one signs, which ones are published, and how they change.
//!
//! Knows nothing of tokens beyond bytes to sign. The key material is fixed (see `keys/README.md`).

use anyhow::Context as _;
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};

use crate::config::SigningAlgorithm;

/// How a new signing key comes into use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyRotation {
    /// The old key disappears from the JWKS.
    pub retire_old: bool,
    /// The new key signs at once but appears in the JWKS only with `Sandbox::publish_keys`.
    pub publish_late: bool,
}

/// Every key the provider has had.
#[derive(Debug)]
pub(crate) struct KeyRing {
    keys: Vec<Key>,
}

impl KeyRing {
    /// One published key of each family.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let keys = [Family::Rsa, Family::P256, Family::P384]
            .into_iter()
            .map(|family| Key::new(family, 1, true))
            .collect::<anyhow::Result<_>>()?;
        Ok(Self { keys })
    }

    /// A new key for `algorithm`'s family; its `kid`.
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

    /// The JWK set as published (RFC 7517 section 5).
    pub(crate) fn published(&self, algorithm: SigningAlgorithm) -> JwkSet {
        let keys = self.keys.iter().filter(|key| key.published == Published::Now);
        JwkSet { keys: keys.map(|key| key.jwk(algorithm)).collect() }
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
    private: EncodingKey,
    public: Jwk,
}

impl Key {
    fn new(family: Family, generation: usize, published: bool) -> anyhow::Result<Self> {
        let pool = family.pool();
        // Past the end of the pool the material repeats under a new `kid`, which is all a client can tell.
        let (private_pem, public_pem) = pool[(generation - 1) % pool.len()];
        let private = family.private(private_pem)?;
        let mut public = Jwk::from_encoding_key(&private, family.algorithm())?;
        let kid = format!("sandbox-{}-{generation}", family.name());
        public.common.key_id = Some(kid.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        let published = if published { Published::Now } else { Published::Later };
        Ok(Self { kid, public_pem, family, published, private, public })
    }

    /// The JWS signature of `message`, base64url.
    pub(crate) fn sign(&self, message: &str, algorithm: SigningAlgorithm) -> anyhow::Result<String> {
        Ok(crypto::sign(message.as_bytes(), &self.private, jose(algorithm))?)
    }

    fn jwk(&self, algorithm: SigningAlgorithm) -> Jwk {
        let mut jwk = self.public.clone();
        let algorithm =
            if Family::of(algorithm) == self.family { jose(algorithm) } else { self.family.algorithm() };
        jwk.common.key_algorithm = Some(algorithm.into());
        jwk
    }
}

/// A signature by a key that nobody published.
pub(crate) fn sign_with_foreign_key(message: &str, algorithm: SigningAlgorithm) -> anyhow::Result<String> {
    let family = Family::of(algorithm);
    let key = family.private(family.foreign())?;
    Ok(crypto::sign(message.as_bytes(), &key, jose(algorithm))?)
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
}

impl Family {
    fn of(algorithm: SigningAlgorithm) -> Self {
        match algorithm {
            SigningAlgorithm::Rs256 | SigningAlgorithm::Rs384 | SigningAlgorithm::Rs512 => Self::Rsa,
            SigningAlgorithm::Es256 => Self::P256,
            SigningAlgorithm::Es384 => Self::P384,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Rsa => "rsa",
            Self::P256 => "p256",
            Self::P384 => "p384",
        }
    }

    /// What its keys are announced for while another family signs.
    fn algorithm(self) -> Algorithm {
        match self {
            Self::Rsa => Algorithm::RS256,
            Self::P256 => Algorithm::ES256,
            Self::P384 => Algorithm::ES384,
        }
    }

    fn private(self, pem: &str) -> anyhow::Result<EncodingKey> {
        Ok(match self {
            Self::Rsa => EncodingKey::from_rsa_pem(pem.as_bytes())?,
            Self::P256 | Self::P384 => EncodingKey::from_ec_pem(pem.as_bytes())?,
        })
    }

    fn pool(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Rsa => RSA,
            Self::P256 => P256,
            Self::P384 => P384,
        }
    }

    fn foreign(self) -> &'static str {
        match self {
            Self::Rsa => include_str!("../keys/rsa-foreign.pem"),
            Self::P256 => include_str!("../keys/p256-foreign.pem"),
            Self::P384 => include_str!("../keys/p384-foreign.pem"),
        }
    }
}

fn jose(algorithm: SigningAlgorithm) -> Algorithm {
    match algorithm {
        SigningAlgorithm::Rs256 => Algorithm::RS256,
        SigningAlgorithm::Rs384 => Algorithm::RS384,
        SigningAlgorithm::Rs512 => Algorithm::RS512,
        SigningAlgorithm::Es256 => Algorithm::ES256,
        SigningAlgorithm::Es384 => Algorithm::ES384,
    }
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
