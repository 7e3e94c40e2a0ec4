//! The authorization endpoint (RFC 6749 section 4.1.1, OIDC Core section 3.1.2).

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use chrono::TimeDelta;
use url::Url;

use super::grants::{AuthorizationRequest, Session};
use super::{cookie_name, pkce, redirect_uri, sign_in};
use crate::answer::{ErrorCode, redirect};
use crate::config::{Client, ProviderConfig, RedirectFault, RefreshTokens, Silent};
use crate::params::Params;
use crate::secrets::SecretKind;
use crate::world::{SharedWorld, World};
use crate::{cookies, html};

/// `GET` or `POST /authorize`.
pub(super) async fn authorize(
    State(world): State<SharedWorld>,
    Extension(params): Extension<Params>,
    headers: HeaderMap,
) -> Response {
    let clients = world.config().provider.clients;
    // Without a registered client and redirect URI, there must be no redirect (RFC 6749 section 4.1.2.1).
    let Some(client) = params.get("client_id").and_then(|id| clients.iter().find(|client| client.id == id))
    else {
        return refuse("This client is not registered here.");
    };
    let Some(target) =
        params.get("redirect_uri").filter(|uri| redirect_uri::is_registered(uri, &client.redirect_uris))
    else {
        return refuse("This redirect URI is not registered for the client.");
    };
    let back = Back { redirect_uri: target.to_owned(), state: params.get("state").map(str::to_owned) };
    match decide(&world, &params, &headers, client, &back) {
        Ok(Decision::Granted(request, session)) => grant(&world, request, &session),
        Ok(Decision::Ask(request)) => sign_in::form(&world, request),
        Err((error, description)) => back.error(&world, error, description),
    }
}

/// The code for a signed-in user, sent to the client.
pub(super) fn grant(world: &World, request: AuthorizationRequest, session: &Session) -> Response {
    let config = world.config().provider;
    let back = Back { redirect_uri: request.redirect_uri.clone(), state: request.state.clone() };
    if let Some(RedirectFault::Error { error, description }) = &config.redirect_fault {
        return back.error(world, error, description);
    }
    let expires = world.clock.now() + config.code_lifetime;
    let code = world.grants().code(request, session, expires);
    world.secrets.add(SecretKind::Code, &code);
    let mut answer = Vec::new();
    if config.redirect_fault != Some(RedirectFault::MissingCode) {
        answer.push(("code", code));
    }
    back.to(world, answer)
}

/// The redirect back to the client.
pub(super) struct Back {
    pub(super) redirect_uri: String,
    pub(super) state: Option<String>,
}

impl Back {
    /// An error (RFC 6749 section 4.1.2.1).
    pub(super) fn error(&self, world: &World, error: &str, description: &str) -> Response {
        let answer = vec![("error", error.to_owned()), ("error_description", description.to_owned())];
        let mut response = self.to(world, answer);
        response.extensions_mut().insert(ErrorCode(error.to_owned()));
        response
    }

    fn to(&self, world: &World, mut answer: Vec<(&str, String)>) -> Response {
        let config = world.config().provider;
        let fault = config.redirect_fault;
        match (&self.state, &fault) {
            (_, Some(RedirectFault::MissingState)) => {}
            (_, Some(RedirectFault::WrongState)) => answer.push(("state", "somebody-elses-state".to_owned())),
            (Some(state), _) => answer.push(("state", state.clone())),
            (None, _) => {}
        }
        // RFC 9207 section 2.
        match fault {
            Some(RedirectFault::MissingIssuer) => {}
            Some(RedirectFault::WrongIssuer) => {
                answer.push(("iss", "https://somebody-else.example".to_owned()));
            }
            _ if config.issuer_in_redirect => answer.push(("iss", world.issuer())),
            _ => {}
        }
        match Url::parse(&self.redirect_uri) {
            Ok(mut url) => {
                url.query_pairs_mut().extend_pairs(answer);
                redirect(url.as_str())
            }
            Err(_) => refuse("This redirect URI is not a URL."),
        }
    }
}

enum Decision {
    Granted(AuthorizationRequest, Session),
    Ask(AuthorizationRequest),
}

