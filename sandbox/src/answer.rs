//! Responses that several endpoints share.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// The error code of a response, for the call log.
#[derive(Clone, Debug)]
pub(crate) struct ErrorCode(pub(crate) String);

/// JSON that must not be cached (RFC 6749 section 5.1).
pub(crate) fn private_json(status: StatusCode, body: &impl Serialize) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")], Json(body)).into_response()
}

/// 303 See Other: a GET of `location`, whatever the method was (RFC 9700 section 4.12).
pub(crate) fn redirect(location: &str) -> Response {
    match HeaderValue::from_str(location) {
        Ok(location) => {
            (StatusCode::SEE_OTHER, [(header::LOCATION, location), (header::CACHE_CONTROL, NO_STORE)])
                .into_response()
        }
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

/// An error of the sandbox itself.
pub(crate) fn broken(error: &anyhow::Error) -> Response {
    (StatusCode::INTERNAL_SERVER_ERROR, format!("The sandbox failed: {error:#}\n")).into_response()
}

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
