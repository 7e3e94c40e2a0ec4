//! Logout started by the client (OpenID Connect RP-Initiated Logout 1.0).

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use url::Url;

use super::{cookie_name, redirect_uri};
use crate::answer::redirect;
use crate::params::Params;
use crate::world::{SharedWorld, World};
use crate::{cookies, html};

/// `GET` or `POST /logout`.
pub(super) async fn logout(
    State(world): State<SharedWorld>,
    Extension(params): Extension<Params>,
    headers: HeaderMap,
) -> Response {
    let needs = world.config().provider.logout_needs;
    if let Some(missing) = needs.iter().find(|name| params.get(name).is_none()) {
        let text = format!("The request lacks {missing}.");
        return html::error_page(StatusCode::BAD_REQUEST, "Nobody was signed out", &text);
    }
    let name = cookie_name(&world);
    if let Some(cookie) = cookies::read(&headers, &name) {
        world.grants().sessions.remove(cookie);
    }
    let mut response = match after(&world, &params) {
        Some(target) => redirect(&target),
        None => html::page(
            StatusCode::OK,
            "Signed out",
            "<h1>Signed out</h1>\n<p id=\"signed-out\" role=\"status\">No one is signed in to the sandbox.</p>",
        ),
    };
    response.headers_mut().append(header::SET_COOKIE, cookies::clear(&name));
    response
}

/// The redirect after the logout, if it is registered for the client.
fn after(world: &World, params: &Params) -> Option<String> {
    let target = params.get("post_logout_redirect_uri")?;
    let clients = world.config().provider.clients;
    let mut candidates =
        clients.iter().filter(|client| params.get("client_id").is_none_or(|id| id == client.id));
    candidates
        .any(|client| redirect_uri::is_registered(target, &client.post_logout_redirect_uris))
        .then_some(())?;
    let mut url = Url::parse(target).ok()?;
    if let Some(state) = params.get("state") {
        url.query_pairs_mut().append_pair("state", state);
    }
    Some(url.into())
}
