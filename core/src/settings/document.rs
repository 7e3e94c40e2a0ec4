//! The schema, and what can be wrong with a document.

use serde::Serialize;

use super::{ClientSecret, Duration, Endpoint, ProfileName, ProfileTemplate, ProviderId, RoleKey};
use crate::aws::{AccountId, Region, RoleArn};
use crate::code::{Code, Problem};
use crate::json::{self, ReadJson, WriteJson};
use crate::map::Map;

/// A settings document.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ReadJson, WriteJson)]
#[json(default)]
pub struct Settings {
    /// `[[provider]]`: whom people sign in with.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[json(write = json::unless_default)]
    pub provider: Vec<Provider>,
    /// `[[role]]`: what they may become.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[json(write = json::unless_default)]
    pub role: Vec<Role>,
    /// `[[account]]`: what accounts are called.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[json(write = json::unless_default)]
    pub account: Vec<Account>,
    /// What the popup looks like and does first.
    #[serde(flatten)]
    #[json(write = json::unless_default)]
    pub preferences: Preferences,
    /// In a policy: nothing but the policy counts.
    #[serde(skip_serializing_if = "is_default")]
    #[json(write = json::unless_default)]
    pub only_policy: bool,
}

/// An OpenID Connect provider and this product's registration there as a public client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, WriteJson)]
pub struct Provider {
    /// The id that roles refer to.
    pub id: ProviderId,
    /// Its name, for display. The host of `well_known_url` without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The address of the provider's configuration, ending in `/.well-known/openid-configuration`.
    pub well_known_url: Endpoint,
    /// The client registered there. AWS knows it as the audience.
    pub client_id: String,
    /// Sent in the body of token requests, to providers that demand it of public clients too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<ClientSecret>,
    /// Space-separated scopes, `openid` among them.
    pub scope: String,
    /// Further parameters of the authorization request, such as `audience` or `domain_hint`.
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[json(write = json::unless_default)]
    pub authorize_params: Map<String, String>,
    /// `prompt` of requests with a window, unless the person wants to choose an account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// Whether `prompt=none` is tried before a window.
    #[serde(skip_serializing_if = "is_true")]
    #[json(write = unless_true)]
    pub silent: bool,
    /// Further parameters of the page that ends the session at the provider, such as `logout_uri`.
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[json(write = json::unless_default)]
    pub end_session_params: Map<String, String>,
    /// The claim that names the person in `login_hint` and in the session name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username_claim: Option<String>,
    /// A claim of the ID token that lists the ARNs of the person's roles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roles_claim: Option<String>,
    /// A service that lists the person's roles in exchange for the ID token ([`crate::role_service`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roles_url: Option<Endpoint>,
    /// A document that lists roles and accounts ([`crate::catalogue`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catalogue_url: Option<Endpoint>,
    /// The claim of the ID token that lists the person's groups, for the catalogue. `groups` without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups_claim: Option<String>,
    /// How the profiles of its roles are named. `{alias}-{role}` without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile_name: Option<ProfileTemplate>,
    /// An STS other than the one of the role's region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sts_endpoint: Option<Endpoint>,
    /// A federation endpoint other than the one of the role's partition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub console_endpoint: Option<Endpoint>,
    /// The console's own address, where the sign-in leads to, other than that of the role's partition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub console_destination: Option<Endpoint>,
    /// Written as `endpoint_url` into profiles, for services that are not AWS's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint_url: Option<Endpoint>,
    /// Whether the provider's configuration may name addresses in private networks on hosts that the settings do not name.
    #[serde(skip_serializing_if = "is_default")]
    #[json(write = json::unless_default)]
    pub private_endpoints: bool,
    /// By which way the code is exchanged.
    #[serde(skip_serializing_if = "is_default")]
    #[json(write = json::unless_default)]
    pub token_exchange: TokenExchange,
    /// Where the provider sends the browser back to.
    #[serde(skip_serializing_if = "is_default")]
    #[json(write = json::unless_default)]
    pub redirect: Redirect,
    /// Whether a person is asked before a program gets credentials of any of the provider's roles.
    #[serde(skip_serializing_if = "is_default")]
    #[json(write = json::unless_default)]
    pub approve: Approve,
}

