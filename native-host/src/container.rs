//! The container credentials endpoint (AWS SDKs and Tools Reference Guide, "Container credential provider"): an
//! address on this machine where a tool fetches a role's credentials, again and again as they expire.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use rolecall_core::aws::{Credentials, RoleArn};
use rolecall_core::freshness::{Lifetime, RENEWAL, SDK_RENEWAL};
use rolecall_core::settings::RoleKey;
use rolecall_core::sign_in::Presence;
use rolecall_core::{Code, Problem};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::http_client;
use crate::loopback::server::{Request, Response, Server, Serving};
use crate::source::Source;
use crate::variables::{self, Variables};

/// A running endpoint, until it is dropped.
#[derive(Debug)]
pub(crate) struct Endpoint {
    port: u16,
    token: SecretString,
    _serving: Serving,
}

impl Endpoint {
    /// Serves `role` at `port` (0 for any free one) to whoever has the token.
    pub(crate) fn start(
        role: RoleKey,
        source: Source,
        first: Credentials,
        port: u16,
    ) -> Result<Self, Problem> {
        let failed = |error: &dyn std::fmt::Display| {
            Problem::new(Code::Internal, format!("The credentials cannot be served: {error}."))
        };
        let mut token = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *token).map_err(|error| failed(&error))?;
        let token = SecretString::from(URL_SAFE_NO_PAD.encode(*token));
        let server = Server::bind(&[port]).map_err(|error| failed(&error))?;
        let port = server.port();
        let lifetime = Lifetime::of(&first, Utc::now());
        let state = State { held: first, lifetime, is_wanted: false, renewals: 0, problem: None };
        let role_server = Arc::new(Served {
            role,
            source,
            token: token.clone(),
            port,
            state: Mutex::new(state),
            changed: Condvar::new(),
        });
        let renewing = Arc::clone(&role_server);
        thread::Builder::new()
            .name("renewal".to_owned())
            .spawn(move || renewing.renew())
            .map_err(|error| failed(&error))?;
        let serving =
            server.serve(move |request| role_server.answer(request)).map_err(|error| failed(&error))?;
        Ok(Self { port, token, _serving: serving })
    }

    /// What tells tools of the endpoint.
    pub(crate) fn variables(&self) -> Variables {
        vec![(FULL_URI, format!("http://127.0.0.1:{}{PATH}", self.port).into()), (TOKEN, self.token.clone())]
    }
}

/// Gets a role's credentials from the endpoint that the environment names, if it names one of that role: an `exec` within
/// another one has its own, and the profile of the outer one is still there by name.
pub(crate) fn fetch(role: &RoleArn) -> Option<Result<Credentials, Problem>> {
    if std::env::var(variables::ROLE).ok()? != role.as_str() {
        return None;
    }
    let address = std::env::var(FULL_URI).ok()?;
    let token = std::env::var(TOKEN).ok()?;
    Some(fetch_from(&address, &token.into()))
}

fn fetch_from(address: &str, token: &SecretString) -> Result<Credentials, Problem> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Document {
        access_key_id: String,
        secret_access_key: SecretString,
        token: SecretString,
        expiration: DateTime<Utc>,
    }
    #[derive(Deserialize)]
    struct Refusal {
        code: String,
        message: String,
    }
    let broken = || Problem::new(Code::CommandFailed, "The rolecall exec of this command does not answer.");
    let request = http::Request::get(address).header("authorization", token.expose_secret());
    let request = request.body(Vec::new().into()).map_err(|_| broken())?;
    let response = http_client::send_to_own(request).map_err(|_| broken())?;
    let body = response.body().expose_secret();
    if response.status().is_success() {
        let document = serde_json::from_slice(body).map_err(|_| broken())?;
        let Document { access_key_id, secret_access_key, token: session_token, expiration } = document;
        return Ok(Credentials { access_key_id, secret_access_key, session_token, expiration });
    }
    let refusal: Refusal = serde_json::from_slice(body).map_err(|_| broken())?;
    Err(Problem::new(Code::from_text(&refusal.code).unwrap_or(Code::CommandFailed), refusal.message))
}

struct Served {
    role: RoleKey,
    source: Source,
    token: SecretString,
    port: u16,
    state: Mutex<State>,
    changed: Condvar,
}

/// What is held, and what comes next.
struct State {
    held: Credentials,
    lifetime: Lifetime,
    /// Somebody has asked for what is about to end, or has ended: whatever it takes is done, a window included.
    is_wanted: bool,
    /// How often a renewal has ended, and why the last one failed.
    renewals: u64,
    problem: Option<Problem>,
}

impl State {
    fn hold(&mut self, credentials: Credentials) {
        self.lifetime = Lifetime::of(&credentials, Utc::now());
        self.held = credentials;
    }

    fn is_over(&self) -> bool {
        self.held.time_left(Utc::now()) <= TimeDelta::zero()
    }

