//! Reads a document entry by entry: what is wrong with one entry is told and loses no other.
//!
//! An entry that cannot be used is left out as a whole, with one exception: a key that people only look at (a name, a
//! colour) is left out by itself. Everything else decides whom a person trusts or what a program may have, and half of
//! such an entry could mean more than the whole. What is left out is remembered as [`Lost`], so that nothing weaker
//! takes its place.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::document::{RESERVED, is_color};
use super::{Account, Approve, ProfileName, Provider, ProviderId, Role, Settings, SettingsError};
use crate::aws::{AccountId, RoleArn};
use crate::{Error, Problem};

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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What people are told.
    pub problem: Problem,
    /// What is missing because of it. Nothing, if it is a key that people only look at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<Lost>,
}

/// What is missing because it cannot be used, as far as it can be told what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum Lost {
    /// All of it.
    Document,
    /// A provider.
    Provider {
        /// Its id, if that can be read.
        id: Option<ProviderId>,
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
    /// Whether it is the provider of this id.
    #[must_use]
    pub fn is_provider(&self, wanted: &ProviderId) -> bool {
        matches!(self, Self::Provider { id: Some(id) } if id == wanted)
    }

    /// Whether it is, or may have been, the role of this provider.
    #[must_use]
    pub fn is_role(&self, wanted: &RoleArn, of: &ProviderId) -> bool {
        matches!(self, Self::Role { arn: Some(arn), provider, .. }
            if arn == wanted && provider.as_ref().is_none_or(|provider| provider == of))
    }

    /// Whether it is what the account is called.
    #[must_use]
    pub fn is_account(&self, wanted: &AccountId) -> bool {
        matches!(self, Self::Account { id: Some(id) } if id == wanted)
    }

    /// Whether it could have been any entry.
    #[must_use]
    pub fn is_anything(&self) -> bool {
        match self {
            Self::Document => true,
            Self::Provider { id } => id.is_none(),
            Self::Role { arn, .. } => arn.is_none(),
            Self::Account { id } => id.is_none(),
            Self::Roles { .. } => false,
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
        let (document, lines) = toml_document(text)?;
        Ok(Reader::read(&document, &lines).told())
    }

    /// Reads a JSON document.
    #[must_use]
    pub fn from_json(document: &Value) -> Self {
        match document {
            Value::Object(document) => Reader::read(document, &Lines::default()).told(),
            _ => Self::lost(SettingsError::NotADocument),
        }
    }

    /// A document of which nothing can be used.
    #[must_use]
    pub fn lost(error: SettingsError) -> Self {
        let problem = Error::from(error).into();
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
        let lost: Vec<_> = self.losses().cloned().collect();
        let strong = &mut self.settings;
        for provider in weak.settings.provider {
            let is_lost = lost.iter().any(|lost| lost.is_provider(&provider.id));
            if !is_lost && strong.provider.iter().all(|other| other.id != provider.id) {
                strong.provider.push(provider);
            }
        }
        for role in weak.settings.role {
            let is_lost = lost.iter().any(|lost| lost.is_role(&role.arn, &role.provider));
            let same = |other: &Role| (&other.provider, &other.arn) == (&role.provider, &role.arn);
            if !is_lost && !strong.role.iter().any(same) {
                strong.role.push(role);
            }
        }
        for account in weak.settings.account {
            let is_lost = lost.iter().any(|lost| lost.is_account(&account.id));
            if !is_lost && strong.account.iter().all(|other| other.id != account.id) {
                strong.account.push(account);
            }
        }
        self.faults.extend(weak.faults);
        self.unknown.extend(weak.unknown);
    }
}

impl Settings {
    /// Reads a TOML document of which every entry must be good. The second part lists keys that are not known.
    pub fn from_toml(text: &str) -> Result<(Self, Vec<String>), SettingsError> {
        let (document, lines) = toml_document(text)?;
        let reader = Reader::read(&document, &lines);
        // Roles may name a provider of another document.
        let mut errors =
            reader.found.into_iter().filter(|(_, lost)| !matches!(lost, Some(Lost::Roles { .. })));
        match errors.next() {
            Some((error, _)) => Err(error),
            None => Ok((reader.settings, reader.unknown)),
        }
    }
}

/// What an entry has to be beyond what its type says.
trait Entry: DeserializeOwned + PartialEq {
    /// The table's name.
    const TABLE: &'static str;
    /// Keys without which the entry means the same.
    const COSMETIC: &'static [&'static str];

    /// What is missing without this entry.
    fn lost(entry: &Map<String, Value>) -> Lost;

    /// What it is called in a sentence, by what can be read of it.
    fn name(lost: &Lost, position: usize) -> String {
        match lost {
            Lost::Provider { id: Some(id) } => format!("the provider \"{id}\""),
            Lost::Role { arn: Some(arn), .. } => format!("the role {arn}"),
            Lost::Account { id: Some(id) } => format!("the account {id}"),
            _ => format!("[[{}]] number {position}", Self::TABLE),
        }
    }

    /// The key that cannot be as it is, and why.
    fn refused(&self, read: &Settings) -> Option<(&'static str, String)>;

    /// Whether both are of the same thing.
    fn is_twin(one: &Lost, other: &Lost) -> bool;

    /// Where it goes.
    fn keep(self, read: &mut Settings);
}

impl Entry for Provider {
    const TABLE: &'static str = "provider";
    const COSMETIC: &'static [&'static str] = &["name"];

    fn lost(entry: &Map<String, Value>) -> Lost {
        Lost::Provider { id: readable(entry, "id") }
    }

    fn refused(&self, _: &Settings) -> Option<(&'static str, String)> {
        if self.client_id.is_empty() {
            return Some(("client_id", "it is empty".to_owned()));
        }
        // OIDC Core 3.1.2.1: without it the request is not an OpenID Connect request.
        if !self.scope.split(' ').any(|scope| scope == "openid") {
            return Some(("scope", "it lacks openid".to_owned()));
        }
        let reserved = self.authorize_params.keys().find(|name| RESERVED.contains(&name.as_str()))?;
        Some(("authorize_params", format!("they must not set {reserved}")))
    }

    fn is_twin(one: &Lost, other: &Lost) -> bool {
        matches!(other, Lost::Provider { id: Some(id) } if one.is_provider(id))
    }

    fn keep(self, read: &mut Settings) {
        read.provider.push(self);
    }
}

