//! Native messaging: the program as a browser starts it.
//!
//! Standard input and output belong to the port; nothing else is ever written there. The agent listens once the
//! versions match. The program ends with the port or by a signal, and removes its socket.

mod port;
mod requests;

use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rolecall_core::json::ReadJson;
use rolecall_core::message::frame;
use rolecall_core::message::host::{HostRequest, HostResponse, Id, Outcome, ProtocolRange, ToHost, ToWorker};
use rolecall_core::{Code, Problem};

use crate::agent::{Agent, Kind, Listening};
use crate::cache::{self, Unlock};
use crate::caller::Caller;
use crate::{platform, settings_files};
use port::Port;
use requests::SettingsSnapshot;

/// Serves the extension until its port closes.
#[expect(clippy::disallowed_methods, reason = "the browser reads it")]
pub(crate) fn run(caller: &Caller) -> ExitCode {
    if let Err(error) = platform::forbid_core_dumps() {
        tracing::warn!(%error, "the memory of this program may be written to disk if it crashes");
    }
    let machine = settings_files::load();
    if let Err(problem) = caller.check(&machine.host.allowed_extensions) {
        tracing::warn!(%problem, "the caller was refused");
        return refuse(problem);
    }
    let port = Arc::new(Port::new(io::stdout()));
    let host = Arc::new(Host {
        agent: Agent::new(Arc::<Port>::clone(&port), |role, reply| {
            cache::store(role, &reply.credentials, reply.keep);
        }),
        port,
        listening: Mutex::new(None),
        settings: Mutex::default(),
    });
    let ended = Arc::clone(&host);
    let watched = platform::on_termination(move || {
        ended.end();
        std::process::exit(0);
    });
    if let Err(error) = watched {
        tracing::warn!(%error, "signals cannot be watched");
    }
    let result = host.serve(&mut io::stdin().lock());
    host.end();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::warn!(%error, "the port broke");
            ExitCode::FAILURE
        }
    }
}

struct Host {
    port: Arc<Port>,
    agent: Arc<Agent>,
    listening: Mutex<Option<Listening>>,
    settings: Mutex<SettingsSnapshot>,
}

/// The readable part of a request that this version does not know: the id, to respond with an error.
#[derive(ReadJson)]
#[json(rename_all = "camelCase")]
enum Unknown {
    Request { id: Id },
}

impl Host {
    fn serve(self: &Arc<Self>, reader: &mut impl Read) -> io::Result<()> {
        let mut greeted = false;
        loop {
            let frame = match frame::read_bytes(reader) {
                Ok(Some(frame)) => frame,
                Ok(None) => return Ok(()),
                // The frame was skipped: its sender gets no response, but others are not affected.
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    tracing::warn!(%error, "a frame was not read");
                    continue;
                }
                Err(error) => return Err(error),
            };
            match frame::parse(&frame) {
                Ok(ToHost::Response { id, result }) => self.port.take_response(id, result),
                Ok(ToHost::Request { id, body: HostRequest::Hello { protocol, version } }) => {
                    tracing::info!(%version, "the extension said hello");
                    // Whoever connects to the agent at once asks the extension after this response.
                    self.port.answer_with(id, || {
                        let response = self.greet(protocol, &version);
                        greeted = response.is_ok();
                        response
                    });
                }
                Ok(ToHost::Request { id, .. }) if !greeted => {
                    let problem = Problem::new(
                        Code::HostProtocol,
                        "The extension sent a request before it said hello.",
                    );
                    self.port.answer(id, Err(problem));
                }
                Ok(ToHost::Request { id, body }) => {
                    let host = Arc::clone(self);
                    // A slow server must not delay the responses to other requests.
                    thread::spawn(move || host.port.answer(id, host.answer(body)));
                }
                Err(error) => {
                    tracing::warn!(%error, "a message was not understood");
                    if let Ok(Unknown::Request { id }) = frame::parse(&frame) {
                        let problem = Problem::new(
                            Code::HostProtocol,
                            "The host program does not understand the request.",
                        );
                        self.port.answer(id, Err(problem));
                    }
                }
            }
        }
    }

    /// Responds to `hello`, and starts the agent.
    fn greet(&self, protocol: ProtocolRange, version: &str) -> Result<HostResponse, Problem> {
        if ProtocolRange::CURRENT.common(protocol).is_none() {
            let version: String = version.chars().filter(char::is_ascii_graphic).take(20).collect();
            let message = format!(
                "The Rolecall extension ({version}) and host program ({}) have incompatible versions.",
                env!("CARGO_PKG_VERSION")
            );
            return Err(Problem::new(Code::HostVersion, message));
        }
        let mut listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner);
        if listening.is_none() {
            match self.agent.listen(Kind::Browser) {
                Ok(socket) => *listening = Some(socket),
                // The extension works without it; `rolecall doctor` reports it.
                Err(error) => tracing::error!(%error, "the agent could not be started"),
            }
        }
        Ok(HostResponse::Hello {
            protocol: ProtocolRange::CURRENT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        })
    }

    fn answer(&self, request: HostRequest) -> Result<HostResponse, Problem> {
        match request {
            // Handled where the order of frames is kept.
            HostRequest::Hello { protocol, version } => self.greet(protocol, &version),
            HostRequest::Settings(request) => {
                let mut settings = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
                Ok(HostResponse::Settings(settings.page(request)))
            }
            HostRequest::SettingsRevision => {
                let mut settings = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
                Ok(HostResponse::SettingsRevision(settings.revision()))
            }
            HostRequest::WriteProfile(spec) => {
                let response = requests::write_profile(&spec)?;
                if let Some(credentials) = spec.credentials {
                    self.agent.keep(&spec.role, credentials);
                }
                Ok(response)
            }
            HostRequest::RemoveProfile { profile, role } => requests::remove_profile(profile, &role),
            HostRequest::SendHttp(relay) => requests::send_http(relay),
            HostRequest::Forget(roles) => {
                self.agent.forget(&roles);
                cache::forget(&roles, Unlock::Never)?;
                Ok(HostResponse::Done)
            }
        }
    }

    /// Responds to all waiting callers, and removes the socket.
    fn end(&self) {
        self.listening.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.port.close();
        self.agent.wait_until_idle(DRAIN_TIMEOUT);
    }
}

/// Responds to the first request of a caller that was refused, so that the browser can show why.
#[expect(clippy::disallowed_methods, reason = "the browser reads it")]
fn refuse(problem: Problem) -> ExitCode {
    let first = frame::read_bytes(&mut io::stdin().lock());
    let id = match first.ok().flatten().map(|frame| frame::parse(&frame)) {
        Some(Ok(Unknown::Request { id })) => id,
        _ => 0,
    };
    let _ = frame::write(&mut io::stdout(), &ToWorker::Response { id, result: Outcome::Error(problem) });
    let _ = io::stdout().flush();
    ExitCode::FAILURE
}

/// How long the program waits at its end until responses are written.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);
