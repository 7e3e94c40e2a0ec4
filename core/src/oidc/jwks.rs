//! RFC 7517: the provider's keys, and the choice of one for a token.

use jwt_compact::jwk::JsonWebKey;
use serde::{Deserialize, Serialize};

use super::discovery::{DiscoveryError, check_status, shown};
use super::{IdTokenError, Metadata};
use crate::platform::HttpResponse;

/// A JSON Web Key Set. Keys this product cannot use are skipped, as RFC 7517 section 5 asks.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct KeySet {
    keys: Vec<serde_json::Value>,
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
    /// `use` and `alg` bind it (RFC 7517 sections 4.2 and 4.4), so that a key is never used for another purpose.
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

#[derive(Deserialize)]
struct Key {
    kid: Option<String>,
    r#use: Option<String>,
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
            && self.alg.as_deref().is_none_or(|own| own == alg)
    }
}
