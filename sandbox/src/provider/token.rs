//! The token endpoint (RFC 6749 sections 4.1.3, 5 and 6).

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use serde_json::json;

use super::error::{configured_error, oauth_error};
use super::grants::{Access, Family, Refresh};
use super::{id_token, pkce};
use crate::answer::{broken, private_json};
use crate::config::{self, Client, ProviderConfig, TokenCors};
use crate::params::Params;
use crate::random;
use crate::secrets::SecretKind;
use crate::world::{SharedWorld, World};

/// `POST /token`.
pub(super) async fn token(
    State(world): State<SharedWorld>,
    Extension(params): Extension<Params>,
    headers: HeaderMap,
) -> Response {
    exchange(&world, &params, &headers).unwrap_or_else(|refusal| refusal.response())
}

fn exchange(world: &World, params: &Params, headers: &HeaderMap) -> Result<Response, Refusal> {
    let config = world.config().provider;
    let client = params.get("client_id").and_then(|id| config.clients.iter().find(|client| client.id == id));
    // Before any parameter is checked or the code is used up.
    if config.token_cors == TokenCors::RefuseOrigins
        && let Some(origin) = headers.get(header::ORIGIN)
        && !client
            .is_some_and(|client| client.origins.iter().any(|known| known.as_bytes() == origin.as_bytes()))
    {
        return Err(Refusal::Configured(Box::new(config.refusals.origin)));
    }
    let form = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !form.is_some_and(|form| form.starts_with("application/x-www-form-urlencoded")) {
        return Err(Refusal::invalid_request("the request must be a form"));
    }
    if params.repeated().is_some() {
        return Err(Refusal::invalid_request("a parameter is repeated"));
    }
    let Some(client) = client else {
        return Err(Refusal::InvalidClient);
    };
    authenticate(client, params, &config)?;
    match params.get("grant_type") {
        // Entra ID: what a code is redeemed with depends on the kind of its redirect URI.
        Some("authorization_code")
            if matches!(config.token_cors, TokenCors::RequireOrigin | TokenCors::RefuseReadably) =>
        {
            let is_single_page = config.token_cors == TokenCors::RequireOrigin;
            let wants_origin =
                params.get("redirect_uri").map(|uri| is_single_page && uri.starts_with("https:"));
            match (wants_origin, headers.contains_key(header::ORIGIN)) {
                (Some(true), false) => Err(Refusal::Configured(Box::new(config.refusals.no_origin))),
                (Some(false), true) => Err(Refusal::Configured(Box::new(config.refusals.origin))),
                _ => redeem(world, params, &config, client),
            }
        }
        Some("authorization_code") => redeem(world, params, &config, client),
        Some("refresh_token") => refresh(world, params, &config, client),
        Some(_) => Err(Refusal::BadRequest("unsupported_grant_type", "this grant type is not offered")),
        None => Err(Refusal::invalid_request("grant_type is missing")),
    }
}

/// RFC 6749 section 2.3.1: the client's secret in the body, if it has one.
pub(super) fn authenticate(client: &Client, params: &Params, config: &ProviderConfig) -> Result<(), Refusal> {
    match (&client.secret, params.get("client_secret")) {
        (Some(_), None) => Err(Refusal::Configured(Box::new(config.refusals.no_secret.clone()))),
        (Some(secret), Some(given)) if secret != given => {
            Err(Refusal::Configured(Box::new(config.refusals.wrong_secret.clone())))
        }
        _ => Ok(()),
    }
}

