//! Reads a document entry by entry: what is wrong with one entry is told and loses no other.
//!
//! An entry that cannot be used is left out as a whole, with one exception: a key that people only look at (a name, a
//! colour) is left out by itself. Everything else decides whom a person trusts or what a program may have, and half of
//! such an entry could mean more than the whole. What is left out is remembered as [`Lost`], so that nothing weaker
//! takes its place.

mod toml_document;

use std::fmt::Display;

use toml::de::DeTable;

pub use self::toml_document::parse_toml;
use self::toml_document::{Lines, TomlTable};

use super::document::{PROMPTS, RESERVED_FOR_AUTHORIZATION, RESERVED_FOR_LOGOUT, default_scope, is_color};
use super::{
    Account, Approve, CredentialsMode, Duration, Endpoint, Preferences, ProfileName, Provider, ProviderId,
    Role, Settings, SettingsError,
};
use crate::aws::{AccountId, RoleArn};
use crate::code::Problem;
use crate::json::{self, Choice, Document, Malformed, Object, ReadJson, Value, WriteJson};
use crate::map::{self, Set};
use crate::text;

/// A document, as far as it can be used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// The good entries.
    pub settings: Settings,
    /// What is wrong with the others, in the order of the document.
    pub faults: Vec<Fault>,
    /// Keys that are not known, such as `provider.0.sparkle`. They are ignored: a newer document must not lock an older
    /// program out.
    pub unknown: Vec<String>,
}

/// Something in a document that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, ReadJson, WriteJson)]
pub struct Fault {
    /// What people are told.
    pub problem: Problem,
    /// What is missing because of it. Nothing, if it is a key that people only look at.
    pub lost: Option<Lost>,
}

/// What is missing because it cannot be used, as far as it can be told what it was.
#[derive(Debug, Clone, PartialEq, Eq, ReadJson, WriteJson)]
#[json(rename_all = "camelCase")]
pub enum Lost {
    /// All of it.
    Document,
    /// A provider.
    Provider {
        /// Its id, if that can be read.
        id: Option<ProviderId>,
        /// The address of its configuration, if that can be read.
        well_known_url: Option<Endpoint>,
        /// The client, if that can be read.
        client_id: Option<String>,
    },
    /// A role.
    Role {
        /// Its ARN, if that can be read.
        arn: Option<RoleArn>,
        /// Its provider's id, if that can be read.
        provider: Option<ProviderId>,
        /// The profile's name, if it has one that can be read.
        profile: Option<ProfileName>,
    },
    /// An account's name.
    Account {
        /// Its digits, if they can be read.
        id: Option<AccountId>,
    },
    /// Good roles whose provider this document does not have. Another one may.
    Roles {
        /// The provider's id.
        provider: ProviderId,
    },
}

impl Lost {
    /// Whether it could have been any entry.
    #[must_use]
    pub fn is_anything(&self) -> bool {
        match self {
            Self::Document => true,
            Self::Provider { id, .. } => id.is_none(),
            Self::Role { arn, .. } => arn.is_none(),
            Self::Account { id } => id.is_none(),
            Self::Roles { .. } => false,
        }
    }
}

/// What is missing, ready to be looked up.
#[derive(Debug, Default)]
pub(super) struct Losses<'a> {
    providers: Set<&'a ProviderId>,
    /// Address and client, as far as they could be read.
    registrations: Vec<(Option<&'a Endpoint>, Option<&'a String>)>,
    /// By [`RoleArn::identity`].
    roles: Set<String>,
    accounts: Set<&'a AccountId>,
}

impl Losses<'_> {
    /// Whether it is the provider of this id.
    pub(super) fn has_provider(&self, id: &ProviderId) -> bool {
        self.providers.contains(id)
    }

    /// Whether it is, or may have been, the same client at the same provider, by whatever id.
    pub(super) fn has_registration_of(&self, provider: &Provider) -> bool {
        self.registrations.iter().any(|(url, client)| {
            url.is_none_or(|url| *url == provider.well_known_url)
                && client.is_none_or(|client| *client == provider.client_id)
        })
    }

    /// Whether it is the role, of whatever provider.
    pub(super) fn has_role(&self, arn: &RoleArn) -> bool {
        self.roles.iter().len() > 0 && self.roles.contains(&arn.identity())
    }

    /// Whether it is what the account is called.
    pub(super) fn has_account(&self, id: &AccountId) -> bool {
        self.accounts.contains(id)
    }
}