impl Provider {
    /// Whether it is the same client at the same provider, whatever it is called.
    #[must_use]
    pub fn is_same_registration(&self, other: &Self) -> bool {
        (&self.well_known_url, &self.client_id) == (&other.well_known_url, &other.client_id)
    }

    /// Whether what comes of a sign-in goes to the same addresses.
    #[must_use]
    pub fn has_endpoints_of(&self, other: &Self) -> bool {
        self.sts_endpoint == other.sts_endpoint
            && self.console_endpoint == other.console_endpoint
            && self.console_destination == other.console_destination
            && self.endpoint_url == other.endpoint_url
    }

    /// Whether a request to an address of the provider's configuration may only go to a public network.
    #[must_use]
    pub fn is_public_only(&self, endpoint: &Endpoint) -> bool {
        !self.private_endpoints && endpoint.url().host_str() != self.well_known_url.url().host_str()
    }

    /// The claim that lists the person's groups, if roles may depend on them.
    #[must_use]
    pub fn groups_claim(&self) -> Option<&str> {
        let usual = self.catalogue_url.is_some().then_some("groups");
        self.groups_claim.as_deref().or(usual)
    }

    /// Its name, for display.
    #[must_use]
    pub fn label(&self) -> &str {
        self.name.as_deref().or_else(|| self.well_known_url.url().host_str()).unwrap_or(self.id.as_str())
    }
}

/// A role people may assume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, WriteJson)]
pub struct Role {
    /// Whose ID token the role trusts.
    pub provider: ProviderId,
    /// The role.
    pub arn: RoleArn,
    /// The AWS profile's name. `<account alias or id>-<role name>` without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<ProfileName>,
    /// The profile's region, which also decides which STS is asked. The partition's own default without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// How long credentials should last. As long as AWS allows without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<Duration>,
    /// The role whose credentials are used to assume this one (role chaining). Without one, the ID token is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_role: Option<RoleArn>,
    /// The external id that a chained role's trust policy demands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Tags of a chained role's session.
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[json(write = json::unless_default)]
    pub session_tags: Map<String, String>,
    /// The keys of those tags that are passed on to the sessions of roles assumed with this one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[json(write = json::unless_default)]
    pub transitive_tags: Vec<String>,
    /// Whether a chained role's session has the person as its source identity.
    #[serde(skip_serializing_if = "is_default")]
    #[json(write = json::unless_default)]
    pub source_identity: bool,
    /// A policy, JSON, which limits what a chained role's session may do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_policy: Option<String>,
    /// How long the console's sessions should last. As long as the credentials without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub console_session_duration: Option<Duration>,
    /// A CSS colour name or `#rrggbb` by which people tell roles apart. The account's without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    /// What the role is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Further words by which the role is found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[json(write = json::unless_default)]
    pub tags: Vec<String>,
    /// The groups of which a person must have one, as the provider names them. Anybody's without any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[json(write = json::unless_default)]
    pub groups: Vec<String>,
    /// How tools get the credentials.
    #[serde(skip_serializing_if = "is_default")]
    #[json(write = json::unless_default)]
    pub credentials: CredentialsMode,
    /// Whether a person is asked before a program gets the credentials. The provider's own `approve` holds if it is
    /// stricter.
    #[serde(skip_serializing_if = "is_default")]
    #[json(write = json::unless_default)]
    pub approve: Approve,
}

impl Role {
    /// A role of which nothing is known but what identifies it.
    #[must_use]
    pub fn unlisted(key: RoleKey) -> Self {
        Self {
            provider: key.provider,
            arn: key.arn,
            profile: None,
            region: None,
            duration: None,
            source_role: None,
            external_id: None,
            session_tags: Map::default(),
            transitive_tags: Vec::new(),
            source_identity: false,
            session_policy: None,
            console_session_duration: None,
            color: None,
            description: None,
            tags: Vec::new(),
            groups: Vec::new(),
            credentials: CredentialsMode::default(),
            approve: Approve::default(),
        }
    }

