//! The machine's settings: `/etc/rolecall/config.toml` and the user's `rolecall/config.toml`.
//!
//! The user's file stands over the machine's, entry by entry. What of a file cannot be used is left out and named with
//! its line; everything else stays in use.
//!
//! A file that is no TOML at all says nothing. Then what it said last stays in use: a copy of it is kept in the user's
//! state folder, for its owner alone, whenever a command that a person waits for reads the files and they have
//! changed. Who removes a file wants no settings, so its copy goes as well.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use rolecall_core::settings::{Effective, Endpoint, Fault, Layers, Reading, Settings};
use rolecall_core::{Code, Error, Problem};
use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};
use url::Url;

use crate::{cache, output, platform};

/// What the files say.
#[derive(Debug, Default)]
pub(crate) struct Machine {
    /// The documents, one put over the other, and what of them cannot be used.
    pub(crate) reading: Reading,
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
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// Where what it says is kept, for when it cannot be read.
    copy: Option<PathBuf>,
}

/// What became of a settings file.
#[derive(Debug)]
pub(crate) enum State {
    /// There is none, which is fine.
    Absent,
    /// It is in use, apart from what is wrong with it.
    Read {
        /// Keys that are not known and were ignored; a newer version may know them.
        unknown: Vec<String>,
        /// What it says.
        text: String,
    },
    /// It cannot be read. What it said before is in use.
    Kept {
        /// The copy.
        copy: PathBuf,
        /// From when it is.
        since: String,
    },
    /// It cannot be read, and nothing of it is in use.
    Lost,
}

impl Machine {
    /// What holds for whoever knows no other settings than these.
    pub(crate) fn effective(&self) -> Effective {
        Layers { machine: self.reading.clone(), ..Layers::default() }.effective()
    }

    /// Keeps what the files say, for when they cannot be read.
    fn remember(&self) {
        for file in &self.files {
            let Some(copy) = &file.copy else { continue };
            let kept = match &file.state {
                // The copy may be another file's, of the same user at another time.
                State::Absent if read_copy(copy, &file.path).is_some() => fs::remove_file(copy),
                State::Read { text, .. } => keep_copy(copy, &file.path, text),
                State::Absent | State::Kept { .. } | State::Lost => Ok(()),
            };
            if let Err(error) = kept {
                tracing::warn!(%error, path = %copy.display(), "the settings are not kept");
            }
        }
    }
}

/// Reads the files of this machine and user. It writes nothing: a tool may be waiting.
pub(crate) fn load() -> Machine {
    load_from(files())
}

/// Reads the files for a person or a browser, and keeps what they say for when they cannot be read.
pub(crate) fn load_and_remember() -> Machine {
    let machine = load();
    machine.remember();
    machine
}

/// Tells a person what is wrong with the settings: each thing on a line, and once however often it is found. `failure`
/// is what they are told anyway. Roles of an unknown provider are no news: the browser's policy may have it.
pub(crate) fn tell(effective: &Effective, failure: Option<&Problem>) {
    static TOLD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    for problem in effective.problems.iter().filter(|problem| problem.is(Code::SettingsInvalid)) {
        let is_told = failure.is_some_and(|failure| failure.message.contains(&problem.message));
        if !is_told && told.insert(problem.message.clone()) {
            output::warn(problem);
        }
    }
}

/// Each file, the strongest first, and where its copy is.
fn files() -> Vec<(PathBuf, Option<PathBuf>)> {
    let folder = platform::state_home().map(|state| state.join("rolecall"));
    let copy = |name: &str| folder.as_ref().map(|folder| folder.join(name));
    let user = user_file().map(|path| (path, copy("settings-user.toml")));
    user.into_iter().chain([(platform::machine_settings(), copy("settings-machine.toml"))]).collect()
}

