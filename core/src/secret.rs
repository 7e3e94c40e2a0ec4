//! Text that must not be seen: zeroed when dropped, `[REDACTED]` when printed.
//!
//! [`SecretString`] refuses to serialise by itself. The few messages that carry a secret on purpose say so
//! with `#[serde(serialize_with = "secret::expose")]` or `secret::expose_option`.

pub use secrecy::{ExposeSecret, SecretString};
use serde::Serializer;

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
