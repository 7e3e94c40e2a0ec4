//! Reading and replacing files without ever losing data. Knows files and folders, not their contents.
//!
//! A change is a new file written beside the old one, flushed, given the old one's mode and owner, and renamed over it,
//! then the folder is flushed. Killed at any moment, it leaves the old file or the new one. Access lists and extended
//! attributes stay behind with the old file, and another hard link to it keeps the old contents.

mod backup;
mod lock;
mod replace;
mod target;

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::error::Error;
use super::plan::{Change, Contents, Plan, Zeroized};
use lock::Lock;

/// A file as it was at one moment.
pub(super) struct Snapshot {
    /// The file itself, with all symbolic links followed.
    pub(super) target: PathBuf,
    contents: Contents,
    stamp: Option<Stamp>,
}

impl Snapshot {
    /// Whether the path leads to the same file with the same bytes.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.target == other.target && self.contents == other.contents
    }

    pub(super) fn contents(&self) -> &Contents {
        &self.contents
    }

    pub(super) fn bytes(&self) -> Option<&[u8]> {
        super::plan::bytes(&self.contents)
    }
}

/// What differs when another program has written the file.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
    identity: (u64, u64),
}

/// Reads the file at `path`, through symbolic links; a missing file is not an error.
pub(super) fn read(path: &Path) -> Result<Snapshot, Error> {
    let target = target::resolve(path)?;
    let (contents, stamp) = match fs::metadata(&target) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => (None, None),
        Err(error) => return Err(failed("read", path, error)),
        // The customary way to say that there is no such file.
        Ok(_) if target == Path::new("/dev/null") => (None, None),
        Ok(metadata) => {
            target::check_is_file(path, &metadata)?;
            let mut file = File::open(&target).map_err(|error| failed("read", path, error))?;
            let metadata = file.metadata().map_err(|error| failed("read", path, error))?;
            // One byte more than needed, so that reading to the end does not copy secrets to another buffer.
            let length = usize::try_from(metadata.len()).unwrap_or_default();
            let mut bytes = Zeroized(Vec::with_capacity(length.saturating_add(1)));
            file.read_to_end(&mut bytes.0).map_err(|error| failed("read", path, error))?;
            (Some(Arc::new(bytes)), Some(Stamp::of(&metadata)))
        }
    };
    Ok(Snapshot { target, contents, stamp })
}

/// What distinguishes the file at `path` from earlier and later ones.
fn stamp(path: &Path) -> Result<Option<Stamp>, Error> {
    match fs::metadata(target::resolve(path)?) {
        Ok(metadata) => Ok(Some(Stamp::of(&metadata))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", path, error)),
    }
}

/// What [`Session::write`] did beside changing the files.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// The backups made.
    pub(super) backups: Vec<PathBuf>,
    /// Whether other users could read the credentials file before.
    pub(super) made_private: bool,
}

/// A file that is written.
#[derive(Clone, Copy)]
struct Place<'a> {
    /// Its path, for messages.
    path: &'a Path,
    /// Where it is, links followed.
    target: &'a Path,
    /// Whether nobody but its owner may read it.
    private: bool,
}

/// The locks on both files, for as long as they are changed.
pub(super) struct Session {
    locks: Vec<Lock>,
    deadline: Instant,
    timeout: Duration,
}

impl Session {
    /// Waits for both files. A file that will not change may be where no lock can be created.
    pub(super) fn open(paths: [&Path; 2], plan: &Plan, timeout: Duration) -> Result<Self, Error> {
        let deadline = Instant::now() + timeout;
        let mut session = Self { locks: Vec::new(), deadline, timeout };
        let is_changed = |path: &Path| plan.files().any(|changed| changed == path);
        for path in paths.into_iter().filter(|path| is_changed(path)) {
            let target = target::resolve(path)?;
            target::make_folder(path, &target)?;
            target::check_writable(path, &target)?;
        }
        // Only now that the folders exist are the files' canonical paths known.
        let mut targets = Vec::new();
        for path in paths {
            targets.push((target::resolve(path)?, path, is_changed(path)));
        }
        // Always in the same order, so that two processes cannot wait for each other.
        targets.sort();
        targets.dedup_by(|(a, _, is_changed), (b, _, was_changed)| {
            *was_changed |= a == b && *is_changed;
            a == b
        });
        for (target, path, is_changed) in targets {
            match session.lock(path, target) {
                Err(error @ Error::Locked { .. }) => return Err(error),
                Err(error) if is_changed => return Err(error),
                _ => {}
            }
        }
        Ok(session)
    }

