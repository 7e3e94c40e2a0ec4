//! A simulation of AWS's sign-in federation and console: it turns credentials into a session in the browser and shows
//! the identity of the session. Like AWS's sign-in host, it has no CORS.

mod login;
mod page;
mod sessions;
mod signin_token;

use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};

pub(crate) use sessions::Sessions;

use crate::answer::ErrorCode;
use crate::html;
use crate::params::Params;
use crate::world::{SharedWorld, World};

/// The console's endpoints.
pub(crate) fn router(world: SharedWorld) -> Router {
    Router::new()
        .route("/federation", get(federation).post(federation))
        .route("/oauth", get(login::oauth))
        .route("/", get(page::home))
        .route("/console", get(page::home))
        // Every service has its own path.
        .fallback(get(page::console))
        .with_state(world)
}

/// The sign-in federation endpoint: `getSigninToken` and `login`.
async fn federation(
    State(world): State<SharedWorld>,
    Extension(params): Extension<Params>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    match params.get("Action") {
        Some("getSigninToken") if method == Method::POST && world.config().console.post_refused => {
            StatusCode::METHOD_NOT_ALLOWED.into_response()
        }
        Some("getSigninToken")
            if headers.contains_key(header::ORIGIN) && world.config().console.origins_refused =>
        {
            refuse("OriginRefused", "Origin not allowed")
        }
        Some("getSigninToken") => signin_token::signin_token(&world, &params),
        Some("login") => login::login(&world, &params, &headers),
        _ => refuse("InvalidAction", "Invalid action parameter"),
    }
}

/// An error page of the sign-in host.
fn refuse(code: &str, text: &str) -> Response {
    let mut response =
        html::error_page(StatusCode::BAD_REQUEST, "Amazon Web Services Sign-In (sandbox)", text);
    response.extensions_mut().insert(ErrorCode(code.to_owned()));
    response
}

/// The name of the console's cookie.
fn cookie_name(world: &World) -> String {
    let port = world.urls.console_origin().rsplit_once(':').map_or("", |(_, port)| port);
    format!("sandbox_console_{port}")
}
