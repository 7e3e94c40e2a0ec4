//! Messages: JavaScript values on the port, read and written as JSON.

use js_sys::JSON;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;

/// What the port takes.
pub(crate) fn encode(message: &impl Serialize) -> Result<JsValue, JsValue> {
    JSON::parse(&serde_json::to_string(message).map_err(told)?)
}

/// What came from the port.
pub(crate) fn decode<T: DeserializeOwned>(message: &JsValue) -> Result<T, JsValue> {
    let text = String::from(JSON::stringify(message)?);
    serde_json::from_slice(text.as_bytes()).map_err(told)
}

fn told(error: serde_json::Error) -> JsValue {
    error.to_string().into()
}
