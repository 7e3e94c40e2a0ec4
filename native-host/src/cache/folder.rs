//! The file and its folder: private, locked while it is changed, replaced in one step.
//!
//! What somebody else could have read or written is not believed, and nothing in here is a reason to fail for whoever
//! only reads: a file that is damaged, foreign or open to others is as good as none.

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

    /// The file that lists what is kept.
    pub(super) fn file(&self) -> PathBuf {
        self.0.join(FILE)
    }

    /// Whether there is a folder.
    pub(super) fn exists(&self) -> bool {
        fs::symlink_metadata(&self.0).is_ok()
    }

    /// What is kept; nothing, if that cannot be told.
    pub(super) fn read(&self) -> Document {
        match self.try_read() {
            Ok(document) => document,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Document::default(),
            Err(error) => {
                tracing::warn!(%error, "the cache is not used");
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

    /// Changes what is kept while nobody else does. `change` says whether it changed anything.
    pub(super) fn change(&self, change: impl FnOnce(&mut Document) -> bool) -> io::Result<()> {
        let _lock = self.lock()?;
        let mut document = self.read();
        if !change(&mut document) {
            return Ok(());
        }
        if document.is_empty() { remove(&self.file()) } else { self.replace(&document.to_bytes()) }
    }

    /// Tries whether the file could be changed.
    pub(super) fn check(&self) -> io::Result<()> {
        let _lock = self.lock()?;
        let path = self.0.join(NEW);
        remove(&path)?;
        platform::create_private_file(&path)?.write_all(b"{}")?;
        remove(&path)
    }

    /// The right to change the file.
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

    /// Writes the file anew beside the old one and renames it. Not to the disk at once: a cache that a power failure
    /// takes is no loss, and a file cut short is as good as none.
    fn replace(&self, bytes: &[u8]) -> io::Result<()> {
        let new = self.0.join(NEW);
        // Left behind by a process that was killed: only the one that has the lock writes here.
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

/// Beyond any number of roles that a person has.
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
    fn what_is_put_is_there_until_nothing_is_left() {
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
    fn trying_it_leaves_what_is_kept_as_it_was() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder(home.path().join("rolecall"));
        folder.change(put).unwrap();
        let before = fs::read(folder.file()).unwrap();
        folder.check().unwrap();
        assert_eq!(fs::read(folder.file()).unwrap(), before);
        assert!(!folder.0.join(NEW).exists());
    }
}
