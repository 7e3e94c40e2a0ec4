//! The console's page: the signed-in identity, and the service that was opened.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::SecondsFormat;

use super::cookie_name;
use super::sessions::Session;
use crate::cookies;
use crate::html::{self, escape};
use crate::params::Params;
use crate::world::{SharedWorld, World};

/// The console has one front page.
pub(super) async fn home() -> Response {
    Redirect::to("/console/").into_response()
}

/// `GET /console/…`, and the pages of services such as `GET /s3/home`.
pub(super) async fn console(
    State(world): State<SharedWorld>,
    Extension(params): Extension<Params>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let cookie = cookies::read(&headers, &cookie_name(&world)).unwrap_or_default();
    let now = world.clock.now();
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let sessions = match host.split_once(".localhost") {
        Some((label, _)) => world.sessions().at(label, now).unwrap_or_default(),
        None => world.sessions().of(cookie, now),
    };
    let Some((current, others)) = sessions.split_last() else {
        return signed_out();
    };
    let path = uri.path();
    let service = path.strip_prefix("/console/").unwrap_or(&path[1..]).split('/').next().unwrap_or_default();
    let region = params.get("region").unwrap_or_default();
    let main = format!("{}{}", signed_in(&world, current, service, region), side_by_side(others));
    html::page(StatusCode::OK, &format!("{} in {}", current.caller.role, alias(&world, current)), &main)
}

fn signed_in(world: &World, session: &Session, service: &str, region: &str) -> String {
    let caller = &session.caller;
    let alias = alias(world, session);
    let rows: Vec<String> = [
        ("account", "Account", caller.account.as_str()),
        ("account-alias", "Alias", alias.as_str()),
        ("role", "Role", caller.role.as_str()),
        ("session-name", "Session", caller.session_name.as_str()),
        ("arn", "ARN", caller.arn.as_str()),
        ("service", "Service", service),
        ("region", "Region", region),
        ("issuer", "Sent by", session.issuer.as_str()),
        ("expires", "Until", &session.expires.to_rfc3339_opts(SecondsFormat::Secs, true)),
    ]
    .iter()
    .map(|(id, name, value)| format!("<dt>{name}</dt><dd id=\"{id}\">{}</dd>\n", escape(value)))
    .collect();
    let rows = rows.concat();
    format!(
        "<h1>Console (sandbox)</h1>\n\
         <p id=\"signed-in\" role=\"status\">Signed in as <strong>{}</strong> in <strong>{}</strong></p>\n\
         <dl>\n{rows}</dl>\n\
         <p><a id=\"log-out\" href=\"/oauth?Action=logout\">Log out</a></p>",
        escape(&caller.role),
        escape(&alias),
    )
}

fn side_by_side(others: &[Session]) -> String {
    if others.is_empty() {
        return String::new();
    }
    let items: Vec<String> = others
        .iter()
        .map(|session| format!("<li>{}: {}</li>\n", escape(&session.label()), escape(&session.caller.role)))
        .collect();
    format!("<h2>Also signed in</h2>\n<ul id=\"other-sessions\">\n{}</ul>", items.concat())
}

fn signed_out() -> Response {
    let main = "<h1>Console (sandbox)</h1>\n<p id=\"signed-out\" role=\"status\">No one is signed in.</p>";
    html::page(StatusCode::UNAUTHORIZED, "Signed out", main)
}

fn alias(world: &World, session: &Session) -> String {
    let accounts = world.config().sts.accounts;
    let account = accounts.into_iter().find(|account| account.id == session.caller.account);
    account.map_or_else(|| session.caller.account.clone(), |account| account.alias)
}