impl<'a> Extend<&'a Lost> for Losses<'a> {
    fn extend<I: IntoIterator<Item = &'a Lost>>(&mut self, losses: I) {
        for lost in losses {
            match lost {
                Lost::Provider { id, well_known_url, client_id } => {
                    self.registrations.push((well_known_url.as_ref(), client_id.as_ref()));
                    if let Some(id) = id {
                        self.providers.insert(id);
                    }
                }
                Lost::Role { arn: Some(arn), .. } => _ = self.roles.insert(arn.identity()),
                Lost::Account { id: Some(id) } => _ = self.accounts.insert(id),
                _ => {}
            }
        }
    }
}

impl From<Settings> for Reading {
    fn from(settings: Settings) -> Self {
        Self { settings, ..Self::default() }
    }
}

impl Reading {
    /// Reads a TOML document. It is an error only if it is none.
    pub fn from_toml(text: &str) -> Result<Self, SettingsError> {
        Self::from_parsed_toml(text, &parse_toml(text)?)
    }

    /// Reads a TOML document that was parsed before.
    pub fn from_parsed_toml(text: &str, table: &DeTable<'_>) -> Result<Self, SettingsError> {
        Ok(Reader::of_toml(text, table)?.told())
    }

    /// Reads a JSON document.
    #[must_use]
    pub fn from_json(text: &str) -> Self {
        let document = Document::parse(text);
        match document.as_ref().map(|document| document.value().object()) {
            Ok(Ok(document)) => Reader::read(document, Lines::default()).told(),
            _ => Self::lost(SettingsError::NotADocument),
        }
    }

    /// Reads a provider's catalogue: a JSON document of roles and accounts.
    pub fn from_catalogue(text: &str, provider: &ProviderId) -> Result<Self, SettingsError> {
        let document = Document::parse(text).map_err(|_| SettingsError::NotADocument)?;
        let document = document.value().object().map_err(|_| SettingsError::NotADocument)?;
        let mut reader = Reader::new(Lines::default());
        for table in [Table::of::<ListedRole>(), Table::of::<Account>()] {
            reader.table(&table, document);
        }
        for role in &mut reader.settings.role {
            role.provider = provider.clone();
        }
        Ok(reader.told())
    }

    /// A document of which nothing can be used.
    #[must_use]
    pub fn lost(error: SettingsError) -> Self {
        let problem = error.into();
        Self { faults: vec![Fault { problem, lost: Some(Lost::Document) }], ..Self::default() }
    }

    /// The same, with each fault told of this place: a file's path, for example.
    #[must_use]
    pub fn at(mut self, place: &str) -> Self {
        for Fault { problem, .. } in &mut self.faults {
            problem.message = format!("{place}: {}", problem.message);
        }
        self
    }

    /// What is missing.
    pub fn losses(&self) -> impl Iterator<Item = &Lost> {
        self.faults.iter().filter_map(|fault| fault.lost.as_ref())
    }

    /// Puts a weaker document under this one: an entry of this one, good or bad, stands in for the whole entry of the
    /// weaker one.
    pub fn put_over(&mut self, weak: Self) {
        let mut lost = Losses::default();
        lost.extend(self.faults.iter().filter_map(|fault| fault.lost.as_ref()));
        let strong = &mut self.settings;
        let mut known: Set<_> = strong.provider.iter().map(|provider| provider.id.clone()).collect();
        for provider in weak.settings.provider {
            if !lost.has_provider(&provider.id) && known.insert(provider.id.clone()) {
                strong.provider.push(provider);
            }
        }
        let mut known: Set<_> = strong.role.iter().map(Role::key).collect();
        for role in weak.settings.role {
            if !lost.has_role(&role.arn) && known.insert(role.key()) {
                strong.role.push(role);
            }
        }
        let mut known: Set<_> = strong.account.iter().map(|account| account.id.clone()).collect();
        for account in weak.settings.account {
            if !lost.has_account(&account.id) && known.insert(account.id.clone()) {
                strong.account.push(account);
            }
        }
        strong.preferences = strong.preferences.or(weak.settings.preferences);
        self.faults.extend(weak.faults);
        self.unknown.extend(weak.unknown);
    }
}

impl Settings {
    /// Reads a TOML document of which every entry must be good. The second part lists keys that are not known.
    pub fn from_toml(text: &str) -> Result<(Self, Vec<String>), SettingsError> {
        let table = parse_toml(text)?;
        let reader = Reader::of_toml(text, &table)?;
        // Roles may name a provider of another document.
        let mut errors =
            reader.found.into_iter().filter(|(_, lost)| !matches!(lost, Some(Lost::Roles { .. })));
        match errors.next() {
            Some((error, _)) => Err(error),
            None => Ok((reader.settings, reader.unknown)),
        }
    }
}