    /// Writes a plan that was made from `snapshots` of these paths (config, credentials) under these locks; `None` if another
    /// program wrote in between, and nothing was done.
    ///
    /// The credentials file and its backups are private to their owner, and a backup has no keys that Rolecall wrote: signing
    /// out removes those from the file and must not leave them beside it.
    pub(super) fn write(
        &mut self,
        plan: &Plan,
        snapshots: [&Snapshot; 2],
        paths: [&Path; 2],
    ) -> Result<Option<Written>, Error> {
        let is_private = |path: &Path| path == paths[1];
        let mut work = Vec::new();
        for change in &plan.changes {
            let Some((_, snapshot)) = paths.iter().zip(snapshots).find(|(path, _)| **path == change.path)
            else {
                continue;
            };
            target::make_folder(&change.path, &snapshot.target)?;
            if !self.locks.iter().any(|lock| lock.target() == snapshot.target) {
                self.lock(&change.path, snapshot.target.clone())?;
            }
            target::check_writable(&change.path, &snapshot.target)?;
            work.push((change, snapshot));
        }
        let mut written = Written::default();
        for (change, snapshot) in &work {
            let Some(bytes) = snapshot.bytes() else { continue };
            let place =
                Place { path: &change.path, target: &snapshot.target, private: is_private(&change.path) };
            written.made_private |= place.private && replace::is_open_to_others(place.target);
            let stripped = place.private.then(|| Zeroized(super::section::without_own(bytes)));
            let bytes = stripped.as_ref().map_or(bytes, |stripped| &stripped.0);
            written.backups.extend(backup::make(place, bytes, change.takes_over)?);
        }
        // Everything that can fail for lack of space or permission happens before the first file changes.
        let mut staged = Vec::new();
        for (change, snapshot) in &work {
            let place =
                Place { path: &change.path, target: &snapshot.target, private: is_private(&change.path) };
            staged.push(replace::Staged::new(place, super::plan::bytes(&change.after))?);
        }
        for (change, snapshot) in &work {
            if stamp(&change.path)? != snapshot.stamp {
                return Ok(None);
            }
        }
        let mut done: Vec<&(&Change, &Snapshot)> = Vec::new();
        for (staged, item) in staged.into_iter().zip(&work) {
            if let Err(error) = staged.commit() {
                for (change, snapshot) in done {
                    put_back(change, snapshot, is_private(&change.path));
                }
                return Err(error);
            }
            done.push(item);
        }
        for (change, snapshot) in &work {
            replace::flush_folder(&change.path, &snapshot.target)?;
        }
        Ok(Some(written))
    }

    fn lock(&mut self, path: &Path, target: PathBuf) -> Result<(), Error> {
        let lock = Lock::acquire(path, target, self.deadline, self.timeout)?;
        replace::sweep(lock.target());
        self.locks.push(lock);
        Ok(())
    }
}

/// Restores the first file after a failure half-way. That failure is reported, not one of this.
fn put_back(change: &Change, snapshot: &Snapshot, private: bool) {
    let place = Place { path: &change.path, target: &snapshot.target, private };
    let _ = replace::Staged::new(place, snapshot.bytes()).and_then(replace::Staged::commit);
}

impl Stamp {
    fn of(metadata: &fs::Metadata) -> Self {
        #[cfg(unix)]
        let identity = {
            use std::os::unix::fs::MetadataExt as _;
            (metadata.dev(), metadata.ino())
        };
        #[cfg(not(unix))]
        let identity = (0, 0);
        Self { length: metadata.len(), modified: metadata.modified().ok(), identity }
    }
}

/// The error for an operating system error about a file.
fn failed(action: &'static str, path: &Path, source: io::Error) -> Error {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Error::DiskFull { path: path.to_owned() }
        }
        _ => Error::Io { action, path: path.to_owned(), source },
    }
}

/// The folder of a file.
fn folder(target: &Path) -> &Path {
    match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
