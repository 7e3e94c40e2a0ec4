//! Between the worker and the native host: frames of [`ToHost`] one way and [`ToWorker`] the other.
//!
//! Both sides ask and both answer. A question carries an id, chosen by whoever asks; the answer repeats it. The
//! first question is the worker's `hello`; nothing else is answered before it.

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::aws::{AccountId, Credentials, Region, RoleArn};
use crate::settings::{CredentialsMode, Endpoint, Fault, ProfileName, Settings};
use crate::{Problem, secret};

/// Which versions of this protocol a side speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtocolRange {
    /// The oldest.
    pub min: u32,
    /// The newest.
    pub max: u32,
}

impl ProtocolRange {
    /// What this build speaks.
    pub const CURRENT: Self = Self { min: 1, max: 1 };

    /// The newest version both sides speak.
    #[must_use]
    pub fn common(self, other: Self) -> Option<u32> {
        let newest = self.max.min(other.max);
        (newest >= self.min && newest >= other.min).then_some(newest)
    }
}

/// A question's id, unique per port and side.
pub type Id = u32;

/// From the worker to the host.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum ToHost {
    /// A question to the host.
    Ask {
        /// Repeated in the answer.
        id: Id,
        /// What is asked.
        question: HostQuestion,
    },
    /// The answer to a question of the host.
    Answer {
        /// The question's.
        id: Id,
        /// What was found, or why not.
        #[serde(flatten)]
        outcome: Outcome<WorkerAnswer>,
    },
}

/// From the host to the worker.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum ToWorker {
    /// A question to the worker.
    Ask {
        /// Repeated in the answer.
        id: Id,
        /// What is asked.
        question: WorkerQuestion,
    },
    /// The answer to a question of the worker.
    Answer {
        /// The question's.
        id: Id,
        /// What was found, or why not.
        #[serde(flatten)]
        outcome: Outcome<HostAnswer>,
    },
}

/// How a question ended.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome<T> {
    /// It was answered.
    Ok(T),
    /// It was not.
    Error(Problem),
}

impl<T> Outcome<T> {
    /// As a `Result`.
    pub fn into_result(self) -> Result<T, Problem> {
        match self {
            Self::Ok(answer) => Ok(answer),
            Self::Error(problem) => Err(problem),
        }
    }
}

impl<T> From<Result<T, Problem>> for Outcome<T> {
    fn from(result: Result<T, Problem>) -> Self {
        match result {
            Ok(answer) => Self::Ok(answer),
            Err(problem) => Self::Error(problem),
        }
    }
}

/// What the worker asks.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum HostQuestion {
    /// Who is there? Answered by [`HostAnswer::Hello`].
    Hello {
        /// What the extension speaks.
        protocol: ProtocolRange,
        /// The extension's version.
        version: String,
        /// What the extension can do beyond the protocol's first version.
        #[serde(default)]
        capabilities: Vec<String>,
    },
    /// Write a profile. Answered by [`HostAnswer::ProfileWritten`].
    WriteProfile(ProfileRequest),
    /// Send an HTTP request that the browser would spoil. Answered by [`HostAnswer::Http`].
    SendHttp(HttpRelay),
    /// The worker forgot these: so shall the host. Answered by [`HostAnswer::Done`].
    Forget {
        /// The roles; all of them when empty.
        roles: Vec<RoleArn>,
    },
}

/// What the host answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum HostAnswer {
    /// Who the host is.
    Hello {
        /// What the host speaks.
        protocol: ProtocolRange,
        /// The host's version.
        version: String,
        /// What the host can do beyond the protocol's first version.
        #[serde(default)]
        capabilities: Vec<String>,
        /// The machine's settings: the entries that can be used.
        settings: Box<Settings>,
        /// What is wrong with the others. Nothing weaker may take the place of what was lost.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        settings_faults: Vec<Fault>,
    },
    /// A profile is in place.
    ProfileWritten {
        /// Its name.
        profile: ProfileName,
        /// The file, as a person would name it.
        file: String,
        /// Whether anything had to be changed.
        changed: bool,
    },
    /// An HTTP response.
    Http(HttpRelayed),
    /// Nothing to say.
    Done,
}

/// A profile to be written.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProfileRequest {
    /// Its name.
    pub profile: ProfileName,
    /// The role it stands for.
    pub role: RoleArn,
    /// Its region.
    pub region: Region,
    /// How tools get the credentials. `None` is refused.
    pub mode: CredentialsMode,
    /// Written as `endpoint_url`, if any.
    pub endpoint_url: Option<Endpoint>,
    /// In `file` mode, what is written; in `process` mode, what the host may serve from memory.
    pub credentials: Option<Credentials>,
}

/// An HTTP request for the host to send. The host sends it to `https` or loopback addresses only, keeps no
/// cookies, follows no redirects and adds no `Origin`.
#[derive(Debug, Serialize, Deserialize)]
pub struct HttpRelay {
    /// `GET` or `POST`.
    pub method: String,
    /// Where.
    pub url: Endpoint,
    /// Name and value.
    pub headers: Vec<(String, String)>,
    /// The body, which is always text. Holds codes and tokens.
    #[serde(serialize_with = "secret::expose")]
    pub body: SecretString,
}

