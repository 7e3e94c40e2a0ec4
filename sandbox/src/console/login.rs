//! `login`: a sign-in token becomes a session cookie; and `logout`.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use url::Url;

use super::sessions::Session;
use super::{cookie_name, page, refuse};
use crate::answer::{ErrorCode, redirect};
use crate::html::{self, escape};
use crate::params::Params;
use crate::world::{SharedWorld, World};
use crate::{cookies, random};

/// `Action=login`.
pub(super) fn login(world: &World, params: &Params, headers: &HeaderMap) -> Response {
    let Some(destination) = params.get("Destination").filter(|target| is_here(world, target)) else {
        return refuse("InvalidDestination", "Invalid destination parameter");
    };
    let name = cookie_name(world);
    let now = world.clock.now();
    let cookie = cookies::read(headers, &name).map_or_else(|| random::token(24), str::to_owned);
    let mut memory = world.sessions();
    let mut alive = memory.of(&cookie, now);
    let multi_session = world.config().console.multi_session;
    if !multi_session && !alive.is_empty() {
        drop(memory);
        return log_out_first(world);
    }
    if alive.len() >= MOST_SESSIONS {
        return refuse("TooManySessions", "You can sign in to at most five sessions in one browser.");
    }
    let Some(token) = params.get("SigninToken").and_then(|token| memory.redeem(token, now)) else {
        return refuse(
            "InvalidToken",
            "Invalid sign-in token: it was used before, or is older than 15 minutes",
        );
    };
    let session = Session {
        id: random::id(8).to_ascii_lowercase(),
        caller: token.caller,
        issuer: params.get("Issuer").unwrap_or_default().to_owned(),
        expires: token.session_expires,
    };
    let own = multi_session.then(|| at_own_host(destination, &session)).flatten();
    alive.push(session);
    memory.set(&cookie, alive);
    drop(memory);
    let mut response = redirect(own.as_deref().unwrap_or(destination));
    response.headers_mut().append(header::SET_COOKIE, cookies::set(&name, &cookie));
    response
}

/// `GET /oauth?Action=logout&redirect_uri=…`, or the sign-in page.
pub(super) async fn oauth(
    State(world): State<SharedWorld>,
    Extension(params): Extension<Params>,
    headers: HeaderMap,
) -> Response {
    match (params.get("Action"), params.get("response_type")) {
        (Some("logout"), _) => {}
        (None, Some("code")) => return page::sign_in(),
        _ => return StatusCode::BAD_REQUEST.into_response(),
    }
    let name = cookie_name(&world);
    let target = params.get("redirect_uri");
    if target.is_some_and(|target| !is_here(&world, target)) {
        return refuse("InvalidRedirect", "Invalid redirect_uri parameter");
    }
    if let Some(cookie) = cookies::read(&headers, &name) {
        world.sessions().log_out(cookie);
    }
    let mut response = redirect(target.unwrap_or(&world.urls.console));
    response.headers_mut().append(header::SET_COOKIE, cookies::clear(&name));
    response
}

/// The same page at the session's own host, as AWS has `ACCOUNT-SUFFIX.REGION.console.aws.amazon.com`. Browsers resolve
/// every name below `localhost` to the loopback address.
fn at_own_host(destination: &str, session: &Session) -> Option<String> {
    let mut url = Url::parse(destination).ok()?;
    url.set_host(Some(&format!("{}.localhost", session.label()))).ok()?;
    Some(url.into())
}

/// Whether a URL leads to this console and nowhere else. AWS takes no address of a session's own host here.
fn is_here(world: &World, target: &str) -> bool {
    let origin = |url: &str| Url::parse(url).ok().map(|url| url.origin());
    origin(target).is_some_and(|target| Some(target) == origin(&world.urls.console))
}

fn log_out_first(world: &World) -> Response {
    let logout = format!("{}/oauth?Action=logout", world.urls.console_origin());
    let main = format!(
        "<h1>Amazon Web Services Sign-In (sandbox)</h1>\n\
         <p id=\"error\" role=\"alert\">You must first log out before logging into a different AWS account.</p>\n\
         <p>To log out, <a id=\"log-out\" href=\"{}\">click here</a>.</p>",
        escape(&logout)
    );
    let mut response = html::page(StatusCode::BAD_REQUEST, "Log out first", &main);
    response.extensions_mut().insert(ErrorCode("MustLogOutFirst".to_owned()));
    response
}

const MOST_SESSIONS: usize = 5;
