//! The container credentials endpoint (AWS SDKs and Tools Reference Guide, "Container credential provider"): an
//! address on this machine where a tool fetches a role's credentials, again and again as they expire.

use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{SecondsFormat, TimeDelta, Utc};
use rolecall_core::aws::{Credentials, RoleArn};
use rolecall_core::{Code, Problem};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::loopback::server::{Request, Response, Server};
use crate::source::Source;
use crate::variables::Variables;

/// A running endpoint, for as long as the process lives.
#[derive(Debug)]
pub(crate) struct Endpoint {
    port: u16,
    token: SecretString,
}

impl Endpoint {
    /// Serves `role` at `port` (0 for any free one) to whoever has the token.
    pub(crate) fn start(
        role: RoleArn,
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
        let role_server =
            Arc::new(Served { role, source, token: token.clone(), port, held: Mutex::new(Held::new(first)) });
        server.serve(move |request| role_server.answer(request)).map_err(|error| failed(&error))?;
        Ok(Self { port, token })
    }

    /// What tells tools of the endpoint.
    pub(crate) fn variables(&self) -> Variables {
        vec![
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("http://127.0.0.1:{}{PATH}", self.port).into()),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN", self.token.clone()),
        ]
    }
}

struct Served {
    role: RoleArn,
    source: Source,
    token: SecretString,
    port: u16,
    held: Mutex<Held>,
}

struct Held {
    credentials: Credentials,
    lifetime: TimeDelta,
}

impl Held {
    fn new(credentials: Credentials) -> Self {
        Self { lifetime: credentials.time_left(Utc::now()), credentials }
    }

    /// More than 15 minutes are left, or more than half of what the role allows.
    fn is_fresh(&self) -> bool {
        self.credentials.time_left(Utc::now()) > TimeDelta::minutes(15).min(self.lifetime / 2)
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
            return failure("404 Not Found", "not-found", "There are credentials at one address only.");
        }
        // One tool renews, the others wait for it.
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if !held.is_fresh() {
            match self.source.credentials(&self.role) {
                Ok(credentials) => *held = Held::new(credentials),
                Err(problem) if held.credentials.time_left(Utc::now()) <= TimeDelta::zero() => {
                    return failure("500 Internal Server Error", &problem.code, &problem.message);
                }
                // What is left still works; the next request tries again.
                Err(problem) => tracing::warn!(%problem, "the credentials were not renewed"),
            }
        }
        let body = document(&held.credentials, &self.role);
        Response { status: "200 OK", content_type: "application/json", location: None, body, then: None }
    }
}

fn document(credentials: &Credentials, role: &RoleArn) -> Zeroizing<String> {
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
        account_id: role.account().as_str(),
        role_arn: role.as_str(),
    };
    // A struct of strings always serialises.
    serde_json::to_string(&document).unwrap_or_default().into()
}

/// The SDKs read `code` and `message` of a failure.
fn failure(status: &'static str, code: &str, message: &str) -> Response {
    let body = serde_json::json!({ "code": code, "message": message }).to_string().into();
    Response { status, content_type: "application/json", location: None, body, then: None }
}

/// Compares without telling by its time how much was right.
fn same(given: &[u8], expected: &[u8]) -> bool {
    given.len() == expected.len()
        && given.iter().zip(expected).fold(0, |differences, (a, b)| differences | (a ^ b)) == 0
}

const PATH: &str = "/credentials";
