//! Between the pages and the worker. Nothing here can hold a secret.
//!
//! A page opens a port named [`PORT_NAME`]. The worker sends [`ToPage`]: the roles at once and whenever the settings
//! change, and the rest of what is shown, the [`State`], at once and whenever it changes. The page sends [`Intent`]s. A
//! page keeps nothing of its own: it shows what it was sent last.

use crate::Problem;
use crate::json::{ReadJson, WriteJson};
use crate::message::host::Program;
use crate::message::role_table::RoleTable;
use crate::platform::Step;
use crate::settings::{DefaultAction, GroupBy, Layer, ProviderId, RoleKey};
use crate::time::{DateTime, Utc};

/// The name of the port between a page and the worker.
pub const PORT_NAME: &str = "ui";

/// What the name of an approval window's port starts with, before the [`ApprovalState::id`]. When that port closes
/// before the person has decided, the answer is no.
pub const APPROVAL_PORT_PREFIX: &str = "approval ";

/// How many roles can be pinned.
pub const MAX_PINNED: usize = 30;

/// What a person wants.
#[derive(Debug, Clone, PartialEq, Eq, ReadJson, WriteJson)]
#[json(rename_all = "camelCase")]
pub enum Intent {
    /// Get the role's credentials, signing in as far as is needed.
    SignIn {
        /// The role.
        role: RoleKey,
    },
    /// Open the AWS console signed in as the role.
    OpenConsole {
        /// The role.
        role: RoleKey,
    },
    /// Open a page of the console signed in as the role.
    OpenPage {
        /// The role.
        role: RoleKey,
        /// The page as the person typed it ([`Place::find`](crate::console::Place::find)).
        page: String,
    },
    /// Sign in to the console again in this tab, and go on with the page that it shows.
    GoOn(Box<ConsoleTab>),
    /// Write the role's AWS profile through the native host.
    WriteProfile {
        /// The role.
        role: RoleKey,
    },
    /// Remove the AWS profile that was written for the role.
    RemoveProfile {
        /// The role.
        role: RoleKey,
    },
    /// Forget the role's credentials.
    ForgetCredentials {
        /// The role.
        role: RoleKey,
    },
    /// Forget the person and all their credentials.
    SignOut {
        /// At which provider.
        provider: ProviderId,
        /// Whether to end the session at the provider as well.
        end_session: bool,
    },
    /// Sign in at the provider without a role; as somebody else, if somebody is signed in.
    SignInToProvider {
        /// To which provider.
        provider: ProviderId,
    },
    /// End the sign-in that is under way for a role.
    Cancel {
        /// The role.
        role: RoleKey,
    },
    /// End the sign-in at a provider that is under way without a role.
    CancelAtProvider {
        /// The provider.
        provider: ProviderId,
    },
    /// List a role before all others, or no longer.
    Pin {
        /// The role.
        role: RoleKey,
        /// Whether it is listed first.
        pinned: bool,
    },
    /// Forget when roles were used.
    ForgetRecent {
        /// Only of this role; of all without.
        role: Option<RoleKey>,
    },
    /// The person allowed a host that the last problem named: try again.
    Retry,
    /// The person agreed to what the last problem asked: do it.
    Confirm,
    /// The problem was read.
    DismissProblem,
    /// Look for the native host again.
    ConnectHost,
    /// Read the role catalogues and ask the role services again.
    RefreshRoles,
    /// Answer whether a program may have credentials.
    Answer {
        /// The [`ApprovalState::id`].
        approval: u32,
        /// What the person decided.
        decision: Decision,
    },
}

/// What a person decides when a program asks for credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ReadJson, WriteJson)]
#[json(rename_all = "camelCase")]
pub enum Decision {
    /// The program gets them, and is not asked about again for 8 hours.
    AllowForAWhile,
    /// The program gets them this time.
    AllowOnce,
    /// It does not.
    Refuse,
}

/// What the worker sends to a page.
#[derive(Debug, Clone, PartialEq, ReadJson, WriteJson)]
#[json(rename_all = "camelCase")]
pub enum ToPage {
    /// Every role, in the order of the settings.
    Roles(RoleTable),
    /// Everything else.
    State(Box<State>),
}