/// A table's entry.
trait Entry: Sized + 'static {
    /// The table's name.
    const TABLE: &'static str;
    /// Keys without which the entry means the same.
    const COSMETIC: &'static [&'static str];

    /// What is missing without this entry.
    fn lost(entry: Option<Object<'_>>) -> Lost;

    /// What no other entry of the table may share with it, if it can be read.
    fn key(lost: &Lost) -> Option<String>;

    /// Reads every key, good or bad.
    fn read(fields: &mut Fields<'_>) -> Option<Self>;

    /// The key that does not go with the others, and why.
    fn conflict(&self, _: &Settings) -> Option<(&'static str, Malformed)> {
        None
    }

    /// Where it goes.
    fn keep(self, read: &mut Settings);
}

impl Entry for Provider {
    const TABLE: &'static str = "provider";
    const COSMETIC: &'static [&'static str] = &["name"];

    fn lost(entry: Option<Object<'_>>) -> Lost {
        Lost::Provider {
            id: readable(entry, "id"),
            well_known_url: readable(entry, "well_known_url"),
            client_id: readable(entry, "client_id"),
        }
    }

    fn key(lost: &Lost) -> Option<String> {
        match lost {
            Lost::Provider { id: Some(id), .. } => Some(id.to_string()),
            _ => None,
        }
    }

    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let id = fields.required("id", parsed);
        let name = fields.optional("name", label);
        let well_known_url = fields.required("well_known_url", parsed);
        let client_id = fields.required("client_id", |value| {
            string(value).and_then(|id| if id.is_empty() { Err("it is empty".into()) } else { Ok(id) })
        });
        // OIDC Core 3.1.2.1: without it the request is not an OpenID Connect request.
        let scope = fields.given("scope", |value| {
            let scope = string(value)?;
            let has_openid = scope.split(' ').any(|scope| scope == "openid");
            if has_openid { Ok(scope) } else { Err("it must contain openid".into()) }
        });
        let client_secret = fields.optional("client_secret", parsed);
        let authorize_params =
            fields.given("authorize_params", |value| parameters(value, &RESERVED_FOR_AUTHORIZATION));
        let prompt = fields.optional("prompt", |value| {
            let prompt = string(value)?;
            let is_known = prompt.split(' ').all(|word| PROMPTS.contains(&word));
            if is_known { Ok(prompt) } else { Err(Malformed::unknown(&PROMPTS)) }
        });
        let silent = fields.given("silent", boolean);
        let end_session_params =
            fields.given("end_session_params", |value| parameters(value, &RESERVED_FOR_LOGOUT));
        let username_claim = fields.optional("username_claim", string);
        // The command line's own, which reads it itself.
        fields.known.push("loopback");
        let roles_claim = fields.optional("roles_claim", string);
        let roles_url = fields.optional("roles_url", parsed);
        let catalogue_url = fields.optional("catalogue_url", parsed);
        let groups_claim = fields.optional("groups_claim", string);
        let profile_name = fields.optional("profile_name", parsed);
        let sts_endpoint = fields.optional("sts_endpoint", parsed);
        let console_endpoint = fields.optional("console_endpoint", parsed);
        let console_destination = fields.optional("console_destination", parsed);
        let endpoint_url = fields.optional("endpoint_url", parsed);
        let private_endpoints = fields.given("private_endpoints", boolean);
        let token_exchange = fields.given("token_exchange", chosen);
        let redirect = fields.given("redirect", chosen);
        let approve = fields.given("approve", chosen);
        Some(Self {
            id: id?,
            name,
            well_known_url: well_known_url?,
            client_id: client_id?,
            client_secret,
            scope: scope.unwrap_or_else(default_scope),
            authorize_params: authorize_params.unwrap_or_default(),
            prompt,
            silent: silent.unwrap_or(true),
            end_session_params: end_session_params.unwrap_or_default(),
            username_claim,
            roles_claim,
            roles_url,
            catalogue_url,
            groups_claim,
            profile_name,
            sts_endpoint,
            console_endpoint,
            console_destination,
            endpoint_url,
            private_endpoints: private_endpoints.unwrap_or_default(),
            token_exchange: token_exchange.unwrap_or_default(),
            redirect: redirect.unwrap_or_default(),
            approve: approve.unwrap_or_default(),
        })
    }

    fn keep(self, read: &mut Settings) {
        read.provider.push(self);
    }
}