/// Whether a file may choose a cache, for whoever has no time to read them: `false` is certain.
pub(crate) fn may_choose_a_cache() -> bool {
    files().into_iter().filter_map(|(path, _)| fs::read(path).ok()).any(|text| has_cache(&text))
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

/// Reads these files, the strongest first, or their copies.
fn load_from(files: impl IntoIterator<Item = (PathBuf, Option<PathBuf>)>) -> Machine {
    let mut machine = Machine::default();
    let mut own = Own::default();
    for (path, copy) in files {
        let (state, document) = read(&path, copy.as_deref());
        machine.reading.put_over(document.reading);
        own.put_over(document.own);
        machine.files.push(File { path, state, copy });
    }
    machine.allowed_extensions = own.allowed_extensions;
    machine.loopback = own.loopback.unwrap_or_default();
    machine.cache = own.cache.unwrap_or_default();
    machine
}

/// What one file says.
#[derive(Debug, Default)]
struct Document {
    reading: Reading,
    own: Own,
}

fn read(path: &Path, copy: Option<&Path>) -> (State, Document) {
    let shown = path.display().to_string();
    let refused = match fs::read_to_string(path) {
        Ok(text) => match parse(&text, &shown) {
            Ok(mut document) => {
                let unknown = std::mem::take(&mut document.reading.unknown);
                return (State::Read { unknown, text }, document);
            }
            Err(problem) => problem,
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => return (State::Absent, Document::default()),
        Err(error) => {
            Problem::new(Code::SettingsInvalid, format!("{shown}: the file cannot be read: {error}."))
        }
    };
    if let Some((copy, since, text)) = copy.and_then(|copy| read_copy(copy, path))
        && let Ok(mut document) = parse(&text, &format!("{shown}, as it was on {since}"))
    {
        let message = format!("{} The settings of {since} stay in use.", refused.message);
        let problem = Problem { message, ..refused };
        document.reading.faults.insert(0, Fault { problem, lost: None });
        document.reading.unknown.clear();
        return (State::Kept { copy, since }, document);
    }
    let lost = Some(rolecall_core::settings::Lost::Document);
    let reading = Reading { faults: vec![Fault { problem: refused, lost }], ..Reading::default() };
    (State::Lost, Document { reading, ..Document::default() })
}

/// Reads a document; what is wrong with it is told of this place. It is a problem only if it is no TOML.
fn parse(text: &str, place: &str) -> Result<Document, Problem> {
    let refuse = |error| {
        let problem = Problem::from(Error::Settings(error));
        Problem { message: format!("{place}: {}", problem.message), ..problem }
    };
    let mut reading = Reading::from_toml(text).map_err(refuse)?.at(place);
    reading.unknown.retain(|key| !["host", "loopback"].contains(&key.as_str()));
    let mut own = OwnReader { text, place, reading: &mut reading };
    let own = own.read();
    Ok(Document { reading, own })
}

/// The part that concerns this program alone and is not sent to the extension.
#[derive(Debug, Default)]
struct Own {
    allowed_extensions: Vec<String>,
    cache: Option<cache::Place>,
    loopback: Option<Loopback>,
}

impl Own {
    fn put_over(&mut self, weak: Self) {
        self.allowed_extensions.extend(weak.allowed_extensions);
        self.cache = self.cache.or(weak.cache);
        self.loopback = self.loopback.take().or(weak.loopback);
    }
}

/// Reads that part key by key: one that is wrong is named and as good as not there.
struct OwnReader<'a> {
    text: &'a str,
    place: &'a str,
    reading: &'a mut Reading,
}

impl OwnReader<'_> {
    fn read(&mut self) -> Own {
        // It was read before, so it is TOML.
        let Ok(document) = DeTable::parse(self.text) else { return Own::default() };
        let document = document.into_inner();
        let mut own = Own::default();
        if let Some(host) = self.table(&document, "host") {
            own.allowed_extensions = self.key(&host, "host", "allowed_extensions").unwrap_or_default();
            // Who wrote a cache that there is not did not want the one that a weaker file chooses.
            let cache = self.key(&host, "host", "cache");
            own.cache = cache.or_else(|| host.contains_key("cache").then(cache::Place::default));
        }
        own.loopback = self.table(&document, "loopback").map(|loopback| {
            let usual = Loopback::default();
            Loopback {
                ports: self.key(&loopback, "loopback", "ports").unwrap_or(usual.ports),
                host: self.key(&loopback, "loopback", "host").unwrap_or(usual.host),
                path: self.key(&loopback, "loopback", "path").unwrap_or(usual.path),
            }
        });
        own
    }

    fn table<'t>(&mut self, document: &DeTable<'t>, name: &str) -> Option<DeTable<'t>> {
        let value = document.get(name)?;
        if let DeValue::Table(table) = value.get_ref() {
            return Some(table.clone());
        }
        self.name(value.span().start, &format!("what stands under {name}"), "it must be a table");
        None
    }

    fn key<T: DeserializeOwned>(&mut self, table: &DeTable<'_>, name: &str, key: &str) -> Option<T> {
        let value = table.get(key)?.clone();
        let start = value.span().start;
        match T::deserialize(toml::de::ValueDeserializer::from(value)) {
            Ok(value) => Some(value),
            Err(error) => {
                let start = error.span().map_or(start, |span| span.start);
                self.name(start, &format!("{key} of [{name}]"), error.message());
                None
            }
        }
    }

    fn name(&mut self, start: usize, what: &str, reason: &str) {
        let before = self.text.get(..start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let message = format!("{}: line {line}: {what} cannot be used: {reason}.", self.place);
        self.reading.faults.push(Fault { problem: Problem::new(Code::SettingsInvalid, message), lost: None });
    }
}

