//! Credentials that outlive the browser, if the settings ask for it: `[host] cache = "file"` or `"keyring"`.
//!
//! The agent hands out credentials from memory while a browser is open. The cache is for when none is: a command that
//! finds no agent looks here before it signs in. The cache does not decide who may have a role; its callers store only
//! what the agent says may be stored.
//!
//! One private file below the user's cache folder lists the roles, when their credentials expire, and where those are.
//! With `file` the keys are in this file too; with `keyring` they are in the system's keyring, one entry for each role,
//! and the file contains no secret. So `rolecall status` needs no keyring, and a keyring without an entry for the role
//! is never opened.
//!
//! The host program stores the credentials that the browser sends it, a few times a day. A tool that runs
//! `credential-process` dozens of times a minute is answered from the agent's memory and never touches the cache.

mod document;
mod folder;
mod keyring;

use std::io;

use chrono::{DateTime, TimeDelta, Utc};
use rolecall_core::aws::Credentials;
use rolecall_core::message::host::RoleSelection;
use rolecall_core::settings::RoleKey;
use rolecall_core::sign_in::Presence;
use rolecall_core::{Code, Problem};
use serde::Serialize;

use crate::host_settings::CacheBackend;
use crate::output::short_path;
use crate::settings_files::{self, Machine};
use document::{Document, Entry};
use folder::Folder;
pub(crate) use keyring::Unlock;

/// The cache that the settings choose. The default stores nothing.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    backend: CacheBackend,
    folder: Option<Folder>,
}

/// A role whose credentials are cached.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Kept {
    pub(crate) role: RoleKey,
    pub(crate) expiration: DateTime<Utc>,
    pub(crate) backend: CacheBackend,
}

impl Cache {
    /// The cache of this machine.
    pub(crate) fn of(machine: &Machine) -> Self {
        Self { backend: machine.host.cache, folder: Folder::usual() }
    }

    /// Where it stores credentials.
    pub(crate) fn backend(&self) -> CacheBackend {
        self.backend
    }

    /// The cached credentials of a role, if they last long enough. If a person can sign in, the agent's rule applies:
    /// more than `time_left`, or half of their lifetime. If not, a minute is enough: a job that may finish is better
    /// than one that certainly fails.
    pub(crate) fn find(
        &self,
        role: &RoleKey,
        presence: Presence,
        time_left: TimeDelta,
        unlock: Unlock,
    ) -> Result<Option<Credentials>, Problem> {
        let (true, Some(folder)) = (self.backend != CacheBackend::None, &self.folder) else {
            return Ok(None);
        };
        let now = Utc::now();
        let mut document = folder.read();
        let Some(entry) = document.take(role) else { return Ok(None) };
        if entry.backend != self.backend || !entry.is_fresh(now, presence, time_left) {
            return Ok(None);
        }
        if entry.backend == CacheBackend::File {
            return Ok(entry.credentials);
        }
        let found = keyring::get(role, unlock)?;
        // Another program may have changed the keyring, so the expiration in it counts.
        Ok(found.filter(|credentials| {
            Entry { lifetime: entry.lifetime.until(credentials.expiration), ..entry }
                .is_fresh(now, presence, time_left)
        }))
    }

    /// Stores a role's credentials and returns where. Credentials that are stored already are not written again.
    pub(crate) fn keep(
        &self,
        role: &RoleKey,
        credentials: &Credentials,
        unlock: Unlock,
    ) -> Result<CacheBackend, Problem> {
        if self.backend == CacheBackend::Keyring && unlock == Unlock::Ask {
            // Before the lock is held, so that no other process waits for it.
            keyring::unlock()?;
        }
        self.write(role, credentials)?;
        Ok(self.backend)
    }