fn decide(
    world: &World,
    params: &Params,
    headers: &HeaderMap,
    client: &Client,
    back: &Back,
) -> Result<Decision, (&'static str, &'static str)> {
    let config = world.config().provider;
    let request = valid_request(params, client, back, &config)?;
    let prompts: Vec<&str> =
        params.get("prompt").unwrap_or_default().split(' ').filter(|p| !p.is_empty()).collect();
    let silent = prompts.contains(&"none");
    if silent && prompts.len() > 1 {
        return Err(("invalid_request", "prompt=none cannot be combined with other prompts"));
    }
    let max_age = match params.get("max_age").map(str::parse::<u32>) {
        None => None,
        Some(Ok(seconds)) => Some(TimeDelta::seconds(seconds.into())),
        Some(Err(_)) => return Err(("invalid_request", "max_age must be a number of seconds")),
    };
    let asks_again = prompts.contains(&"login") || prompts.contains(&"select_account");
    let now = world.clock.now();
    let session = session(world, headers)
        .filter(|session| max_age.is_none_or(|max_age| now - session.auth_time <= max_age))
        .filter(|_| !asks_again);
    match (session, config.silent) {
        (_, Silent::Ignored) if silent => Ok(Decision::Ask(request)),
        (Some(session), _) => Ok(Decision::Granted(request, session)),
        (None, Silent::Answered(error)) if silent => Err((error, "no user is signed in in this browser")),
        (None, _) => Ok(Decision::Ask(request)),
    }
}

fn valid_request(
    params: &Params,
    client: &Client,
    back: &Back,
    config: &ProviderConfig,
) -> Result<AuthorizationRequest, (&'static str, &'static str)> {
    if params.repeated().is_some() {
        return Err(("invalid_request", "a parameter is repeated"));
    }
    if params.get("request").is_some() {
        return Err(("request_not_supported", "request objects are not supported"));
    }
    if params.get("request_uri").is_some() {
        return Err(("request_uri_not_supported", "request objects are not supported"));
    }
    match params.get("response_type") {
        Some("code") => {}
        Some(_) => return Err(("unsupported_response_type", "only response_type=code is supported")),
        None => return Err(("invalid_request", "response_type is missing")),
    }
    if params.get("response_mode").is_some_and(|mode| mode != "query") {
        return Err(("invalid_request", "only response_mode=query is supported"));
    }
    let scope = params.get("scope").unwrap_or_default();
    if !scope.split(' ').any(|scope| scope == "openid") {
        return Err(("invalid_scope", "the scope must contain openid"));
    }
    if scope.split(' ').any(|scope| config.refused_scopes.iter().any(|refused| refused == scope)) {
        return Err(("invalid_scope", "a scope is not offered"));
    }
    // `plain` is the default if no method is given (RFC 7636 section 4.3), and not accepted.
    if params.get("code_challenge_method") != Some("S256") {
        return Err(("invalid_request", "PKCE with code_challenge_method=S256 is required"));
    }
    let challenge = params.get("code_challenge").filter(|challenge| pkce::is_challenge(challenge));
    let challenge = challenge.ok_or(("invalid_request", "code_challenge is missing or malformed"))?;
    Ok(AuthorizationRequest {
        client_id: client.id.clone(),
        redirect_uri: back.redirect_uri.clone(),
        scope: scope.to_owned(),
        state: back.state.clone(),
        nonce: params.get("nonce").map(str::to_owned),
        code_challenge: challenge.to_owned(),
        login_hint: params.get("login_hint").map(str::to_owned),
        refresh: match config.refresh_tokens {
            RefreshTokens::OfflineAccess => scope.split(' ').any(|scope| scope == "offline_access"),
            RefreshTokens::AccessType => params.get("access_type") == Some("offline"),
            RefreshTokens::Always => true,
        },
    })
}

/// The session of the browser's cookie, if it is valid and its user still exists.
pub(super) fn session(world: &World, headers: &HeaderMap) -> Option<Session> {
    let cookie = cookies::read(headers, &cookie_name(world))?.to_owned();
    let session = world.grants().sessions.get(&cookie).cloned()?;
    let known = world.config().provider.users.iter().any(|user| user.sub == session.sub);
    (known && world.clock.now() < session.expires).then_some(session)
}

fn refuse(text: &str) -> Response {
    html::error_page(StatusCode::BAD_REQUEST, "This sign-in cannot start", text)
}
