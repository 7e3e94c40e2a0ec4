//! Native messaging: what this program is when a browser starts it.
//!
//! Standard input and output belong to the port; nothing else is ever written there. The agent listens once the
//! versions fit. The program ends with the port or by a signal, and takes its socket along.

mod port;
mod questions;

use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rolecall_core::message::frame;
use rolecall_core::message::host::{HostAnswer, HostQuestion, Id, Outcome, ProtocolRange, ToHost, ToWorker};
use rolecall_core::{Code, Problem};
use serde::Deserialize;

use crate::agent::{Agent, Kind, Listening};
use crate::cache::{self, Unlock};
use crate::caller::Caller;
use crate::{platform, settings_files};
use port::Port;

/// Serves the extension until its port closes.
pub(crate) fn run(caller: &Caller) -> ExitCode {
    let machine = settings_files::load();
    if let Err(problem) = caller.check(&machine.allowed_extensions) {
        tracing::warn!(%problem, "the caller was refused");
        return refuse(problem);
    }
    let port = Arc::new(Port::new(io::stdout()));
    let host =
        Arc::new(Host { agent: Agent::new(Arc::<Port>::clone(&port)), port, listening: Mutex::new(None) });
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
}

/// What comes in. A question that an older host does not know still has an id to answer to.
#[derive(Deserialize)]
#[serde(untagged)]
#[expect(clippy::large_enum_variant, reason = "it lives for one turn of the loop")]
enum Incoming {
    Known(ToHost),
    Unknown { id: Id },
}

impl Host {
    fn serve(self: &Arc<Self>, reader: &mut impl Read) -> io::Result<()> {
        let mut greeted = false;
        while let Some(frame) = frame::read(reader)? {
            match frame {
                Incoming::Known(ToHost::Answer { id, outcome }) => self.port.take_answer(id, outcome),
                Incoming::Known(ToHost::Ask {
                    id,
                    question: HostQuestion::Hello { protocol, version, .. },
                }) => {
                    tracing::info!(%version, "the extension said hello");
                    let answer = self.greet(protocol, &version);
                    greeted = answer.is_ok();
                    self.port.answer(id, answer);
                }
                Incoming::Known(ToHost::Ask { id, .. }) if !greeted => {
                    let problem =
                        Problem::new(Code::HostProtocol, "The extension asked before it said hello.");
                    self.port.answer(id, Err(problem));
                }
                Incoming::Known(ToHost::Ask { id, question }) => {
                    let host = Arc::clone(self);
                    // A slow server must not hold up the answers that others wait for.
                    thread::spawn(move || host.port.answer(id, host.answer(question)));
                }
                Incoming::Unknown { id } => {
                    let problem = Problem::new(
                        Code::HostProtocol,
                        "The host program does not understand the question.",
                    );
                    self.port.answer(id, Err(problem));
                }
            }
        }
        Ok(())
    }

    /// Answers the greeting, and begins to answer terminals.
    fn greet(&self, protocol: ProtocolRange, version: &str) -> Result<HostAnswer, Problem> {
        if ProtocolRange::CURRENT.common(protocol).is_none() {
            let version: String = version.chars().filter(char::is_ascii_graphic).take(20).collect();
            let message = format!(
                "The Rolecall extension ({version}) and host program ({}) are of versions that do not fit each other.",
                env!("CARGO_PKG_VERSION")
            );
            return Err(Problem::new(Code::HostVersion, message));
        }
        let mut listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner);
        if listening.is_none() {
            match self.agent.listen(Kind::Browser) {
                Ok(socket) => *listening = Some(socket),
                // The browser's part works without; `rolecall doctor` tells of it.
                Err(error) => tracing::error!(%error, "terminals cannot be served"),
            }
        }
        // Read anew: a person may have corrected the files since.
        Ok(questions::hello(settings_files::load_and_remember()))
    }

    fn answer(&self, question: HostQuestion) -> Result<HostAnswer, Problem> {
        match question {
            // Handled where the order of frames is kept.
            HostQuestion::Hello { protocol, version, .. } => self.greet(protocol, &version),
            HostQuestion::WriteProfile(request) => {
                let answer = questions::write_profile(&request)?;
                if let Some(credentials) = request.credentials {
                    self.agent.keep(request.role, credentials);
                }
                Ok(answer)
            }
            HostQuestion::SendHttp(relay) => questions::send_http(&relay),
            HostQuestion::Forget { roles } => {
                self.agent.forget(&roles);
                cache::forget(&roles, Unlock::Never)?;
                Ok(HostAnswer::Done)
            }
        }
    }

    /// Tells everybody who waits, and takes the socket away.
    fn end(&self) {
        self.listening.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.port.close();
        self.agent.wait_until_idle(FAREWELL);
    }
}

/// Answers the first question of somebody who may not ask, so that the browser can show why.
fn refuse(problem: Problem) -> ExitCode {
    let id = match frame::read(&mut io::stdin().lock()) {
        Ok(Some(
            Incoming::Known(ToHost::Ask { id, .. } | ToHost::Answer { id, .. }) | Incoming::Unknown { id },
        )) => id,
        _ => 0,
    };
    let _ = frame::write(&mut io::stdout(), &ToWorker::Answer { id, outcome: Outcome::Error(problem) });
    let _ = io::stdout().flush();
    ExitCode::FAILURE
}

/// How long an end waits for answers to be written.
const FAREWELL: Duration = Duration::from_secs(1);