    /// What identifies it.
    #[must_use]
    pub fn key(&self) -> RoleKey {
        RoleKey { provider: self.provider.clone(), arn: self.arn.clone() }
    }

    /// Whether a person is asked before a program gets the credentials: the stricter of what role and provider say,
    /// so that a weaker layer's role cannot undo what an organisation wants of its provider.
    #[must_use]
    pub fn approve(&self, provider: &Provider) -> Approve {
        self.approve.max(provider.approve)
    }

    /// The region asked and written.
    #[must_use]
    pub fn region(&self) -> Region {
        self.region.clone().unwrap_or_else(|| self.arn.partition().default_region())
    }
}

/// What an account is called, and what for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, WriteJson)]
pub struct Account {
    /// The 12 digits.
    pub id: AccountId,
    /// The short name shown instead of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// The long name, shown where there is no short one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The colour of roles that have none of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    /// What it is for, such as `production`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Further words by which its roles are found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[json(write = json::unless_default)]
    pub tags: Vec<String>,
}

impl Account {
    /// An account of which nothing is known but what people call it.
    #[must_use]
    pub fn called(id: AccountId, alias: String) -> Self {
        Self { id, alias: Some(alias), name: None, color: None, environment: None, tags: Vec::new() }
    }

    /// What people call it: its alias, else its name, else the digits.
    #[must_use]
    pub fn label(&self) -> &str {
        self.alias.as_deref().or(self.name.as_deref()).unwrap_or(self.id.as_str())
    }
}

/// The keys outside the tables, on which nothing depends but what the popup looks like and does first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ReadJson, WriteJson)]
#[json(default)]
pub struct Preferences {
    /// What the popup does with a role first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_action: Option<DefaultAction>,
    /// What the button in the toolbar shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub badge: Option<Badge>,
    /// What roles have in common that are listed below one heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_by: Option<GroupBy>,
    /// What becomes of a catalogue's roles for groups that the person is not in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_groups: Option<OtherGroups>,
}

impl Preferences {
    /// These, and what they leave open from weaker ones.
    #[must_use]
    pub fn or(self, weaker: Self) -> Self {
        Self {
            default_action: self.default_action.or(weaker.default_action),
            badge: self.badge.or(weaker.badge),
            group_by: self.group_by.or(weaker.group_by),
            other_groups: self.other_groups.or(weaker.other_groups),
        }
    }
}

/// What roles have in common that are listed below one heading.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ReadJson, WriteJson)]
#[serde(rename_all = "lowercase")]
#[json(rename_all = "lowercase")]
pub enum GroupBy {
    /// Nothing: there are no headings.
    #[default]
    None,
    /// Their account.
    Account,
    /// What their account is for.
    Environment,
}

/// What becomes of a catalogue's roles for groups that the person is not in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ReadJson, WriteJson)]
#[serde(rename_all = "lowercase")]
#[json(rename_all = "lowercase")]
pub enum OtherGroups {
    /// They are left out.
    #[default]
    Hidden,
    /// They are listed, and marked.
    Dimmed,
}

/// What Enter, a double click and the first button do in the popup.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ReadJson, WriteJson)]
#[serde(rename_all = "lowercase")]
#[json(rename_all = "lowercase")]
pub enum DefaultAction {
    /// Open the AWS console.
    #[default]
    Console,
    /// Get the role's credentials.
    Credentials,
}

/// What the extension's button in the toolbar shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ReadJson, WriteJson)]
#[serde(rename_all = "lowercase")]
#[json(rename_all = "lowercase")]
pub enum Badge {
    /// Nothing.
    #[default]
    None,
    /// For how many roles there are credentials.
    Sessions,
    /// How long the credentials last that expire first.
    Expiry,
}

