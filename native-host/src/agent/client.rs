//! The command line's side of the socket: requests to agents.

use std::cell::RefCell;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use interprocess::local_socket::Stream;
use interprocess::local_socket::traits::Stream as _;
use rolecall_core::message::agent::{AgentAnswer, AgentRequest, AgentResponse};
use rolecall_core::message::frame;
use rolecall_core::message::host::{
    CredentialsRequest, PersonSummary, ProtocolRange, RoleSummary, WorkerRequest,
};
use rolecall_core::message::page::Pages;
use rolecall_core::settings::RoleKey;
use rolecall_core::sign_in::Presence;
use rolecall_core::{Code, Problem};

use super::backend::{CredentialsReply, DEADLINE};
use super::socket::{self, Kind};
use crate::platform;

/// The live agents of this user.
#[derive(Debug)]
pub(crate) struct Agents(Vec<Agent>);

#[derive(Debug)]
struct Agent {
    timeout: Duration,
    outlives_asker: bool,
    stream: RefCell<Option<Stream>>,
    path: PathBuf,
}

/// Who is signed in at a browser, and which roles it offers.
#[derive(Debug)]
pub(crate) struct AgentStatus {
    /// When the agent started.
    pub(crate) since: DateTime<Utc>,
    /// The host program's version.
    pub(crate) version: String,
    /// Who is signed in, by provider.
    pub(crate) people: Vec<PersonSummary>,
    pub(crate) roles: Vec<RoleSummary>,
}

impl Agents {
    /// The agents of browsers.
    pub(crate) fn of_browsers() -> Self {
        Self::connect(socket::find(Kind::Browser))
    }

    /// The agents of browsers. If there are none but one has just ended, waits for it to restart.
    pub(crate) fn of_browsers_soon() -> Self {
        let agents = Self::of_browsers();
        if !agents.is_empty() {
            return agents;
        }
        // Listing the sockets has removed those of crashed agents.
        let back = socket::restarting().and_then(Self::of_browsers_within);
        back.unwrap_or(agents)
    }

    /// The agents of browsers as soon as there are any, within `timeout`.
    pub(crate) fn of_browsers_within(timeout: Duration) -> Option<Self> {
        let deadline = Instant::now() + timeout;
        loop {
            let agents = Self::of_browsers();
            if !agents.is_empty() {
                return Some(agents);
            }
            if Instant::now() >= deadline {
                return None;
            }
            // No operating system event announces a new socket on all systems.
            thread::sleep(LOOK_EVERY);
        }
    }

    /// Commands that are signing in at this moment.
    pub(crate) fn of_terminals() -> Self {
        Self::connect(socket::find(Kind::Terminal))
    }

    fn connect(paths: Vec<PathBuf>) -> Self {
        let connect = |path: PathBuf| {
            let stream = socket::connect(&path).ok()?;
            Some(Agent {
                timeout: DEADLINE + GRACE,
                outlives_asker: false,
                stream: Some(stream).into(),
                path,
            })
        };
        Self(paths.into_iter().filter_map(connect).collect())
    }

    /// Gets a role's credentials from any agent that has them or can get them; shows a window only if no agent can do
    /// without.
    pub(crate) fn credentials(
        &self,
        role: &RoleKey,
        presence: Presence,
        time_left: TimeDelta,
    ) -> Result<CredentialsReply, Problem> {
        let time_left_seconds = u32::try_from(time_left.num_seconds()).unwrap_or(u32::MAX);
        let request = |interactive| {
            let request =
                CredentialsRequest { role: role.clone(), time_left_seconds, interactive, asked_by: None };
            move || WorkerRequest::Credentials(request.clone())
        };
        let read = |answer| match answer {
            AgentAnswer::Credentials { credentials, keep } => Ok(CredentialsReply { credentials, keep }),
            _ => Err(unexpected()),
        };
        if presence == Presence::Nobody || self.0.len() > 1 {
            let silent = self.first(request(false), read);
            // A browser that did not answer has used up the time.
            let is_late = silent.as_ref().is_err_and(|problem| problem.is(Code::AgentTimedOut));
            if presence == Presence::Nobody || silent.is_ok() || is_late {
                return silent;
            }
        }
        self.first(request(true), read)
    }

    /// The same agents, with a shorter limit on each request.
    pub(crate) fn within(mut self, timeout: Duration) -> Self {
        for agent in &mut self.0 {
            agent.timeout = timeout;
        }
        self
    }