impl Entry for Role {
    const TABLE: &'static str = "role";
    const COSMETIC: &'static [&'static str] = &["color"];

    fn lost(entry: &Map<String, Value>) -> Lost {
        Lost::Role {
            arn: readable(entry, "arn"),
            provider: readable(entry, "provider"),
            profile: readable(entry, "profile"),
        }
    }

    fn refused(&self, read: &Settings) -> Option<(&'static str, String)> {
        if self.color.as_deref().is_some_and(|color| !is_color(color)) {
            return Some(("color", "it must be a colour's name or #rrggbb".to_owned()));
        }
        let provider = read.provider.iter().find(|provider| provider.id == self.provider);
        let approve = provider.map_or(self.approve, |provider| self.approve(provider));
        (approve != Approve::Never && self.credentials == super::CredentialsMode::File).then(|| {
            let reason = "every program can read what credentials = \"file\" writes, so approve cannot hold";
            ("credentials", reason.to_owned())
        })
    }

    fn is_twin(one: &Lost, other: &Lost) -> bool {
        let key = |lost: &Lost| match lost {
            Lost::Role { arn: Some(arn), provider: Some(provider), .. } => {
                Some((arn.clone(), provider.clone()))
            }
            _ => None,
        };
        key(one).is_some_and(|one| key(other) == Some(one))
    }

    fn keep(self, read: &mut Settings) {
        read.role.push(self);
    }
}

impl Entry for Account {
    const TABLE: &'static str = "account";
    const COSMETIC: &'static [&'static str] = &[];

    fn lost(entry: &Map<String, Value>) -> Lost {
        Lost::Account { id: readable(entry, "id") }
    }

    fn refused(&self, _: &Settings) -> Option<(&'static str, String)> {
        None
    }

    fn is_twin(one: &Lost, other: &Lost) -> bool {
        matches!(other, Lost::Account { id: Some(id) } if one.is_account(id))
    }

    fn keep(self, read: &mut Settings) {
        read.account.push(self);
    }
}

/// What was read so far.
struct Reader<'a> {
    lines: &'a Lines,
    settings: Settings,
    found: Vec<(SettingsError, Option<Lost>)>,
    unknown: Vec<String>,
    /// Of each good role, by its provider: its ARN and line.
    roles: BTreeMap<ProviderId, Vec<(RoleArn, Option<usize>)>>,
}

