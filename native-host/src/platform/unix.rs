//! Linux and macOS.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use interprocess::local_socket::traits::StreamCommon;
use interprocess::local_socket::{GenericFilePath, ListenerOptions, Name, Stream, ToFsName};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::system::AskerState;

/// Creates the folder of the agent's socket, or checks that the existing one is private.
pub(crate) fn create_runtime_folder() -> io::Result<PathBuf> {
    let folders = runtime_folders();
    let mut refusal = io::Error::new(io::ErrorKind::NotFound, "there is no folder for the agent's socket");
    for folder in folders {
        // A socket's path must fit into 108 bytes, 104 on macOS.
        if folder.as_os_str().len() > SOCKET_FOLDER_MAX {
            continue;
        }
        match create_private_folder(&folder).and_then(|()| check_private_folder(&folder)) {
            Ok(()) => return Ok(folder),
            Err(error) => refusal = error,
        }
    }
    Err(refusal)
}

/// The folders where agents of this user may listen, the usual one first.
pub(crate) fn runtime_folders() -> Vec<PathBuf> {
    let user = rustix::process::geteuid().as_raw();
    let session = std::env::var_os("XDG_RUNTIME_DIR").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    // A terminal over SSH or su may lack the variable that the browser has.
    let session = session.unwrap_or_else(|| PathBuf::from(format!("/run/user/{user}")));
    vec![session.join("rolecall"), std::env::temp_dir().join(format!("rolecall-{user}"))]
}

/// A file that always exists and is always empty.
pub(crate) const NO_FILE: &str = "/dev/null";

/// Checks that no other user can have put anything into the folder.
pub(crate) fn check_private_folder(folder: &Path) -> io::Result<()> {
    let metadata = fs::symlink_metadata(folder)?;
    let refuse = |reason| {
        Err(io::Error::new(io::ErrorKind::PermissionDenied, format!("{} {reason}", folder.display())))
    };
    if !metadata.is_dir() {
        return refuse("is not a folder");
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return refuse("belongs to another user");
    }
    if metadata.mode() & 0o077 != 0 {
        return refuse("is accessible to other users");
    }
    Ok(())
}

fn create_private_folder(folder: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        result => result,
    }
}

/// Listens on a Unix socket. Its file appears under `path` only once it listens, so that no process takes it for a
/// stale one.
pub(crate) fn listen(path: &Path) -> io::Result<interprocess::local_socket::Listener> {
    let unborn = path.with_extension("new");
    let listener = ListenerOptions::new().name(name(&unborn)?).reclaim_name(false).create_sync()?;
    fs::rename(&unborn, path)?;
    Ok(listener)
}

/// Connects to the agent at `path`.
pub(crate) fn connect(path: &Path) -> io::Result<Stream> {
    use interprocess::local_socket::traits::Stream as _;
    Stream::connect(name(path)?)
}

fn name(path: &Path) -> io::Result<Name<'_>> {
    path.to_fs_name::<GenericFilePath>()
}

/// Whether the other end is a process of the same user.
pub(crate) fn is_same_user(stream: &Stream) -> bool {
    let user = rustix::process::geteuid().as_raw();
    stream.peer_creds().is_ok_and(|peer| peer.euid() == Some(user))
}

/// The id of the process at the other end.
#[cfg(not(target_os = "macos"))]
pub(crate) fn peer_process(stream: &Stream) -> Option<u32> {
    u32::try_from(stream.peer_creds().ok()?.pid()?).ok()
}

/// The id of the process at the other end.
#[cfg(target_os = "macos")]
pub(crate) fn peer_process(stream: &Stream) -> Option<u32> {
    let Stream::UdSocket(socket) = stream;
    let process = nix::sys::socket::getsockopt(socket, nix::sys::socket::sockopt::LocalPeerPid);
    u32::try_from(process.ok()?).ok()
}

/// The state of the program at the other end.
pub(crate) fn asker_state(stream: &Stream) -> AskerState {
    use rustix::net::RecvFlags;

    let Stream::UdSocket(socket) = stream;
    // Apart from its request, it only ever sends the byte of `cancel_on_interrupt`.
    match rustix::net::recv(socket, &mut [0; 1], RecvFlags::PEEK | RecvFlags::DONTWAIT) {
        Ok((0, _)) => AskerState::Gone,
        Ok(_) => AskerState::Cancelled,
        Err(Errno::AGAIN | Errno::INTR) => AskerState::Waiting,
        Err(_) => AskerState::Gone,
    }
}