    /// The same agents, which go on with a sign-in when this process is killed.
    pub(crate) fn outliving_asker(mut self) -> Self {
        for agent in &mut self.0 {
            agent.outlives_asker = true;
        }
        self
    }

    /// Whether there is no agent.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Asks one agent after the other, the youngest first, until one succeeds or a person refuses: the next browser
    /// does not ask them again.
    ///
    /// Of several failures, returns the one that a person can do something about.
    pub(crate) fn first<T>(
        &self,
        request: impl Fn() -> WorkerRequest,
        read: impl Fn(AgentAnswer) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let mut told: Option<Problem> = None;
        for agent in &self.0 {
            match agent.ask(request()).and_then(&read) {
                Ok(answer) => return Ok(answer),
                Err(problem) if is_final(&problem) => return Err(problem),
                Err(problem) => {
                    let better = |told: &Problem| {
                        [Code::RoleUnknown, Code::AgentUnavailable, Code::HostExited]
                            .into_iter()
                            .any(|code| told.is(code))
                    };
                    if told.as_ref().is_none_or(better) {
                        told = Some(problem);
                    }
                }
            }
        }
        Err(told.unwrap_or_else(|| {
            Problem::new(Code::AgentUnavailable, "No browser with the Rolecall extension is running.")
        }))
    }

    /// Gets every agent's status, with the path of its socket.
    pub(crate) fn statuses(&self) -> Vec<(&Path, Result<AgentStatus, Problem>)> {
        self.0.iter().map(|agent| (agent.path.as_path(), agent.status())).collect()
    }

    /// Sends a request to every agent and returns each response with the path of its socket.
    pub(crate) fn all(
        &self,
        request: impl Fn() -> WorkerRequest,
    ) -> Vec<(&Path, Result<AgentAnswer, Problem>)> {
        self.0.iter().map(|agent| (agent.path.as_path(), agent.ask(request()))).collect()
    }
}

impl Agent {
    /// Puts the pages of the status together.
    fn status(&self) -> Result<AgentStatus, Problem> {
        let mut pages = Pages::default();
        loop {
            let AgentAnswer::Status { since, version, page } =
                self.ask(WorkerRequest::Status(pages.request()))?
            else {
                return Err(unexpected());
            };
            if let Some(whole) = pages.add(page)? {
                return Ok(AgentStatus { since, version, people: whole.people, roles: whole.roles });
            }
        }
    }

    fn ask(&self, body: WorkerRequest) -> Result<AgentAnswer, Problem> {
        // One request per connection: the connection made while listing serves the first.
        let stream = match self.stream.take() {
            Some(stream) => stream,
            None => socket::connect(&self.path).map_err(|error| gone(&error))?,
        };
        let request =
            AgentRequest { protocol: ProtocolRange::CURRENT, outlives_asker: self.outlives_asker, body };
        ask(&stream, &request, self.timeout).map_err(|error| gone(&error))?.into_result()
    }
}

/// Whether a person has decided, or the time is up.
fn is_final(problem: &Problem) -> bool {
    let codes =
        [Code::SignInCancelled, Code::AccessDeniedByProvider, Code::ApprovalRefused, Code::AgentTimedOut];
    codes.into_iter().any(|code| problem.is(code))
}

fn ask(mut stream: &Stream, request: &AgentRequest, timeout: Duration) -> io::Result<AgentResponse> {
    // Named pipes have no timeouts; there the agent's own deadline has to do.
    let _ = stream.set_recv_timeout(Some(timeout));
    let _ = stream.set_send_timeout(Some(GRACE));
    frame::write(&mut stream, request)?;
    if request.outlives_asker {
        platform::cancel_on_interrupt(stream)?;
    }
    frame::read(&mut stream)?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

fn gone(error: &io::Error) -> Problem {
    match error.kind() {
        io::ErrorKind::InvalidData => unexpected(),
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => {
            Problem::new(Code::AgentTimedOut, "The browser did not answer in time.")
        }
        // When the browser closes, its host reports that before it ends.
        _ => Problem::new(Code::HostExited, "The Rolecall host program stopped before it answered."),
    }
}

fn unexpected() -> Problem {
    Problem::new(Code::HostProtocol, "The agent sent a response that this program does not understand.")
}

/// What a command waits beyond the agent's own deadline, still within the Go SDK's 60 seconds.
const GRACE: Duration = Duration::from_secs(2);

/// How often a new agent is looked for: whoever waits for a background that wakes up counts in milliseconds.
const LOOK_EVERY: Duration = Duration::from_millis(2);
