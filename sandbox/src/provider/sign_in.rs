//! The sign-in form, in which one chooses a user or denies.

use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::Response;

use super::authorize::{Back, grant};
use super::cookie_name;
use super::grants::{AuthorizationRequest, Session};
use crate::config::User;
use crate::html::{self, escape};
use crate::params::Params;
use crate::world::{SharedWorld, World};
use crate::{cookies, random};

/// The form for `request`.
pub(super) fn form(world: &World, request: AuthorizationRequest) -> Response {
    let mut users = world.config().provider.users;
    let hint = request.login_hint.clone().unwrap_or_default();
    // A stable sort: the hinted user comes first, the others keep their order.
    users.sort_by_key(|user| user.email != hint);
    let people: String = users.iter().enumerate().map(|(at, user)| person(user, at == 0)).collect();
    let client = escape(&request.client_id);
    let id = random::token(24);
    world.grants().forms.insert(id.clone(), request);
    let main = format!(
        "<h1>Sign in to the sandbox</h1>\n\
         <p><strong>{client}</strong> would like to know who you are. No password: pick anyone.</p>\n\
         <form method=\"post\" action=\"/sign-in\">\n\
         <input type=\"hidden\" name=\"request\" value=\"{id}\">\n\
         <fieldset>\n<legend>Continue as</legend>\n{people}</fieldset>\n\
         <button type=\"submit\" name=\"decision\" value=\"deny\" id=\"deny\">Deny</button>\n\
         </form>"
    );
    html::page(StatusCode::OK, "Sign in to the sandbox", &main)
}

/// `POST /sign-in`, the submitted form: `request` with `user` (a `sub`), or with `decision=deny`.
pub(super) async fn submit(
    State(world): State<SharedWorld>,
    Extension(params): Extension<Params>,
) -> Response {
    let form = params.get("request").and_then(|id| world.grants().forms.remove(id));
    let Some(request) = form else {
        return html::error_page(
            StatusCode::BAD_REQUEST,
            "This form was already used",
            "Close this window and start the sign-in again.",
        );
    };
    if params.get("decision") == Some("deny") {
        let back = Back { redirect_uri: request.redirect_uri, state: request.state };
        return back.error(&world, "access_denied", "the person denied the sign-in");
    }
    let config = world.config().provider;
    let Some(user) = config.users.iter().find(|user| params.get("user") == Some(&user.sub)) else {
        return html::error_page(
            StatusCode::BAD_REQUEST,
            "No person was chosen",
            "There is no such person here.",
        );
    };
    let now = world.clock.now();
    let session = Session { sub: user.sub.clone(), auth_time: now, expires: now + config.session_lifetime };
    let cookie = world.grants().sign_in(session.clone());
    let mut response = grant(&world, request, &session);
    response.headers_mut().append(header::SET_COOKIE, cookies::set(&cookie_name(&world), &cookie));
    response
}

fn person(user: &User, first: bool) -> String {
    let focus = if first { " autofocus" } else { "" };
    format!(
        "<button class=\"person\" type=\"submit\" name=\"user\" value=\"{}\" data-email=\"{}\"{focus}>\
         <strong>{}</strong><span>{}</span><span>{}</span></button>\n",
        escape(&user.sub),
        escape(&user.email),
        escape(&user.name),
        escape(&user.email),
        escape(&user.groups.join(", ")),
    )
}
