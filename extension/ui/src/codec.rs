//! Messages: JavaScript values on the port, read and written as JSON.

use js_sys::JSON;
use rolecall_core::json;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;

/// What the port takes.
pub(crate) fn encode(message: &impl Serialize) -> Result<JsValue, JsValue> {
    let text = serde_json::to_string(message).map_err(|error| JsValue::from(error.to_string()))?;
    JSON::parse(&text)
}

/// What came from the port.
pub(crate) fn decode<T: DeserializeOwned>(message: &JsValue) -> Result<T, JsValue> {
    let text = String::from(JSON::stringify(message)?);
    json::from_str(&text).map_err(|error| JsValue::from(error.to_string()))
}
