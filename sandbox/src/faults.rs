//! Failures, delays and holds, by kind of call. They apply before the service sees the call.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::calls::CallKind;
use crate::sts::AwsError;

/// What a call gets instead of its response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// This status and body.
    Status {
        /// The HTTP status.
        status: u16,
        /// The `Content-Type`.
        content_type: String,
        /// The body, as it is.
        body: String,
    },
    /// This AWS error with its own status, in the STS's dialect.
    Aws(AwsError),
    /// An OAuth error document (RFC 6749 section 5.2) with status 400.
    OAuth {
        /// `error`.
        error: String,
        /// `error_description`.
        description: String,
    },
    /// The connection closes without a response, and nothing is done.
    Drop,
    /// The call is carried out (a code is used up, credentials are issued), then the connection closes.
    LoseAnswer,
    /// The same, but half of the response is sent before the connection closes.
    HalfAnswer,
}

impl Failure {
    /// A status with a body of plain text.
    #[must_use]
    pub fn status(status: u16, body: &str) -> Self {
        Self::Status { status, content_type: "text/plain; charset=utf-8".to_owned(), body: body.to_owned() }
    }
}

/// Calls of one kind wait while this exists.
#[derive(Debug)]
#[must_use = "calls are held only while this lives"]
pub struct Hold(watch::Sender<usize>);

impl Hold {
    /// Releases the held calls, as dropping does.
    pub fn release(self) {
        drop(self);
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.send_modify(|holds| *holds -= 1);
    }
}

/// The planned failures of each kind of call.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<HashMap<CallKind, Plan>>);

impl Faults {
    pub(crate) fn fail_next(&self, kind: CallKind, calls: usize, failure: &Failure) {
        self.plan(kind, |plan| plan.next.extend(std::iter::repeat_n(failure.clone(), calls)));
    }

    pub(crate) fn fail_all(&self, kind: CallKind, failure: Failure) {
        self.plan(kind, |plan| plan.always = Some(failure));
    }

    pub(crate) fn heal(&self, kind: CallKind) {
        self.plan(kind, |plan| {
            plan.next.clear();
            plan.always = None;
        });
    }

    pub(crate) fn delay(&self, kind: CallKind, latency: Duration) {
        self.plan(kind, |plan| plan.latency = latency);
    }

    pub(crate) fn hold(&self, kind: CallKind) -> Hold {
        let holds = self.plan(kind, |plan| plan.holds.clone());
        holds.send_modify(|holds| *holds += 1);
        Hold(holds)
    }

    /// Waits while the kind is held or delayed, then returns the failure, if one is planned.
    pub(crate) async fn meet(&self, kind: CallKind) -> Option<Failure> {
        let (mut holds, latency) = self.plan(kind, |plan| (plan.holds.subscribe(), plan.latency));
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        // An error would mean that the sender is gone, and with it every hold.
        let _ = holds.wait_for(|holds| *holds == 0).await;
        self.plan(kind, |plan| plan.next.pop_front().or_else(|| plan.always.clone()))
    }

    /// Whether a call of this kind would fail now, without using up a failure: the STS reads the provider's keys within
    /// the process.
    pub(crate) fn failing(&self, kind: CallKind) -> bool {
        self.plan(kind, |plan| !plan.next.is_empty() || plan.always.is_some())
    }

    fn plan<T>(&self, kind: CallKind, act: impl FnOnce(&mut Plan) -> T) -> T {
        act(self.lock().entry(kind).or_default())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<CallKind, Plan>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
struct Plan {
    next: VecDeque<Failure>,
    always: Option<Failure>,
    latency: Duration,
    holds: watch::Sender<usize>,
}
