//! A browser, as far as the host can see it: it starts the program, speaks frames, and ends it.

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
    HostAnswer, HostQuestion, Id, Outcome, ProtocolRange, ToHost, ToWorker, WorkerAnswer, WorkerQuestion,
};

use crate::machine::Machine;

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

    pub(crate) fn hello(&mut self, protocol: ProtocolRange) -> Result<HostAnswer, Problem> {
        self.ask(HostQuestion::Hello { protocol, version: "9.9.9".into(), capabilities: vec![] })
    }

    pub(crate) fn ask(&mut self, question: HostQuestion) -> Result<HostAnswer, Problem> {
        let id = self.next;
        self.next += 1;
        self.send(&ToHost::Ask { id, question });
        self.answer_to(id)
    }

    pub(crate) fn answer_to(&mut self, id: Id) -> Result<HostAnswer, Problem> {
        match self.frame() {
            ToWorker::Answer { id: answered, outcome } => {
                assert_eq!(answered, id);
                outcome.into_result()
            }
            ToWorker::Ask { question, .. } => panic!("a question instead of an answer: {question:?}"),
        }
    }

    pub(crate) fn send(&mut self, frame: &impl serde::Serialize) {
        frame::write(self.input.as_mut().unwrap(), frame).unwrap();
    }

    /// The host's next question.
    pub(crate) fn question(&self) -> (Id, WorkerQuestion) {
        match self.frame() {
            ToWorker::Ask { id, question } => (id, question),
            ToWorker::Answer { .. } => panic!("an answer instead of a question"),
        }
    }

    /// The host's next question, if it has one already.
    pub(crate) fn question_now(&self) -> Option<(Id, WorkerQuestion)> {
        match self.frames.try_recv().ok()? {
            ToWorker::Ask { id, question } => Some((id, question)),
            ToWorker::Answer { .. } => panic!("an answer instead of a question"),
        }
    }

    pub(crate) fn answer(&mut self, id: Id, outcome: Result<WorkerAnswer, Problem>) {
        self.send(&ToHost::Answer { id, outcome: Outcome::from(outcome) });
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
