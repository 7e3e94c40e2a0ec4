//! Where roles come from beside the settings: a catalogue as any web server has it, and the previous tool's role service
//! (github.com/mozilla-iam/mozilla-aws-cli, `role_picker.py`).

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::config::Catalogue;
use crate::sts;
use crate::world::SharedWorld;

/// A static file with a strong `ETag`, which is not sent to whoever has it (RFC 9110 section 13.1.2).
pub(super) async fn catalogue(State(world): State<SharedWorld>, headers: HeaderMap) -> Response {
    let Some(Catalogue { document, .. }) = world.config().provider.catalogue else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut hasher = DefaultHasher::new();
    document.hash(&mut hasher);
    let etag = format!("\"{:x}\"", hasher.finish());
    let known = headers.get(header::IF_NONE_MATCH).and_then(|known| known.to_str().ok());
    if known.is_some_and(|known| known.split(',').any(|known| known.trim() == etag)) {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response();
    }
    ([(header::ETAG, etag), (header::CONTENT_TYPE, "application/json".to_owned())], document).into_response()
}

#[derive(Deserialize)]
struct Request {
    token: String,
    key: KeySet,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

/// Lists roles and the accounts' aliases to whoever has an ID token that the keys in the request verify.
pub(super) async fn roles(State(world): State<SharedWorld>, body: Bytes) -> Response {
    let Ok(Request { token, key }) = serde_json::from_slice(&body) else {
        return Json(json!({ "error": "The request is not understood." })).into_response();
    };
    if !sts::is_good_id_token(&world, &token, &key.keys) {
        return Json(json!({ "error": "Invalid token" })).into_response();
    }
    let config = world.config();
    let aliases = config.sts.accounts.into_iter().map(|account| (account.id, json!([account.alias])));
    Json(json!({ "roles": config.provider.served_roles, "aliases": aliases.collect::<Map<_, _>>() }))
        .into_response()
}
