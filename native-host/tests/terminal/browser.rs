//! A browser, as far as the host can see it: it starts the program, speaks frames, and ends it.

use std::io::Write;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use rolecall_core::Problem;
use rolecall_core::aws::Credentials;
use rolecall_core::identity::CHROMIUM_EXTENSION_ID;
use rolecall_core::message::frame;
use rolecall_core::message::host::{
    HostRequest, HostResponse, Id, Outcome, ProtocolRange, ToHost, ToWorker, WorkerRequest, WorkerResponse,
};

use rolecall_core::message::page::{Pages, SettingsPage};
use rolecall_core::settings::RoleKey;

use crate::machine::Machine;

/// The role of this ARN, of the provider that the browsers of these tests know.
pub(crate) fn role(arn: &str) -> RoleKey {
    RoleKey { provider: "corp".parse().unwrap(), arn: arn.parse().unwrap() }
}

pub(crate) struct Browser {
    pub(crate) host: Child,
    input: Option<ChildStdin>,
    frames: Receiver<ToWorker>,
    next: Id,
}

impl Browser {
    /// Starts the host for the product's own extension, which says hello.
    pub(crate) fn open(machine: &Machine) -> Self {
        let mut browser = Self::start(machine, &format!("chrome-extension://{CHROMIUM_EXTENSION_ID}/"));
        browser.hello(ProtocolRange::CURRENT).unwrap();
        browser
    }

    /// Starts the host for an extension that says nothing yet.
    pub(crate) fn start(machine: &Machine, origin: &str) -> Self {
        Self::run(machine.command(&[origin]))
    }

    /// Starts the host by a command.
    pub(crate) fn run(mut command: Command) -> Self {
        let mut host = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut output = host.stdout.take().unwrap();
        let (sender, frames) = mpsc::channel();
        thread::spawn(move || {
            while let Ok(Some(frame)) = frame::read(&mut output) {
                if sender.send(frame).is_err() {
                    break;
                }
            }
        });
        Self { input: host.stdin.take(), host, frames, next: 1 }
    }

    pub(crate) fn hello(&mut self, protocol: ProtocolRange) -> Result<HostResponse, Problem> {
        self.ask(HostRequest::Hello { protocol, version: "9.9.9".into() })
    }

    /// Puts the pages of the machine's settings together.
    pub(crate) fn settings(&mut self) -> SettingsPage {
        let mut pages = Pages::default();
        loop {
            let answer = self.ask(HostRequest::Settings(pages.request()));
            let Ok(HostResponse::Settings(page)) = answer else { panic!("{answer:?}") };
            if let Some(whole) = pages.add(page).unwrap() {
                return whole;
            }
        }
    }

    pub(crate) fn ask(&mut self, body: HostRequest) -> Result<HostResponse, Problem> {
        let id = self.next;
        self.next += 1;
        self.send(&ToHost::Request { id, body });
        self.answer_to(id)
    }

    pub(crate) fn answer_to(&mut self, id: Id) -> Result<HostResponse, Problem> {
        match self.frame() {
            ToWorker::Response { id: answered, result } => {
                assert_eq!(answered, id);
                result.into_result()
            }
            other => panic!("{other:?} instead of a response"),
        }
    }

    pub(crate) fn send(&mut self, frame: &ToHost) {
        frame::write(self.input.as_mut().unwrap(), frame).unwrap();
    }

    /// Sends a frame that may hold anything.
    pub(crate) fn send_bytes(&mut self, body: &[u8]) {
        let input = self.input.as_mut().unwrap();
        input.write_all(&u32::try_from(body.len()).unwrap().to_ne_bytes()).unwrap();
        input.write_all(body).unwrap();
        input.flush().unwrap();
    }

    /// The host's next question.
    pub(crate) fn question(&self) -> (Id, WorkerRequest) {
        match self.frame() {
            ToWorker::Request { id, body } => (id, body),
            other => panic!("{other:?} instead of a request"),
        }
    }

    /// The host's next question, if it has one already.
    pub(crate) fn question_now(&self) -> Option<(Id, WorkerRequest)> {
        match self.frames.try_recv().ok()? {
            ToWorker::Request { id, body } => Some((id, body)),
            other => panic!("{other:?} instead of a request"),
        }
    }

    /// The request that is not wanted any more, which the host tells next.
    pub(crate) fn cancelled(&self) -> Id {
        match self.frame() {
            ToWorker::Cancel { id } => id,
            other => panic!("{other:?} instead of a cancellation"),
        }
    }

    pub(crate) fn answer(&mut self, id: Id, outcome: Result<WorkerResponse, Problem>) {
        self.send(&ToHost::Response { id, result: Outcome::from(outcome) });
    }

    fn frame(&self) -> ToWorker {
        // Long enough for a machine that does ten other things.
        self.frames.recv_timeout(Duration::from_secs(30)).expect("the host says something")
    }

    /// Closes the port as a browser does, and waits for the host.
    pub(crate) fn close(&mut self) -> ExitStatus {
        self.input = None;
        self.host.wait().unwrap()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.input = None;
        let _ = self.host.kill();
        let _ = self.host.wait();
    }
}

/// Credentials that last for so many minutes.
pub(crate) fn credentials(minutes: i64) -> Credentials {
    Credentials {
        access_key_id: "ASIAEXAMPLE".into(),
        secret_access_key: "very/secret+key".into(),
        session_token: "session/token==".into(),
        expiration: Utc::now() + TimeDelta::minutes(minutes),
    }
}
