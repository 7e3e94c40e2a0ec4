//! How values become JSON text and back: the one place for messages on ports and for stored items.

use rolecall_core::json;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::browser::JsonText;

/// `None` where a type cannot be written as JSON, which none of this crate's is.
pub(crate) fn encode(value: &impl Serialize) -> Option<JsonText> {
    serde_json::to_string(value).ok().map(JsonText::from)
}

/// `None` for text of another version or shape. What is wrong is not told: it could quote a secret.
pub(crate) fn decode<T: DeserializeOwned>(text: &str) -> Option<T> {
    json::from_str(text).ok()
}
