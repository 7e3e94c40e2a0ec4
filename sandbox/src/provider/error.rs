//! OAuth's error documents.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use crate::answer::{ErrorCode, private_json};

/// An error of the token endpoint (RFC 6749 section 5.2).
pub(crate) fn oauth_error(status: StatusCode, error: &str, description: &str) -> Response {
    let mut response = private_json(status, &json!({ "error": error, "error_description": description }));
    response.extensions_mut().insert(ErrorCode(error.to_owned()));
    response
}
