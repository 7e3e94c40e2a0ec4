//! Token revocation (RFC 7009).

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::oauth_error;
use super::token::authenticate;
use crate::params::Params;
use crate::world::SharedWorld;

/// `POST /revoke`. Unknown tokens and those of other clients get the same response as revoked ones (section 2.2).
pub(super) async fn revoke(
    State(world): State<SharedWorld>,
    Extension(params): Extension<Params>,
) -> Response {
    let Some(token) = params.get("token") else {
        return oauth_error(StatusCode::BAD_REQUEST, "invalid_request", "token is missing");
    };
    let config = world.config().provider;
    let client = params.get("client_id").and_then(|id| config.clients.iter().find(|client| client.id == id));
    let Some(client) = client else {
        return oauth_error(StatusCode::UNAUTHORIZED, "invalid_client", "the client is unknown");
    };
    if let Err(refusal) = authenticate(client, &params, &config) {
        return refusal.response();
    }
    let mut grants = world.grants();
    let refresh = grants.refresh.get(token).map(|refresh| refresh.family.clone());
    let family = refresh.or_else(|| grants.access.get(token).map(|access| access.family.clone()));
    if let Some(family) = family.filter(|family| family.client_id == client.id) {
        grants.revoke(&family);
    }
    StatusCode::OK.into_response()
}
