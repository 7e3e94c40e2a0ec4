//! Between the worker and the native host: frames of [`ToHost`] one way and [`ToWorker`] the other.
//!
//! Both sides send requests and both respond. A request carries an id, chosen by whoever sends it; the response repeats
//! it. The first request is the worker's `hello`; nothing else is answered before it.

use secrecy::SecretString;
use serde::Serialize;

use super::page::{Cutter, Page, PageRequest, SettingsPage};
use crate::aws::{AccountId, Credentials, Region};
use crate::console::ConsolePage;
use crate::json::{ReadJson, WriteJson};
use crate::platform::TransportError;
use crate::secret::SecretBytes;
use crate::settings::{CredentialsMode, Endpoint, ProfileName, ProviderId, RoleKey};
use crate::time::{DateTime, Utc};
use crate::{Problem, secret};

/// Which versions of this protocol a side speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ReadJson, WriteJson)]
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

/// A request's id, unique per port and side.
pub type Id = u32;

/// From the worker to the host.
#[derive(Debug, ReadJson, WriteJson)]
#[json(rename_all = "camelCase")]
pub enum ToHost {
    /// A request to the host.
    Request {
        /// Repeated in the response.
        id: Id,
        /// The request.
        body: HostRequest,
    },
    /// The response to a request of the host.
    Response {
        /// The request's.
        id: Id,
        /// The result.
        result: Outcome<WorkerResponse>,
    },
}

/// From the host to the worker.
#[derive(Debug, ReadJson, WriteJson)]
#[json(rename_all = "camelCase")]
pub enum ToWorker {
    /// A request to the worker.
    Request {
        /// Repeated in the response.
        id: Id,
        /// The request.
        body: WorkerRequest,
    },
    /// The response to a request of the worker.
    Response {
        /// The request's.
        id: Id,
        /// The result.
        result: Outcome<HostResponse>,
    },
    /// The caller that wanted the response to this request has gone.
    Cancel {
        /// The request's.
        id: Id,
    },
}

/// How a request ended.
#[derive(Debug, ReadJson, WriteJson)]
#[json(rename_all = "camelCase")]
pub enum Outcome<T> {
    /// It was fulfilled.
    Ok(T),
    /// It was not.
    Error(Problem),
}

impl<T> Outcome<T> {
    /// As a `Result`.
    pub fn into_result(self) -> Result<T, Problem> {
        match self {
            Self::Ok(value) => Ok(value),
            Self::Error(problem) => Err(problem),
        }
    }
}

impl<T> From<Result<T, Problem>> for Outcome<T> {
    fn from(result: Result<T, Problem>) -> Self {
        match result {
            Ok(value) => Self::Ok(value),
            Err(problem) => Self::Error(problem),
        }
    }
}

/// A request of the worker to the host.
#[derive(Debug, ReadJson, WriteJson)]
#[json(rename_all = "camelCase")]
pub enum HostRequest {
    /// The first request. Answered by [`HostResponse::Hello`].
    Hello {
        /// The extension's protocol versions.
        protocol: ProtocolRange,
        /// The extension's version.
        version: String,
    },
    /// A page of the machine's settings. The first page reads the files anew. Answered by [`HostResponse::Settings`].
    Settings(PageRequest),
    /// The revision that the machine's settings have now: another one than before if the files have changed. Answered by
    /// [`HostResponse::SettingsRevision`].
    SettingsRevision,
    /// Write a profile. Answered by [`HostResponse::ProfileWritten`].
    WriteProfile(Box<ProfileSpec>),
    /// Remove a profile that was written for this role. Answered by [`HostResponse::ProfileRemoved`].
    RemoveProfile {
        /// The profile.
        profile: ProfileName,
        /// The role.
        role: RoleKey,
    },
    /// Send an HTTP request without the browser's headers. Answered by [`HostResponse::Http`] or
    /// [`HostResponse::HttpFailed`].
    SendHttp(HttpRelayRequest),
    /// Delete these roles' credentials, as the worker has. Answered by [`HostResponse::Done`].
    Forget(RoleSelection),
}

/// The host's response.
#[derive(Debug, ReadJson, WriteJson)]
#[json(rename_all = "camelCase")]
pub enum HostResponse {
    /// Who the host is.
    Hello {
        /// The host's protocol versions.
        protocol: ProtocolRange,
        /// The host's version.
        version: String,
    },
    /// A page of the machine's settings.
    Settings(SettingsPage),
    /// The revision of the machine's settings.
    SettingsRevision(u32),
    /// A profile is in place.
    ProfileWritten {
        /// Its name.
        profile: ProfileName,
        /// The file, as a person would name it.
        file: String,
        /// Whether anything had to be changed.
        changed: bool,
    },
    /// A profile is not in the files any more.
    ProfileRemoved {
        /// Whether there was one, and it was this role's.
        removed: bool,
    },
    /// An HTTP response.
    Http(HttpRelayResponse),
    /// Why there is no HTTP response.
    HttpFailed(HttpFailure),
    /// Done.
    Done,
}