impl Entry for Role {
    const TABLE: &'static str = "role";
    const COSMETIC: &'static [&'static str] = &ROLE_COSMETIC;

    fn lost(entry: Option<Object<'_>>) -> Lost {
        Lost::Role {
            arn: readable(entry, "arn"),
            provider: readable(entry, "provider"),
            profile: readable(entry, "profile"),
        }
    }

    fn key(lost: &Lost) -> Option<String> {
        match lost {
            Lost::Role { arn: Some(arn), provider: Some(provider), .. } => Some(format!("{arn} {provider}")),
            _ => None,
        }
    }

    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let provider = fields.required("provider", parsed);
        read_role(fields, provider)
    }

    fn conflict(&self, read: &Settings) -> Option<(&'static str, Malformed)> {
        if let Some(conflict) = chain_conflict(self) {
            return Some(conflict);
        }
        let provider = read.provider.iter().find(|provider| provider.id == self.provider);
        let approve = provider.map_or(self.approve, |provider| self.approve(provider));
        (approve != Approve::Never && self.credentials == CredentialsMode::File).then(|| {
            let reason = "every program can read what credentials = \"file\" writes, so approve cannot hold";
            ("credentials", reason.into())
        })
    }

    fn keep(self, read: &mut Settings) {
        read.role.push(self);
    }
}

/// Reads a role's keys other than its provider.
fn read_role(fields: &mut Fields<'_>, provider: Option<ProviderId>) -> Option<Role> {
    let arn = fields.required("arn", parsed);
    let profile = fields.optional("profile", parsed);
    let region = fields.optional("region", parsed);
    let duration = fields.optional("duration", seconds);
    let console_session_duration = fields.optional("console_session_duration", seconds);
    let source_role = fields.optional("source_role", parsed);
    let external_id = fields.optional("external_id", string);
    let session_tags = fields.given("session_tags", |value| parameters(value, &[]));
    let transitive_tags = fields.given("transitive_tags", strings);
    let source_identity = fields.given("source_identity", boolean);
    let session_policy = fields.optional("session_policy", string);
    let color = fields.optional("color", color);
    let description = fields.optional("description", description);
    let tags = fields.optional("tags", labels);
    // Of a list that cannot be read, nobody is known to be in a group: the entry is left out.
    let groups = fields.optional("groups", strings);
    let credentials = fields.given("credentials", chosen);
    let approve = fields.given("approve", chosen);
    Some(Role {
        provider: provider?,
        arn: arn?,
        profile,
        region,
        duration,
        source_role,
        external_id,
        session_tags: session_tags.unwrap_or_default(),
        transitive_tags: transitive_tags.unwrap_or_default(),
        source_identity: source_identity.unwrap_or_default(),
        session_policy,
        console_session_duration,
        color,
        description,
        tags: tags.unwrap_or_default(),
        groups: groups.unwrap_or_default(),
        credentials: credentials.unwrap_or_default(),
        approve: approve.unwrap_or_default(),
    })
}

/// The keys of a role that people only look at.
const ROLE_COSMETIC: [&str; 3] = ["color", "description", "tags"];

/// A role of a catalogue, which names no provider: it is the one whose catalogue it is.
struct ListedRole(Role);

impl Entry for ListedRole {
    const TABLE: &'static str = Role::TABLE;
    const COSMETIC: &'static [&'static str] = &ROLE_COSMETIC;

    fn lost(entry: Option<Object<'_>>) -> Lost {
        Lost::Role { arn: readable(entry, "arn"), provider: None, profile: None }
    }

    fn key(lost: &Lost) -> Option<String> {
        match lost {
            Lost::Role { arn: Some(arn), .. } => Some(arn.to_string()),
            _ => None,
        }
    }

    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        // A placeholder: whoever reads the catalogue knows the provider.
        read_role(fields, CATALOGUE.parse().ok()).map(Self)
    }

    fn conflict(&self, _: &Settings) -> Option<(&'static str, Malformed)> {
        // Whoever runs a command without a profile has not chosen this role.
        let is_taken = |name: &ProfileName| name.is_default() || name.is_like_an_option();
        let is_taken = self.0.profile.as_ref().is_some_and(is_taken);
        let reason = "in a catalogue it must not be default, or begin with -";
        chain_conflict(&self.0).or_else(|| is_taken.then(|| ("profile", reason.into())))
    }

    fn keep(self, read: &mut Settings) {
        // A list from elsewhere is no reason to write secrets to disk.
        let credentials = match self.0.credentials {
            CredentialsMode::File => CredentialsMode::Process,
            other => other,
        };
        read.role.push(Role { credentials, ..self.0 });
    }
}

const CATALOGUE: &str = "catalogue";

