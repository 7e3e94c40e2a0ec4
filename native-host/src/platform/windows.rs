//! Windows. The agent's sockets are named pipes; a file in the user's folder contains a pipe's name.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::windows::fs::MetadataExt as _;
use std::os::windows::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use interprocess::local_socket::{GenericNamespaced, ListenerOptions, Name, Stream, ToNsName};
use interprocess::os::windows::local_socket::ListenerOptionsExt;
use interprocess::os::windows::security_descriptor::SecurityDescriptor;
use widestring::{U16CStr, u16cstr};
use winreg::RegKey;
use winreg::enums::HKEY_CURRENT_USER;

use super::system::AskerState;
use crate::shell;

/// Windows writes memory to disk only if an administrator has set that up.
pub(crate) fn forbid_core_dumps() -> io::Result<()> {
    Ok(())
}

/// There is no installation for all users that this program makes here.
pub(crate) fn changeable_part(_: &Path) -> io::Result<Option<PathBuf>> {
    Ok(None)
}

/// Creates the folder that lists agents.
pub(crate) fn create_runtime_folder() -> io::Result<PathBuf> {
    let folder = runtime_folders().into_iter().next().ok_or(io::ErrorKind::NotFound)?;
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// A file that always exists and is always empty.
pub(crate) const NO_FILE: &str = "NUL";

/// The folder that lists this user's agents.
pub(crate) fn runtime_folders() -> Vec<PathBuf> {
    home().map(|home| local_data(&home).join("rolecall").join("run")).into_iter().collect()
}

/// Checks that the folder exists: a user's folder is private by inherited permissions.
pub(crate) fn check_private_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
}

/// Listens on a pipe that only its owner may open, and creates the file that lists it.
pub(crate) fn listen(path: &Path) -> io::Result<interprocess::local_socket::Listener> {
    let only_owner = SecurityDescriptor::deserialize(OWNER_ONLY)?;
    let listener = ListenerOptions::new().name(name(path)?).security_descriptor(only_owner).create_sync()?;
    fs::write(path, "")?;
    Ok(listener)
}

/// Connects to the agent that is listed at `path`.
pub(crate) fn connect(path: &Path) -> io::Result<Stream> {
    use interprocess::local_socket::traits::Stream as _;
    Stream::connect(name(path)?)
}

fn name(path: &Path) -> io::Result<Name<'static>> {
    let stem = path.file_stem().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
    format!("rolecall-{stem}").to_ns_name::<GenericNamespaced>()
}

/// The id of the process at the other end.
pub(crate) fn peer_process(stream: &Stream) -> Option<u32> {
    use interprocess::local_socket::traits::StreamCommon as _;
    stream.peer_creds().ok()?.pid()
}

/// The pipe's access list admits no other user.
pub(crate) fn is_same_user(_stream: &Stream) -> bool {
    true
}

/// The state of the program at the other end: a pipe does not show that it was closed unless it is read.
pub(crate) fn asker_state(stream: &Stream) -> AskerState {
    match peer_process(stream).map(super::system::process) {
        Some(None) => AskerState::Gone,
        _ => AskerState::Waiting,
    }
}

/// There are no signals to catch.
#[expect(clippy::unnecessary_wraps, reason = "it fails on Unix")]
pub(crate) fn cancel_on_interrupt(_stream: &Stream) -> io::Result<()> {
    Ok(())
}

/// Browsers close the port before they end the host: there is nothing else to wait for.
pub(crate) fn on_termination(_action: impl FnOnce() + Send + 'static) -> io::Result<()> {
    Ok(())
}

/// Ends a [`read_lines`] when dropped, as far as possible here.
#[derive(Debug)]
pub(crate) struct Stopper;

/// What a [`read_lines`] watches.
#[derive(Debug)]
pub(crate) struct Stop;

/// A stopper and what it stops.
#[expect(clippy::unnecessary_wraps, reason = "it fails on Unix")]
pub(crate) fn stopper() -> io::Result<(Stopper, Stop)> {
    Ok((Stopper, Stop))
}