impl<'a> Reader<'a> {
    fn read(document: &Map<String, Value>, lines: &'a Lines) -> Self {
        let mut reader = Self {
            lines,
            settings: Settings::default(),
            found: Vec::new(),
            unknown: Vec::new(),
            roles: BTreeMap::new(),
        };
        let known = [Provider::TABLE, Role::TABLE, Account::TABLE];
        reader.unknown.extend(document.keys().filter(|key| !known.contains(&key.as_str())).cloned());
        reader.table::<Provider>(document);
        reader.table::<Role>(document);
        reader.table::<Account>(document);
        reader.look_for_providers();
        reader
    }

    fn told(mut self) -> Reading {
        if self.found.len() > FAULTS_MAX {
            let count = self.found.split_off(FAULTS_MAX).len();
            // What is not told could be anything.
            self.found.push((SettingsError::More { count }, Some(Lost::Document)));
        }
        let fault = |(error, lost)| Fault { problem: Error::from(error).into(), lost };
        let faults = self.found.into_iter().map(fault).collect();
        Reading { settings: self.settings, faults, unknown: self.unknown }
    }

    fn table<E: Entry>(&mut self, document: &Map<String, Value>) {
        let entries = match document.get(E::TABLE) {
            None => return,
            Some(Value::Array(entries)) => entries,
            Some(_) => {
                let line = self.lines.of(&[E::TABLE]);
                let reason = "it must be a list of tables".to_owned();
                let entry = format!("what stands under {}", E::TABLE);
                let error = SettingsError::Entry { entry, line, reason };
                self.found.push((error, Some(E::lost(&Map::new()))));
                return;
            }
        };
        // Good or bad: two entries of one thing may contradict each other, and only the first one was meant.
        let mut seen: Vec<Lost> = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            let nothing = Map::new();
            let lost = E::lost(entry.as_object().unwrap_or(&nothing));
            self.entry::<E>(index, entry, &lost, &seen);
            seen.push(lost);
        }
    }

    fn entry<E: Entry>(&mut self, index: usize, entry: &Value, lost: &Lost, seen: &[Lost]) {
        let position = index.to_string();
        let line_of = |lines: &Lines, key: Option<&str>| {
            let of_key = key.and_then(|key| lines.of(&[E::TABLE, &position, key]));
            of_key.or_else(|| lines.of(&[E::TABLE, &position]))
        };
        let name = E::name(lost, index + 1);
        let Value::Object(entry) = entry else {
            let reason = "it must be a table".to_owned();
            let error = SettingsError::Entry { entry: name, line: line_of(self.lines, None), reason };
            self.found.push((error, Some(lost.clone())));
            return;
        };
        let mut entry = entry.clone();
        let mut is_bad = false;
        let mut taken = Vec::new();
        // Each turn takes a bad key away, so that the next one is seen as well.
        let read = loop {
            let mut unknown = Vec::new();
            let (key, reason) = match deserialize::<E>(&entry, &mut unknown) {
                Ok(read) => {
                    let Some((key, reason)) = read.refused(&self.settings) else {
                        let path = |key| format!("{}.{index}.{key}", E::TABLE);
                        self.unknown.extend(unknown.into_iter().map(path));
                        break read;
                    };
                    (Some(key.to_owned()), reason)
                }
                Err(error) => error,
            };
            let Some(key) = key.filter(|key| entry.contains_key(key)) else {
                // A key is missing. That is no news if it was taken away above.
                if !taken.iter().any(|key| reason.contains(&format!("`{key}`"))) {
                    let line = line_of(self.lines, None);
                    let error = SettingsError::Entry { entry: name, line, reason: plain(&reason) };
                    self.found.push((error, Some(lost.clone())));
                }
                return;
            };
            entry.remove(&key);
            taken.push(key.clone());
            let line = line_of(self.lines, Some(&key));
            let reason = plain(&reason);
            if E::COSMETIC.contains(&key.as_str()) {
                self.found.push((SettingsError::Key { entry: name.clone(), line, key, reason }, None));
            } else {
                is_bad = true;
                let reason = if reason.starts_with(&key) { reason } else { format!("{key}: {reason}") };
                let error = SettingsError::Entry { entry: name.clone(), line, reason };
                self.found.push((error, Some(lost.clone())));
            }
        };
        if is_bad {
            return;
        }
        let line = line_of(self.lines, None);
        if let Some(first) = seen.iter().position(|other| E::is_twin(other, lost)) {
            let first = first + 1;
            let reason =
                format!("it stands twice, and only the first one counts ([[{}]] number {first})", E::TABLE);
            self.found.push((SettingsError::Entry { entry: name, line, reason }, Some(lost.clone())));
            return;
        }
        if let Lost::Role { arn: Some(arn), provider: Some(provider), .. } = lost {
            self.roles.entry(provider.clone()).or_default().push((arn.clone(), line));
        }
        read.keep(&mut self.settings);
    }

    /// Names the roles whose provider is not here, once for each provider.
    fn look_for_providers(&mut self) {
        let here: BTreeSet<_> = self.settings.provider.iter().map(|provider| &provider.id).collect();
        let mut found = Vec::new();
        for (id, roles) in self.roles.iter().filter(|(id, _)| !here.contains(id)) {
            let is_lost =
                self.found.iter().any(|(_, lost)| lost.as_ref().is_some_and(|lost| lost.is_provider(id)));
            let line = roles.first().and_then(|(_, line)| *line);
            let arns = roles.iter().map(|(arn, _)| arn.clone()).collect();
            let id = id.clone();
            let lost = Lost::Roles { provider: id.clone() };
            let error = if is_lost {
                SettingsError::ProviderLeftOut { line, arns, id }
            } else {
                SettingsError::ProviderUnknown { line, arns, id }
            };
            found.push((error, Some(lost)));
        }
        self.found.extend(found);
    }
}