/// The key that does not go with role chaining, or with its absence: half of such an entry could mean more than the whole.
fn chain_conflict(role: &Role) -> Option<(&'static str, Malformed)> {
    let Some(source) = &role.source_role else {
        let only_chained = [
            ("external_id", role.external_id.is_some()),
            ("session_tags", !role.session_tags.is_empty()),
            ("transitive_tags", !role.transitive_tags.is_empty()),
            ("source_identity", role.source_identity),
            ("session_policy", role.session_policy.is_some()),
        ];
        let given = only_chained.into_iter().find(|(_, is_given)| *is_given);
        return given.map(|(key, _)| (key, "it has a meaning only together with source_role".into()));
    };
    (source.partition() != role.arn.partition())
        .then(|| ("source_role", "it must be in the role's partition".into()))
}

impl Entry for Account {
    const TABLE: &'static str = "account";
    const COSMETIC: &'static [&'static str] = &["name", "color", "environment", "tags"];

    fn lost(entry: Option<Object<'_>>) -> Lost {
        Lost::Account { id: readable(entry, "id") }
    }

    fn key(lost: &Lost) -> Option<String> {
        match lost {
            Lost::Account { id: Some(id) } => Some(id.to_string()),
            _ => None,
        }
    }

    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let id = fields.required("id", parsed);
        let alias = fields.optional("alias", label);
        let name = fields.optional("name", label);
        let color = fields.optional("color", color);
        let environment = fields.optional("environment", label);
        let tags = fields.optional("tags", labels);
        Some(Self { id: id?, alias, name, color, environment, tags: tags.unwrap_or_default() })
    }

    fn keep(self, read: &mut Settings) {
        read.account.push(self);
    }
}

fn seconds(value: Value<'_>) -> Result<Duration, Malformed> {
    let seconds = i64::read(value).map_err(|_| Malformed::from("it must be a whole number"))?;
    Ok(u32::try_from(seconds).map_err(|_| Duration::refusal(seconds))?.try_into()?)
}

/// What is done with each entry of a table. The rest is the same for all of them, and compiled once.
struct Table {
    name: &'static str,
    cosmetic: &'static [&'static str],
    lost: fn(Option<Object<'_>>) -> Lost,
    key: fn(&Lost) -> Option<String>,
    read: for<'e> fn(Object<'e>, &Settings) -> (Fields<'e>, Option<Keep>),
}

/// Puts an entry that was read where it belongs.
type Keep = Box<dyn FnOnce(&mut Settings)>;

impl Table {
    const fn of<E: Entry>() -> Self {
        Self { name: E::TABLE, cosmetic: E::COSMETIC, lost: E::lost, key: E::key, read: read_entry::<E> }
    }
}

/// Reads an entry, and how it goes with the entries before it.
fn read_entry<'e, E: Entry>(entry: Object<'e>, before: &Settings) -> (Fields<'e>, Option<Keep>) {
    let mut fields = Fields::of(entry);
    let read = E::read(&mut fields);
    fields.bad.extend(read.as_ref().and_then(|read| read.conflict(before)));
    let keep = read.map(|read| -> Keep { Box::new(move |settings| read.keep(settings)) });
    (fields, keep)
}

/// What an entry is called in a sentence, by what can be read of it.
fn entry_name(lost: &Lost, table: &str, position: usize) -> String {
    match lost {
        Lost::Provider { id: Some(id), .. } => format!("the provider \"{id}\""),
        Lost::Role { arn: Some(arn), .. } => format!("the role {arn}"),
        Lost::Account { id: Some(id) } => format!("the account {id}"),
        _ => format!("[[{table}]] number {position}"),
    }
}

/// An entry that is being read, key by key, so that all that is wrong with it is found.
struct Fields<'a> {
    entry: Object<'a>,
    /// The keys that were asked for.
    known: Vec<&'static str>,
    /// Keys that cannot be read, and why.
    bad: Vec<(&'static str, Malformed)>,
    /// The first key without which there is no entry, and whether it is bad rather than missing.
    lacking: Option<(&'static str, bool)>,
}

impl<'a> Fields<'a> {
    fn of(entry: Object<'a>) -> Self {
        Self { entry, known: Vec::new(), bad: Vec::new(), lacking: None }
    }

    /// A key without which there is no entry.
    fn required<T>(&mut self, key: &'static str, read: fn(Value<'_>) -> Result<T, Malformed>) -> Option<T> {
        let value = self.given(key, read);
        if value.is_none() {
            let is_missing = matches!(self.entry.find(key), Ok(None));
            self.lacking.get_or_insert((key, !is_missing));
        }
        value
    }

    /// A key that may be missing.
    fn given<T>(&mut self, key: &'static str, read: fn(Value<'_>) -> Result<T, Malformed>) -> Option<T> {
        self.known.push(key);
        let value = self.entry.find(key);
        match value.and_then(|value| value.map(read).transpose()) {
            Ok(value) => value,
            Err(reason) => {
                self.bad.push((key, reason));
                None
            }
        }
    }

    /// A key that may be missing, or be null in JSON.
    fn optional<T>(&mut self, key: &'static str, read: fn(Value<'_>) -> Result<T, Malformed>) -> Option<T> {
        if matches!(self.entry.find(key), Ok(Some(value)) if value.is_null()) {
            self.known.push(key);
            return None;
        }
        self.given(key, read)
    }
}

