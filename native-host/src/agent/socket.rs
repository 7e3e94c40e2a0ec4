//! Where agents listen and how they are found: one file each in a private folder of the user.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use interprocess::local_socket::{Listener, Stream};

use crate::platform;

/// What kind of process listens at a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A host, while its browser runs.
    Browser,
    /// A command that is signing in without a browser's host, for as long as that takes.
    Terminal,
}

impl Kind {
    fn prefix(self) -> &'static str {
        match self {
            Self::Browser => "agent",
            Self::Terminal => "login",
        }
    }
}

/// Listens under a unique name, and removes the files of dead agents. The caller removes the file when it stops
/// listening.
pub(super) fn open(kind: Kind) -> io::Result<(Listener, PathBuf)> {
    let folder = platform::create_runtime_folder()?;
    for path in [Kind::Browser, Kind::Terminal].into_iter().flat_map(|kind| files(&folder, kind)) {
        // A live agent accepts the connection; the others are removed by connecting.
        let _ = connect(&path);
    }
    let mut tail = [0; 4];
    getrandom::fill(&mut tail).map_err(|_| io::Error::other("the system gave no random bytes"))?;
    let tail = u32::from_ne_bytes(tail);
    let path = folder.join(format!("{}-{}-{tail:08x}.{EXTENSION}", kind.prefix(), std::process::id()));
    Ok((platform::listen(&path)?, path))
}

/// The sockets of this user's agents, the youngest first. Some may be dead.
pub(crate) fn find(kind: Kind) -> Vec<PathBuf> {
    let mut found: Vec<_> = platform::runtime_folders()
        .iter()
        .filter(|folder| platform::check_private_folder(folder).is_ok())
        .flat_map(|folder| files(folder, kind))
        .collect();
    if found.len() > 1 {
        found.sort_by_cached_key(|path| {
            std::cmp::Reverse(fs::metadata(path).and_then(|file| file.modified()).ok())
        });
    }
    found
}

/// Connects to an agent of this user, and removes the file of a dead one.
pub(crate) fn connect(path: &Path) -> io::Result<Stream> {
    match platform::connect(path) {
        Ok(stream) if platform::is_same_user(&stream) => Ok(stream),
        Ok(_) => Err(io::Error::new(io::ErrorKind::PermissionDenied, "the agent belongs to another user")),
        Err(error) => {
            if matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound) {
                close(path);
            }
            Err(error)
        }
    }
}

/// Removes the socket of an agent that has ended. A browser's agent leaves a marker file for a moment: the extension
/// restarts its host program within [`RESTART`], and callers should wait for that.
pub(super) fn close(path: &Path) {
    let of_browser =
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(Kind::Browser.prefix()));
    // First: another caller must find the one or the other.
    if of_browser {
        let _ = fs::File::create(path.with_extension(ENDED));
    }
    let _ = fs::remove_file(path);
}

/// How much longer a browser's agent that has just ended may take to restart; `None` if none has just ended.
pub(super) fn restarting() -> Option<Duration> {
    let folders = platform::runtime_folders();
    let folders = folders.iter().filter(|folder| platform::check_private_folder(folder).is_ok());
    let ended = folders.flat_map(|folder| files_of(folder, Kind::Browser, ENDED));
    let left = |path: PathBuf| {
        let ended = fs::metadata(&path).and_then(|file| file.modified()).ok()?;
        // A clock that was set back must not lengthen the wait.
        let left = RESTART.checked_sub(ended.elapsed().unwrap_or_default()).filter(|left| !left.is_zero());
        if left.is_none() {
            let _ = fs::remove_file(&path);
        }
        left
    };
    ended.filter_map(left).max()
}

fn files(folder: &Path, kind: Kind) -> Vec<PathBuf> {
    files_of(folder, kind, EXTENSION)
}

fn files_of(folder: &Path, kind: Kind, extension: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let is_wanted = |path: &PathBuf| {
        let named = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(kind.prefix()));
        named && path.extension().is_some_and(|other| other == extension)
    };
    entries.flatten().map(|entry| entry.path()).filter(is_wanted).collect()
}

/// How long an extension takes to restart its host program: it waits for a second first.
pub(crate) const RESTART: Duration = Duration::from_secs(3);

/// The extension of the marker file that a browser's agent leaves.
const ENDED: &str = "ended";

const EXTENSION: &str = "sock";