/// Some of the roles there are.
#[derive(Debug, Clone, PartialEq, Eq, ReadJson, WriteJson)]
#[json(rename_all = "camelCase")]
pub enum RoleSelection {
    /// Every role.
    All,
    /// The roles of one provider.
    Provider(ProviderId),
    /// One role.
    Role(RoleKey),
}

impl RoleSelection {
    /// Whether the role is one of them.
    #[must_use]
    pub fn contains(&self, role: &RoleKey) -> bool {
        match self {
            Self::All => true,
            Self::Provider(provider) => role.provider == *provider,
            Self::Role(one) => one == role,
        }
    }
}

/// A profile to be written.
#[derive(Debug, ReadJson, WriteJson)]
#[json(rename_all = "camelCase")]
pub struct ProfileSpec {
    /// Its name.
    pub profile: ProfileName,
    /// The role whose credentials it gives.
    pub role: RoleKey,
    /// Its region.
    pub region: Region,
    /// How tools get the credentials. `None` is refused.
    pub mode: CredentialsMode,
    /// Written as `endpoint_url`, if any.
    pub endpoint_url: Option<Endpoint>,
    /// In `file` mode, what is written; in `process` mode, what the host may serve from memory.
    pub credentials: Option<Credentials>,
}

/// An HTTP request for the host to send: a GET, or a POST of a form, as a sign-in needs them. The host sends it to `https`
/// or loopback addresses only, keeps no cookies, follows no redirects and adds no `Origin`.
#[derive(Debug, ReadJson, WriteJson)]
pub struct HttpRelayRequest {
    /// `GET` or `POST`.
    pub method: String,
    /// Where to.
    pub url: Endpoint,
    /// Name and value: `accept` and `content-type`, and no others.
    pub headers: Vec<(String, String)>,
    /// Name and value of the headers of a signature (AWS Signature Version 4), which hold a session token.
    pub signature: Vec<(String, SecretBytes)>,
    /// The body. Holds codes and tokens.
    pub body: SecretBytes,
    /// Whether it may only go to a public address.
    pub public_only: bool,
}

/// What came back.
#[derive(Debug, ReadJson, WriteJson)]
pub struct HttpRelayResponse {
    /// The status.
    pub status: u16,
    /// Name and value.
    pub headers: Vec<(String, String)>,
    /// The body. Holds tokens and credentials.
    pub body: SecretBytes,
}

/// Why a relayed request got no response.
#[derive(Debug, Clone, PartialEq, Eq, ReadJson, WriteJson)]
pub struct HttpFailure {
    /// What went wrong.
    pub kind: HttpFailureKind,
    /// The system's words.
    pub reason: String,
}

/// What can go wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ReadJson, WriteJson)]
#[json(rename_all = "camelCase")]
pub enum HttpFailureKind {
    /// Nothing answered, or the answer broke off.
    Unreachable,
    /// The answer took too long.
    TimedOut,
    /// The host is in a private network, which is not allowed.
    PrivateNetwork,
    /// The server's certificate is not trusted.
    CertificateUntrusted,
    /// The answer is larger than anything this product reads.
    TooLarge,
}

impl From<TransportError> for HttpFailure {
    fn from(error: TransportError) -> Self {
        let (kind, reason) = match error {
            TransportError::Unreachable { reason, .. } => (HttpFailureKind::Unreachable, reason),
            TransportError::TimedOut { .. } => (HttpFailureKind::TimedOut, String::new()),
            TransportError::PrivateNetwork { .. } => (HttpFailureKind::PrivateNetwork, String::new()),
            TransportError::CertificateUntrusted { reason, .. } => {
                (HttpFailureKind::CertificateUntrusted, reason)
            }
            TransportError::TooLarge { .. } => (HttpFailureKind::TooLarge, String::new()),
            other => (HttpFailureKind::Unreachable, other.to_string()),
        };
        Self { kind, reason }
    }
}