/// Reads a string.
fn string(value: Value<'_>) -> Result<String, Malformed> {
    String::read(value).map_err(|_| "it must be a string".into())
}

/// Reads parameters of an address, by their names.
fn parameters(value: Value<'_>, reserved: &[&str]) -> Result<map::Map<String, String>, Malformed> {
    let parameters = value.object().map_err(|_| "it must be a table")?;
    let parameters: map::Map<String, String> = parameters.read()?;
    match reserved.iter().find(|name| parameters.contains_key(**name)) {
        Some(reserved) => Err(format!("they must not set {reserved}").into()),
        None => Ok(parameters),
    }
}

/// Reads a yes or no.
fn boolean(value: Value<'_>) -> Result<bool, Malformed> {
    value.boolean().map_err(|_| "it must be true or false".into())
}

/// Reads a string that people are shown.
fn label(value: Value<'_>) -> Result<String, Malformed> {
    string(value).map(|label| text::on_one_line(&label, text::LABEL_MAX))
}

/// Reads a sentence that people are shown.
fn description(value: Value<'_>) -> Result<String, Malformed> {
    string(value).map(|sentence| text::on_one_line(&sentence, DESCRIPTION_MAX))
}

/// Reads a list of strings.
fn strings(value: Value<'_>) -> Result<Vec<String>, Malformed> {
    Vec::<String>::read(value).map_err(|_| "it must be a list of strings".into())
}

/// Reads words that people are shown.
fn labels(value: Value<'_>) -> Result<Vec<String>, Malformed> {
    let mut labels = strings(value)?;
    for label in &mut labels {
        *label = text::on_one_line(label, text::LABEL_MAX);
    }
    Ok(labels)
}

/// Reads a colour.
fn color(value: Value<'_>) -> Result<String, Malformed> {
    let color = string(value)?;
    if is_color(&color) { Ok(color) } else { Err("it must be a colour's name or #rrggbb".into()) }
}

/// Reads a string that stands for something.
fn parsed<T: TryFrom<String, Error: Display>>(value: Value<'_>) -> Result<T, Malformed> {
    T::try_from(string(value)?).map_err(|error| error.to_string().into())
}

/// Reads a string that is one of a few.
fn chosen<T: Choice>(value: Value<'_>) -> Result<T, Malformed> {
    T::named(&string(value)?)
}

/// What was read so far.
struct Reader<'a> {
    lines: Lines<'a>,
    settings: Settings,
    found: Vec<(SettingsError, Option<Lost>)>,
    unknown: Vec<String>,
    /// Of each good role, by its provider: its ARN and its position in the document.
    roles: map::Map<ProviderId, Vec<(RoleArn, usize)>>,
}

impl<'a> Reader<'a> {
    fn of_toml(text: &'a str, table: &'a DeTable<'a>) -> Result<Self, SettingsError> {
        let json = json::to_string(&TomlTable(table));
        let document = Document::parse(&json).map_err(|_| SettingsError::NotADocument)?;
        let document = document.value().object().map_err(|_| SettingsError::NotADocument)?;
        Ok(Self::read(document, Lines::of_document(text, table)))
    }

    fn new(lines: Lines<'a>) -> Self {
        Self {
            lines,
            settings: Settings::default(),
            found: Vec::new(),
            unknown: Vec::new(),
            roles: map::Map::new(),
        }
    }

