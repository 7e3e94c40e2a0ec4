//! The machine's settings: `/etc/rolecall/config.toml` and the user's `rolecall/config.toml`.
//!
//! The user's file stands over the machine's, entry by entry. A file that cannot be read is left out and named; the
//! other one stays in use.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rolecall_core::settings::{Endpoint, Settings};
use rolecall_core::{Code, Problem};
use serde::Deserialize;
use url::Url;

use crate::{cache, platform};

/// What the files say.
#[derive(Debug, Default)]
pub(crate) struct Machine {
    /// The document, both files put over one another.
    pub(crate) settings: Settings,
    /// Extensions other than the product's own that may use the host: `[host] allowed_extensions = ["…"]`.
    pub(crate) allowed_extensions: Vec<String>,
    /// Where credentials are kept for when no browser answers: `[host] cache = "…"`.
    pub(crate) cache: cache::Place,
    /// How a sign-in without the extension comes back: `[loopback] …`.
    pub(crate) loopback: Loopback,
    /// One entry for each file that was looked for.
    pub(crate) files: Vec<File>,
}

/// Where a browser comes back to when the command line signs in by itself. These addresses are registered at the
/// provider; the first generation of this tool used the same ones.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Loopback {
    /// The ports, in the order in which they are tried. 0 is any free port, for providers that ignore the port of a
    /// loopback address (RFC 8252 section 7.3).
    pub(crate) ports: Vec<u16>,
    /// `localhost`, `127.0.0.1` or `[::1]`, as registered.
    pub(crate) host: String,
    /// The path, as registered.
    pub(crate) path: String,
}

impl Default for Loopback {
    fn default() -> Self {
        let ports = [1, 2, 3, 4, 5, 6].iter().flat_map(|tens| [tens * 10_000 + 800, tens * 10_000 + 801]);
        Self { ports: ports.collect(), host: "localhost".to_owned(), path: "/redirect_uri".to_owned() }
    }
}

impl Loopback {
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

/// One settings file.
#[derive(Debug)]
pub(crate) struct File {
    /// Its path.
    pub(crate) path: PathBuf,
    /// What became of it.
    pub(crate) state: State,
}

/// What became of a settings file.
#[derive(Debug)]
pub(crate) enum State {
    /// There is none, which is fine.
    Absent,
    /// It is in use. Keys that are not known were ignored; a newer version may know them.
    Read {
        /// The keys.
        unknown: Vec<String>,
    },
    /// It is not in use.
    Broken(Problem),
}

impl Machine {
    /// What is wrong with the files, if anything is.
    pub(crate) fn problem(&self) -> Option<&Problem> {
        self.files.iter().find_map(|file| match &file.state {
            State::Broken(problem) => Some(problem),
            _ => None,
        })
    }
}

/// Reads the files of this machine and user.
pub(crate) fn load() -> Machine {
    load_from(paths())
}

fn paths() -> impl Iterator<Item = PathBuf> {
    user_file().into_iter().chain([platform::machine_settings()])
}

/// Whether a file may choose a cache, for whoever has no time to read them: `false` is certain.
pub(crate) fn may_choose_a_cache() -> bool {
    paths().filter_map(|path| fs::read(path).ok()).any(|text| has_cache(&text))
}

/// Whether there is a line on a cache that is neither a comment nor says that there shall be none.
fn has_cache(text: &[u8]) -> bool {
    memchr::memmem::find_iter(text, b"cache").any(|at| {
        let begin = memchr::memrchr(b'\n', &text[..at]).map_or(0, |end_before| end_before + 1);
        let end = memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |length| at + length);
        let line = text[begin..end].trim_ascii();
        let value = line.strip_prefix(b"cache").and_then(|rest| rest.trim_ascii_start().strip_prefix(b"="));
        !line.starts_with(b"#") && value.is_none_or(|value| value.trim_ascii() != b"\"none\"")
    })
}