/// How tools on this machine get a role's credentials.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ReadJson, WriteJson)]
#[serde(rename_all = "lowercase")]
#[json(rename_all = "lowercase")]
pub enum CredentialsMode {
    /// Through `credential_process`: nothing secret on disk.
    #[default]
    Process,
    /// Written into the credentials file, for tools that read nothing else.
    File,
    /// Not at all; the console only.
    None,
}

/// Whether a person is asked before credentials leave the browser, from the laxest to the strictest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, ReadJson, WriteJson)]
#[serde(rename_all = "lowercase")]
#[json(rename_all = "lowercase")]
pub enum Approve {
    /// No.
    #[default]
    Never,
    /// When a program asks for the first time; a yes may hold for this program for 8 hours.
    First,
    /// Each time.
    Always,
}

/// By which way the code is exchanged at the token endpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ReadJson, WriteJson)]
#[serde(rename_all = "lowercase")]
#[json(rename_all = "lowercase")]
pub enum TokenExchange {
    /// The least powerful way that works.
    #[default]
    Auto,
    /// From the extension only.
    Extension,
    /// Through the native host only, for providers that refuse the extension's origin.
    Native,
}

/// Where a provider sends the browser back to, if the browser has more than one such address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ReadJson, WriteJson)]
#[serde(rename_all = "lowercase")]
#[json(rename_all = "lowercase")]
pub enum Redirect {
    /// The browser's own address for the extension.
    #[default]
    Browser,
    /// Firefox's loopback address for it, for providers that take no other than loopback addresses. Nothing listens
    /// there. Other browsers have none and use their own.
    Loopback,
}

/// Why settings, or a part of them, cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// Not TOML: nothing of it can be read.
    #[error("line {line}: this is not TOML: {reason}.")]
    NotToml {
        /// Counted from 1.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
    /// Not a document at all.
    #[error("it must be an object with keys and values.")]
    NotADocument,
    /// An entry that is left out.
    #[error("{}{entry} cannot be used: {reason}.", at(*line))]
    Entry {
        /// Which, in words.
        entry: String,
        /// Where it stands, counted from 1; in TOML.
        line: Option<usize>,
        /// What is wrong with it.
        reason: String,
    },
    /// A key that is left out of an entry that holds without it.
    #[error("{}{key} of {entry} cannot be used: {reason}.", at(*line))]
    Key {
        /// Which entry, in words.
        entry: String,
        /// Where the key stands, counted from 1; in TOML.
        line: Option<usize>,
        /// The key.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// More of it cannot be used than is told.
    #[error("{count} more problems were found.")]
    More {
        /// How many.
        count: usize,
    },
    /// A role whose credentials are to be in a file, and that another layer wants approved.
    #[error("the role {arn} has to be approved, so credentials = \"file\" has no effect.")]
    FileNotApproved {
        /// The role.
        arn: RoleArn,
    },
    /// A weaker layer's provider that may be one that a stronger layer lost.
    #[error("the provider \"{id}\" is left out: it may be the one that the stronger settings could not use.")]
    ProviderOverruled {
        /// Its id.
        id: ProviderId,
    },
    /// A weaker layer's role of an ARN that a stronger layer has with other endpoints.
    #[error(
        "the role {arn} of the provider \"{id}\" is left out: stronger settings have this role with other endpoints."
    )]
    RoleOverruled {
        /// The role.
        arn: RoleArn,
        /// Its provider.
        id: ProviderId,
    },
    /// A role whose chain of source roles comes back to it, or is longer than anybody's.
    #[error(
        "the role {arn} is left out: its source_role leads back to itself, or through more than {max} roles."
    )]
    EndlessChain {
        /// The role.
        arn: RoleArn,
        /// The most roles that a chain may have.
        max: usize,
    },
    /// A role whose chain of source roles has one that is not a role of the same provider.
    #[error(
        "the role {arn} is left out: its source_role {source_role} is not a role of the same provider in the settings."
    )]
    SourceUnknown {
        /// The role.
        arn: RoleArn,
        /// What it, or one of its sources, names.
        source_role: String,
    },
    /// A duration that AWS does not give to chained roles.
    #[error(
        "AWS ends sessions of the role {arn}, also in the console, after an hour at most, because it has a source_role, \
         so {key} has no effect."
    )]
    ChainedForAnHour {
        /// The role.
        arn: RoleArn,
        /// The key.
        key: &'static str,
    },
    /// Roles whose provider is left out.
    #[error("{}{} left out with the provider \"{id}\".", at(*line), roles(arns, "is", "are"))]
    ProviderLeftOut {
        /// Where the first of them stands, counted from 1; in TOML.
        line: Option<usize>,
        /// The roles.
        arns: Vec<RoleArn>,
        /// The provider that they name.
        id: ProviderId,
    },
    /// Roles whose provider is in no layer.
    #[error("{}{} the provider \"{id}\", which is not in the settings.", at(*line), roles(arns, "names", "name"))]
    ProviderUnknown {
        /// Where the first of them stands, counted from 1; in TOML.
        line: Option<usize>,
        /// The roles.
        arns: Vec<RoleArn>,
        /// The provider that they name.
        id: ProviderId,
    },
}

