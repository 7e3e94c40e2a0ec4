//! Replaces a file in one step.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempPath};

use super::super::error::Error;
use super::{Place, failed, folder};

/// A change that only needs its rename or removal.
pub(super) struct Staged {
    path: PathBuf,
    target: PathBuf,
    /// `None` removes the file.
    temporary: Option<TempPath>,
}

impl Staged {
    /// Writes and flushes `bytes` beside the target, with the target's owner and mode, unless it has to be private.
    pub(super) fn new(place: Place<'_>, bytes: Option<&[u8]>) -> Result<Self, Error> {
        let temporary = match bytes {
            Some(bytes) => Some(write_beside(place, bytes)?.into_temp_path()),
            None => None,
        };
        Ok(Self { path: place.path.to_owned(), target: place.target.to_owned(), temporary })
    }

    /// Renames it over the target.
    pub(super) fn commit(self) -> Result<(), Error> {
        let result = match self.temporary {
            Some(temporary) => temporary.persist(&self.target).map_err(|error| error.error),
            None => fs::remove_file(&self.target),
        };
        result.map_err(|error| failed("replace", &self.path, error))
    }

    /// Renames it to a path where no file is yet.
    pub(super) fn commit_new(self, at: &Path) -> Result<(), Error> {
        let Some(temporary) = self.temporary else { return Ok(()) };
        temporary.persist_noclobber(at).map_err(|error| failed("write", at, error.error))
    }
}

/// Makes a rename in the folder durable.
pub(super) fn flush_folder(path: &Path, target: &Path) -> Result<(), Error> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    let flushed = File::open(folder(target)).and_then(|folder| folder.sync_all());
    match flushed {
        // Some network file systems do not support it.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            Ok(())
        }
        other => other.map_err(|error| failed("flush the folder of the changed file", path, error)),
    }
}

/// Removes what killed writers left beside `target`. Call it only under the lock, when no other process writes.
pub(super) fn sweep(target: &Path) {
    let (prefix, Ok(entries)) = (beside_name(target, ""), fs::read_dir(folder(target))) else { return };
    let prefix = prefix.as_encoded_bytes();
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        if name.starts_with(prefix) && name.ends_with(TEMPORARY.as_bytes()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// The path of a helper file beside `target`.
pub(super) fn beside(target: &Path, role: &str) -> PathBuf {
    folder(target).join(beside_name(target, role))
}

fn beside_name(target: &Path, role: &str) -> OsString {
    let mut name = OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(".rolecall-");
    name.push(role);
    name
}

fn write_beside(place: Place<'_>, bytes: &[u8]) -> Result<NamedTempFile, Error> {
    let Place { path, target, private } = place;
    let failed = |error: io::Error| failed("write", path, error);
    let mut temporary = tempfile::Builder::new()
        .prefix(&beside_name(target, ""))
        .suffix(TEMPORARY)
        .tempfile_in(folder(target))
        .map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Error::ReadOnlyFolder { folder: folder(target).to_owned() }
            }
            _ => failed(error),
        })?;
    temporary.write_all(bytes).map_err(failed)?;
    match fs::metadata(target) {
        Ok(original) => {
            keep_owner(path, temporary.as_file(), &original)?;
            temporary.as_file().set_permissions(permissions(&original, private)).map_err(failed)?;
        }
        // A new file keeps the mode of a temporary one: private to its owner.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    temporary.as_file().sync_all().map_err(failed)?;
    Ok(temporary)
}

#[cfg(unix)]
fn permissions(original: &fs::Metadata, private: bool) -> fs::Permissions {
    use std::os::unix::fs::PermissionsExt as _;
    let mut permissions = original.permissions();
    if private {
        permissions.set_mode(permissions.mode() & !OTHERS);
    }
    permissions
}

#[cfg(not(unix))]
fn permissions(original: &fs::Metadata, _private: bool) -> fs::Permissions {
    original.permissions()
}

/// Whether users other than its owner may use the file.
#[cfg(unix)]
pub(super) fn is_open_to_others(target: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(target).is_ok_and(|metadata| metadata.permissions().mode() & OTHERS != 0)
}

/// On Windows, a file of a person's own folder is theirs alone.
#[cfg(not(unix))]
pub(super) fn is_open_to_others(_target: &Path) -> bool {
    false
}

/// The permissions of the group and of everybody else.
#[cfg(unix)]
const OTHERS: u32 = 0o077;

#[cfg(unix)]
fn keep_owner(path: &Path, file: &File, original: &fs::Metadata) -> Result<(), Error> {
    use std::os::unix::fs::MetadataExt as _;
    let ours = file.metadata().map_err(|error| failed("write", path, error))?;
    if (ours.uid(), ours.gid()) == (original.uid(), original.gid()) {
        return Ok(());
    }
    std::os::unix::fs::fchown(file, Some(original.uid()), Some(original.gid()))
        .map_err(|_| Error::ForeignOwner { path: path.to_owned() })
}

#[cfg(not(unix))]
fn keep_owner(_: &Path, _: &File, _: &fs::Metadata) -> Result<(), Error> {
    Ok(())
}

const TEMPORARY: &str = ".tmp";
