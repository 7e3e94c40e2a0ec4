//! The agent: answers terminals on a socket, from memory where it can and through the browser where it must.
//!
//! It knows nothing of how a sign-in works: it asks the [`Browser`], at most once at a time for the same thing.

mod cache;
mod client;
mod flight;
mod socket;

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use interprocess::local_socket::Stream;
use interprocess::local_socket::traits::{Listener as _, Stream as _};
use rolecall_core::aws::Credentials;
use rolecall_core::message::agent::{AgentAnswer, AgentRequest, AgentResponse};
use rolecall_core::message::frame;
use rolecall_core::message::host::{
    ConsoleUrlRequest, CredentialsRequest, Outcome, Program, ProtocolRange, RoleSelection, WorkerRequest,
    WorkerResponse,
};
use rolecall_core::settings::RoleKey;
use rolecall_core::{Code, Problem};

use crate::{peer, platform};
pub(crate) use client::{AgentStatus, Agents};
pub(crate) use socket::{Kind, RESTART};

/// Whoever holds the sign-in: the extension's worker behind its port.
pub(crate) trait Browser: Send + Sync {
    /// Asks, and waits for the answer for [`DEADLINE`] at most.
    fn ask(&self, request: WorkerRequest) -> Result<WorkerResponse, Problem>;
}

/// How long anybody waits for an answer. The Go SDK gives up on a `credential_process` after 60 seconds.
pub(crate) const DEADLINE: Duration = Duration::from_secs(55);

/// An agent, shared by its connections.
pub(crate) struct Agent {
    browser: Arc<dyn Browser>,
    since: DateTime<Utc>,
    cache: Mutex<cache::Cache>,
    flights: flight::Flights<(RoleKey, bool, Program), Result<Got, Problem>>,
    connections: Mutex<Connections>,
    connection_ended: Condvar,
}

#[derive(Default)]
struct Connections {
    open: usize,
    /// How many there have been.
    total: usize,
    /// Whether somebody went away before they got the credentials that they had asked for, and nobody has since.
    undelivered: bool,
}

impl Agent {
    /// An agent of this browser.
    pub(crate) fn new(browser: Arc<dyn Browser>) -> Arc<Self> {
        Arc::new(Self {
            browser,
            since: Utc::now(),
            cache: Mutex::default(),
            flights: flight::Flights::default(),
            connections: Mutex::default(),
            connection_ended: Condvar::new(),
        })
    }

    /// Listens from now on. The socket goes when what is returned is dropped.
    pub(crate) fn listen(self: &Arc<Self>, kind: Kind) -> io::Result<Listening> {
        let (listener, path) = socket::open(kind)?;
        let agent = Arc::clone(self);
        thread::spawn(move || {
            loop {
                match listener.accept() {
                    Ok(stream) => agent.serve(stream),
                    // Too many open files, or a caller that went away: both pass.
                    Err(error) => {
                        tracing::warn!(%error, "a connection was not accepted");
                        thread::yield_now();
                    }
                }
            }
        });
        Ok(Listening { path })
    }

    /// Keeps credentials that came without being asked for.
    pub(crate) fn keep(&self, role: RoleKey, credentials: Credentials) {
        lock(&self.cache).keep(role, credentials, Utc::now());
    }

    /// Forgets these roles.
    pub(crate) fn forget(&self, roles: &RoleSelection) {
        lock(&self.cache).forget(roles);
    }

    /// Waits until everybody who asked has been answered, for `patience` at most.
    pub(crate) fn wait_until_idle(&self, patience: Duration) {
        let connections = lock(&self.connections);
        let _ = self
            .connection_ended
            .wait_timeout_while(connections, patience, |connections| connections.open > 0);
    }

    /// Serves whoever asks, until nobody waits and what was got has been taken: a tool that gave up while a person was
    /// still signing in comes again. `keep` is for how long its credentials are kept for it.
    pub(crate) fn serve_until_taken(&self, keep: Duration) {
        let mut served = 0;
        loop {
            let connections = lock(&self.connections);
            let patience = if connections.undelivered { keep } else { PATIENCE };
            let nobody_new = |connections: &mut Connections| connections.total == served;
            let waited = self.connection_ended.wait_timeout_while(connections, patience, nobody_new);
            let (connections, waited) = waited.unwrap_or_else(PoisonError::into_inner);
            if waited.timed_out() {
                return;
            }
            let is_open = |connections: &mut Connections| connections.open > 0;
            let connections = self.connection_ended.wait_while(connections, is_open);
            let connections = connections.unwrap_or_else(PoisonError::into_inner);
            served = connections.total;
            if !connections.undelivered {
                return;
            }
        }
    }

    fn serve(self: &Arc<Self>, stream: Stream) {
        let mut connections = lock(&self.connections);
        connections.open += 1;
        connections.total += 1;
        drop(connections);
        self.connection_ended.notify_all();
        let agent = Arc::clone(self);
        let ended = Ended(Arc::clone(self));
        // A thread that cannot be started drops `ended` and the stream: the caller sees the connection close.
        let _ = thread::Builder::new().stack_size(STACK_BYTES).spawn(move || {
            let _ended = ended;
            if let Err(error) = agent.converse(&stream) {
                tracing::debug!(%error, "a caller went away");
            }
        });
    }