/// What came back.
#[derive(Debug, Serialize, Deserialize)]
pub struct HttpRelayed {
    /// The status.
    pub status: u16,
    /// Name and value.
    pub headers: Vec<(String, String)>,
    /// The body, as text. Holds tokens and credentials.
    #[serde(serialize_with = "secret::expose")]
    pub body: SecretString,
}

/// What the host asks, on behalf of somebody in a terminal.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum WorkerQuestion {
    /// A role's credentials. Answered by [`WorkerAnswer::Credentials`].
    Credentials(CredentialsRequest),
    /// An address that opens the console. Answered by [`WorkerAnswer::ConsoleUrl`].
    ConsoleUrl {
        /// The role.
        role: RoleArn,
        /// A path below the console's root, such as `s3`.
        service: Option<String>,
        /// Whether a sign-in window may be shown.
        #[serde(default)]
        interactive: bool,
        /// The program that asked.
        #[serde(default)]
        asked_by: Option<Program>,
    },
    /// Who is signed in, and which roles there are. Answered by [`WorkerAnswer::Status`].
    Status,
    /// Forget roles, or everything when empty. Answered by [`WorkerAnswer::Done`].
    SignOut {
        /// The roles.
        roles: Vec<RoleArn>,
        /// Whether to end the sessions at the providers too, where they offer it.
        #[serde(default)]
        end_session: bool,
    },
}

/// A program, as a person would recognise it. It is what the operating system says of the process that asked; a
/// program that runs as the same user can still make itself look like another.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Program {
    /// The path of what asked, and of the script if an interpreter runs it.
    pub path: String,
    /// The same of what started that.
    #[serde(default)]
    pub parent: Option<String>,
}

impl std::fmt::Display for Program {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.path)?;
        match &self.parent {
            Some(parent) => write!(formatter, " (started by {parent})"),
            None => Ok(()),
        }
    }
}

/// A wish for credentials.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CredentialsRequest {
    /// The role.
    pub role: RoleArn,
    /// How long they must still last, in seconds.
    pub time_left_seconds: u32,
    /// Whether a sign-in window may be shown.
    pub interactive: bool,
    /// The program that asked. The agent says so of whoever it sees at its socket, whatever is said here.
    pub asked_by: Option<Program>,
}

/// What the worker answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum WorkerAnswer {
    /// Credentials.
    Credentials {
        /// Of the role asked for.
        credentials: Credentials,
        /// Whether they may be kept and given to other programs. Not if a person has to be asked for each.
        #[serde(default)]
        keep: bool,
    },
    /// An address that opens the console; a secret for 15 minutes.
    ConsoleUrl {
        /// The address.
        #[serde(serialize_with = "secret::expose")]
        url: SecretString,
    },
    /// Who is signed in, and which roles there are.
    Status(WorkerStatus),
    /// Nothing to say.
    Done,
}

/// Who is signed in, and which roles there are.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkerStatus {
    /// Per provider: its id and who is signed in.
    pub people: Vec<(String, Option<String>)>,
    /// The roles of all layers.
    pub roles: Vec<RoleSummary>,
}

/// One role, as a terminal lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoleSummary {
    /// The role.
    pub arn: RoleArn,
    /// Its account.
    pub account: AccountId,
    /// The account's alias or digits.
    pub account_label: String,
    /// The AWS profile's name.
    pub profile: ProfileName,
    /// Until when there are credentials.
    pub expiration: Option<DateTime<Utc>>,
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn two_sides_agree_on_the_newest_version_both_speak() {
        let range = |min, max| ProtocolRange { min, max };
        assert_eq!(range(1, 3).common(range(2, 5)), Some(3));
        assert_eq!(range(1, 1).common(range(1, 1)), Some(1));
        assert_eq!(range(1, 1).common(range(2, 2)), None);
        assert_eq!(range(3, 4).common(range(1, 2)), None);
    }

    #[test]
    fn an_answer_carries_its_questions_id_and_one_outcome() {
        let answer = ToWorker::Answer { id: 7, outcome: Outcome::Ok(HostAnswer::Done) };
        assert_eq!(serde_json::to_string(&answer).unwrap(), r#"{"type":"answer","id":7,"ok":{"is":"done"}}"#);
        let problem = Problem { code: "x".into(), message: "m".into(), next_step: "n".into(), grant: None };
        let answer = ToWorker::Answer { id: 8, outcome: Outcome::Error(problem) };
        let text = serde_json::to_string(&answer).unwrap();
        assert_eq!(text, r#"{"type":"answer","id":8,"error":{"code":"x","message":"m","nextStep":"n"}}"#);
        let Ok(ToWorker::Answer { id: 8, outcome: Outcome::Error(_) }) = serde_json::from_str(&text) else {
            panic!("{text}");
        };
    }

    #[test]
    fn a_question_is_readable_json() {
        let question = ToHost::Ask {
            id: 1,
            question: HostQuestion::Hello {
                protocol: ProtocolRange::CURRENT,
                version: "0.1.0".into(),
                capabilities: vec![],
            },
        };
        assert_eq!(
            serde_json::to_string(&question).unwrap(),
            r#"{"type":"ask","id":1,"question":{"do":"hello","protocol":{"min":1,"max":1},"version":"0.1.0","capabilities":[]}}"#
        );
    }
}
