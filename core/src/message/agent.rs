//! Between the command line and the agent (the host process that the browser started), over a socket.
//!
//! One question per connection, one answer, in the frames of [`super::frame`].

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::host::{Outcome, ProtocolRange, WorkerQuestion, WorkerStatus};
use crate::aws::Credentials;
use crate::secret;

/// What a command asks the agent.
#[derive(Debug, Serialize, Deserialize)]
pub struct Question {
    /// What the command speaks. An agent that shares no version answers with the code `host-version`.
    pub protocol: ProtocolRange,
    /// What is asked.
    #[serde(flatten)]
    pub wish: Wish,
}

/// What is asked of the agent is what the agent may ask of the worker.
pub type Wish = WorkerQuestion;

/// The agent's answer.
pub type Reply = Outcome<Answer>;

/// What the agent answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Answer {
    /// Credentials.
    Credentials {
        /// Of the role asked for.
        credentials: Credentials,
        /// Whether they may be kept for later and for others.
        #[serde(default)]
        keep: bool,
    },
    /// An address that opens the console.
    ConsoleUrl {
        /// The address; a secret for 15 minutes.
        #[serde(serialize_with = "secret::expose")]
        url: secrecy::SecretString,
    },
    /// Who is signed in, and which roles there are.
    Status {
        /// Since when the agent runs.
        since: DateTime<Utc>,
        /// The host's version.
        version: String,
        /// The browser's side.
        worker: WorkerStatus,
    },
    /// Nothing to say.
    Done,
}
