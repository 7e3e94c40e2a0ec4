//! The settings of this program alone, which stand in the same files as the others: `[host]`, `[loopback]`, and `loopback`
//! of a `[[provider]]`.

use std::collections::BTreeMap;
use std::fmt;

use rolecall_core::json::{ReadJson, WriteJson};
use rolecall_core::settings::{ClientSecret, Endpoint, Fault, Provider};
use rolecall_core::{Code, Problem};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use toml::de::{DeTable, DeValue};
use url::Url;

/// The tables that are this program's.
pub(crate) const TABLES: [&str; 2] = ["host", "loopback"];

/// What holds once all files are put together.
#[derive(Debug, Default)]
pub(crate) struct HostSettings {
    /// Extensions other than the product's own that may use the host: `[host] allowed_extensions = ["…"]`.
    pub(crate) allowed_extensions: Vec<String>,
    /// Where credentials are kept for when no browser answers: `[host] cache = "…"`.
    pub(crate) cache: CacheBackend,
    /// How a sign-in without the extension comes back: `[loopback] …`.
    pub(crate) loopback: LoopbackSettings,
    /// What the providers say of that, by their ids: `loopback = { … }` of `[[provider]]`.
    pub(crate) providers: Loopbacks,
}

impl HostSettings {
    /// How a sign-in at this provider comes back.
    pub(crate) fn loopback_of(&self, provider: &Provider) -> LoopbackSettings {
        let general = self.loopback.clone();
        let Some(own) = self.own_loopback(provider) else { return general };
        LoopbackSettings {
            ports: own.ports.clone().unwrap_or(general.ports),
            host: own.host.clone().unwrap_or(general.host),
            path: own.path.clone().unwrap_or(general.path),
        }
    }

    /// The provider, with the client that is registered there for this program.
    pub(crate) fn with_own_client(&self, provider: Provider) -> Provider {
        let Some(own) = self.own_loopback(&provider) else { return provider };
        match &own.client_id {
            Some(client_id) => Provider {
                client_id: client_id.clone(),
                client_secret: own.client_secret.clone(),
                ..provider
            },
            None => {
                Provider { client_secret: own.client_secret.clone().or(provider.client_secret), ..provider }
            }
        }
    }

    fn own_loopback(&self, provider: &Provider) -> Option<&ProviderLoopback> {
        self.providers.get(provider.id.as_str())?.as_ref()
    }
}

/// What each provider of a document says of `loopback`, by its id.
pub(crate) type Loopbacks = BTreeMap<String, Option<ProviderLoopback>>;

/// `loopback` of a `[[provider]]`: what differs there from `[loopback]` and from the extension's client.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct ProviderLoopback {
    /// The client, where the provider wants one of another kind for programs than for extensions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_id: Option<String>,
    /// That client's secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_secret: Option<ClientSecret>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ports: Option<Vec<u16>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
}

/// Where credentials are kept for when no browser answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ReadJson, WriteJson)]
#[serde(rename_all = "lowercase")]
#[json(rename_all = "lowercase")]
pub(crate) enum CacheBackend {
    /// Nowhere.
    #[default]
    None,
    /// In a file that only its owner can read.
    File,
    /// In the system's keyring: the Secret Service, the keychain, the credential manager.
    Keyring,
}

impl fmt::Display for CacheBackend {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::None => "none",
            Self::File => "file",
            Self::Keyring => "keyring",
        })
    }
}

/// Where a browser comes back to when the command line signs in by itself. These addresses are registered at the
/// provider; the previous tool used the same ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LoopbackSettings {
    /// The ports, in the order in which they are tried. 0 is any free port, for providers that ignore the port of a
    /// loopback address (RFC 8252 section 7.3).
    pub(crate) ports: Vec<u16>,
    /// `localhost`, `127.0.0.1` or `[::1]`, as registered.
    pub(crate) host: String,
    /// The path, as registered.
    pub(crate) path: String,
}

impl Default for LoopbackSettings {
    fn default() -> Self {
        let ports = [1, 2, 3, 4, 5, 6].iter().flat_map(|tens| [tens * 10_000 + 800, tens * 10_000 + 801]);
        Self { ports: ports.collect(), host: "localhost".to_owned(), path: "/redirect_uri".to_owned() }
    }
}

impl LoopbackSettings {
    /// The redirect URI at a port.
    pub(crate) fn redirect_uri(&self, port: u16) -> Result<Url, Problem> {
        let text = format!("http://{}:{port}{}", self.host, self.path);
        match text.parse::<Endpoint>() {
            Ok(endpoint) => Ok(endpoint.url().clone()),
            Err(error) => {
                Err(Problem::new(Code::SettingsInvalid, format!("[loopback] cannot be used: {error}.")))
            }
        }
    }
}

/// What one document says of it.
#[derive(Debug, Default)]
pub(crate) struct Document {
    allowed_extensions: Vec<String>,
    cache: Option<CacheBackend>,
    loopback: Option<LoopbackSettings>,
    /// Every provider of the document, since an entry stands in for the whole entry of a weaker document.
    providers: Loopbacks,
}