/// Keeps what a file says, unless it is kept already.
fn keep_copy(copy: &Path, path: &Path, text: &str) -> io::Result<()> {
    let text = format!("{}{text}", heading(path));
    let is_kept = platform::open_private_file(copy)
        .and_then(|file| io::read_to_string(file.take(COPY_MAX)))
        .is_ok_and(|kept| kept == text);
    if is_kept || u64::try_from(text.len()).is_ok_and(|length| length >= COPY_MAX) {
        return Ok(());
    }
    let folder = copy.parent().ok_or(io::ErrorKind::InvalidInput)?;
    platform::make_private_folder(folder)?;
    // For its owner alone from the start.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(copy)?;
    Ok(())
}

/// The copy of a file, from when it is, and what it says.
fn read_copy(copy: &Path, path: &Path) -> Option<(PathBuf, String, String)> {
    let file = platform::open_private_file(copy).ok()?;
    let since: DateTime<Utc> = file.metadata().ok()?.modified().ok()?.into();
    let text = io::read_to_string(file.take(COPY_MAX)).ok()?;
    let text = text.strip_prefix(&heading(path))?.to_owned();
    Some((copy.to_owned(), since.format("%Y-%m-%d %H:%M UTC").to_string(), text))
}

/// The first line of a copy. The same user may have other files another time.
fn heading(path: &Path) -> String {
    format!("# What {} said last.\n", path.display().to_string().escape_debug())
}

/// The part of `other` that `own` does not have.
pub(crate) fn missing(own: &Settings, other: Settings) -> Settings {
    let mut whole = Reading::from(own.clone());
    whole.put_over(other.into());
    let mut whole = whole.settings;
    Settings {
        provider: whole.provider.split_off(own.provider.len()),
        role: whole.role.split_off(own.role.len()),
        account: whole.account.split_off(own.account.len()),
    }
}

