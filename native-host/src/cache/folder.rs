//! The file and its folder: private, locked during a change, replaced in one step.
//!
//! A file that another user could have read or written is not trusted. Reading never fails: a file that is damaged,
//! foreign or accessible to others is ignored.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::PathBuf;

use zeroize::Zeroizing;

use super::document::Document;
use crate::platform;

/// The folder of the cache.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// `$XDG_CACHE_HOME/rolecall`, by default `~/.cache/rolecall`.
    pub(super) fn usual() -> Option<Self> {
        Some(Self(platform::cache_home()?.join("rolecall")))
    }

    /// The path of the list.
    pub(super) fn file(&self) -> PathBuf {
        self.0.join(FILE)
    }

    pub(super) fn exists(&self) -> bool {
        fs::symlink_metadata(&self.0).is_ok()
    }

    /// Reads the list; an empty one if it cannot be read.
    pub(super) fn read(&self) -> Document {
        match self.try_read() {
            Ok(document) => document,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Document::default(),
            Err(error) => {
                tracing::warn!(%error, "the cache is ignored");
                Document::default()
            }
        }
    }

    fn try_read(&self) -> io::Result<Document> {
        let file = platform::open_private_file(&self.file())?;
        let mut bytes = Zeroizing::new(Vec::new());
        if let Ok(length) = usize::try_from(file.metadata()?.len().min(SIZE_MAX)) {
            bytes.reserve_exact(length + 1);
        }
        file.take(SIZE_MAX).read_to_end(&mut bytes)?;
        Document::parse(&bytes).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "it is damaged"))
    }

    /// Changes the list under the lock. `change` returns whether it changed anything.
    pub(super) fn change(&self, change: impl FnOnce(&mut Document) -> bool) -> io::Result<()> {
        let _lock = self.lock()?;
        let mut document = self.read();
        if !change(&mut document) {
            return Ok(());
        }
        if document.is_empty() { remove(&self.file()) } else { self.replace(document.to_json().as_bytes()) }
    }

    /// Tests whether the file could be changed.
    pub(super) fn check(&self) -> io::Result<()> {
        let _lock = self.lock()?;
        let path = self.0.join(NEW);
        remove(&path)?;
        platform::create_private_file(&path)?.write_all(b"{}")?;
        remove(&path)
    }

    /// The exclusive right to change the file.
    fn lock(&self) -> io::Result<File> {
        platform::make_private_folder(&self.0)?;
        let path = self.0.join(LOCK);
        let file = match platform::create_private_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => File::open(&path)?,
            result => result?,
        };
        match file.lock() {
            // No locks on this file system: what remains is that every replacement is one step.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(file),
            result => result.map(|()| file),
        }
    }

    /// Writes a new file beside the old one and renames it. The file is not flushed: a cache lost in a power failure
    /// does no harm, and a truncated one is ignored.
    fn replace(&self, bytes: &[u8]) -> io::Result<()> {
        let new = self.0.join(NEW);
        // Left by a killed process: only the holder of the lock writes here.
        remove(&new)?;
        let mut file = platform::create_private_file(&new)?;
        file.write_all(bytes).and_then(|()| fs::rename(&new, self.file())).inspect_err(|_| {
            let _ = remove(&new);
        })
    }
}

fn remove(path: &std::path::Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

const FILE: &str = "credentials.json";
const NEW: &str = "credentials.new";
const LOCK: &str = "credentials.lock";

/// Far beyond the number of roles of any person.
const SIZE_MAX: u64 = 4 << 20;

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::symlink;

    use chrono::{TimeDelta, Utc};
    use rolecall_core::aws::Credentials;
    use rolecall_core::message::host::RoleSelection;
    use rolecall_core::settings::RoleKey;

    use super::super::document::Entry;
    use super::*;
    use crate::host_settings::CacheBackend;

    fn put(document: &mut Document) -> bool {
        let role: RoleKey = RoleKey {
            provider: "corp".parse().unwrap(),
            arn: "arn:aws:iam::123456789012:role/example".parse().unwrap(),
        };
        let now = Utc::now();
        let credentials = Credentials {
            access_key_id: "ASIAEXAMPLE".into(),
            secret_access_key: "secret".into(),
            session_token: "token".into(),
            expiration: now + TimeDelta::hours(1),
        };
        document.put(Entry::new(&role, &credentials, CacheBackend::File, now));
        true
    }

    #[test]
    fn the_file_exists_until_its_last_entry_is_removed() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder(home.path().join("a/b/rolecall"));
        assert!(folder.read().is_empty() && !folder.exists());
        folder.change(put).unwrap();
        assert!(!folder.read().is_empty());
        folder.change(|document| !document.remove(&RoleSelection::All).is_empty()).unwrap();
        assert!(!folder.file().exists());
    }

    #[test]
    fn a_folder_that_is_a_link_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder(home.path().join("rolecall"));
        let elsewhere = home.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        symlink(&elsewhere, home.path().join("rolecall")).unwrap();
        let refused = folder.change(put).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied, "{refused}");
        assert_eq!(fs::read_dir(elsewhere).unwrap().count(), 0);
    }

    #[test]
    fn checking_the_folder_changes_no_entry() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder(home.path().join("rolecall"));
        folder.change(put).unwrap();
        let before = fs::read(folder.file()).unwrap();
        folder.check().unwrap();
        assert_eq!(fs::read(folder.file()).unwrap(), before);
        assert!(!folder.0.join(NEW).exists());
    }
}