/// Everything a page shows but the roles themselves.
#[derive(Debug, Clone, Default, PartialEq, ReadJson, WriteJson)]
#[json(rename_all = "camelCase")]
pub struct State {
    /// Whom people sign in with.
    pub providers: Vec<ProviderState>,
    /// Roles there are credentials for.
    pub sessions: Vec<RoleSession>,
    /// Roles that the person has pinned, in the order in which they did.
    pub pinned: Vec<RoleKey>,
    /// Roles that the person uses, those first that they use often or have used lately.
    pub recent: Vec<RoleKey>,
    /// Whether some roles come from a catalogue or a role service, which can be read again.
    pub has_role_lists: bool,
    /// What is being done now.
    pub activities: Vec<Activity>,
    /// What was done last, in one sentence.
    pub done: Option<String>,
    /// What went wrong last.
    pub problem: Option<Problem>,
    /// The tab in front, if it shows a page of a console, whose session may have ended.
    pub go_on: Option<ConsoleTab>,
    /// Whether the console's tabs of an account are put into a group of tabs; `None` where the browser has none for that.
    pub groups_tabs: Option<bool>,
    /// What is done with a role first.
    pub default_action: DefaultAction,
    /// What roles have in common that are listed below one heading.
    pub group_by: GroupBy,
    /// The native host.
    pub host: HostState,
    /// What is wrong with the settings, and what was left out because of it.
    pub settings_problems: Vec<Problem>,
    /// Programs that wait for a person to say whether they may have credentials, in the order in which they asked.
    pub approvals: Vec<ApprovalState>,
}

/// A tab that shows a page of a console.
#[derive(Debug, Clone, PartialEq, Eq, ReadJson, WriteJson)]
#[json(rename_all = "camelCase")]
pub struct ConsoleTab {
    /// Whose console it is.
    pub role: RoleKey,
    /// The browser's number of the tab.
    pub tab: u32,
    /// The address of the page.
    pub page: String,
}

/// A program that waits for a person's decision.
#[derive(Debug, Clone, PartialEq, Eq, ReadJson, WriteJson)]
#[json(rename_all = "camelCase")]
pub struct ApprovalState {
    /// Repeated in [`Intent::Answer`].
    pub id: u32,
    /// The role it wants.
    pub role: RoleKey,
    /// The account's alias or digits.
    pub account: String,
    /// The role's colour.
    pub color: Option<String>,
    /// The program, as far as it is known.
    pub program: Option<Program>,
    /// What it is after.
    pub purpose: Purpose,
    /// Whether the settings let a yes hold for a while.
    pub may_be_remembered: bool,
    /// When the program stops waiting.
    pub until: DateTime<Utc>,
}

/// What a program is after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ReadJson, WriteJson)]
#[json(rename_all = "camelCase")]
pub enum Purpose {
    /// Credentials.
    Credentials,
    /// An address that opens the console.
    Console,
}

/// One provider.
#[derive(Debug, Clone, PartialEq, Eq, ReadJson, WriteJson)]
#[json(rename_all = "camelCase")]
pub struct ProviderState {
    /// The id that roles refer to.
    pub id: ProviderId,
    /// Its name, for display.
    pub label: String,
    /// Who is signed in, as one line.
    pub person: Option<String>,
    /// Whether the provider has a page that ends the session there.
    pub ends_sessions: bool,
    /// Where its settings come from.
    pub layer: Layer,
}

/// A role there are credentials for.
#[derive(Debug, Clone, PartialEq, Eq, ReadJson, WriteJson)]
pub struct RoleSession {
    /// The role.
    pub role: RoleKey,
    /// Until when they last.
    pub expiration: DateTime<Utc>,
}

/// What is being done now.
#[derive(Debug, Clone, PartialEq, Eq, ReadJson, WriteJson)]
#[json(rename_all = "camelCase")]
pub struct Activity {
    /// At which provider.
    pub provider: ProviderId,
    /// For which role, if it is for one.
    pub role: Option<RoleKey>,
    /// Which step.
    pub step: Step,
}

/// Whether the native host is there.
#[derive(Debug, Clone, Default, PartialEq, Eq, ReadJson, WriteJson)]
#[json(rename_all = "camelCase")]
pub enum HostState {
    /// Not known yet.
    #[default]
    Connecting,
    /// It answered.
    Connected {
        /// Its version.
        version: String,
    },
    /// It is not there, or does not fit.
    Absent {
        /// Why.
        problem: Problem,
    },
}
