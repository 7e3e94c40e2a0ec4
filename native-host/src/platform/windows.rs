//! Windows. The agent's sockets are named pipes; a file in the user's own folder tells where they are.

use std::fs::{self, File, OpenOptions};
use std::io;
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

/// Creates the folder in which agents are announced.
pub(crate) fn create_runtime_folder() -> io::Result<PathBuf> {
    let folder = runtime_folders().into_iter().next().ok_or(io::ErrorKind::NotFound)?;
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// A file that is always there and always empty.
pub(crate) const NO_FILE: &str = "NUL";

/// Where agents of this user are announced.
pub(crate) fn runtime_folders() -> Vec<PathBuf> {
    home().map(|home| local_data(&home).join("rolecall").join("run")).into_iter().collect()
}

/// Whether the folder is there: a user's own folder is private by what it inherits.
pub(crate) fn check_private_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
}

/// Listens on a pipe that nobody but its owner may open, and announces it.
pub(crate) fn listen(path: &Path) -> io::Result<interprocess::local_socket::Listener> {
    let only_owner = SecurityDescriptor::deserialize(OWNER_ONLY)?;
    let listener = ListenerOptions::new().name(name(path)?).security_descriptor(only_owner).create_sync()?;
    fs::write(path, "")?;
    Ok(listener)
}

/// Connects to the agent announced at `path`.
pub(crate) fn connect(path: &Path) -> io::Result<Stream> {
    use interprocess::local_socket::traits::Stream as _;
    Stream::connect(name(path)?)
}

fn name(path: &Path) -> io::Result<Name<'static>> {
    let stem = path.file_stem().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
    format!("rolecall-{stem}").to_ns_name::<GenericNamespaced>()
}

/// The process at the other end.
pub(crate) fn peer_process(stream: &Stream) -> Option<u32> {
    use interprocess::local_socket::traits::StreamCommon as _;
    stream.peer_creds().ok()?.pid()
}

/// The pipe's access list has admitted no other user.
pub(crate) fn is_same_user(_stream: &Stream) -> bool {
    true
}

/// What the program at the other end does: a pipe does not tell that it was closed without being read.
pub(crate) fn asker_state(stream: &Stream) -> AskerState {
    match peer_process(stream).map(super::system::process) {
        Some(None) => AskerState::Gone,
        _ => AskerState::Waiting,
    }
}

/// There are no signals here that could be caught.
#[expect(clippy::unnecessary_wraps, reason = "it fails where it takes a descriptor")]
pub(crate) fn cancel_on_interrupt(_stream: &Stream) -> io::Result<()> {
    Ok(())
}

/// Browsers close the port before they end the host: there is nothing else to wait for.
pub(crate) fn on_termination(_action: impl FnOnce() + Send + 'static) -> io::Result<()> {
    Ok(())
}

/// Ends a [`read_lines`] when it is dropped, as far as that can be done here.
#[derive(Debug)]
pub(crate) struct Stopper;

/// What a [`read_lines`] watches.
#[derive(Debug)]
pub(crate) struct Stop;

/// A stopper and what it stops.
#[expect(clippy::unnecessary_wraps, reason = "it fails where it takes a descriptor")]
pub(crate) fn stopper() -> io::Result<(Stopper, Stop)> {
    Ok((Stopper, Stop))
}

/// Hands over lines of standard input for as long as `line` says true.
pub(crate) fn read_lines(_stop: &Stop, mut line: impl FnMut(&str) -> bool) {
    let _ = io::stdin().lines().map_while(Result::ok).all(|text| line(&text));
}

/// Has a program outlive the one that starts it: it shares no console with it.
pub(crate) fn detach(command: &mut Command) {
    // Win32, "Process Creation Flags".
    const DETACHED_PROCESS: u32 = 0x0000_0008;
    const CREATE_NEW_PROCESS_GROUP: u32 = 0x0000_0200;
    command.creation_flags(DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP);
}