/// The entry, or the key that cannot be read and why. Without a key, one is missing.
fn deserialize<E: Entry>(
    entry: &Map<String, Value>,
    unknown: &mut Vec<String>,
) -> Result<E, (Option<String>, String)> {
    let mut ignored = |path: serde_ignored::Path<'_>| unknown.push(path.to_string());
    let entry = serde_ignored::Deserializer::new(Value::Object(entry.clone()), &mut ignored);
    serde_path_to_error::deserialize(entry).map_err(|error| {
        let key = error.path().iter().find_map(|segment| match segment {
            serde_path_to_error::Segment::Map { key } => Some(key.clone()),
            _ => None,
        });
        (key, error.inner().to_string())
    })
}

/// A key's value, if it is as it should be.
fn readable<T: DeserializeOwned>(entry: &Map<String, Value>, key: &str) -> Option<T> {
    serde_json::from_value(entry.get(key)?.clone()).ok()
}

/// A reason on one line, however much of the document it repeats, ready to have a full stop after it.
fn plain(reason: &str) -> String {
    let reason = reason.trim_end_matches('.');
    let words: String =
        reason.chars().map(|c| if c.is_control() { ' ' } else { c }).take(REASON_MAX).collect();
    if words.len() < reason.len() { words + "…" } else { words }
}

/// On which line each entry and each key begins, by its path.
#[derive(Debug, Default)]
struct Lines(BTreeMap<Vec<String>, usize>);

impl Lines {
    fn of(&self, path: &[&str]) -> Option<usize> {
        let path: Vec<_> = path.iter().map(|part| (*part).to_owned()).collect();
        self.0.get(&path).copied()
    }

    /// Notes where the keys of the tables that are read begin.
    fn note(&mut self, text: &str, document: &toml::de::DeTable<'_>) {
        let line = |offset: usize| line_at(text, offset);
        for (table, entries) in document {
            let table_name = table.get_ref().to_string();
            self.0.insert(vec![table_name.clone()], line(table.span().start));
            let Some(entries) = entries.get_ref().as_array() else { continue };
            for (index, entry) in entries.iter().enumerate() {
                let path = |key: &[&str]| {
                    let start = [table_name.clone(), index.to_string()];
                    start.into_iter().chain(key.iter().map(|key| (*key).to_owned())).collect::<Vec<_>>()
                };
                self.0.insert(path(&[]), line(entry.span().start));
                for key in entry.get_ref().as_table().into_iter().flatten().map(|(key, _)| key) {
                    self.0.insert(path(&[key.get_ref()]), line(key.span().start));
                }
            }
        }
    }
}

fn toml_document(text: &str) -> Result<(Map<String, Value>, Lines), SettingsError> {
    let not_toml = |error: toml::de::Error| SettingsError::NotToml {
        line: error.span().map_or(1, |span| line_at(text, span.start)),
        reason: plain(error.message()),
    };
    let mut lines = Lines::default();
    lines.note(text, toml::de::DeTable::parse(text).map_err(not_toml)?.get_ref());
    Ok((toml::from_str(text).map_err(not_toml)?, lines))
}

/// The line, counted from 1, on which a byte stands.
fn line_at(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

/// How many faults of a document are told: all of them have to fit into one message to the extension.
const FAULTS_MAX: usize = 200;

/// How much of a reason is told: it may repeat what stands in the document.
const REASON_MAX: usize = 300;

#[cfg(test)]
mod tests;