/// RFC 6749 section 4.1.3 and RFC 7636 section 4.6.
fn redeem(
    world: &World,
    params: &Params,
    config: &ProviderConfig,
    client: &Client,
) -> Result<Response, Refusal> {
    let value = params.get("code").ok_or(Refusal::invalid_request("code is missing"))?;
    let verifier = params.get("code_verifier").filter(|verifier| pkce::is_verifier(verifier));
    let verifier = verifier.ok_or(Refusal::invalid_request("code_verifier is missing or malformed"))?;
    world.secrets.add(SecretKind::CodeVerifier, verifier);
    let now = world.clock.now();
    let mut grants = world.grants();
    let code = grants.codes.get_mut(value).ok_or(Refusal::invalid_grant("the code is unknown"))?;
    let family = code.family.clone();
    if code.used {
        grants.revoke(&family);
        return Err(Refusal::invalid_grant("the code was used before"));
    }
    // One attempt only: a stolen code must not allow guessing the verifier.
    code.used = true;
    let request = code.request.clone();
    if now >= code.expires {
        return Err(Refusal::invalid_grant("the code has expired"));
    }
    if request.client_id != client.id {
        return Err(Refusal::invalid_grant("the code belongs to another client"));
    }
    if params.get("redirect_uri") != Some(&request.redirect_uri) {
        return Err(Refusal::invalid_grant("the redirect URI is not the one the code was sent to"));
    }
    if !pkce::matches(verifier, &request.code_challenge) {
        return Err(Refusal::invalid_grant("the code verifier does not match the challenge"));
    }
    drop(grants);
    issue(world, config, &family, request.nonce.as_deref())
}

/// RFC 6749 section 6, with rotation (RFC 9700 section 4.14.2).
fn refresh(
    world: &World,
    params: &Params,
    config: &ProviderConfig,
    client: &Client,
) -> Result<Response, Refusal> {
    let value = params.get("refresh_token").ok_or(Refusal::invalid_request("refresh_token is missing"))?;
    let now = world.clock.now();
    let mut grants = world.grants();
    let refresh =
        grants.refresh.get_mut(value).ok_or(Refusal::invalid_grant("the refresh token is unknown"))?;
    let family = refresh.family.clone();
    if refresh.used {
        grants.revoke(&family);
        return Err(Refusal::invalid_grant("the refresh token was used before"));
    }
    if now >= refresh.expires {
        return Err(Refusal::invalid_grant("the refresh token has expired"));
    }
    if family.client_id != client.id {
        return Err(Refusal::invalid_grant("the refresh token belongs to another client"));
    }
    refresh.used = true;
    if grants.is_revoked(&family) {
        return Err(Refusal::invalid_grant("the refresh token was revoked"));
    }
    drop(grants);
    // A refreshed ID token carries no nonce (OIDC Core section 12.2).
    issue(world, config, &family, None)
}

fn issue(
    world: &World,
    config: &ProviderConfig,
    family: &Family,
    nonce: Option<&str>,
) -> Result<Response, Refusal> {
    let user = config.users.iter().find(|user| user.sub == family.sub);
    let user = user.ok_or(Refusal::invalid_grant("the person no longer exists"))?;
    let id_token = id_token::issue(world, config, family, user, nonce).map_err(Refusal::Broken)?;
    let now = world.clock.now();
    let access_token = random::token(32);
    world.secrets.add(SecretKind::IdToken, &id_token);
    world.secrets.add(SecretKind::AccessToken, &access_token);
    let mut answer = json!({
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": config.access_token_lifetime.as_secs(),
        "id_token": id_token,
        "scope": family.scope,
    });
    let mut grants = world.grants();
    let expires = now + config.access_token_lifetime;
    grants.access.insert(access_token, Access { family: family.clone(), expires });
    if family.refresh {
        let refresh_token = random::token(32);
        world.secrets.add(SecretKind::RefreshToken, &refresh_token);
        answer["refresh_token"] = refresh_token.clone().into();
        let expires = now + config.refresh_token_lifetime;
        grants.refresh.insert(refresh_token, Refresh { family: family.clone(), expires, used: false });
    }
    Ok(private_json(StatusCode::OK, &answer))
}

pub(super) enum Refusal {
    BadRequest(&'static str, &'static str),
    Configured(Box<config::Refusal>),
    InvalidClient,
    Broken(anyhow::Error),
}

impl Refusal {
    fn invalid_request(description: &'static str) -> Self {
        Self::BadRequest("invalid_request", description)
    }

    fn invalid_grant(description: &'static str) -> Self {
        Self::BadRequest("invalid_grant", description)
    }

    pub(super) fn response(&self) -> Response {
        match self {
            Self::Configured(refusal) => configured_error(refusal),
            Self::BadRequest(error, description) => oauth_error(StatusCode::BAD_REQUEST, error, description),
            Self::InvalidClient => {
                oauth_error(StatusCode::UNAUTHORIZED, "invalid_client", "this client is not registered here")
            }
            Self::Broken(error) => broken(error),
        }
    }
}