    fn write(&self, role: &RoleKey, credentials: &Credentials) -> Result<(), Problem> {
        if self.backend == CacheBackend::None {
            return Ok(());
        }
        let folder = self.folder.as_ref().ok_or_else(no_folder)?;
        let now = Utc::now();
        let mut refused = None;
        let write = |document: &mut Document| {
            let is_known = |entry: &Entry| {
                entry.lifetime.expiration == credentials.expiration && entry.backend == self.backend
            };
            if document.entry(role).is_some_and(is_known) {
                return false;
            }
            let useless = document.drop_all_but(self.backend, now);
            for entry in &useless {
                forget_in_keyring(entry, Unlock::Never);
            }
            if self.backend == CacheBackend::Keyring
                && let Err(error) = keyring::put(role, credentials, Unlock::Never)
            {
                refused = Some(error);
                return !useless.is_empty();
            }
            document.put(Entry::new(role, credentials, self.backend, now));
            true
        };
        folder.change(write).map_err(|error| folder_failed(folder, &error))?;
        refused.map_or(Ok(()), |error| Err(error.into()))
    }

    /// Tests whether it can store credentials.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        if self.backend == CacheBackend::None {
            return Ok(());
        }
        let folder = self.folder.as_ref().ok_or_else(no_folder)?;
        folder.check().map_err(|error| folder_failed(folder, &error))?;
        if self.backend == CacheBackend::Keyring {
            keyring::check()?;
        }
        Ok(())
    }
}

/// Stores a browser's new credentials if the settings ask for it. Errors are only logged: the caller has its
/// credentials.
pub(crate) fn store(role: &RoleKey, credentials: &Credentials, may_keep: bool) {
    if !may_keep {
        return forget_if_kept(role);
    }
    if let Err(problem) = Cache::of(&settings_files::load()).write(role, credentials) {
        tracing::warn!(%role, %problem, "the credentials were not stored");
    }
}

/// Removes a role whose credentials may no longer be stored.
fn forget_if_kept(role: &RoleKey) {
    if Folder::usual().is_some_and(|folder| folder.read().entry(role).is_some())
        && let Err(problem) = forget(&RoleSelection::Role(role.clone()), Unlock::Never)
    {
        tracing::warn!(%role, %problem, "credentials that may not be stored were not removed");
    }
}

/// The cached credentials that have not expired, in every backend, whatever the settings say now.
pub(crate) fn list() -> Vec<Kept> {
    let Some(folder) = Folder::usual() else { return Vec::new() };
    let now = Utc::now();
    let alive = folder.read().into_entries().filter(|entry| entry.lifetime.expiration > now);
    alive
        .map(|entry| Kept { role: entry.role, expiration: entry.lifetime.expiration, backend: entry.backend })
        .collect()
}

/// Removes these roles from every backend, whatever the settings say now.
pub(crate) fn forget(roles: &RoleSelection, unlock: Unlock) -> Result<(), Problem> {
    let Some(folder) = Folder::usual().filter(Folder::exists) else { return Ok(()) };
    let mut left = None;
    let change = |document: &mut Document| {
        for entry in document.remove(roles) {
            if entry.backend == CacheBackend::Keyring
                && let Err(error) = keyring::remove(&entry.role, unlock)
            {
                // It stays in the list, so that it can be removed later.
                document.put(entry);
                left = Some(error);
            }
        }
        true
    };
    folder.change(change).map_err(|error| folder_failed(&folder, &error))?;
    left.map_or(Ok(()), |error| Err(error.into()))
}

fn forget_in_keyring(entry: &Entry, unlock: Unlock) {
    if entry.backend == CacheBackend::Keyring
        && let Err(error) = keyring::remove(&entry.role, unlock)
    {
        tracing::warn!(role = %entry.role, %error, "unused credentials stay in the keyring");
    }
}

fn no_folder() -> Problem {
    Problem::new(Code::CacheFailed, "The home folder is unknown, so there is no cache.")
}

fn folder_failed(folder: &Folder, error: &io::Error) -> Problem {
    let message = format!("The cache {} cannot be written: {error}.", short_path(&folder.file()));
    Problem::new(Code::CacheFailed, message)
}

impl From<keyring::KeyringError> for Problem {
    fn from(error: keyring::KeyringError) -> Self {
        Self::new(Code::CacheFailed, error.to_string()).with_next_step(error.next_step())
    }
}