/// The user's own file, whether it is there or not: `$XDG_CONFIG_HOME/rolecall/config.toml`, where that is
/// `~/.config` by default.
pub(crate) fn user_file() -> Option<PathBuf> {
    Some(platform::config_home()?.join("rolecall").join("config.toml"))
}

/// Reads these files, the strongest first.
fn load_from(paths: impl IntoIterator<Item = PathBuf>) -> Machine {
    let mut machine = Machine::default();
    let mut loopback = None;
    let mut cache = None;
    for path in paths {
        let state = match read(&path) {
            Ok(None) => State::Absent,
            Ok(Some(document)) => {
                put_under(&mut machine.settings, document.settings);
                machine.allowed_extensions.extend(document.own.host.allowed_extensions);
                loopback = loopback.or(document.own.loopback);
                cache = cache.or(document.own.host.cache);
                State::Read { unknown: document.unknown }
            }
            Err(problem) => State::Broken(problem),
        };
        machine.files.push(File { path, state });
    }
    machine.loopback = loopback.unwrap_or_default();
    machine.cache = cache.unwrap_or_default();
    machine
}

struct Document {
    settings: Settings,
    own: Own,
    unknown: Vec<String>,
}

fn read(path: &Path) -> Result<Option<Document>, Problem> {
    let refuse =
        |reason: String| Problem::new(Code::SettingsInvalid, format!("{}: {reason}", path.display()));
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refuse(format!("The file cannot be read: {error}."))),
    };
    let (settings, mut unknown) = Settings::from_toml(&text).map_err(|error| refuse(error.to_string()))?;
    let own: Own = toml::from_str(&text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        refuse(format!("line {}: {}", before.matches('\n').count() + 1, error.message()))
    })?;
    unknown.retain(|key| !["host", "loopback"].contains(&key.as_str()));
    Ok(Some(Document { settings, own, unknown }))
}

/// The part that concerns this program alone and is not sent to the extension.
#[derive(Deserialize)]
struct Own {
    #[serde(default)]
    host: Host,
    loopback: Option<Loopback>,
}

#[derive(Default, Deserialize)]
struct Host {
    #[serde(default)]
    allowed_extensions: Vec<String>,
    cache: Option<cache::Place>,
}

/// The part of `other` that `own` does not have.
pub(crate) fn missing(own: &Settings, other: Settings) -> Settings {
    let mut whole = own.clone();
    put_under(&mut whole, other);
    Settings {
        provider: whole.provider.split_off(own.provider.len()),
        role: whole.role.split_off(own.role.len()),
        account: whole.account.split_off(own.account.len()),
    }
}