    /// How long nothing has to be done, and then whether somebody waits for it. `failed` is when the last renewal failed.
    fn next(&self, failed: Option<Instant>) -> (Duration, bool) {
        let pause = failed.map_or(Duration::ZERO, |at| RETRY.saturating_sub(at.elapsed()));
        if self.is_wanted {
            return (if self.is_over() { Duration::ZERO } else { pause }, true);
        }
        (pause.max(self.lifetime.fresh_for(Utc::now(), RENEWAL).to_std().unwrap_or_default()), false)
    }
}

impl Served {
    fn answer(&self, request: &Request) -> Response {
        // A page in a browser that guesses the port sends an Origin or another Host, and has no token.
        let is_page = request.header("origin").is_some() || !request.is_for(self.port);
        let token = request.header("authorization").unwrap_or_default();
        if is_page || !same(token.as_bytes(), self.token.expose_secret().as_bytes()) {
            return failure("403 Forbidden", "unauthorized", "The authorization token is missing or wrong.");
        }
        if request.method != "GET" || request.target.as_str() != PATH {
            return failure("404 Not Found", "not-found", "There is nothing at this address.");
        }
        let mut state = lock(&self.state);
        if !state.lifetime.is_fresh(Utc::now(), SDK_RENEWAL) {
            state.is_wanted = true;
            self.changed.notify_all();
        }
        // SDKs wait for 1 s (JavaScript, PHP), 2 s (botocore) or 5 s (Rust): what still works is given at once.
        if state.is_over() {
            let before = state.renewals;
            let is_waited_for = |state: &mut State| state.renewals == before;
            let waited = self.changed.wait_while(state, is_waited_for);
            state = waited.unwrap_or_else(PoisonError::into_inner);
            if let Some(problem) = &state.problem {
                return failure("500 Internal Server Error", &problem.code, &problem.message);
            }
        }
        let body = document(&state.held, &self.role);
        Response { status: "200 OK", content_type: "application/json", location: None, body, after: None }
    }

    /// Renews for as long as the process lives, one renewal at a time: ahead of time without asking anybody anything, and
    /// with a window if need be once a tool has asked for what is about to end.
    fn renew(&self) {
        let mut failed = None;
        loop {
            let state = lock(&self.state);
            let (wait, is_wanted) = state.next(failed);
            if !wait.is_zero() {
                // An error would mean that a thread panicked while it held the lock, which does nothing but assign.
                drop(self.changed.wait_timeout(state, wait));
                continue;
            }
            drop(state);
            let presence = if is_wanted { self.source.presence } else { Presence::Nobody };
            let result = Source { presence, ..self.source.clone() }.credentials(&self.role);
            let mut state = lock(&self.state);
            failed = None;
            // Without a person, a browser may have given what it had: no later end is no renewal.
            match result {
                Ok(credentials) if credentials.expiration > state.held.expiration => {
                    state.hold(credentials);
                    state.problem = None;
                }
                Ok(_) => failed = Some(Instant::now()),
                Err(problem) => {
                    tracing::warn!(%problem, "the credentials were not renewed");
                    state.problem = Some(problem);
                    failed = Some(Instant::now());
                }
            }
            if is_wanted {
                state.is_wanted = false;
            }
            state.renewals += 1;
            drop(state);
            self.changed.notify_all();
        }
    }
}

fn document(credentials: &Credentials, role: &RoleKey) -> Zeroizing<String> {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Document<'a> {
        access_key_id: &'a str,
        secret_access_key: &'a str,
        token: &'a str,
        expiration: String,
        account_id: &'a str,
        role_arn: &'a str,
    }
    let document = Document {
        access_key_id: &credentials.access_key_id,
        secret_access_key: credentials.secret_access_key.expose_secret(),
        token: credentials.session_token.expose_secret(),
        expiration: credentials.expiration.to_rfc3339_opts(SecondsFormat::Secs, true),
        account_id: role.arn.account().as_str(),
        role_arn: role.arn.as_str(),
    };
    // A struct of strings always serialises.
    serde_json::to_string(&document).unwrap_or_default().into()
}

/// The SDKs read `code` and `message` of a failure.
fn failure(status: &'static str, code: &str, message: &str) -> Response {
    let body = serde_json::json!({ "code": code, "message": message }).to_string().into();
    Response { status, content_type: "application/json", location: None, body, after: None }
}

/// Compares without telling by its time how much was right.
fn same(given: &[u8], expected: &[u8]) -> bool {
    given.len() == expected.len()
        && given.iter().zip(expected).fold(0, |differences, (a, b)| differences | (a ^ b)) == 0
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

const FULL_URI: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const TOKEN: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
const PATH: &str = "/credentials";

/// How long to wait after a renewal that failed while the old credentials still work.
const RETRY: Duration = Duration::from_secs(30);