impl Document {
    /// Reads this part of a document. A key that is wrong is named, with its line in `place`, and as good as not there.
    /// The paths of unknown keys come last.
    pub(crate) fn read(text: &str, table: &DeTable<'_>, place: &str) -> (Self, Vec<Fault>, Vec<String>) {
        let mut reader = Reader { text, place, faults: Vec::new(), unknown: Vec::new() };
        let document = reader.read(table);
        (document, reader.faults, reader.unknown)
    }

    /// What its providers say of `loopback`.
    pub(crate) fn loopbacks(self) -> Loopbacks {
        self.providers
    }

    /// Adds what a weaker document says where this one says nothing.
    pub(crate) fn put_over(&mut self, weak: Self) {
        self.allowed_extensions.extend(weak.allowed_extensions);
        self.cache = self.cache.or(weak.cache);
        self.loopback = self.loopback.take().or(weak.loopback);
        for (id, loopback) in weak.providers {
            self.providers.entry(id).or_insert(loopback);
        }
    }
}

impl From<Document> for HostSettings {
    fn from(document: Document) -> Self {
        Self {
            allowed_extensions: document.allowed_extensions,
            cache: document.cache.unwrap_or_default(),
            loopback: document.loopback.unwrap_or_default(),
            providers: document.providers,
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    place: &'a str,
    faults: Vec<Fault>,
    unknown: Vec<String>,
}

impl Reader<'_> {
    fn read(&mut self, table: &DeTable<'_>) -> Document {
        let mut document = Document::default();
        if let Some(host) = self.table(table, "host") {
            self.look_for_unknown(host, "host", &["allowed_extensions", "cache"]);
            document.allowed_extensions = self.key(host, "[host]", "allowed_extensions").unwrap_or_default();
            // A cache that does not exist is not replaced by the one that a weaker file chooses.
            let cache = self.key(host, "[host]", "cache");
            document.cache = cache.or_else(|| host.contains_key("cache").then(CacheBackend::default));
        }
        document.loopback = self.table(table, "loopback").map(|loopback| {
            self.look_for_unknown(loopback, "loopback", &LOOPBACK_KEYS);
            let default = LoopbackSettings::default();
            LoopbackSettings {
                ports: self.key(loopback, "[loopback]", "ports").unwrap_or(default.ports),
                host: self.key(loopback, "[loopback]", "host").unwrap_or(default.host),
                path: self.key(loopback, "[loopback]", "path").unwrap_or(default.path),
            }
        });
        let providers = table.get("provider").and_then(|value| value.get_ref().as_array());
        for (index, entry) in providers.into_iter().flatten().enumerate() {
            let Some(entry) = entry.get_ref().as_table() else { continue };
            let Some(id) = entry.get("id").and_then(|id| id.get_ref().as_str()) else { continue };
            if document.providers.contains_key(id) {
                continue;
            }
            let name = format!("loopback of the provider \"{}\"", id.escape_debug());
            let loopback = self.table(entry, "loopback").map(|loopback| {
                let known = [&LOOPBACK_KEYS[..], &["client_id", "client_secret"]].concat();
                self.look_for_unknown(loopback, &format!("provider.{index}.loopback"), &known);
                ProviderLoopback {
                    client_id: self.key(loopback, &name, "client_id"),
                    client_secret: self
                        .key::<String>(loopback, &name, "client_secret")
                        .and_then(|secret| secret.try_into().ok()),
                    ports: self.key(loopback, &name, "ports"),
                    host: self.key(loopback, &name, "host"),
                    path: self.key(loopback, &name, "path"),
                }
            });
            document.providers.insert(id.to_owned(), loopback);
        }
        document
    }

    fn table<'t>(&mut self, document: &'t DeTable<'t>, name: &str) -> Option<&'t DeTable<'t>> {
        let value = document.get(name)?;
        if let DeValue::Table(table) = value.get_ref() {
            return Some(table);
        }
        self.name(value.span().start, &format!("the value of {name}"), "it must be a table");
        None
    }

    fn look_for_unknown(&mut self, table: &DeTable<'_>, path: &str, known: &[&str]) {
        let keys = table.keys().map(|key| key.get_ref().as_ref());
        self.unknown.extend(keys.filter(|key| !known.contains(key)).map(|key| format!("{path}.{key}")));
    }

    fn key<T: DeserializeOwned>(&mut self, table: &DeTable<'_>, name: &str, key: &str) -> Option<T> {
        let value = table.get(key)?.clone();
        let start = value.span().start;
        match T::deserialize(toml::de::ValueDeserializer::from(value)) {
            Ok(value) => Some(value),
            Err(error) => {
                let start = error.span().map_or(start, |span| span.start);
                self.name(start, &format!("{key} of {name}"), error.message());
                None
            }
        }
    }

    fn name(&mut self, start: usize, what: &str, reason: &str) {
        let before = self.text.get(..start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let message = format!("{}: line {line}: {what} cannot be used: {reason}.", self.place);
        self.faults.push(Fault { problem: Problem::new(Code::SettingsInvalid, message), lost: None });
    }
}

/// The keys of `[loopback]`.
const LOOPBACK_KEYS: [&str; 3] = ["ports", "host", "path"];