/// Notifies the agent at the other end if a person interrupts this process while it waits, such as with Ctrl-C. Other
/// ends, such as a tool that kills it, cannot be caught.
pub(crate) fn cancel_on_interrupt(stream: &Stream) -> io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    static CONNECTION: Mutex<Option<UnixStream>> = Mutex::new(None);
    static IS_WATCHED: AtomicBool = AtomicBool::new(false);

    let Stream::UdSocket(socket) = stream;
    // A response from the agent's memory is immediate, many times a minute: no need to watch then.
    let moment = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
    if rustix::event::poll(&mut [PollFd::new(socket, PollFlags::IN)], Some(&moment)) != Ok(0) {
        return Ok(());
    }
    let connection = UnixStream::from(socket.as_fd().try_clone_to_owned()?);
    *CONNECTION.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection);
    if IS_WATCHED.swap(true, Ordering::SeqCst) {
        return Ok(());
    }
    let mut signals = signal_hook::iterator::Signals::new([SIGTERM, SIGINT, SIGHUP])?;
    std::thread::spawn(move || {
        for signal in signals.forever() {
            if let Some(connection) = &mut *CONNECTION.lock().unwrap_or_else(PoisonError::into_inner) {
                let _ = connection.write_all(b"\0");
            }
            let _ = signal_hook::low_level::emulate_default_handler(signal);
        }
    });
    Ok(())
}

/// Runs `action` once when the system or a person terminates this process.
pub(crate) fn on_termination(action: impl FnOnce() + Send + 'static) -> io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGTERM, SIGINT, SIGHUP])?;
    std::thread::spawn(move || {
        if signals.forever().next().is_some() {
            action();
        }
    });
    Ok(())
}

/// Ends a [`read_lines`] when it is dropped.
#[derive(Debug)]
pub(crate) struct Stopper {
    _end: UnixStream,
}

/// What a [`read_lines`] watches.
#[derive(Debug)]
pub(crate) struct Stop(UnixStream);

/// A stopper and what it stops.
pub(crate) fn stopper() -> io::Result<(Stopper, Stop)> {
    let (end, stop) = UnixStream::pair()?;
    Ok((Stopper { _end: end }, Stop(stop)))
}

/// Passes lines of standard input to `line` until it returns false or is stopped. It reads no byte beyond those lines:
/// the rest is for the program that runs next.
pub(crate) fn read_lines(stop: &Stop, mut line: impl FnMut(&str) -> bool) {
    let stdin = io::stdin();
    let mut bytes = Vec::new();
    loop {
        let flags = PollFlags::IN | PollFlags::HUP;
        let mut watched = [PollFd::new(&stop.0, flags), PollFd::new(&stdin, flags)];
        match rustix::event::poll(&mut watched, None) {
            Err(Errno::INTR) => continue,
            Err(_) => return,
            Ok(_) if !watched[0].revents().is_empty() => return,
            Ok(_) => {}
        }
        let mut byte = [0];
        // Without std's buffer, which would read beyond the line.
        match rustix::io::read(&stdin, &mut byte) {
            Ok(1) if byte[0] == b'\n' => {
                if !line(&String::from_utf8_lossy(&bytes)) {
                    return;
                }
                bytes.clear();
            }
            Ok(1) => bytes.push(byte[0]),
            Err(Errno::INTR) => {}
            Ok(_) | Err(_) => {
                line(&String::from_utf8_lossy(&bytes));
                return;
            }
        }
    }
}

/// Lets a command outlive this process: signals to this process group do not reach it.
pub(crate) fn detach(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

/// Runs a command and waits for its end. It reads the terminal's input directly; signals to this process are passed on.
/// The exit code is the command's, or 128 plus the number of the signal that ended it.
pub(crate) fn run_to_the_end(mut command: Command) -> io::Result<ExitCode> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
    use std::os::unix::process::ExitStatusExt;
    // Before the command starts, so that no signal ends this process without it.
    let mut signals =
        signal_hook::iterator::Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2])?;
    let mut child = command.spawn()?;
    let process = rustix::process::Pid::from_child(&child);
    let handle = signals.handle();
    let passed_on = std::thread::spawn(move || {
        for signal in signals.forever() {
            // The terminal sends these two to the command itself.
            if matches!(signal, SIGINT | SIGQUIT) && io::stdin().is_terminal() {
                continue;
            }
            if let Some(signal) = rustix::process::Signal::from_named_raw(signal) {
                let _ = rustix::process::kill_process(process, signal);
            }
        }
    });
    let status = child.wait()?;
    handle.close();
    let _ = passed_on.join();
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

/// Whether the owner can execute the file.
pub(crate) fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.mode() & 0o111 != 0)
}

/// Has no memory of this program written to disk when it crashes.
pub(crate) fn forbid_core_dumps() -> io::Result<()> {
    let maximum = getrlimit(Resource::Core).maximum;
    // A limit of 1 byte also keeps the kernel from passing the dump to a program (Linux, `fs/coredump.c`), which 0 does not.
    let current = Some(maximum.map_or(1, |maximum| maximum.min(1)));
    Ok(setrlimit(Resource::Core, Rlimit { current, maximum })?)
}

