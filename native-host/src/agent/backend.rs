//! What an agent asks for what it does not have.

use std::time::Duration;

use rolecall_core::Problem;
use rolecall_core::aws::Credentials;
use rolecall_core::message::host::{WorkerRequest, WorkerResponse};

/// The extension's worker behind its port, or a command that signs in by itself.
pub(crate) trait Backend: Send + Sync {
    /// Passes a request on and waits for the response: for [`DEADLINE`] at most, and only while somebody wants it.
    fn request(
        &self,
        request: WorkerRequest,
        is_wanted: &dyn Fn() -> bool,
    ) -> Result<WorkerResponse, Problem>;
}

/// Credentials, and whether they may be kept for later and for others.
#[derive(Debug, Clone)]
pub(crate) struct CredentialsReply {
    pub(crate) credentials: Credentials,
    pub(crate) keep: bool,
}

/// How long anybody waits for an answer. The Go SDK gives up on a `credential_process` after 60 seconds.
pub(crate) const DEADLINE: Duration = Duration::from_secs(55);

/// How often whoever waits looks whether the response is still wanted.
pub(crate) const CHECK_INTERVAL: Duration = Duration::from_millis(if cfg!(windows) { 1000 } else { 100 });
