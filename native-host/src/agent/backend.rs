//! Where an agent gets what it does not have in memory.

use std::time::Duration;

use rolecall_core::Problem;
use rolecall_core::aws::Credentials;
use rolecall_core::message::host::{WorkerRequest, WorkerResponse};
use rolecall_core::settings::RoleKey;

/// Gets credentials for an agent: the extension's worker behind its port, or a command that signs in by itself.
pub(crate) trait Backend: Send + Sync {
    /// Sends a request and waits for the response: for [`DEADLINE`] at most, and only while `is_wanted`.
    fn request(
        &self,
        request: WorkerRequest,
        is_wanted: &dyn Fn() -> bool,
    ) -> Result<WorkerResponse, Problem>;

    /// Whether other programs may have the role's credentials, as far as this program has to know.
    fn may_serve(&self, _: &RoleKey) -> Result<(), Problem> {
        Ok(())
    }
}

/// Credentials, and whether they may be cached and shared with other callers.
#[derive(Debug, Clone)]
pub(crate) struct CredentialsReply {
    pub(crate) credentials: Credentials,
    pub(crate) keep: bool,
}

/// How long a caller waits for a response. The Go SDK gives up on a `credential_process` after 60 seconds.
pub(crate) const DEADLINE: Duration = Duration::from_secs(55);

/// How often a waiting thread checks whether the response is still wanted.
pub(crate) const CHECK_INTERVAL: Duration = Duration::from_millis(if cfg!(windows) { 1000 } else { 100 });