impl SettingsError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::ProviderUnknown { .. } => Code::ProviderUnknown,
            _ => Code::SettingsInvalid,
        }
    }
}

impl From<SettingsError> for Problem {
    fn from(error: SettingsError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

fn at(line: Option<usize>) -> String {
    line.map(|line| format!("line {line}: ")).unwrap_or_default()
}

/// The roles and what they do. Of many, the first few are named.
fn roles(arns: &[RoleArn], one: &str, several: &str) -> String {
    if let [arn] = arns {
        return format!("the role {arn} {one}");
    }
    let named: Vec<_> = arns.iter().take(NAMED_MAX).map(RoleArn::as_str).collect();
    let rest = if arns.len() > NAMED_MAX { ", …" } else { "" };
    format!("{} roles ({}{rest}) {several}", arns.len(), named.join(", "))
}

/// How many roles are named that have one thing wrong with them.
const NAMED_MAX: usize = 3;

pub(super) fn default_scope() -> String {
    "openid email".to_owned()
}

// The signature is serde's.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_true(flag: &bool) -> bool {
    *flag
}

fn unless_true(flag: &bool) -> impl WriteJson {
    Some(*flag).filter(|flag| !flag)
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Colours go into a style sheet, so nothing but a name or six hexadecimal digits passes.
pub(super) fn is_color(text: &str) -> bool {
    match text.strip_prefix('#') {
        Some(digits) => digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => (3..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphabetic()),
    }
}

/// Parameters of the authorization request that this product sets itself or cannot honour.
pub(super) const RESERVED_FOR_AUTHORIZATION: [&str; 15] = [
    "response_type",
    "response_mode",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "prompt",
    "login_hint",
    "id_token_hint",
    "request",
    "request_uri",
    "dpop_jkt",
];

/// Parameters of the end of a session that this product sets itself, or keeps out of addresses.
pub(super) const RESERVED_FOR_LOGOUT: [&str; 2] = ["client_id", "id_token_hint"];

/// What `prompt` may ask for in a window (OIDC Core 3.1.2.1).
pub(super) const PROMPTS: [&str; 3] = ["login", "consent", "select_account"];

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn the_documented_example_is_read() {
        let text = include_str!("../../../docs/example-config.toml");
        let (settings, unknown) = Settings::from_toml(text).unwrap();
        assert_eq!(unknown, Vec::<String>::new());
        assert_eq!(settings.provider[0].label(), "Example Corp");
        assert_eq!(settings.role[0].profile.as_ref().unwrap().as_str(), "example-dev");
    }

    #[test]
    fn the_stricter_of_role_and_provider_decides_who_is_asked() {
        let (mut role, mut provider) = (super::super::fixture::role(), super::super::fixture::provider());
        assert_eq!(role.approve(&provider), Approve::Never);
        provider.approve = Approve::First;
        assert_eq!(role.approve(&provider), Approve::First);
        role.approve = Approve::Always;
        assert_eq!(role.approve(&provider), Approve::Always);
    }
}