    fn converse(&self, mut stream: &Stream) -> io::Result<()> {
        if !platform::is_same_user(stream) {
            tracing::warn!("a process of another user was refused");
            return Ok(());
        }
        let _ = stream.set_recv_timeout(Some(PATIENCE));
        let _ = stream.set_send_timeout(Some(PATIENCE));
        let response: AgentResponse = match frame::read::<AgentRequest>(&mut stream) {
            Ok(None) => return Ok(()),
            Ok(Some(request)) => self.respond(request, stream).into(),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Outcome::Error(Problem::new(Code::HostProtocol, "The agent does not understand the request."))
            }
            Err(error) => return Err(error),
        };
        let has_credentials = matches!(response, Outcome::Ok(AgentAnswer::Credentials { .. }));
        let written = frame::write_response(&mut stream, &response, Outcome::Error);
        if has_credentials {
            lock(&self.connections).undelivered = written.is_err();
        }
        written
    }

    fn respond(&self, request: AgentRequest, stream: &Stream) -> Result<AgentAnswer, Problem> {
        if ProtocolRange::CURRENT.common(request.protocol).is_none() {
            let message = "The rolecall command and the host program that the browser started are of different versions.";
            return Err(Problem::new(Code::HostVersion, message));
        }
        match request.body {
            WorkerRequest::Credentials(request) => {
                let Got { credentials, keep } = self.credentials(&request, || peer::program(stream))?;
                Ok(AgentAnswer::Credentials { credentials, keep })
            }
            WorkerRequest::ConsoleUrl(request) => {
                let request = ConsoleUrlRequest { asked_by: peer::program(stream), ..request };
                match self.browser.ask(WorkerRequest::ConsoleUrl(request))? {
                    WorkerResponse::ConsoleUrl { url } => Ok(AgentAnswer::ConsoleUrl { url }),
                    _ => Err(unexpected()),
                }
            }
            WorkerRequest::Status(request) => match self.browser.ask(WorkerRequest::Status(request))? {
                WorkerResponse::Status(page) => Ok(AgentAnswer::Status {
                    since: self.since,
                    version: env!("CARGO_PKG_VERSION").to_owned(),
                    page,
                }),
                _ => Err(unexpected()),
            },
            WorkerRequest::SignOut(request) => {
                self.forget(&request.roles);
                match self.browser.ask(WorkerRequest::SignOut(request))? {
                    WorkerResponse::Done => Ok(AgentAnswer::Done),
                    _ => Err(unexpected()),
                }
            }
        }
    }

    /// Gives a role's credentials from memory, or else has the browser asked, once for everybody.
    pub(crate) fn credentials(
        &self,
        request: &CredentialsRequest,
        asked_by: impl FnOnce() -> Option<Program>,
    ) -> Result<Got, Problem> {
        let time_left = TimeDelta::seconds(request.time_left_seconds.into());
        let cached = || {
            let cache = lock(&self.cache);
            let credentials = cache.credentials(&request.role, Utc::now(), time_left)?.clone();
            Some(Got { credentials, keep: true })
        };
        if let Some(got) = cached() {
            return Ok(got);
        }
        let asked_by = asked_by();
        let ask = || {
            // Between looking and joining, another flight may have landed.
            if let Some(got) = cached() {
                return Ok(got);
            }
            if let Some(problem) = lock(&self.cache).refusal(&request.role) {
                return Err(problem.clone());
            }
            let request = CredentialsRequest { asked_by: asked_by.clone(), ..request.clone() };
            let answer = match self.browser.ask(WorkerRequest::Credentials(request.clone())) {
                Ok(WorkerResponse::Credentials { credentials, keep }) => Ok(Got { credentials, keep }),
                Ok(_) => Err(unexpected()),
                Err(problem) => Err(problem),
            };
            match &answer {
                Ok(got) if got.keep => self.keep(request.role, got.credentials.clone()),
                Ok(_) => {}
                Err(problem) => lock(&self.cache).keep_refusal(request.role, problem),
            }
            answer
        };
        // What a person says of one program is not said of another. The browser joins those that it need not ask about.
        match &asked_by {
            Some(program) => {
                let key = (request.role.clone(), request.interactive, program.clone());
                let lost = Err(Problem::new(Code::Internal, "The agent failed while it asked the browser."));
                self.flights.join(&key, lost, ask)
            }
            None => ask(),
        }
    }
}

/// Credentials, and whether they may be kept for later and for others.
#[derive(Debug, Clone)]
pub(crate) struct Got {
    pub(crate) credentials: Credentials,
    pub(crate) keep: bool,
}

/// A socket that is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Listening {
    path: PathBuf,
}

impl Drop for Listening {
    fn drop(&mut self) {
        // The listening thread lives as long as the process; what has to go is the name.
        socket::close(&self.path);
    }
}

struct Ended(Arc<Agent>);

impl Drop for Ended {
    fn drop(&mut self) {
        lock(&self.0.connections).open -= 1;
        self.0.connection_ended.notify_all();
    }
}

fn unexpected() -> Problem {
    Problem::new(Code::HostProtocol, "The browser answered something else than was asked.")
}

/// A poisoned lock guards data that is whole: nothing here panics half-way through a change.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long a caller may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(5);

/// Connections are many and do little.
const STACK_BYTES: usize = 256 * 1024;
