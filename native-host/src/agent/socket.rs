//! Where agents listen and how they are found: one file each in a private folder of the user.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use interprocess::local_socket::{Listener, Stream};

use crate::platform;

/// Who answers at a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A host, for as long as its browser runs.
    Browser,
    /// A command that is signing in without one, for as long as that takes.
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

/// Listens under a name of its own, and clears away what dead agents left behind. Whoever stops listening removes the
/// file.
pub(super) fn open(kind: Kind) -> io::Result<(Listener, PathBuf)> {
    let folder = platform::create_runtime_folder()?;
    for path in [Kind::Browser, Kind::Terminal].into_iter().flat_map(|kind| files(&folder, kind)) {
        // Whoever is alive answers the connection; the rest is removed on the way.
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

/// Connects to an agent of this user, and removes the file of one that is dead.
pub(crate) fn connect(path: &Path) -> io::Result<Stream> {
    match platform::connect(path) {
        Ok(stream) if platform::is_same_user(&stream) => Ok(stream),
        Ok(_) => Err(io::Error::new(io::ErrorKind::PermissionDenied, "the agent belongs to another user")),
        Err(error) => {
            if matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound) {
                let _ = fs::remove_file(path);
            }
            Err(error)
        }
    }
}

fn files(folder: &Path, kind: Kind) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let is_socket = |path: &PathBuf| {
        let named = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(kind.prefix()));
        named && path.extension().is_some_and(|extension| extension == EXTENSION)
    };
    entries.flatten().map(|entry| entry.path()).filter(is_socket).collect()
}

const EXTENSION: &str = "sock";
