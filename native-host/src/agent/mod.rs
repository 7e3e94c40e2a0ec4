//! The agent: answers terminals on a socket, from memory where it can and through the browser where it must.
//!
//! It does not know how a sign-in works: it asks the [`Backend`], with one request at a time for the same credentials.

mod backend;
mod cache;
mod client;
mod flight;
mod socket;

use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
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
    ConsoleRequest, CredentialsRequest, Outcome, Program, ProtocolRange, RoleSelection, WorkerRequest,
    WorkerResponse,
};
use rolecall_core::settings::RoleKey;
use rolecall_core::{Code, Problem};

use crate::connections::{MOST_CONNECTIONS, UntilDeadline, accept_each};
use crate::platform::AskerState;
use crate::{peer, platform};
pub(crate) use backend::{Backend, CHECK_INTERVAL, CredentialsReply, DEADLINE};
pub(crate) use client::{AgentStatus, Agents};
pub(crate) use socket::{Kind, RESTART};

/// An agent, shared by its connections.
pub(crate) struct Agent {
    backend: Arc<dyn Backend>,
    store: Box<Store>,
    since: DateTime<Utc>,
    cache: Mutex<cache::Cache>,
    flights: flight::Flights<(RoleKey, bool, Program), Result<CredentialsReply, Problem>>,
    connections: Mutex<Connections>,
    connection_ended: Condvar,
}

#[derive(Default)]
struct Connections {
    open: usize,
    /// How many there have been since the start.
    total: usize,
    /// How often credentials were delivered.
    delivered: usize,
    /// Whether a caller left before it got the credentials it had asked for, and no other has got any since.
    undelivered: bool,
}

/// Called with new credentials, besides keeping them in memory; the reply says whether they may be cached.
pub(crate) type Store = dyn Fn(&RoleKey, &CredentialsReply) + Send + Sync;