/// The program, or the folder on the way to it, that somebody other than the administrator can change.
pub(crate) fn changeable_part(program: &Path) -> io::Result<Option<PathBuf>> {
    let program = fs::canonicalize(program)?;
    for part in program.ancestors() {
        let metadata = fs::metadata(part)?;
        if metadata.uid() != 0 || metadata.mode() & 0o022 != 0 {
            return Ok(Some(part.to_owned()));
        }
    }
    Ok(None)
}

/// Makes a file accessible to its owner only.
pub(crate) fn make_private(path: &Path) -> io::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
}

/// Creates a folder and its parents, accessible to its owner only. An existing folder is closed to others; a link or
/// another user's folder is refused.
pub(crate) fn make_private_folder(folder: &Path) -> io::Result<()> {
    match DirBuilder::new().recursive(true).mode(0o700).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        result => result?,
    }
    let metadata = fs::symlink_metadata(folder)?;
    let is_own = metadata.uid() == rustix::process::geteuid().as_raw();
    if metadata.is_dir() && is_own && metadata.mode() & 0o077 != 0 {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    }
    check_private_folder(folder)
}

/// Creates a file accessible to its owner only. Fails if it exists.
pub(crate) fn create_private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Opens a file for reading, unless another user could have created, read or written it.
pub(crate) fn open_private_file(path: &Path) -> io::Result<File> {
    // Opening a pipe without this would block.
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    let metadata = file.metadata()?;
    let is_own = metadata.uid() == rustix::process::geteuid().as_raw();
    let is_open_to_others = metadata.mode() & 0o077 != 0;
    if metadata.is_file() && is_own && !is_open_to_others {
        return Ok(file);
    }
    let reason = format!("{} is not a private file of this user", path.display());
    Err(io::Error::new(io::ErrorKind::PermissionDenied, reason))
}

/// What changes whenever a file is written or replaced: its size, its place on the disk and when it was changed.
pub(crate) fn file_identity(metadata: &fs::Metadata) -> (u64, u64, [i64; 4]) {
    let times = [metadata.mtime(), metadata.mtime_nsec(), metadata.ctime(), metadata.ctime_nsec()];
    (metadata.len(), metadata.ino(), times)
}

/// Makes a file readable by all and writable by its owner.
pub(crate) fn make_readable(path: &Path) -> io::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(0o644))
}

/// Browsers find the host's manifest by its path: there is nothing to register.
#[expect(clippy::unnecessary_wraps, reason = "it fails on Windows, in the registry")]
pub(crate) fn register_host(_browser: &str, _host: &str, _manifest: Option<&Path>) -> io::Result<()> {
    Ok(())
}

/// Whether the registry knows the software: there is no registry here.
pub(crate) fn has_software(_key: &str) -> bool {
    false
}

/// The folder for data that stays on this machine.
pub(crate) fn local_data(home: &Path) -> PathBuf {
    home.join(".local").join("share")
}

/// The program's path as the first word of a `credential_process` line. All tools here understand quotes.
pub(crate) fn program_word(program: &Path) -> Option<String> {
    program.to_str().map(str::to_owned)
}

/// The path as a person would write it: unchanged here.
pub(crate) fn simplified(path: PathBuf) -> PathBuf {
    path
}

/// The shell in which SDKs run a `credential_process`.
pub(crate) fn shell(line: &str) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(line);
    command
}

/// The home folder.
pub(crate) fn home() -> Option<PathBuf> {
    std::env::home_dir().filter(|home| !home.as_os_str().is_empty())
}

/// The folder of the user's settings: `XDG_CONFIG_HOME`, or `~/.config`.
pub(crate) fn config_home() -> Option<PathBuf> {
    base_folder("XDG_CONFIG_HOME").or_else(|| Some(home()?.join(".config")))
}

/// The folder of logs: `XDG_STATE_HOME`, or `~/.local/state`.
pub(crate) fn state_home() -> Option<PathBuf> {
    base_folder("XDG_STATE_HOME").or_else(|| Some(home()?.join(".local").join("state")))
}

/// The folder of caches: `XDG_CACHE_HOME`, or `~/.cache`.
pub(crate) fn cache_home() -> Option<PathBuf> {
    base_folder("XDG_CACHE_HOME").or_else(|| Some(home()?.join(".cache")))
}

/// XDG Base Directory Specification: a relative path is invalid and ignored.
fn base_folder(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).map(PathBuf::from).filter(|folder| folder.is_absolute())
}

/// The machine's settings file.
pub(crate) fn machine_settings() -> PathBuf {
    PathBuf::from("/etc/rolecall/config.toml")
}

/// The longest folder in which a socket's path still fits.
const SOCKET_FOLDER_MAX: usize = 70;