/// Passes lines of standard input to `line` until it returns false.
pub(crate) fn read_lines(_stop: &Stop, mut line: impl FnMut(&str) -> bool) {
    let _ = io::stdin().lines().map_while(Result::ok).all(|text| line(&text));
}

/// Lets a command outlive this process: it gets no console of it.
pub(crate) fn detach(command: &mut Command) {
    // Win32, "Process Creation Flags".
    const DETACHED_PROCESS: u32 = 0x0000_0008;
    const CREATE_NEW_PROCESS_GROUP: u32 = 0x0000_0200;
    command.creation_flags(DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP);
}

/// Runs a command and waits for its end. The console sends its events to both processes.
pub(crate) fn run_to_the_end(mut command: Command) -> io::Result<ExitCode> {
    let code = command.status()?.code().unwrap_or(1);
    // Windows has exit codes beyond a byte; a larger one is a failure all the same.
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

/// Whether the file is a program.
pub(crate) fn is_executable(path: &Path) -> bool {
    path.is_file() && path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("exe"))
}

/// Files in the user's folders are private by inherited permissions.
pub(crate) fn make_private(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Creates a folder: a user's folder is private by inherited permissions.
pub(crate) fn make_private_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

/// Creates a file, private by inherited permissions. Fails if it exists.
pub(crate) fn create_private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// Opens a file in a user's folder for reading.
pub(crate) fn open_private_file(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// What changes whenever a file is written or replaced: its size and its times.
pub(crate) fn file_identity(metadata: &fs::Metadata) -> (u64, u64, u64) {
    (metadata.file_size(), metadata.creation_time(), metadata.last_write_time())
}

/// Files in the user's folders are readable by that user's browsers.
pub(crate) fn make_readable(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Writes or removes the registry entry with the path of the host's manifest.
pub(crate) fn register_host(browser: &str, host: &str, manifest: Option<&Path>) -> io::Result<()> {
    let user = RegKey::predef(HKEY_CURRENT_USER);
    let key = format!(r"Software\{browser}\NativeMessagingHosts\{host}");
    match manifest {
        Some(manifest) => user.create_subkey(&key)?.0.set_value("", &manifest.as_os_str()),
        None => match user.delete_subkey(&key) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result,
        },
    }
}

/// Whether the registry knows the software.
pub(crate) fn has_software(key: &str) -> bool {
    RegKey::predef(HKEY_CURRENT_USER).open_subkey(format!(r"Software\{key}")).is_ok()
}

/// The folder for data that stays on this machine.
pub(crate) fn local_data(home: &Path) -> PathBuf {
    variable("LOCALAPPDATA").unwrap_or_else(|| home.join("AppData").join("Local"))
}

/// The program's path as the first word of a `credential_process` line: unchanged, or with the short names (8.3) that
/// most volumes keep for folders with a space in their names. `None` if neither is possible.
pub(crate) fn program_word(program: &Path) -> Option<String> {
    let fits = |path: &str| shell::process_line(&[path]).is_some() && !path.contains([',', ';', '=']);
    let path = program.to_str()?;
    if fits(path) {
        return Some(path.to_owned());
    }
    // The volume may have no short names, or return the long one.
    let short = short_path(path).ok().filter(|short| fits(short))?;
    let is_same = fs::canonicalize(&short).ok()? == fs::canonicalize(program).ok()?;
    is_same.then_some(short)
}

/// The path in short names, from `cmd.exe`: `GetShortPathNameW` without unsafe code of our own.
fn short_path(path: &str) -> io::Result<String> {
    // Between quotes, only these have a meaning to it.
    if path.contains(['"', '%']) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut command = Command::new("cmd.exe");
    // No start-up commands, output in UTF-16.
    command.raw_arg(format!(r#"/D /U /V:OFF /C for %I in ("{path}") do @echo %~sI"#));
    let output = command.stdin(Stdio::null()).creation_flags(CREATE_NO_WINDOW).output()?;
    let (pairs, _) = output.stdout.as_chunks();
    let text = String::from_utf16(&pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect::<Vec<_>>());
    text.map(|text| text.trim().to_owned()).map_err(|_| io::ErrorKind::InvalidData.into())
}

/// The path without the prefix `\\?\` of canonical paths, if it then still means the same file.
pub(crate) fn simplified(path: PathBuf) -> PathBuf {
    let short = path
        .to_str()
        .and_then(|text| text.strip_prefix(r"\\?\"))
        .filter(|rest| rest.get(1..3) == Some(r":\"));
    match short.map(PathBuf::from) {
        Some(short) if fs::canonicalize(&short).is_ok_and(|canonical| canonical == path) => short,
        _ => path,
    }
}

/// The shell in which SDKs run a `credential_process`.
pub(crate) fn shell(line: &str) -> Command {
    let mut command = Command::new("cmd.exe");
    command.raw_arg("/C").raw_arg(line);
    command
}

/// The home folder.
pub(crate) fn home() -> Option<PathBuf> {
    std::env::home_dir().filter(|home| !home.as_os_str().is_empty())
}

/// The folder of the user's settings.
pub(crate) fn config_home() -> Option<PathBuf> {
    variable("APPDATA").or_else(|| Some(home()?.join("AppData").join("Roaming")))
}

/// The folder of logs.
pub(crate) fn state_home() -> Option<PathBuf> {
    home().map(|home| local_data(&home))
}

/// The folder of caches.
pub(crate) fn cache_home() -> Option<PathBuf> {
    home().map(|home| local_data(&home))
}

/// The machine's settings file.
pub(crate) fn machine_settings() -> PathBuf {
    variable("ProgramData")
        .unwrap_or_else(|| PathBuf::from(r"C:\ProgramData"))
        .join("rolecall")
        .join("config.toml")
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).map(PathBuf::from).filter(|folder| folder.is_absolute())
}

/// The command opens no console window (Win32, "Process Creation Flags").
const CREATE_NO_WINDOW: u32 = 0x0800_0000;

/// Security Descriptor Definition Language: protected, full access for the owner, none for others.
const OWNER_ONLY: &U16CStr = u16cstr!("D:P(A;;GA;;;OW)");

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with a space in its name, and a file in it.
    fn spaced() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("Program Files & more, of Zoë");
        fs::create_dir(&inner).unwrap();
        let program = inner.join("rolecall.exe");
        fs::write(&program, "").unwrap();
        (folder, program)
    }

    #[test]
    fn a_program_in_a_folder_with_a_space_gets_a_path_without_one() {
        let (_folder, program) = spaced();
        let word = program_word(&program).unwrap();
        assert!(!word.contains([' ', '"', '&', ',']), "{word}");
        assert_eq!(fs::canonicalize(&word).unwrap(), fs::canonicalize(&program).unwrap());
        assert_eq!(
            program_word(Path::new(r"C:\Rolecall\rolecall.exe")).unwrap(),
            r"C:\Rolecall\rolecall.exe"
        );
    }

    #[test]
    fn a_path_without_short_name_is_refused_instead_of_quoted() {
        let (_folder, program) = spaced();
        fs::remove_file(&program).unwrap();
        assert_eq!(program_word(&program), None);
    }

    #[test]
    fn a_canonical_path_is_shown_as_a_person_would_write_it() {
        let (_folder, program) = spaced();
        let canonical = fs::canonicalize(&program).unwrap();
        assert!(canonical.to_str().unwrap().starts_with(r"\\?\"), "{}", canonical.display());
        let simple = simplified(canonical.clone());
        assert!(!simple.to_str().unwrap().starts_with(r"\\?\"), "{}", simple.display());
        assert_eq!(fs::canonicalize(&simple).unwrap(), canonical);
        // Without the prefix this would be a share of another machine, or another file.
        for path in [r"\\?\UNC\server\share\file", r"\\?\C:\nowhere\at.all", r"C:\x"] {
            assert_eq!(simplified(PathBuf::from(path)), PathBuf::from(path));
        }
    }
}
