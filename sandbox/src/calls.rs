//! The log of every call to a sandbox, and a way to wait for one, so that no test needs to sleep.
//!
//! It contains no secret: of a request's parameters only those in [`RECORDED`].

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use tokio::sync::watch;

use crate::params::Params;

/// What a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CallKind {
    /// A CORS preflight, at any service.
    Preflight,
    /// The provider's metadata.
    Discovery,
    /// The provider's keys.
    Jwks,
    /// The authorization endpoint.
    Authorize,
    /// The provider's sign-in form, submitted.
    SignIn,
    /// The token endpoint.
    Token,
    /// The revocation endpoint.
    Revoke,
    /// The userinfo endpoint.
    Userinfo,
    /// The provider's logout.
    Logout,
    /// STS `AssumeRoleWithWebIdentity`.
    AssumeRole,
    /// STS `AssumeRole`.
    AssumeRoleWithRole,
    /// STS `GetCallerIdentity`.
    CallerIdentity,
    /// The console's `getSigninToken`.
    SigninToken,
    /// The console's `login`.
    ConsoleLogin,
    /// The console's `logout`.
    ConsoleLogout,
    /// A page of the console.
    Console,
    /// The role catalogue.
    Catalogue,
    /// The role service.
    RoleService,
    /// Anything else.
    Other,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It has not been answered yet.
    Pending,
    /// It was answered with this status.
    Answered(u16),
    /// The sandbox closed the connection instead of answering.
    Dropped,
    /// The caller closed the connection before the answer.
    Abandoned,
}

/// One call.
#[derive(Clone, Debug)]
pub struct Call {
    /// What it was for.
    pub kind: CallKind,
    /// When it arrived, by the sandbox's clock.
    pub at: DateTime<Utc>,
    /// The HTTP method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The `Origin` header.
    pub origin: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// The error code it was answered with: OAuth's `error` or AWS's `Code`.
    pub error: Option<String>,
    fields: BTreeMap<String, String>,
}

impl Call {
    /// The status it was answered with.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self.outcome {
            Outcome::Answered(status) => Some(status),
            Outcome::Pending | Outcome::Dropped | Outcome::Abandoned => None,
        }
    }

    /// Whether it came from a page or an extension.
    #[must_use]
    pub fn has_origin(&self) -> bool {
        self.origin.is_some()
    }

    /// A parameter that is not a secret: `RoleArn`, `RoleSessionName`, `DurationSeconds`, `Version`, `Action`,
    /// `SessionDuration`, `Issuer`, `Destination`, `grant_type`, `prompt`, `scope`, `client_id`, `redirect_uri`,
    /// `login_hint`, `response_type`, `code_challenge_method`, `max_age`.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    /// The requested role.
    #[must_use]
    pub fn role(&self) -> Option<&str> {
        self.field("RoleArn")
    }
}

/// What is known of a call when it arrives.
pub(crate) struct Arrival<'a> {
    pub(crate) kind: CallKind,
    pub(crate) at: DateTime<Utc>,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) origin: Option<&'a str>,
    pub(crate) params: &'a Params,
}

/// All calls so far.
#[derive(Debug)]
pub(crate) struct CallLog {
    calls: Mutex<Vec<Call>>,
    changed: watch::Sender<()>,
}

impl CallLog {
    pub(crate) fn new() -> Self {
        Self { calls: Mutex::new(Vec::new()), changed: watch::Sender::new(()) }
    }

    /// Records an arrival; the outcome stays [`Outcome::Abandoned`] if no answer is sent.
    pub(crate) fn arrived<'a>(&'a self, arrival: &Arrival<'_>) -> Entry<'a> {
        // Where a logout leads to may be an address that signs in.
        let is_secret = |name: &str| arrival.kind == CallKind::ConsoleLogout && name == "redirect_uri";
        let fields = RECORDED
            .iter()
            .filter(|name| !is_secret(name))
            .filter_map(|name| Some(((*name).to_owned(), arrival.params.get(name)?.to_owned())))
            .collect();
        let mut calls = self.lock();
        calls.push(Call {
            kind: arrival.kind,
            at: arrival.at,
            method: arrival.method.to_owned(),
            path: arrival.path.to_owned(),
            origin: arrival.origin.map(str::to_owned),
            outcome: Outcome::Pending,
            error: None,
            fields,
        });
        let entry = Entry { log: self, at: calls.len() - 1, outcome: Outcome::Abandoned, error: None };
        drop(calls);
        self.changed.send_replace(());
        entry
    }

    pub(crate) fn all(&self) -> Vec<Call> {
        self.lock().clone()
    }

    /// Waits until `enough` holds of the calls so far.
    pub(crate) async fn until(&self, enough: impl Fn(&[Call]) -> bool) {
        let mut changed = self.changed.subscribe();
        while !enough(&self.lock()) {
            // The sender lives as long as `self`.
            if changed.changed().await.is_err() {
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Call>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call in progress.
pub(crate) struct Entry<'a> {
    log: &'a CallLog,
    at: usize,
    outcome: Outcome,
    error: Option<String>,
}

impl Entry<'_> {
    pub(crate) fn ended(mut self, outcome: Outcome, error: Option<String>) {
        self.outcome = outcome;
        self.error = error;
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        if let Some(call) = self.log.lock().get_mut(self.at) {
            call.outcome = self.outcome;
            call.error = self.error.take();
        }
        self.log.changed.send_replace(());
    }
}

/// The parameters that are not secret.
const RECORDED: [&str; 17] = [
    "Action",
    "Version",
    "RoleArn",
    "RoleSessionName",
    "DurationSeconds",
    "SessionDuration",
    "Issuer",
    "Destination",
    "grant_type",
    "prompt",
    "scope",
    "client_id",
    "redirect_uri",
    "login_hint",
    "response_type",
    "code_challenge_method",
    "max_age",
];
