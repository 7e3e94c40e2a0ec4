//! OAuth's error documents.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use crate::answer::{ErrorCode, private_json};
use crate::config::Refusal;

/// An error of the token endpoint (RFC 6749 section 5.2).
pub(crate) fn oauth_error(status: StatusCode, error: &str, description: &str) -> Response {
    let mut response = private_json(status, &json!({ "error": error, "error_description": description }));
    response.extensions_mut().insert(ErrorCode(error.to_owned()));
    response
}

/// A refusal in the words that the configuration has for it.
pub(super) fn configured_error(refusal: &Refusal) -> Response {
    let mut document = refusal.more.clone();
    document.insert("error".to_owned(), json!(refusal.error));
    document.insert("error_description".to_owned(), json!(refusal.description));
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = private_json(status, &document);
    response.extensions_mut().insert(ErrorCode(refusal.error.clone()));
    response
}
