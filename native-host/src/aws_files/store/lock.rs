//! A lock that admits one writer at a time.
//!
//! The file itself cannot be locked: it is replaced, and a waiting process would then hold a lock on a deleted file. A
//! lock on the folder needs no file but does not exist on NFS. So the lock is a separate file beside the target,
//! removed with the lock: after locking, a process checks that its file is still the one at that path.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::super::error::Error;
use super::{failed, folder};

/// The exclusive right to change a file, until dropped.
pub(super) struct Lock {
    target: PathBuf,
    path: PathBuf,
    _file: File,
}

impl Lock {
    /// Waits until `deadline` for the lock on `target`, which the user knows as `path`.
    pub(super) fn acquire(
        path: &Path,
        target: PathBuf,
        deadline: Instant,
        timeout: Duration,
    ) -> Result<Self, Error> {
        let lock = super::replace::beside(&target, "lock");
        let mut pause = PAUSE_FIRST;
        loop {
            let file = open(&lock).map_err(|error| match error.kind() {
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                    Error::ReadOnlyFolder { folder: folder(&target).to_owned() }
                }
                _ => failed("lock", path, error),
            })?;
            match file.try_lock() {
                Ok(()) if is_at(&file, &lock) => return Ok(Self { target, path: lock, _file: file }),
                Ok(()) => continue,
                // No locks on this file system: what remains is that every replacement is one step.
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                    return Ok(Self { target, path: lock, _file: file });
                }
                Err(TryLockError::Error(error)) => return Err(failed("lock", path, error)),
                Err(TryLockError::WouldBlock) => {}
            }
            let now = Instant::now();
            if now >= deadline {
                return Err(Error::Locked { path: path.to_owned(), waited: timeout });
            }
            thread::sleep(pause.min(deadline - now));
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    pub(super) fn target(&self) -> &Path {
        &self.target
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // While the lock is still held, so that it is this process's file. Windows cannot delete a file that others
        // have open.
        if cfg!(unix) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn open(lock: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(lock)
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(held), Ok(named)) => (held.dev(), held.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

const PAUSE_FIRST: Duration = Duration::from_millis(1);
const PAUSE_MAX: Duration = Duration::from_millis(16);
