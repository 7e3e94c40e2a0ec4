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
use rolecall_core::settings::{Effective, Fault, Layers, Preferences, Reading, Settings, parse_toml};
use rolecall_core::{Code, Error, Problem};

use crate::catalogues::Refresh;
use crate::host_settings::{self, HostSettings};
use crate::{catalogues, output, platform};

/// What the files say.
#[derive(Debug, Default)]
pub(crate) struct Machine {
    /// The documents, one put over the other, and what of them cannot be used.
    pub(crate) reading: Reading,
    /// The part that concerns this program alone and is not sent to the extension.
    pub(crate) host: HostSettings,
    /// One entry for each file that was looked for.
    pub(crate) files: Vec<File>,
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

impl File {
    fn is_current(&self) -> bool {
        match (&self.state, fs::read_to_string(&self.path)) {
            (State::Read { text, .. }, Ok(now)) => *text == now,
            (State::Absent, Err(error)) => error.kind() == io::ErrorKind::NotFound,
            _ => false,
        }
    }
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
        let catalogues = catalogues::kept(&self.reading.settings);
        Layers { machine: self.reading.clone(), catalogues, ..Layers::default() }.effective()
    }

    /// Whether the files say what they said when they were read.
    pub(crate) fn is_current(&self) -> bool {
        !self.files.is_empty() && self.files.iter().all(File::is_current)
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

/// The same, for a person who wants to see roles: catalogues that may have changed are read.
pub(crate) fn load_with_catalogues(which: Refresh) -> Machine {
    let machine = load_and_remember();
    catalogues::refresh(&machine.reading.settings, which);
    // A provider that cannot be read may come back.
    if machine.reading.faults.is_empty() {
        catalogues::delete_unused(&machine.reading.settings);
    }
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

/// Where the files are, whether they are there or not.
pub(crate) fn paths() -> impl Iterator<Item = PathBuf> {
    files().into_iter().map(|(path, _)| path)
}

/// The user's own file, whether it is there or not: `$XDG_CONFIG_HOME/rolecall/config.toml`, where that is
/// `~/.config` by default.
pub(crate) fn user_file() -> Option<PathBuf> {
    Some(platform::config_home()?.join("rolecall").join("config.toml"))
}

/// Reads these files, the strongest first, or their copies.
fn load_from(files: impl IntoIterator<Item = (PathBuf, Option<PathBuf>)>) -> Machine {
    let mut machine = Machine::default();
    let mut host = host_settings::Document::default();
    for (path, copy) in files {
        let (state, document) = read(&path, copy.as_deref());
        machine.reading.put_over(document.reading);
        host.put_over(document.host);
        machine.files.push(File { path, state, copy });
    }
    machine.host = host.into();
    machine
}

/// What one file says.
#[derive(Debug, Default)]
struct Document {
    reading: Reading,
    host: host_settings::Document,
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
        let problem = refused.with_message(message);
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
        let message = format!("{place}: {problem}");
        problem.with_message(message)
    };
    let table = parse_toml(text).map_err(refuse)?;
    let mut reading = Reading::from_parsed_toml(text, &table).map_err(refuse)?.at(place);
    reading.unknown.retain(|key| !host_settings::TABLES.contains(&key.as_str()));
    let (host, faults, unknown) = host_settings::Document::read(text, &table, place);
    reading.faults.extend(faults);
    reading.unknown.extend(unknown);
    Ok(Document { reading, host })
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
        // They could not be added behind the tables of a file.
        preferences: Preferences::default(),
        only_policy: false,
    }
}

/// How long a copy may be, in bytes: what the extension could not be told either is not kept.
const COPY_MAX: u64 = 1024 * 1024;

#[cfg(test)]
mod tests {
    use crate::host_settings::{CacheBackend, LoopbackSettings};

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
        machine.effective().problems.into_iter().map(|problem| problem.message.clone()).collect()
    }

    #[test]
    fn an_entry_of_the_users_file_replaces_the_machines() {
        let (_folder, paths) = files(USER, MACHINE);
        let machine = load_from(paths);
        let providers = &machine.reading.settings.provider;
        let clients: Vec<_> = providers.iter().map(|p| p.client_id.as_str()).collect();
        assert_eq!(clients, ["user", "other"]);
        assert_eq!(machine.host.allowed_extensions, ["abc"]);
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
    fn the_redirect_goes_where_the_previous_tool_had_it_unless_told_otherwise() {
        let (_folder, paths) = files(USER, MACHINE);
        let loopback = load_from(paths).host.loopback;
        assert_eq!(loopback.ports[..4], [10_800, 10_801, 20_800, 20_801]);
        assert_eq!(loopback.ports.last(), Some(&60_801));
        assert_eq!(loopback.redirect_uri(10_800).unwrap().as_str(), "http://localhost:10800/redirect_uri");
        let (_folder, paths) = files("[loopback]\nports = [0]\nhost = \"127.0.0.1\"\n", MACHINE);
        let loopback = load_from(paths).host.loopback;
        assert_eq!(loopback.redirect_uri(7).unwrap().as_str(), "http://127.0.0.1:7/redirect_uri");
        let outside = LoopbackSettings { host: "evil.example".to_owned(), ..LoopbackSettings::default() };
        assert!(outside.redirect_uri(7).unwrap_err().is(Code::SettingsInvalid));
    }

    #[test]
    fn the_users_file_chooses_the_cache_over_the_machines() {
        let (_folder, paths) = files("", "");
        assert_eq!(load_from(paths).host.cache, CacheBackend::None);
        let (_folder, paths) = files("", "[host]\ncache = \"keyring\"\n");
        assert_eq!(load_from(paths).host.cache, CacheBackend::Keyring);
        let (_folder, paths) = files("[host]\ncache = \"none\"\n", "[host]\ncache = \"keyring\"\n");
        assert_eq!(load_from(paths).host.cache, CacheBackend::None);
    }

    #[test]
    fn a_bad_key_of_the_hosts_own_is_named_and_loses_nothing_else() {
        let own = "[host]\nallowed_extensions = [\"abc\", 7]\ncache = \"disk\"\n[loopback]\nports = [0, 99999]\npath = \"/back\"\n";
        let (_folder, paths) = files(&format!("{own}{USER}"), "[host]\ncache = \"file\"\n");
        let machine = load_from(paths.clone());
        assert_eq!(machine.reading.settings.provider.len(), 1);
        assert_eq!((machine.host.allowed_extensions.len(), machine.host.cache), (0, CacheBackend::None));
        assert_eq!((machine.host.loopback.ports.len(), machine.host.loopback.path.as_str()), (12, "/back"));
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
            problems(&machine)[0].ends_with("line 1: the value of host cannot be used: it must be a table.")
        );
        assert_eq!(machine.reading.settings.provider.len(), 2);
    }

    #[test]
    fn unknown_keys_of_the_hosts_own_are_told() {
        let provider = USER.replace("client_id", "loopback = { port = 0, path = \"/back\" }\nclient_id");
        let (_folder, paths) =
            files(&format!("[host]\ncach = \"file\"\n[loopback]\nport = [0]\n{provider}"), "");
        let State::Read { unknown, .. } = &load_from(paths).files[0].state else { panic!("it was not read") };
        assert_eq!(*unknown, ["host.cach", "loopback.port", "provider.0.loopback.port"]);
    }

    #[test]
    fn files_need_not_exist() {
        let folder = tempfile::tempdir().unwrap();
        let machine = load_from([folder.path().join("none.toml")]);
        assert_eq!(problems(&machine), Vec::<String>::new());
        assert!(matches!(machine.files[0].state, State::Absent));
    }
}