    fn read(document: Object<'_>, lines: Lines<'a>) -> Self {
        let mut reader = Self::new(lines);
        let known = [
            Provider::TABLE,
            Role::TABLE,
            Account::TABLE,
            DEFAULT_ACTION,
            BADGE,
            GROUP_BY,
            OTHER_GROUPS,
            ONLY_POLICY,
        ];
        reader.unknown.extend(document.names().filter(|name| !known.contains(&name.as_str())));
        for table in [Table::of::<Provider>(), Table::of::<Role>(), Table::of::<Account>()] {
            reader.table(&table, document);
        }
        reader.settings.preferences = Preferences {
            default_action: reader.choice(DEFAULT_ACTION, document),
            badge: reader.choice(BADGE, document),
            group_by: reader.choice(GROUP_BY, document),
            other_groups: reader.choice(OTHER_GROUPS, document),
        };
        reader.only_policy(document);
        reader.look_for_providers();
        reader
    }

    fn told(mut self) -> Reading {
        if self.found.len() > FAULTS_MAX {
            let count = self.found.split_off(FAULTS_MAX).len();
            // What is not told could be anything.
            self.found.push((SettingsError::More { count }, Some(Lost::Document)));
        }
        let fault = |(error, lost): (SettingsError, _)| Fault { problem: error.into(), lost };
        let faults = self.found.into_iter().map(fault).collect();
        Reading { settings: self.settings, faults, unknown: self.unknown }
    }

    /// Reads a key outside the tables on which nothing depends but what the popup looks like and does first.
    fn choice<T: Choice>(&mut self, key: &str, document: Object<'_>) -> Option<T> {
        let value = document.find(key);
        value.and_then(|value| value.map(chosen).transpose()).unwrap_or_else(|reason| {
            let reason = reason.to_string();
            let entry = format!("the value of {key}");
            let (line, reason) = (self.lines.of_table(key), plain(&reason));
            self.found.push((SettingsError::Entry { entry, line, reason }, None));
            None
        })
    }

    fn only_policy(&mut self, document: Object<'_>) {
        let is_policy = self.lines.document.is_none();
        let reason = match document.find(ONLY_POLICY).map(|value| value.map(Value::boolean)) {
            Ok(None) => return,
            Ok(Some(Ok(value))) if is_policy => {
                self.settings.only_policy = value;
                return;
            }
            _ if is_policy => "it must be true or false",
            _ => "it only has a meaning in a browser's policy",
        };
        let error = SettingsError::Entry {
            entry: format!("the value of {ONLY_POLICY}"),
            line: self.lines.of_table(ONLY_POLICY),
            reason: reason.to_owned(),
        };
        // A policy may have meant it.
        self.found.push((error, is_policy.then_some(Lost::Document)));
    }

    fn table(&mut self, table: &Table, document: Object<'_>) {
        let entries: Vec<_> = match document.find(table.name).map(|entries| entries.map(Value::list)) {
            Ok(None) => return,
            Ok(Some(Ok(entries))) => entries.collect(),
            _ => {
                let line = self.lines.of_table(table.name);
                let reason = "it must be a list of tables".to_owned();
                let entry = format!("the value of {}", table.name);
                let error = SettingsError::Entry { entry, line, reason };
                self.found.push((error, Some((table.lost)(None))));
                return;
            }
        };
        // Good or bad: two entries of one thing may contradict each other, and only the first one was meant.
        let losts: Vec<_> = entries.iter().map(|entry| (table.lost)(entry.object().ok())).collect();
        let keys: Vec<_> = losts.iter().map(table.key).collect();
        let mut twins = vec![None; entries.len()];
        let order = map::sorted(keys.len(), &|one, other| keys[one].cmp(&keys[other]));
        for same in order.chunk_by(|one, other| keys[*one].is_some() && keys[*one] == keys[*other]) {
            for later in &same[1..] {
                twins[*later] = Some(same[0]);
            }
        }
        for (index, entry) in entries.into_iter().enumerate() {
            self.entry(table, index, entry, &losts[index], twins[index]);
        }
    }