/// How long a copy may be, in bytes: what the extension could not be told either is not kept.
const COPY_MAX: u64 = 1024 * 1024;

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

    /// What these files say, without copies.
    fn load_from(paths: impl IntoIterator<Item = PathBuf>) -> Machine {
        super::load_from(paths.into_iter().map(|path| (path, None)))
    }

    fn problems(machine: &Machine) -> Vec<String> {
        machine.effective().problems.into_iter().map(|problem| problem.message).collect()
    }

    #[test]
    fn an_entry_of_the_users_file_replaces_the_machines() {
        let (_folder, paths) = files(USER, MACHINE);
        let machine = load_from(paths);
        let providers = &machine.reading.settings.provider;
        let clients: Vec<_> = providers.iter().map(|p| p.client_id.as_str()).collect();
        assert_eq!(clients, ["user", "other"]);
        assert_eq!(machine.allowed_extensions, ["abc"]);
        assert_eq!(problems(&machine), Vec::<String>::new());
    }

    #[test]
    fn a_bad_entry_is_named_with_file_and_line_and_everything_else_stays_in_use() {
        let (_folder, paths) = files("[[provider]]\nid = 7\n", MACHINE);
        let machine = load_from(paths.clone());
        assert_eq!(machine.reading.settings.provider.len(), 2);
        let place = format!("{}: line 2: [[provider]] number 1 cannot be used: id: ", paths[0].display());
        let [problem] = &problems(&machine)[..] else { panic!("{:?}", problems(&machine)) };
        assert!(problem.starts_with(&place), "{problem}");
    }

    #[test]
    fn the_machines_entry_does_not_stand_in_for_a_bad_one_of_the_user() {
        let (_folder, paths) = files(&format!("{USER}\nscope = \"email\"\n"), MACHINE);
        let machine = load_from(paths);
        let ids: Vec<_> = machine.reading.settings.provider.iter().map(|p| p.id.as_str()).collect();
        assert_eq!(ids, ["other"]);
    }

    #[test]
    fn a_file_that_is_no_toml_goes_on_saying_what_it_said_last_until_it_is_removed() {
        let (folder, [user, _]) = files(USER, "");
        let copy = folder.path().join("state/rolecall/copy.toml");
        let load = || super::load_from([(user.clone(), Some(copy.clone()))]);
        let clients = |machine: &Machine| {
            machine.reading.settings.provider.iter().map(|p| p.client_id.clone()).collect::<Vec<_>>()
        };
        load().remember();
        #[cfg(unix)]
        for (path, wanted) in [(&*copy, 0o600), (copy.parent().unwrap(), 0o700)] {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(
                fs::metadata(path).unwrap().permissions().mode() & 0o777,
                wanted,
                "{}",
                path.display()
            );
        }
        let written = fs::metadata(&copy).unwrap().modified().unwrap();
        load().remember();
        assert_eq!(
            fs::metadata(&copy).unwrap().modified().unwrap(),
            written,
            "what is kept is not written again"
        );

        fs::write(&user, "[[provider]\n").unwrap();
        let machine = load();
        machine.remember();
        assert_eq!(clients(&machine), ["user"]);
        let State::Kept { since, .. } = &machine.files[0].state else { panic!("{:?}", machine.files) };
        let told = &problems(&machine)[0];
        assert!(told.starts_with(&format!("{}: line 1: this is not TOML: ", user.display())), "{told}");
        assert!(told.ends_with(&format!(". The settings of {since} stay in use.")), "{told}");
        // What the copy says belongs to that file alone.
        let other = super::load_from([(folder.path().join("user.toml/../other.toml"), Some(copy.clone()))]);
        assert_eq!(clients(&other), Vec::<String>::new());
        other.remember();

        fs::remove_file(&user).unwrap();
        let machine = load();
        assert_eq!((clients(&machine), problems(&machine)), (vec![], vec![]));
        machine.remember();
        fs::write(&user, "[[provider]\n").unwrap();
        let machine = load();
        assert_eq!(clients(&machine), Vec::<String>::new(), "what was removed does not come back");
        assert!(matches!(machine.files[0].state, State::Lost));
        assert!(machine.reading.losses().any(|lost| *lost == rolecall_core::settings::Lost::Document));
    }

    #[cfg(unix)]
    #[test]
    fn a_copy_that_others_can_read_is_not_believed() {
        use std::os::unix::fs::PermissionsExt;
        let (folder, [user, _]) = files(USER, "");
        let copy = folder.path().join("state/copy.toml");
        super::load_from([(user.clone(), Some(copy.clone()))]).remember();
        fs::set_permissions(&copy, fs::Permissions::from_mode(0o666)).unwrap();
        fs::write(&user, "[").unwrap();
        let machine = super::load_from([(user, Some(copy))]);
        assert!(matches!(machine.files[0].state, State::Lost));
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
    fn a_bad_key_of_the_hosts_own_is_named_and_loses_nothing_else() {
        let own = "[host]\nallowed_extensions = [\"abc\", 7]\ncache = \"disk\"\n[loopback]\nports = [0, 99999]\npath = \"/back\"\n";
        let (_folder, paths) = files(&format!("{own}{USER}"), "[host]\ncache = \"file\"\n");
        let machine = load_from(paths.clone());
        assert_eq!(machine.reading.settings.provider.len(), 1);
        assert_eq!((machine.allowed_extensions.len(), machine.cache), (0, cache::Place::None));
        assert_eq!((machine.loopback.ports.len(), machine.loopback.path.as_str()), (12, "/back"));
        let told = problems(&machine);
        for (told, reason) in told.iter().zip([
            "line 2: allowed_extensions of [host] cannot be used: invalid type: integer `7`, expected a string.",
            "line 3: cache of [host] cannot be used: unknown variant `disk`, expected one of `none`, `file`, `keyring`.",
            "line 5: ports of [loopback] cannot be used: invalid value: integer `99999`, expected u16.",
        ]) {
            assert_eq!(*told, format!("{}: {reason}", paths[0].display()));
        }
        assert_eq!(told.len(), 3);
        let (_folder, paths) = files(&format!("host = 7\n{USER}"), MACHINE);
        let machine = load_from(paths);
        assert!(
            problems(&machine)[0]
                .ends_with("line 1: what stands under host cannot be used: it must be a table.")
        );
        assert_eq!(machine.reading.settings.provider.len(), 2);
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
        assert_eq!(problems(&machine), Vec::<String>::new());
        assert!(matches!(machine.files[0].state, State::Absent));
    }
}
