//! The userinfo endpoint (OIDC Core section 5.3).

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::id_token;
use crate::answer::{ErrorCode, private_json};
use crate::world::{SharedWorld, World};

/// `GET` or `POST /userinfo` with a bearer token (RFC 6750 section 2.1).
pub(super) async fn userinfo(State(world): State<SharedWorld>, headers: HeaderMap) -> Response {
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token);
    if let Some(claims) = token.and_then(|token| claims(&world, token)) {
        return private_json(StatusCode::OK, &claims);
    }
    let challenge = [(header::WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"")];
    let mut response = (StatusCode::UNAUTHORIZED, challenge).into_response();
    response.extensions_mut().insert(ErrorCode("invalid_token".to_owned()));
    response
}

fn claims(world: &World, token: &str) -> Option<Value> {
    let now = world.clock.now();
    let grants = world.grants();
    let access = grants.access.get(token).filter(|access| now < access.expires)?;
    let family = (!grants.is_revoked(&access.family)).then(|| access.family.clone())?;
    drop(grants);
    let users = world.config().provider.users;
    let user = users.iter().find(|user| user.sub == family.sub)?;
    Some(Value::Object(id_token::person_claims(user, &family.scope)))
}
