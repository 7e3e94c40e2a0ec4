//! `getSigninToken`: exchanges credentials for a sign-in token.

use axum::Json;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::json;

use super::refuse;
use super::sessions::SigninToken;
use crate::params::Params;
use crate::secrets::SecretKind;
use crate::sts::Caller;
use crate::world::World;

/// Handles the call, by POST form or by GET.
pub(super) fn signin_token(world: &World, params: &Params) -> Response {
    let now = world.clock.now();
    let Some((caller, credentials_expire)) =
        params.get("Session").and_then(|session| owner(world, session, now))
    else {
        return refuse("InvalidCredentials", INVALID_CREDENTIALS);
    };
    // Recorded: credentials of a chained role take no duration.
    if caller.is_chained && params.get("SessionDuration").is_some() {
        return refuse("InvalidCredentials", INVALID_CREDENTIALS);
    }
    let session_expires = match params.get("SessionDuration").map(str::parse::<u32>) {
        // Without a duration the console session lasts as long as the credentials.
        None => credentials_expire,
        Some(Ok(seconds)) if (DURATION_MIN..=DURATION_MAX).contains(&seconds) => {
            now + TimeDelta::seconds(seconds.into())
        }
        Some(_) => return refuse("InvalidSessionDuration", "Invalid session duration parameter"),
    };
    let token = SigninToken { caller, session_expires, expires: now + TOKEN_LIFETIME };
    let length = world.config().console.token_length;
    let token = world.sessions().token(token, length);
    world.secrets.add(SecretKind::SigninToken, &token);
    ([(header::CACHE_CONTROL, "no-store")], Json(json!({ "SigninToken": token }))).into_response()
}

/// The owner of these credentials, if the STS issued them and they are still valid.
fn owner(world: &World, session: &str, now: DateTime<Utc>) -> Option<(Caller, DateTime<Utc>)> {
    let session: Session = serde_json::from_str(session).ok()?;
    let (issued, caller) = world.issued().find(&session.id)?;
    let same = issued.secret_access_key == session.key && issued.session_token == session.token;
    (same && now < issued.expires).then_some((caller, issued.expires))
}

/// The `Session` parameter.
#[derive(Deserialize)]
struct Session {
    #[serde(rename = "sessionId")]
    id: String,
    #[serde(rename = "sessionKey")]
    key: String,
    #[serde(rename = "sessionToken")]
    token: String,
}

const INVALID_CREDENTIALS: &str = "Invalid credentials parameter";
const DURATION_MIN: u32 = 900;
const DURATION_MAX: u32 = 43200;
const TOKEN_LIFETIME: TimeDelta = TimeDelta::minutes(15);
