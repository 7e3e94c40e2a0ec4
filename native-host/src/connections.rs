//! Connections of this program's listeners: accepting one after the other, and reading from each for a limited time.

use std::io::{self, Read};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Passes connections to `serve` until it breaks. After an error it waits before it accepts again: with too many open
/// files, for example, the error remains until some are closed.
pub(crate) fn accept_each<S>(
    mut accept: impl FnMut() -> io::Result<S>,
    mut wait: impl FnMut(Duration),
    mut serve: impl FnMut(S) -> ControlFlow<()>,
) {
    let mut pause = FIRST_PAUSE;
    loop {
        match accept() {
            Ok(stream) => {
                pause = FIRST_PAUSE;
                if serve(stream).is_break() {
                    return;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                wait(pause);
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

/// Reads from a connection until a deadline, however slowly the bytes arrive.
pub(crate) struct UntilDeadline<R, F> {
    reader: R,
    set_timeout: F,
    deadline: Instant,
}

impl<R: Read, F: FnMut(Duration) -> io::Result<()>> UntilDeadline<R, F> {
    /// `set_timeout` limits the connection's next read.
    pub(crate) fn new(reader: R, timeout: Duration, set_timeout: F) -> Self {
        Self { reader, set_timeout, deadline: Instant::now() + timeout }
    }
}

impl<R: Read, F: FnMut(Duration) -> io::Result<()>> Read for UntilDeadline<R, F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        (self.set_timeout)(left)?;
        self.reader.read(buffer)
    }
}

/// How many connections a listener serves at once: each costs a thread, whether it says anything or not.
#[derive(Debug, Clone, Default)]
pub(crate) struct Slots(Arc<AtomicUsize>);

/// One of them, until it is dropped.
#[derive(Debug)]
pub(crate) struct Slot(Arc<AtomicUsize>);

impl Slots {
    /// `None` if as many connections as may be are open. The new one is then closed without an answer.
    pub(crate) fn take(&self) -> Option<Slot> {
        let add = |open: usize| (open < MOST_CONNECTIONS).then_some(open + 1);
        self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, add).ok()?;
        Some(Slot(Arc::clone(&self.0)))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// More than the processes of any build that ask at once.
pub(crate) const MOST_CONNECTIONS: usize = 500;

const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_connections_than_may_be_cost_a_thread() {
        let slots = Slots::default();
        let mut taken: Vec<_> = (0..MOST_CONNECTIONS).map(|_| slots.take().unwrap()).collect();
        assert!(slots.take().is_none());
        taken.pop();
        assert!(slots.take().is_some());
    }

    #[test]
    fn after_an_error_it_waits_longer_each_time_until_a_connection_comes() {
        let mut results = [true, false, false, true, false, true].into_iter();
        let mut served = 0;
        let mut waits = Vec::new();
        accept_each(
            || results.next().unwrap().then_some(()).ok_or_else(|| io::Error::other("too many open files")),
            |pause| waits.push(pause.as_millis()),
            |()| {
                served += 1;
                if served == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
        );
        assert_eq!(waits, [10, 20, 10]);
    }

    #[test]
    fn a_client_that_sends_byte_by_byte_is_not_read_beyond_the_deadline() {
        let mut timeouts = Vec::new();
        let mut reader = UntilDeadline::new(io::repeat(b'x'), Duration::from_millis(50), |left| {
            timeouts.push(left);
            Ok(())
        });
        let mut byte = [0];
        let error = loop {
            if let Err(error) = reader.read(&mut byte) {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(
            timeouts.is_sorted_by(|before, after| before > after) && timeouts[0] <= Duration::from_millis(50)
        );
    }
}
