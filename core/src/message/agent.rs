//! Between the command line and the agent (the host process that the browser started), over a socket.
//!
//! One request per connection, one response, in the frames of [`super::frame`].

use super::host::{Outcome, ProtocolRange, StatusPage, WorkerRequest};
use crate::aws::Credentials;
use crate::json::{ReadJson, WriteJson};
use crate::secret;
use crate::time::{DateTime, Utc};

/// What a command asks of the agent. It may ask whatever the agent may ask of the worker.
#[derive(Debug, ReadJson, WriteJson)]
#[json(rename_all = "camelCase")]
pub struct AgentRequest {
    /// The command's protocol versions. Without a common one, the agent responds with the code `host-version`.
    pub protocol: ProtocolRange,
    /// Whether a sign-in goes on when the command has gone: AWS tools kill what they have started. What they give up that
    /// way is not what a person cancels; that is told by a further byte.
    #[json(default)]
    pub outlives_asker: bool,
    /// The request.
    pub body: WorkerRequest,
}

/// The agent's response.
pub type AgentResponse = Outcome<AgentAnswer>;

/// What the agent answers.
#[derive(Debug, ReadJson, WriteJson)]
#[json(rename_all = "camelCase")]
pub enum AgentAnswer {
    /// Credentials.
    Credentials {
        /// Of the role asked for.
        credentials: Credentials,
        /// Whether they may be kept for later and for others.
        keep: bool,
    },
    /// An address that opens the console.
    ConsoleUrl {
        /// The address; a secret for 15 minutes.
        #[json(write = secret::exposed)]
        url: secrecy::SecretString,
    },
    /// A page of who is signed in and which roles there are.
    Status {
        /// Since when the agent runs.
        since: DateTime<Utc>,
        /// The host's version.
        version: String,
        /// The worker's page.
        page: StatusPage,
    },
    /// Done.
    Done,
}