impl Agent {
    /// An agent for this backend, which passes new credentials to `store` as well.
    pub(crate) fn new(
        backend: Arc<dyn Backend>,
        store: impl Fn(&RoleKey, &CredentialsReply) + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            backend,
            store: Box::new(store),
            since: Utc::now(),
            cache: Mutex::default(),
            flights: flight::Flights::default(),
            connections: Mutex::default(),
            connection_ended: Condvar::new(),
        })
    }

    /// Starts listening. Dropping the returned value removes the socket.
    pub(crate) fn listen(self: &Arc<Self>, kind: Kind) -> io::Result<Listening> {
        let (listener, path) = socket::open(kind)?;
        let agent = Arc::clone(self);
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let serve = move |stream| {
            if over.load(Ordering::SeqCst) {
                return ControlFlow::Break(());
            }
            agent.serve(stream);
            ControlFlow::Continue(())
        };
        let accept = move || accept_each(|| listener.accept(), thread::sleep, serve);
        thread::Builder::new().name("agent".to_owned()).spawn(accept)?;
        Ok(Listening { path, is_over })
    }

    /// Stores credentials that arrived without a request.
    pub(crate) fn keep(&self, role: &RoleKey, credentials: Credentials) {
        self.take_in(role, &CredentialsReply { credentials, keep: true });
    }

    fn take_in(&self, role: &RoleKey, reply: &CredentialsReply) {
        if reply.keep {
            lock(&self.cache).keep(role.clone(), reply.credentials.clone(), Utc::now());
        }
        (self.store)(role, reply);
    }

    /// Removes these roles.
    pub(crate) fn forget(&self, roles: &RoleSelection) {
        lock(&self.cache).forget(roles);
    }

    /// Waits until every caller has been answered, for `timeout` at most.
    pub(crate) fn wait_until_idle(&self, timeout: Duration) {
        let connections = lock(&self.connections);
        let _ = self
            .connection_ended
            .wait_timeout_while(connections, timeout, |connections| connections.open > 0);
    }

    /// Serves callers until none waits and the credentials have been taken: a tool that gave up during the sign-in runs
    /// again. `keep` is how long credentials are kept for it.
    pub(crate) fn serve_until_taken(&self, keep: Duration) {
        let mut served = 0;
        loop {
            let connections = lock(&self.connections);
            let timeout = if connections.undelivered { keep } else { READ_TIMEOUT };
            let nobody_new = |connections: &mut Connections| connections.total == served;
            let waited = self.connection_ended.wait_timeout_while(connections, timeout, nobody_new);
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
        if connections.open >= MOST_CONNECTIONS {
            return;
        }
        connections.open += 1;
        connections.total += 1;
        drop(connections);
        self.connection_ended.notify_all();
        let agent = Arc::clone(self);
        let ended = Ended(Arc::clone(self));
        // If no thread can be started, `ended` and the stream are dropped: the caller sees the connection close.
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
        let delivered_before = lock(&self.connections).delivered;
        // Named pipes have no timeouts.
        let _ = stream.set_send_timeout(Some(READ_TIMEOUT));
        let mut reader = UntilDeadline::new(stream, READ_TIMEOUT, |left| {
            let _ = stream.set_recv_timeout(Some(left));
            Ok(())
        });
        let response: AgentResponse = match frame::read::<AgentRequest>(&mut reader) {
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
            let mut connections = lock(&self.connections);
            if written.is_ok() {
                connections.delivered += 1;
                connections.undelivered = false;
            } else if connections.delivered == delivered_before {
                connections.undelivered = true;
            }
        }
        written
    }

    fn respond(&self, request: AgentRequest, stream: &Stream) -> Result<AgentAnswer, Problem> {
        if ProtocolRange::CURRENT.common(request.protocol).is_none() {
            let message =
                "The rolecall command and the host program that the browser started have different versions.";
            return Err(Problem::new(Code::HostVersion, message));
        }
        let outlives_asker = request.outlives_asker;
        let is_wanted = || match platform::asker_state(stream) {
            AskerState::Waiting => true,
            AskerState::Cancelled => false,
            AskerState::Gone => outlives_asker,
        };
        match request.body {
            WorkerRequest::Credentials(request) => {
                self.backend.may_serve(&request.role)?;
                let CredentialsReply { credentials, keep } =
                    self.credentials(&request, || peer::program(stream), &is_wanted)?;
                Ok(AgentAnswer::Credentials { credentials, keep })
            }
            WorkerRequest::Console(request) => {
                let request = ConsoleRequest { asked_by: peer::program(stream), ..request };
                match self.backend.request(WorkerRequest::Console(request), &is_wanted)? {
                    WorkerResponse::ConsoleUrl { url } => Ok(AgentAnswer::ConsoleUrl { url }),
                    WorkerResponse::Done => Ok(AgentAnswer::Done),
                    _ => Err(unexpected()),
                }
            }
            WorkerRequest::Status(request) => {
                match self.backend.request(WorkerRequest::Status(request), &is_wanted)? {
                    WorkerResponse::Status(page) => Ok(AgentAnswer::Status {
                        since: self.since,
                        version: env!("CARGO_PKG_VERSION").to_owned(),
                        page,
                    }),
                    _ => Err(unexpected()),
                }
            }
            WorkerRequest::SignOut(request) => {
                self.forget(&request.roles);
                // Carried out even if the caller no longer waits.
                match self.backend.request(WorkerRequest::SignOut(request), &|| true)? {
                    WorkerResponse::Done => Ok(AgentAnswer::Done),
                    _ => Err(unexpected()),
                }
            }
        }
    }

    /// Returns a role's credentials from memory, or asks the backend for them, once for all callers that wait.
    pub(crate) fn credentials(
        &self,
        request: &CredentialsRequest,
        asked_by: impl FnOnce() -> Option<Program>,
        is_wanted: &dyn Fn() -> bool,
    ) -> Result<CredentialsReply, Problem> {
        let time_left = TimeDelta::seconds(request.time_left_seconds.into());
        let cached = || {
            let cache = lock(&self.cache);
            let credentials = cache.credentials(&request.role, Utc::now(), time_left)?.clone();
            Some(CredentialsReply { credentials, keep: true })
        };
        if let Some(reply) = cached() {
            return Ok(reply);
        }
        let asked_by = asked_by();
        let ask = |is_wanted: &dyn Fn() -> bool| {
            // Another flight may have ended between the lookup and joining.
            if let Some(reply) = cached() {
                return Ok(reply);
            }
            if let Some(problem) = lock(&self.cache).refusal(&request.role) {
                return Err(problem.clone());
            }
            let role = &request.role;
            let request = CredentialsRequest { asked_by: asked_by.clone(), ..request.clone() };
            match self.backend.request(WorkerRequest::Credentials(request), is_wanted) {
                Ok(WorkerResponse::Credentials { credentials, keep }) => {
                    let reply = CredentialsReply { credentials, keep };
                    self.take_in(role, &reply);
                    Ok(reply)
                }
                Ok(_) => Err(unexpected()),
                Err(problem) => {
                    lock(&self.cache).keep_refusal(role.clone(), &problem);
                    Err(problem)
                }
            }
        };
        // Approval of one program does not hold for another. The browser joins requests that need no approval.
        match asked_by.as_ref().filter(|program| program.is_recognisable) {
            Some(program) => {
                let key = (request.role.clone(), request.interactive, program.clone());
                let lost =
                    Err(Problem::new(Code::Internal, "The agent failed while it waited for the browser."));
                self.flights.join(&key, lost, is_wanted, ask)
            }
            None => ask(is_wanted),
        }
    }
}