/// Adds what is not there already, by the rule of the layers: an entry of the stronger file replaces the whole entry
/// of the weaker one.
fn put_under(strong: &mut Settings, weak: Settings) {
    for provider in weak.provider {
        if strong.provider.iter().all(|other| other.id != provider.id) {
            strong.provider.push(provider);
        }
    }
    for role in weak.role {
        if strong.role.iter().all(|other| (&other.provider, &other.arn) != (&role.provider, &role.arn)) {
            strong.role.push(role);
        }
    }
    for account in weak.account {
        if strong.account.iter().all(|other| other.id != account.id) {
            strong.account.push(account);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACHINE: &str = r#"
        [[provider]]
        id = "corp"
        well_known_url = "https://machine.example/.well-known/openid-configuration"
        client_id = "machine"
        [[provider]]
        id = "other"
        well_known_url = "https://other.example/.well-known/openid-configuration"
        client_id = "other"
        [host]
        allowed_extensions = ["abc"]
    "#;
    const USER: &str = r#"
        [[provider]]
        id = "corp"
        well_known_url = "https://user.example/.well-known/openid-configuration"
        client_id = "user"
    "#;

    fn files(user: &str, machine: &str) -> (tempfile::TempDir, [PathBuf; 2]) {
        let folder = tempfile::tempdir().unwrap();
        let paths = ["user.toml", "machine.toml"].map(|name| folder.path().join(name));
        fs::write(&paths[0], user).unwrap();
        fs::write(&paths[1], machine).unwrap();
        (folder, paths)
    }

    #[test]
    fn an_entry_of_the_users_file_replaces_the_machines() {
        let (_folder, paths) = files(USER, MACHINE);
        let machine = load_from(paths);
        let clients: Vec<_> = machine.settings.provider.iter().map(|p| p.client_id.as_str()).collect();
        assert_eq!(clients, ["user", "other"]);
        assert_eq!(machine.allowed_extensions, ["abc"]);
        assert!(machine.problem().is_none());
    }

    #[test]
    fn a_broken_file_is_named_with_its_line_and_the_other_stays_in_use() {
        let (_folder, paths) = files("[[provider]]\nid = 7\n", MACHINE);
        let machine = load_from(paths.clone());
        assert_eq!(machine.settings.provider.len(), 2);
        let problem = machine.problem().unwrap();
        assert!(problem.is(Code::SettingsInvalid));
        assert!(problem.message.starts_with(&format!("{}: ", paths[0].display())), "{problem}");
        assert!(problem.message.contains("line 2"), "{problem}");
    }

    #[test]
    fn the_redirect_goes_where_the_first_generation_had_it_unless_told_otherwise() {
        let (_folder, paths) = files(USER, MACHINE);
        let loopback = load_from(paths).loopback;
        assert_eq!(loopback.ports[..4], [10_800, 10_801, 20_800, 20_801]);
        assert_eq!(loopback.ports.last(), Some(&60_801));
        assert_eq!(loopback.redirect_uri(10_800).unwrap().as_str(), "http://localhost:10800/redirect_uri");
        let (_folder, paths) = files("[loopback]\nports = [0]\nhost = \"127.0.0.1\"\n", MACHINE);
        let loopback = load_from(paths).loopback;
        assert_eq!(loopback.redirect_uri(7).unwrap().as_str(), "http://127.0.0.1:7/redirect_uri");
        let outside = Loopback { host: "evil.example".to_owned(), ..Loopback::default() };
        assert!(outside.redirect_uri(7).unwrap_err().is(Code::SettingsInvalid));
    }

    #[test]
    fn the_users_file_chooses_the_cache_over_the_machines() {
        let (_folder, paths) = files("", "");
        assert_eq!(load_from(paths).cache, cache::Place::None);
        let (_folder, paths) = files("", "[host]\ncache = \"keyring\"\n");
        assert_eq!(load_from(paths).cache, cache::Place::Keyring);
        let (_folder, paths) = files("[host]\ncache = \"none\"\n", "[host]\ncache = \"keyring\"\n");
        assert_eq!(load_from(paths).cache, cache::Place::None);
    }

    #[test]
    fn a_cache_that_there_is_not_is_refused_with_its_line() {
        let (_folder, paths) = files("[host]\nallowed_extensions = []\ncache = \"disk\"\n", MACHINE);
        let problem = load_from(paths).problem().unwrap().clone();
        let reason = "line 3: unknown variant `disk`, expected one of `none`, `file`, `keyring`";
        assert!(problem.message.ends_with(reason), "{problem}");
    }

    #[test]
    fn a_cache_is_looked_for_without_reading_the_document() {
        for (text, may_choose) in [
            ("[host]\ncache = \"file\"", true),
            ("[host]\n  cache=\"keyring\" # mine\r\n", true),
            ("host = { cache = \"file\" }\n", true),
            ("host.cache = \"file\"\n# cache = \"none\"\n", true),
            ("[host]\ncache = \"none\"\r\n", false),
            ("[host]\n# cache = \"file\"\n", false),
            ("[host]\nallowed_extensions = []\n", false),
            ("", false),
        ] {
            assert_eq!(has_cache(text.as_bytes()), may_choose, "{text}");
        }
    }

    #[test]
    fn files_need_not_exist() {
        let folder = tempfile::tempdir().unwrap();
        let machine = load_from([folder.path().join("none.toml")]);
        assert!(machine.problem().is_none());
        assert!(matches!(machine.files[0].state, State::Absent));
    }
}
