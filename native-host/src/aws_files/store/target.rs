//! The file that a path leads to through links, and whether it can be written.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::super::error::Error;
use super::{failed, folder};
use crate::platform;

/// Follows symbolic links to where the file is or would be.
pub(super) fn resolve(path: &Path) -> Result<PathBuf, Error> {
    let mut target = path.to_owned();
    for _ in 0..LINKS_MAX {
        match fs::symlink_metadata(&target) {
            Ok(metadata) if metadata.is_symlink() => {
                let to = fs::read_link(&target).map_err(|error| failed("read the link", &target, error))?;
                target = folder(&target).join(to);
            }
            Ok(_) => return Ok(canonical(&target)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(canonical(&target)),
            Err(error) => return Err(failed("read", path, error)),
        }
    }
    Err(Error::SymlinkLoop { path: path.to_owned() })
}

/// Refuses everything but a regular file; opening a pipe would wait for ever.
pub(super) fn check_is_file(path: &Path, metadata: &fs::Metadata) -> Result<(), Error> {
    if metadata.is_file() {
        return Ok(());
    }
    Err(Error::NotAFile { path: path.to_owned(), what: kind(metadata) })
}

/// Creates the folder of a new file, private to its owner.
pub(super) fn make_folder(path: &Path, target: &Path) -> Result<(), Error> {
    let folder = folder(target);
    if folder.exists() {
        return Ok(());
    }
    let is_link = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
    if is_link || folder.is_symlink() {
        // Usually a disk that is not mounted: creating the folder would be wrong.
        return Err(Error::LinkIntoNowhere { link: path.to_owned(), folder: folder.to_owned() });
    }
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            Error::ReadOnlyFolder { folder: existing(folder).to_owned() }
        }
        _ => failed("create the folder", folder, error),
    })
}

/// Refuses a file that its owner has write-protected, which a rename would ignore.
pub(super) fn check_writable(path: &Path, target: &Path) -> Result<(), Error> {
    let metadata = match fs::metadata(target) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed("read", path, error)),
        Ok(metadata) => metadata,
    };
    check_is_file(path, &metadata)?;
    let is_refused = |error: &io::Error| {
        matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
    };
    match OpenOptions::new().append(true).open(target) {
        Ok(_) if metadata.permissions().readonly() => Err(Error::ReadOnlyFile { path: path.to_owned() }),
        Ok(_) => Ok(()),
        Err(error) if is_refused(&error) => Err(Error::ReadOnlyFile { path: path.to_owned() }),
        Err(error) => Err(failed("write", path, error)),
    }
}

/// The same path for the same file, however its folder is written.
fn canonical(target: &Path) -> PathBuf {
    match (fs::canonicalize(folder(target)), target.file_name()) {
        (Ok(folder), Some(name)) => platform::simplified(folder).join(name),
        _ => target.to_owned(),
    }
}

fn existing(folder: &Path) -> &Path {
    folder.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(folder)
}

#[cfg(unix)]
fn kind(metadata: &fs::Metadata) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    match metadata.file_type() {
        kind if kind.is_dir() => "a folder",
        kind if kind.is_fifo() => "a named pipe",
        kind if kind.is_socket() => "a socket",
        _ => "a device",
    }
}

#[cfg(not(unix))]
fn kind(metadata: &fs::Metadata) -> &'static str {
    if metadata.is_dir() { "a folder" } else { "a device" }
}

/// The same limit as Linux.
const LINKS_MAX: usize = 40;