/// A socket that is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Listening {
    path: PathBuf,
    is_over: Arc<AtomicBool>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        // Connecting wakes the listening thread, which then ends.
        let _ = platform::connect(&self.path);
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
    Problem::new(Code::HostProtocol, "The browser sent an unexpected response.")
}

/// A poisoned lock guards consistent data: nothing here panics half-way through a change.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long a caller may take to send its request and to read the response.
const READ_TIMEOUT: Duration = Duration::from_secs(5);

/// There are many connections, and each does little.
const STACK_BYTES: usize = 256 * 1024;

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::net::UnixStream;
    use std::sync::mpsc;

    use super::*;

    /// A backend whose sign-in to the role `slow` lasts until the test ends it.
    struct SignIns {
        begun: mpsc::Sender<()>,
        end: Mutex<mpsc::Receiver<()>>,
    }

    impl Backend for SignIns {
        fn request(&self, request: WorkerRequest, _: &dyn Fn() -> bool) -> Result<WorkerResponse, Problem> {
            let WorkerRequest::Credentials(request) = request else { panic!("{request:?}") };
            if request.role.arn.as_str().ends_with("slow") {
                self.begun.send(()).unwrap();
                lock(&self.end).recv().unwrap();
            }
            let credentials = Credentials {
                access_key_id: "ASIAEXAMPLE".into(),
                secret_access_key: "secret".into(),
                session_token: "token".into(),
                expiration: Utc::now() + TimeDelta::hours(1),
            };
            Ok(WorkerResponse::Credentials { credentials, keep: true })
        }
    }

    /// An agent, and a tool that gives up while the sign-in lasts, which sending ends.
    fn given_up() -> (Arc<Agent>, mpsc::Sender<()>) {
        let (begun, has_begun) = mpsc::channel();
        let (end, ends) = mpsc::channel();
        let agent = Agent::new(Arc::new(SignIns { begun, end: Mutex::new(ends) }), |_, _| {});
        let tool = ask(&agent, "slow");
        has_begun.recv().unwrap();
        drop(tool);
        (agent, end)
    }

    fn ask(agent: &Arc<Agent>, role: &str) -> UnixStream {
        let (own, other) = UnixStream::pair().unwrap();
        agent.serve(Stream::UdSocket(other.into()));
        let arn = format!("arn:aws:iam::123456789012:role/{role}").parse().unwrap();
        let role = RoleKey { provider: "corp".parse().unwrap(), arn };
        let request = CredentialsRequest { role, time_left_seconds: 0, interactive: true, asked_by: None };
        let request = AgentRequest {
            protocol: ProtocolRange::CURRENT,
            outlives_asker: true,
            body: WorkerRequest::Credentials(request),
        };
        frame::write(&mut &own, &request).unwrap();
        own
    }

    fn takes_credentials(tool: &UnixStream) {
        let taken = frame::read::<AgentResponse>(&mut &*tool).unwrap();
        assert!(matches!(taken, Some(Outcome::Ok(AgentAnswer::Credentials { .. }))));
    }

    /// Tells when an agent for tools has ended, which would wait for hours.
    fn end_of(agent: Arc<Agent>) -> mpsc::Receiver<()> {
        let (done, is_done) = mpsc::channel();
        thread::spawn(move || {
            agent.serve_until_taken(Duration::from_hours(1));
            let _ = done.send(());
        });
        is_done
    }

    #[test]
    fn credentials_that_no_tool_waited_for_are_kept_until_one_takes_them() {
        let (agent, end) = given_up();
        let is_done = end_of(Arc::clone(&agent));
        end.send(()).unwrap();
        agent.wait_until_idle(TIMEOUT);
        assert!(is_done.try_recv().is_err());
        takes_credentials(&ask(&agent, "slow"));
        is_done.recv_timeout(TIMEOUT).expect("the agent waits although the credentials were taken");
    }

    #[test]
    fn a_tool_that_gave_up_is_not_waited_for_once_a_later_one_got_credentials() {
        let (agent, end) = given_up();
        takes_credentials(&ask(&agent, "other"));
        end.send(()).unwrap();
        agent.wait_until_idle(TIMEOUT);
        end_of(agent).recv_timeout(TIMEOUT).expect("the agent waits for a tool although another was served");
    }

    /// Longer than the agent may take by itself.
    const TIMEOUT: Duration = Duration::from_mins(1);
}
