//! Text and bytes that must not be seen: zeroed when dropped, `[REDACTED]` when printed.
//!
//! [`SecretString`] refuses to be written by itself. The few messages that carry a secret on purpose say so
//! with `#[json(write = secret::exposed)]` or `secret::exposed_option`. [`SecretBytes`] exists for such
//! messages and is written as base64url (RFC 4648 section 5).

use std::borrow::Cow;
use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
pub use secrecy::{ExposeSecret, SecretString};
use zeroize::{Zeroize, Zeroizing};

use crate::json::{Malformed, ReadJson, Value, WriteJson, Writer};

/// A secret in the clear, for a message to one of the two rooms that may hold it.
#[must_use]
pub fn exposed(secret: &SecretString) -> impl WriteJson {
    secret.expose_secret()
}

/// [`exposed`] for a secret that may be absent.
// A derive passes a reference to the field.
#[allow(clippy::ref_option)]
#[must_use]
pub fn exposed_option(secret: &Option<SecretString>) -> impl WriteJson {
    secret.as_ref().map(ExposeSecret::expose_secret)
}

impl ReadJson for SecretString {
    fn read(value: Value<'_>) -> Result<Self, Malformed> {
        value.string().map(|text| match text {
            Cow::Borrowed(text) => text.into(),
            Cow::Owned(text) => text.into(),
        })
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

impl WriteJson for SecretBytes {
    fn write(&self, writer: &mut Writer) {
        let text = Zeroizing::new(Base64UrlUnpadded::encode_string(self.expose_secret()));
        writer.string(&text);
    }
}

impl ReadJson for SecretBytes {
    fn read(value: Value<'_>) -> Result<Self, Malformed> {
        let mut text = value.string()?;
        // The decoder's own error names a byte of the secret.
        let bytes = Base64UrlUnpadded::decode_vec(&text).map_err(|_| Malformed::new("it is not base64url"));
        if let Cow::Owned(text) = &mut text {
            text.zeroize();
        }
        bytes.map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::json;

    #[test]
    fn bytes_of_any_kind_travel_as_base64url_and_print_as_redacted() {
        let bytes = SecretBytes::from(vec![0, 255, b'"', 10]);
        let text = json::to_string(&bytes);
        assert_eq!(text.as_str(), r#""AP8iCg""#);
        assert_eq!(json::from_str::<SecretBytes>(&text).unwrap(), bytes);
        assert_eq!(format!("{bytes:?}"), "SecretBytes([REDACTED])");
        let error = json::from_str::<SecretBytes>(r#""AP8*""#).unwrap_err();
        assert!(!error.to_string().contains('*'), "{error}");
    }
}
