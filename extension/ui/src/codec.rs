//! Messages: JavaScript values on the port, read and written as JSON.

use js_sys::JSON;
use rolecall_core::json::{self, ReadJson, WriteJson};
use wasm_bindgen::JsValue;

/// What the port takes.
pub(crate) fn encode(message: &dyn WriteJson) -> Result<JsValue, JsValue> {
    JSON::parse(&json::to_string(message))
}

/// What came from the port.
pub(crate) fn decode<T: ReadJson>(message: &JsValue) -> Result<T, JsValue> {
    let text = String::from(JSON::stringify(message)?);
    json::from_str(&text).map_err(|error| JsValue::from(error.to_string()))
}
