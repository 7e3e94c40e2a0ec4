//! The worker's end of the port: questions to it and their answers, matched by id.

use std::collections::HashMap;
use std::io::Write;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rolecall_core::message::frame;
use rolecall_core::message::host::{HostAnswer, Id, Outcome, ToWorker, WorkerAnswer, WorkerQuestion};
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
    waiting: Option<HashMap<Id, Sender<Outcome<WorkerAnswer>>>>,
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

    /// Answers a question of the worker.
    pub(super) fn answer(&self, id: Id, outcome: Result<HostAnswer, Problem>) {
        self.send(&ToWorker::Answer { id, outcome: outcome.into() });
    }

    /// Hands the worker's answer to whoever asked. An answer that nobody waits for any more is dropped.
    pub(super) fn take_answer(&self, id: Id, outcome: Outcome<WorkerAnswer>) {
        let waiting = lock(&self.open).waiting.as_mut().and_then(|waiting| waiting.remove(&id));
        if let Some(asker) = waiting {
            let _ = asker.send(outcome);
        }
    }

    /// The browser is gone: everybody who waits is told at once, and so is everybody who asks from now on.
    pub(super) fn close(&self) {
        lock(&self.open).waiting = None;
    }

    fn send(&self, frame: &ToWorker) {
        if let Err(error) = frame::write(&mut *lock(&self.writer), frame) {
            tracing::warn!(%error, "the port is closed");
            self.close();
        }
    }
}

impl Browser for Port {
    fn ask(&self, question: WorkerQuestion) -> Result<WorkerAnswer, Problem> {
        let (asker, answer) = mpsc::channel();
        let id = {
            let mut open = lock(&self.open);
            let id = open.next;
            open.next = open.next.wrapping_add(1);
            open.waiting.as_mut().ok_or_else(gone)?.insert(id, asker);
            id
        };
        self.send(&ToWorker::Ask { id, question });
        match answer.recv_timeout(self.deadline) {
            Ok(outcome) => outcome.into_result(),
            Err(RecvTimeoutError::Disconnected) => Err(gone()),
            Err(RecvTimeoutError::Timeout) => {
                if let Some(waiting) = &mut lock(&self.open).waiting {
                    waiting.remove(&id);
                }
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
    use std::io;
    use std::sync::Arc;
    use std::thread;

    use super::*;

    /// Tells of every frame.
    struct Wire(Sender<Id>);

    impl Write for Wire {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if let Some(frame) = frame::read(&mut &bytes[..])? {
                let ToWorker::Ask { id, .. } = frame else { return Err(io::ErrorKind::Other.into()) };
                self.0.send(id).map_err(io::Error::other)?;
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
            let first = scope.spawn(|| port.ask(WorkerQuestion::Status));
            let one = sent.recv().unwrap();
            let second = scope.spawn(|| port.ask(WorkerQuestion::Status));
            let two = sent.recv().unwrap();
            assert_ne!(one, two);
            port.take_answer(two, Outcome::Error(Problem::new(Code::SignInCancelled, "two")));
            port.take_answer(one, Outcome::Error(Problem::new(Code::SignInCancelled, "one")));
            port.take_answer(99, Outcome::Ok(WorkerAnswer::Done));
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
                thread::spawn(move || port.ask(WorkerQuestion::Status))
            })
            .collect();
        for _ in 0..10 {
            sent.recv().unwrap();
        }
        port.close();
        for asker in askers {
            assert!(asker.join().unwrap().unwrap_err().is(Code::AgentUnavailable));
        }
        assert!(port.ask(WorkerQuestion::Status).unwrap_err().is(Code::AgentUnavailable));
    }

    #[test]
    fn nobody_waits_longer_than_the_deadline() {
        let (wire, _sent) = mpsc::channel();
        let mut port = Port::new(Wire(wire));
        port.deadline = Duration::ZERO;
        assert!(port.ask(WorkerQuestion::Status).unwrap_err().is(Code::AgentTimedOut));
        assert!(lock(&port.open).waiting.as_ref().unwrap().is_empty());
    }
}