    /// Reads one entry. `twin` is where another entry of the same thing stands before it.
    fn entry(&mut self, table: &Table, index: usize, entry: Value<'_>, lost: &Lost, twin: Option<usize>) {
        let name = || entry_name(lost, table.name, index + 1);
        let line_of = |lines: &Lines<'_>, key| lines.of_entry(table.name, index, key);
        let refused = |line, reason: &str| {
            let error = SettingsError::Entry { entry: name(), line, reason: plain(reason) };
            (error, Some(lost.clone()))
        };
        let Ok(entry) = entry.object() else {
            self.found.push(refused(line_of(&self.lines, None), "it must be a table"));
            return;
        };
        let (Fields { known, bad, lacking, .. }, keep) = (table.read)(entry, &self.settings);
        let mut is_bad = false;
        for (key, reason) in bad {
            let reason = reason.to_string();
            let line = line_of(&self.lines, Some(key));
            if table.cosmetic.contains(&key) {
                let (entry, key, reason) = (name(), key.to_owned(), plain(&reason));
                self.found.push((SettingsError::Key { entry, line, key, reason }, None));
            } else {
                is_bad = true;
                let reason = if reason.starts_with(key) { reason } else { format!("{key}: {reason}") };
                self.found.push(refused(line, &reason));
            }
        }
        if let Some((key, false)) = lacking {
            self.found.push(refused(line_of(&self.lines, None), &format!("missing field `{key}`")));
        }
        let Some(keep) = keep.filter(|_| !is_bad) else { return };
        let unknown = entry.names().filter(|name| !known.contains(&name.as_str()));
        self.unknown.extend(unknown.map(|key| format!("{}.{index}.{key}", table.name)));
        if let Some(first) = twin {
            let first = first + 1;
            let reason = format!(
                "it is a duplicate, and only the first one counts ([[{}]] number {first})",
                table.name
            );
            self.found.push(refused(line_of(&self.lines, None), &reason));
            return;
        }
        if let Lost::Role { arn: Some(arn), provider: Some(provider), .. } = lost {
            self.roles.get_or_insert_with(provider.clone(), Vec::new).push((arn.clone(), index));
        }
        keep(&mut self.settings);
    }

    /// Names the roles whose provider is not here, once for each provider.
    fn look_for_providers(&mut self) {
        let here: Set<_> = self.settings.provider.iter().map(|provider| &provider.id).collect();
        let mut lost = Losses::default();
        lost.extend(self.found.iter().filter_map(|(_, lost)| lost.as_ref()));
        let mut found = Vec::new();
        for (id, roles) in self.roles.iter().filter(|(id, _)| !here.contains(id)) {
            let is_lost = lost.has_provider(id);
            let first = roles.first();
            let line = first.and_then(|(_, index)| self.lines.of_entry(Role::TABLE, *index, None));
            let arns = roles.iter().map(|(arn, _)| arn.clone()).collect();
            let id = id.clone();
            let gone = Lost::Roles { provider: id.clone() };
            let error = if is_lost {
                SettingsError::ProviderLeftOut { line, arns, id }
            } else {
                SettingsError::ProviderUnknown { line, arns, id }
            };
            found.push((error, Some(gone)));
        }
        self.found.extend(found);
    }
}

/// Reads an entry of a message, which has nothing wrong with it.
fn whole<E: Entry>(value: Value<'_>) -> Result<E, Malformed> {
    let mut fields = Fields::of(value.object()?);
    let read = E::read(&mut fields);
    match (fields.bad.first(), read) {
        (None, Some(read)) => Ok(read),
        (Some((key, reason)), _) => Err(Malformed::new(format!("{key}: {reason}"))),
        (None, None) => {
            Err(Malformed::new(format!("missing field {}", fields.lacking.map_or(E::TABLE, |(key, _)| key))))
        }
    }
}

impl ReadJson for Provider {
    fn read(value: Value<'_>) -> Result<Self, Malformed> {
        whole(value)
    }
}

impl ReadJson for Role {
    fn read(value: Value<'_>) -> Result<Self, Malformed> {
        whole(value)
    }
}

impl ReadJson for Account {
    fn read(value: Value<'_>) -> Result<Self, Malformed> {
        whole(value)
    }
}

/// A key's value, if it is as it should be.
fn readable<T: TryFrom<String, Error: Display>>(entry: Option<Object<'_>>, key: &str) -> Option<T> {
    parsed(entry?.find(key).ok()??).ok()
}

/// A reason on one line, however much of the document it repeats, ready to have a full stop after it.
fn plain(reason: &str) -> String {
    text::on_one_line(reason.trim_end_matches('.'), REASON_MAX)
}

/// The key that says what the popup does with a role first.
const DEFAULT_ACTION: &str = "default_action";
/// The key that says what the button in the toolbar shows.
const BADGE: &str = "badge";
/// The key that says below which headings roles are listed.
const GROUP_BY: &str = "group_by";
/// The key that says what becomes of roles for other groups.
const OTHER_GROUPS: &str = "other_groups";

/// The key by which a policy takes every other layer out of use.
const ONLY_POLICY: &str = "only_policy";

/// How many faults of a document are told: all of them have to fit into one message to the extension.
const FAULTS_MAX: usize = 200;

/// How many characters of a description are shown.
const DESCRIPTION_MAX: usize = 200;

/// How much of a reason is told: it may repeat what stands in the document.
const REASON_MAX: usize = 300;

#[cfg(test)]
mod tests;
