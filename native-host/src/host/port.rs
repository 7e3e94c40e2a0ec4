//! The connection to the worker: requests to it and its responses, matched by id.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rolecall_core::message::frame;
use rolecall_core::message::host::{HostResponse, Id, Outcome, ToWorker, WorkerRequest, WorkerResponse};
use rolecall_core::{Code, Problem};

use crate::agent::{Backend, CHECK_INTERVAL, DEADLINE};

/// The host's side of the port.
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
        self.answer_with(id, || outcome);
    }

    /// Does what a request of the worker asks for, and responds before anything else is sent.
    pub(super) fn answer_with(&self, id: Id, fulfil: impl FnOnce() -> Result<HostResponse, Problem>) {
        let mut writer = lock(&self.writer);
        let response = ToWorker::Response { id, result: fulfil().map_err(Problem::for_popup).into() };
        let instead = |problem| ToWorker::Response { id, result: Outcome::Error(problem) };
        let result = frame::write_response(&mut *writer, &response, instead);
        drop(writer);
        self.written(result);
    }

    /// Passes the worker's response to the caller that waits for it. A late response is dropped.
    pub(super) fn take_response(&self, id: Id, outcome: Outcome<WorkerResponse>) {
        let waiting = lock(&self.open).waiting.as_mut().and_then(|waiting| waiting.remove(&id));
        if let Some(asker) = waiting {
            let _ = asker.send(outcome);
        }
    }

    /// The browser is gone: all waiting callers get an error at once, and so does every later one.
    pub(super) fn close(&self) {
        lock(&self.open).waiting = None;
    }

    fn send(&self, message: &ToWorker) {
        self.written(frame::write(&mut *lock(&self.writer), message));
    }

    fn stop_waiting(&self, id: Id) {
        if let Some(waiting) = &mut lock(&self.open).waiting {
            waiting.remove(&id);
        }
    }

    fn written(&self, result: io::Result<()>) {
        if let Err(error) = result {
            tracing::warn!(%error, "the port is closed");
            self.close();
        }
    }
}

impl Backend for Port {
    fn request(&self, body: WorkerRequest, is_wanted: &dyn Fn() -> bool) -> Result<WorkerResponse, Problem> {
        let (asker, response) = mpsc::channel();
        let id = {
            let mut open = lock(&self.open);
            let id = open.next;
            open.next = open.next.wrapping_add(1);
            open.waiting.as_mut().ok_or_else(gone)?.insert(id, asker);
            id
        };
        self.send(&ToWorker::Request { id, body });
        let deadline = Instant::now() + self.deadline;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match response.recv_timeout(left.min(CHECK_INTERVAL)) {
                Ok(outcome) => return outcome.into_result(),
                Err(RecvTimeoutError::Disconnected) => return Err(gone()),
                Err(RecvTimeoutError::Timeout) if left.is_zero() => {
                    // The worker goes on: if a person takes longer, the next request gets the result.
                    self.stop_waiting(id);
                    let seconds = self.deadline.as_secs();
                    let message = format!("The browser did not respond within {seconds} seconds.");
                    return Err(Problem::new(Code::AgentTimedOut, message));
                }
                Err(RecvTimeoutError::Timeout) if !is_wanted() => {
                    self.stop_waiting(id);
                    self.send(&ToWorker::Cancel { id });
                    return Err(Problem::new(Code::AgentTimedOut, "The program that asked has exited."));
                }
                Err(RecvTimeoutError::Timeout) => {}
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

    const STATUS: WorkerRequest = WorkerRequest::Status(PageRequest { from: 0, revision: None });
    const STAYS: &dyn Fn() -> bool = &|| true;

    /// Reports every request, and every cancellation.
    struct Wire(Sender<(&'static str, Id)>);

    impl Write for Wire {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let sent = match frame::read(&mut &bytes[..])? {
                Some(ToWorker::Request { id, .. }) => ("request", id),
                Some(ToWorker::Cancel { id }) => ("cancel", id),
                _ => return Err(io::ErrorKind::Other.into()),
            };
            self.0.send(sent).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn responses_find_their_requests_in_any_order() {
        let (wire, sent) = mpsc::channel();
        let port = Port::new(Wire(wire));
        thread::scope(|scope| {
            let first = scope.spawn(|| port.request(STATUS, STAYS));
            let (_, one) = sent.recv().unwrap();
            let second = scope.spawn(|| port.request(STATUS, STAYS));
            let (_, two) = sent.recv().unwrap();
            assert_ne!(one, two);
            port.take_response(two, Outcome::Error(Problem::new(Code::SignInCancelled, "two")));
            port.take_response(one, Outcome::Error(Problem::new(Code::SignInCancelled, "one")));
            port.take_response(99, Outcome::Ok(WorkerResponse::Done));
            assert_eq!(first.join().unwrap().unwrap_err().message, "one");
            assert_eq!(second.join().unwrap().unwrap_err().message, "two");
        });
    }

    #[test]
    fn all_waiting_callers_get_an_error_when_the_browser_goes() {
        let (wire, sent) = mpsc::channel();
        let port = Arc::new(Port::new(Wire(wire)));
        let askers: Vec<_> = (0..10)
            .map(|_| {
                let port = Arc::clone(&port);
                thread::spawn(move || port.request(STATUS, STAYS))
            })
            .collect();
        for _ in 0..10 {
            sent.recv().unwrap();
        }
        port.close();
        for asker in askers {
            assert!(asker.join().unwrap().unwrap_err().is(Code::AgentUnavailable));
        }
        assert!(port.request(STATUS, STAYS).unwrap_err().is(Code::AgentUnavailable));
    }

    #[test]
    fn no_caller_waits_beyond_the_deadline_and_the_worker_goes_on() {
        let (wire, sent) = mpsc::channel();
        let mut port = Port::new(Wire(wire));
        port.deadline = Duration::ZERO;
        assert!(port.request(STATUS, STAYS).unwrap_err().is(Code::AgentTimedOut));
        assert!(lock(&port.open).waiting.as_ref().unwrap().is_empty());
        drop(port);
        assert_eq!(sent.iter().collect::<Vec<_>>(), [("request", 1)]);
    }

    #[test]
    fn a_request_that_no_caller_waits_for_is_cancelled() {
        let (wire, sent) = mpsc::channel();
        let port = Port::new(Wire(wire));
        assert!(port.request(STATUS, &|| false).is_err());
        assert!(lock(&port.open).waiting.as_ref().unwrap().is_empty());
        drop(port);
        assert_eq!(sent.iter().collect::<Vec<_>>(), [("request", 1), ("cancel", 1)]);
    }
}
