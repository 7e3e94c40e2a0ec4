//! Discovery (OpenID Connect Discovery section 4) and the keys (RFC 7517 section 5).

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::keys;
use crate::world::SharedWorld;

/// `GET` of any other path: that of the issuer, before the well-known one, has the document too.
pub(super) async fn discovery_of_path(world: State<SharedWorld>, uri: Uri) -> Response {
    let url = world.config().provider.well_known_url(&world.urls.provider);
    if url.strip_prefix(&world.urls.provider) == Some(uri.path()) {
        discovery(world).await
    } else {
        StatusCode::NOT_FOUND.into_response()
    }
}

/// `GET /.well-known/openid-configuration`.
pub(super) async fn discovery(State(world): State<SharedWorld>) -> Response {
    let config = world.config().provider;
    let issuer = &world.urls.provider;
    let mut document = json!({
        "issuer": world.issuer(),
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "userinfo_endpoint": format!("{issuer}/userinfo"),
        "jwks_uri": format!("{issuer}/jwks"),
        "revocation_endpoint": format!("{issuer}/revoke"),
        "revocation_endpoint_auth_methods_supported": ["none"],
        "end_session_endpoint": config.end_session.then(|| format!("{issuer}/logout")),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "scopes_supported": ["openid", "email", "profile", "offline_access"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [keys::name(config.signing)],
        "token_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": ["none", "login", "select_account"],
        "claims_supported": ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "amr", "email",
            "email_verified", "name", "preferred_username", "groups", "https://aws.amazon.com/tags"],
        "authorization_response_iss_parameter_supported": config.issuer_in_redirect,
    });
    for (name, value) in config.metadata {
        document[name] = value;
    }
    if let Some(members) = document.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    Json(document).into_response()
}

/// `GET /jwks`.
pub(super) async fn jwks(State(world): State<SharedWorld>) -> Response {
    Json(json!({ "keys": world.published_keys() })).into_response()
}