/// A request of the host to the worker, for a command in a terminal.
#[derive(Debug, ReadJson, WriteJson)]
#[json(rename_all = "camelCase")]
pub enum WorkerRequest {
    /// A role's credentials. Answered by [`WorkerResponse::Credentials`].
    Credentials(CredentialsRequest),
    /// The console, opened in a tab or as an address. Answered by [`WorkerResponse::Done`] or
    /// [`WorkerResponse::ConsoleUrl`].
    Console(ConsoleRequest),
    /// A page of who is signed in and which roles there are. Answered by [`WorkerResponse::Status`].
    Status(PageRequest),
    /// Forget roles, or everything. Answered by [`WorkerResponse::Done`].
    SignOut(SignOutRequest),
}

/// A program, as a person would recognise it. It is what the operating system says of the process that asked; a
/// program that runs as the same user can still make itself look like another.
#[derive(Debug, Clone, PartialEq, Eq, Hash, ReadJson, WriteJson)]
pub struct Program {
    /// The path of what asked, and of the script if an interpreter runs it.
    pub path: String,
    /// The same of what started that.
    pub parent: Option<String>,
    /// Whether the path tells it apart from others: it does not for an interpreter whose code may be anything.
    pub is_recognisable: bool,
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

/// Asks for a role's credentials.
#[derive(Debug, Clone, ReadJson, WriteJson)]
#[json(rename_all = "camelCase")]
pub struct CredentialsRequest {
    /// The role.
    pub role: RoleKey,
    /// How long they must still last, in seconds.
    pub time_left_seconds: u32,
    /// Whether a sign-in window may be shown.
    pub interactive: bool,
    /// The program that asked. The agent puts in whom it sees at its socket, whatever is said here.
    pub asked_by: Option<Program>,
}

/// Asks for the console.
#[derive(Debug, Clone, ReadJson, WriteJson)]
#[json(rename_all = "camelCase")]
pub struct ConsoleRequest {
    /// The role.
    pub role: RoleKey,
    /// The page; the console's home page without one.
    pub page: Option<ConsolePage>,
    /// The region whose console is opened; the role's own without one.
    pub region: Option<Region>,
    /// Whether the browser opens the console in a tab. Otherwise the address is the response.
    pub open: bool,
    /// Whether the console's session of another role may be ended, where a browser has only one.
    pub end_session: bool,
    /// Whether a sign-in window may be shown.
    pub interactive: bool,
    /// The program that asked, as in [`CredentialsRequest::asked_by`].
    pub asked_by: Option<Program>,
}

/// Asks for roles to be forgotten.
#[derive(Debug, Clone, ReadJson, WriteJson)]
#[json(rename_all = "camelCase")]
pub struct SignOutRequest {
    /// Which roles. With all of them, the people who are signed in are forgotten as well.
    pub roles: RoleSelection,
    /// Whether to end the sessions at the providers too, where they offer it.
    pub end_session: bool,
}

/// The worker's response.
#[derive(Debug, ReadJson, WriteJson)]
#[json(rename_all = "camelCase")]
pub enum WorkerResponse {
    /// Credentials.
    Credentials {
        /// Of the role asked for.
        credentials: Credentials,
        /// Whether they may be kept and given to other programs. Not if a person has to be asked for each.
        keep: bool,
    },
    /// An address that opens the console; a secret for 15 minutes.
    ConsoleUrl {
        /// The address.
        #[json(write = secret::exposed)]
        url: SecretString,
    },
    /// A page of who is signed in and which roles there are.
    Status(StatusPage),
    /// Done.
    Done,
}

/// A part of who is signed in and which roles there are. People come before roles.
#[derive(Debug, Clone, Default, PartialEq, Eq, ReadJson, WriteJson)]
#[json(rename_all = "camelCase")]
pub struct StatusPage {
    /// Who is signed in at which provider.
    pub people: Vec<PersonSummary>,
    /// The roles of all layers.
    pub roles: Vec<RoleSummary>,
    /// Grows with each change of the lists.
    pub revision: u32,
    /// Where the next page begins.
    pub next: Option<u32>,
}

impl StatusPage {
    /// The page of these lists that begins after `from` entries. `role` tells of each role that the page holds.
    #[must_use]
    pub fn cut<R>(
        people: &[PersonSummary],
        roles: impl ExactSizeIterator<Item = R>,
        role: impl Fn(R) -> RoleSummary,
        revision: u32,
        from: u32,
    ) -> Self {
        let mut page = Self { revision, ..Self::default() };
        let mut cutter = Cutter::new(from);
        cutter.take(people.iter(), Clone::clone, &mut page.people);
        cutter.take(roles, role, &mut page.roles);
        page.next = cutter.next();
        page
    }
}

impl Page for StatusPage {
    fn revision(&self) -> u32 {
        self.revision
    }

    fn next(&self) -> Option<u32> {
        self.next
    }