/// Runs a command to its end. The console sends its events to both processes.
pub(crate) fn run_to_the_end(mut command: Command) -> io::Result<ExitCode> {
    let code = command.status()?.code().unwrap_or(1);
    // Windows knows exit codes beyond a byte; what does not fit is a failure all the same.
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

/// Whether the file can be run.
pub(crate) fn is_executable(path: &Path) -> bool {
    path.is_file() && path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("exe"))
}

/// Files in the user's own folders are private by what they inherit.
pub(crate) fn make_private(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Creates a folder: a user's own folder is private by what it inherits.
pub(crate) fn make_private_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

/// Creates a file that is private by what it inherits. It fails if there is one.
pub(crate) fn create_private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// Opens a file of a user's own folder to read.
pub(crate) fn open_private_file(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Files in the user's own folders are readable by that user's browsers.
pub(crate) fn make_readable(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Writes or removes the registry's entry that leads a browser to the host's manifest.
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

/// Where programs keep data that stays on this machine.
pub(crate) fn local_data(home: &Path) -> PathBuf {
    variable("LOCALAPPDATA").unwrap_or_else(|| home.join("AppData").join("Local"))
}

/// The program's path as the first word of a `credential_process` line: as it is, or by the short names (8.3) that most
/// volumes keep for folders whose names have a space. `None` where neither can stand there.
pub(crate) fn program_word(program: &Path) -> Option<String> {
    let fits = |path: &str| shell::process_line(&[path]).is_some() && !path.contains([',', ';', '=']);
    let path = program.to_str()?;
    if fits(path) {
        return Some(path.to_owned());
    }
    // The volume may keep no short names, or answer with the long one.
    let short = short_path(path).ok().filter(|short| fits(short))?;
    let is_same = fs::canonicalize(&short).ok()? == fs::canonicalize(program).ok()?;
    is_same.then_some(short)
}

/// What `cmd.exe` knows as the path in short names: `GetShortPathNameW` without unsafe code of our own.
fn short_path(path: &str) -> io::Result<String> {
    // Between quotes, nothing but these means anything to it.
    if path.contains(['"', '%']) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut command = Command::new("cmd.exe");
    // No start-up commands, an answer in UTF-16.
    command.raw_arg(format!(r#"/D /U /V:OFF /C for %I in ("{path}") do @echo %~sI"#));
    let output = command.stdin(Stdio::null()).creation_flags(CREATE_NO_WINDOW).output()?;
    let (pairs, _) = output.stdout.as_chunks();
    let text = String::from_utf16(&pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect::<Vec<_>>());
    text.map(|text| text.trim().to_owned()).map_err(|_| io::ErrorKind::InvalidData.into())
}

/// The path without the prefix `\\?\` that canonical paths have here, if it means the same file without.
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

/// The shell SDKs run a `credential_process` with.
pub(crate) fn shell(line: &str) -> Command {
    let mut command = Command::new("cmd.exe");
    command.raw_arg("/C").raw_arg(line);
    command
}

/// The home folder.
pub(crate) fn home() -> Option<PathBuf> {
    std::env::home_dir().filter(|home| !home.as_os_str().is_empty())
}

/// Where a user's settings are.
pub(crate) fn config_home() -> Option<PathBuf> {
    variable("APPDATA").or_else(|| Some(home()?.join("AppData").join("Roaming")))
}

/// Where logs are.
pub(crate) fn state_home() -> Option<PathBuf> {
    home().map(|home| local_data(&home))
}

/// Where programs keep what they can do without.
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

/// No console window appears for the command (Win32, "Process Creation Flags").
const CREATE_NO_WINDOW: u32 = 0x0800_0000;

/// Security Descriptor Definition Language: protected, everything for the owner, nothing for anybody else.
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
    fn a_program_in_a_folder_with_a_space_is_named_without_one() {
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
    fn what_has_no_short_name_is_refused_instead_of_quoted() {
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
