//! The worker's end of the port: questions to it and their answers, matched by id.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rolecall_core::message::frame;
use rolecall_core::message::host::{HostResponse, Id, Outcome, ToWorker, WorkerRequest, WorkerResponse};
use rolecall_core::{Code, Problem};

use crate::agent::{Browser, DEADLINE};

/// The port, as far as it leads to the worker.
pub(super) struct Port {
    writer: Mutex<Box<dyn Write + Send>>,
    open: Mutex<Open>,
    deadline: Duration,
}

struct Open {
    /// `None` once the port is closed.
    waiting: Option<HashMap<Id, Sender<Outcome<WorkerResponse>>>>,
    next: Id,
}

impl Port {
    /// A port whose frames go to `writer`.
    pub(super) fn new(writer: impl Write + Send + 'static) -> Self {
        Self {
            writer: Mutex::new(Box::new(writer)),
            open: Mutex::new(Open { waiting: Some(HashMap::new()), next: 1 }),
            deadline: DEADLINE,
        }
    }

    /// Responds to a request of the worker.
    pub(super) fn answer(&self, id: Id, outcome: Result<HostResponse, Problem>) {
        let response = ToWorker::Response { id, result: outcome.into() };
        let instead = |problem| ToWorker::Response { id, result: Outcome::Error(problem) };
        self.written(frame::write_response(&mut *lock(&self.writer), &response, instead));
    }

    /// Hands the worker's answer to whoever asked. An answer that nobody waits for any more is dropped.
    pub(super) fn take_response(&self, id: Id, outcome: Outcome<WorkerResponse>) {
        let waiting = lock(&self.open).waiting.as_mut().and_then(|waiting| waiting.remove(&id));
        if let Some(asker) = waiting {
            let _ = asker.send(outcome);
        }
    }

    /// The browser is gone: everybody who waits is told at once, and so is everybody who asks from now on.
    pub(super) fn close(&self) {
        lock(&self.open).waiting = None;
    }

    fn send(&self, message: &ToWorker) {
        self.written(frame::write(&mut *lock(&self.writer), message));
    }

    fn written(&self, result: io::Result<()>) {
        if let Err(error) = result {
            tracing::warn!(%error, "the port is closed");
            self.close();
        }
    }
}

impl Browser for Port {
    fn ask(&self, body: WorkerRequest) -> Result<WorkerResponse, Problem> {
        let (asker, answer) = mpsc::channel();
        let id = {
            let mut open = lock(&self.open);
            let id = open.next;
            open.next = open.next.wrapping_add(1);
            open.waiting.as_mut().ok_or_else(gone)?.insert(id, asker);
            id
        };
        self.send(&ToWorker::Request { id, body });
        match answer.recv_timeout(self.deadline) {
            Ok(outcome) => outcome.into_result(),
            Err(RecvTimeoutError::Disconnected) => Err(gone()),
            Err(RecvTimeoutError::Timeout) => {
                if let Some(waiting) = &mut lock(&self.open).waiting {
                    waiting.remove(&id);
                }
                self.send(&ToWorker::Cancel { id });
                let message =
                    format!("The browser did not answer within {} seconds.", self.deadline.as_secs());
                Err(Problem::new(Code::AgentTimedOut, message))
            }
        }
    }
}

fn gone() -> Problem {
    Problem::new(Code::AgentUnavailable, "The browser was closed before it answered.")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use rolecall_core::message::page::PageRequest;

    use super::*;

    /// Tells of every frame.
    struct Wire(Sender<Id>);

    impl Write for Wire {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if let Some(frame) = frame::read(&mut &bytes[..])? {
                match frame {
                    ToWorker::Request { id, .. } | ToWorker::Cancel { id } => {
                        self.0.send(id).map_err(io::Error::other)?;
                    }
                    ToWorker::Response { .. } => return Err(io::ErrorKind::Other.into()),
                }
            }
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn answers_find_their_questions_in_any_order() {
        let (wire, sent) = mpsc::channel();
        let port = Port::new(Wire(wire));
        thread::scope(|scope| {
            let first = scope.spawn(|| port.ask(WorkerRequest::Status(PageRequest::default())));
            let one = sent.recv().unwrap();
            let second = scope.spawn(|| port.ask(WorkerRequest::Status(PageRequest::default())));
            let two = sent.recv().unwrap();
            assert_ne!(one, two);
            port.take_response(two, Outcome::Error(Problem::new(Code::SignInCancelled, "two")));
            port.take_response(one, Outcome::Error(Problem::new(Code::SignInCancelled, "one")));
            port.take_response(99, Outcome::Ok(WorkerResponse::Done));
            assert_eq!(first.join().unwrap().unwrap_err().message, "one");
            assert_eq!(second.join().unwrap().unwrap_err().message, "two");
        });
    }

    #[test]
    fn everybody_who_waits_is_told_when_the_browser_goes() {
        let (wire, sent) = mpsc::channel();
        let port = Arc::new(Port::new(Wire(wire)));
        let askers: Vec<_> = (0..10)
            .map(|_| {
                let port = Arc::clone(&port);
                thread::spawn(move || port.ask(WorkerRequest::Status(PageRequest::default())))
            })
            .collect();
        for _ in 0..10 {
            sent.recv().unwrap();
        }
        port.close();
        for asker in askers {
            assert!(asker.join().unwrap().unwrap_err().is(Code::AgentUnavailable));
        }
        assert!(
            port.ask(WorkerRequest::Status(PageRequest::default())).unwrap_err().is(Code::AgentUnavailable)
        );
    }

    #[test]
    fn nobody_waits_longer_than_the_deadline_and_the_worker_is_told() {
        let (wire, sent) = mpsc::channel();
        let mut port = Port::new(Wire(wire));
        port.deadline = Duration::ZERO;
        assert!(port.ask(WorkerRequest::Status(PageRequest::default())).unwrap_err().is(Code::AgentTimedOut));
        assert!(lock(&port.open).waiting.as_ref().unwrap().is_empty());
        let (asked, cancelled) = (sent.recv().unwrap(), sent.recv().unwrap());
        assert_eq!(asked, cancelled);
    }
}