    fn append(&mut self, next: Self) {
        self.people.extend(next.people);
        self.roles.extend(next.roles);
        self.next = next.next;
    }
}

/// Who is signed in at a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ReadJson, WriteJson)]
pub struct PersonSummary {
    /// The provider.
    pub provider: ProviderId,
    /// Who is signed in there, as one line.
    pub person: Option<String>,
}

/// One role, as a terminal lists it.
#[derive(Debug, Clone, PartialEq, Eq, ReadJson, WriteJson)]
#[json(rename_all = "camelCase")]
pub struct RoleSummary {
    /// The role.
    pub role: RoleKey,
    /// Its account.
    pub account: AccountId,
    /// The account's alias or digits.
    pub account_label: String,
    /// The AWS profile's name.
    pub profile: ProfileName,
    /// What the account is for, such as `production`. Empty if that is not known.
    pub environment: String,
    /// What the role is for, and further words by which it is found. May be empty.
    pub about: String,
    /// Until when there are credentials.
    pub expiration: Option<DateTime<Utc>>,
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::super::frame;
    use super::super::page::BUDGET_BYTES;
    use super::*;
    use crate::code::Code;
    use crate::json;

    #[test]
    fn two_sides_agree_on_the_newest_version_both_speak() {
        let range = |min, max| ProtocolRange { min, max };
        assert_eq!(range(1, 3).common(range(2, 5)), Some(3));
        assert_eq!(range(1, 1).common(range(1, 1)), Some(1));
        assert_eq!(range(1, 1).common(range(2, 2)), None);
        assert_eq!(range(3, 4).common(range(1, 2)), None);
    }

    #[test]
    fn a_response_carries_its_requests_id_and_one_outcome() {
        let response = ToWorker::Response { id: 7, result: Outcome::Ok(HostResponse::Done) };
        assert_eq!(json::to_string(&response).as_str(), r#"{"response":{"id":7,"result":{"ok":"done"}}}"#);
        let mut problem = Problem::new(Code::Internal, "m").with_next_step("n");
        "x".clone_into(&mut problem.code);
        let response = ToWorker::Response { id: 8, result: Outcome::Error(problem) };
        let text = json::to_string(&response);
        assert_eq!(
            text.as_str(),
            r#"{"response":{"id":8,"result":{"error":{"code":"x","message":"m","nextStep":"n"}}}}"#
        );
        let Ok(ToWorker::Response { id: 8, result: Outcome::Error(_) }) = json::from_str(&text) else {
            panic!("{text:?}");
        };
    }

    #[test]
    fn a_selection_names_roles_by_provider_and_arn() {
        let key = |provider: &str, name: &str| RoleKey {
            provider: provider.parse().unwrap(),
            arn: format!("arn:aws:iam::123456789012:role/{name}").parse().unwrap(),
        };
        let (role, twin, other) = (key("corp", "a"), key("other", "a"), key("corp", "b"));
        let chosen = |selection: RoleSelection| [&role, &twin, &other].map(|role| selection.contains(role));
        assert_eq!(chosen(RoleSelection::All), [true, true, true]);
        assert_eq!(chosen(RoleSelection::Provider("corp".parse().unwrap())), [true, false, true]);
        assert_eq!(chosen(RoleSelection::Role(role.clone())), [true, false, false]);
    }

    #[test]
    fn ten_thousand_roles_of_a_status_arrive_whole_in_messages_far_below_the_limit() {
        let people = [PersonSummary { provider: "corp".parse().unwrap(), person: Some("alice".into()) }];
        let role = |number: u32| RoleSummary {
            role: RoleKey {
                provider: "corp".parse().unwrap(),
                arn: format!("arn:aws:iam::{number:012}:role/example/developer-{number}").parse().unwrap(),
            },
            account: format!("{number:012}").parse().unwrap(),
            account_label: format!("account-{number}"),
            profile: format!("account-{number}-developer").parse().unwrap(),
            environment: String::new(),
            about: String::new(),
            expiration: None,
        };
        let numbers: Vec<u32> = (0..10_000).collect();
        let mut pages = super::super::page::Pages::default();
        let whole = loop {
            let from = pages.request().start(3);
            let page = StatusPage::cut(&people, numbers.iter(), |number| role(*number), 3, from);
            assert!(frame::json_size(&page) < 2 * BUDGET_BYTES);
            assert_eq!(page.people.len(), usize::from(from == 0));
            if let Some(whole) = pages.add(page).unwrap() {
                break whole;
            }
        };
        assert_eq!(whole.people, people);
        assert!(whole.roles.iter().cloned().eq(numbers.into_iter().map(role)));
    }
}
