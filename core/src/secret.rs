//! Text and bytes that must not be seen: zeroed when dropped, `[REDACTED]` when printed.
//!
//! [`SecretString`] refuses to serialise by itself. The few messages that carry a secret on purpose say so
//! with `#[serde(serialize_with = "secret::expose")]` or `secret::expose_option`. [`SecretBytes`] exists for such
//! messages and serialises as base64.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
pub use secrecy::{ExposeSecret, SecretString};
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::{Zeroize, Zeroizing};

/// Serialises a secret in the clear, for a message to one of the two rooms that may hold it.
pub fn expose<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

/// [`expose`] for a secret that may be absent.
// The signature is serde's: `serialize_with` passes a reference to the field.
#[allow(clippy::ref_option)]
pub fn expose_option<S: Serializer>(secret: &Option<SecretString>, serializer: S) -> Result<S::Ok, S::Error> {
    match secret {
        Some(secret) => serializer.serialize_some(secret.expose_secret()),
        None => serializer.serialize_none(),
    }
}

/// Bytes that may hold a secret, such as the body of a request to the token endpoint.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// The bytes.
    #[must_use]
    pub fn expose_secret(&self) -> &[u8] {
        &self.0
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Vec<u8>> for SecretBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl From<String> for SecretBytes {
    fn from(text: String) -> Self {
        text.into_bytes().into()
    }
}

impl From<Zeroizing<Vec<u8>>> for SecretBytes {
    fn from(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretBytes([REDACTED])")
    }
}

impl Serialize for SecretBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // With room for all of it, for a buffer that grows leaves copies behind.
        let mut text = Zeroizing::new(String::with_capacity(self.len().saturating_mul(4) / 3 + 4));
        STANDARD.encode_string(self.expose_secret(), &mut text);
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for SecretBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Base64)
    }
}

struct Base64;

impl Visitor<'_> for Base64 {
    type Value = SecretBytes;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("base64")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<SecretBytes, E> {
        // The decoder's own error names a byte of the secret.
        STANDARD.decode(text).map(SecretBytes::from).map_err(|_| E::custom("it is not base64"))
    }

    fn visit_string<E: serde::de::Error>(self, mut text: String) -> Result<SecretBytes, E> {
        let bytes = self.visit_str(&text);
        text.zeroize();
        bytes
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn bytes_of_any_kind_travel_as_base64_and_print_as_redacted() {
        let bytes = SecretBytes::from(vec![0, 255, b'"', 10]);
        let text = serde_json::to_string(&bytes).unwrap();
        assert_eq!(text, r#""AP8iCg==""#);
        assert_eq!(serde_json::from_str::<SecretBytes>(&text).unwrap(), bytes);
        assert_eq!(format!("{bytes:?}"), "SecretBytes([REDACTED])");
        let error = serde_json::from_str::<SecretBytes>(r#""AP8*""#).unwrap_err();
        assert!(!error.to_string().contains('*'), "{error}");
    }
}
