//! Credentials that outlive the browser, for machines whose settings want it: `[host] cache = "file"` or `"keyring"`.
//!
//! The agent hands out credentials from memory for as long as a browser is open. This is what is there when none is:
//! a command that finds no agent looks here before it has anybody sign in. It knows nothing of who may have a role;
//! its callers keep only what the agent says may be kept.
//!
//! One private file below the user's cache folder lists what is kept, until when, and where. With `file` the keys
//! stand there too; with `keyring` they are in the system's keyring, one entry for each role, and the file names no
//! secret. So `rolecall status` needs no keyring, and nobody opens a keyring that has nothing to say.
//!
//! **What it costs.** A tool runs `credential-process` dozens of times a minute while the agent answers from memory,
//! and none of these calls may be slowed. After such an answer [`keep_in_passing`] looks for the word `cache` in the
//! settings without parsing them, then whether the file knows these credentials already; only new ones, a few times a
//! day, are written.
//! Among a hundred processes that have new ones, the first writes and the others do not wait for it. Where the cache
//! cannot take them, that is noted beside the role, so that no keyring is asked again until there are others.

mod document;
mod folder;
mod keyring;

use std::fmt;
use std::io;

use chrono::{DateTime, TimeDelta, Utc};
use rolecall_core::aws::Credentials;
use rolecall_core::message::host::RoleSelection;
use rolecall_core::settings::RoleKey;
use rolecall_core::sign_in::Presence;
use rolecall_core::{Code, Problem};
use serde::{Deserialize, Serialize};

use crate::output::short_path;
use crate::settings_files::{self, Machine};
use document::{Document, Entry};
use folder::{Folder, Patience};

/// Where credentials are kept for when no browser answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Place {
    /// Nowhere.
    #[default]
    None,
    /// In a file that only its owner can read.
    File,
    /// In the system's keyring: the Secret Service, the keychain, the credential manager.
    Keyring,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::None => "none",
            Self::File => "file",
            Self::Keyring => "keyring",
        })
    }
}

/// Whether a person may be asked to unlock the keyring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unlock {
    /// They may: they are at the terminal and asked for this.
    Ask,
    /// A locked keyring is no keyring.
    Never,
}

/// The cache that the settings choose. The default keeps nothing.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    place: Place,
    folder: Option<Folder>,
}

/// A role whose credentials are kept.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Kept {
    pub(crate) role: RoleKey,
    pub(crate) expiration: DateTime<Utc>,
    pub(crate) place: Place,
}

impl Cache {
    /// The cache of this machine.
    pub(crate) fn of(machine: &Machine) -> Self {
        Self { place: machine.cache, folder: Folder::usual() }
    }

    /// Where it keeps credentials.
    pub(crate) fn place(&self) -> Place {
        self.place
    }

    /// The kept credentials of a role, if they last long enough. That is the agent's rule while somebody can sign in:
    /// more than `time_left` seconds, or half of what they lasted when they came. Where nobody can, a minute is enough: a
    /// job that may finish is better than one that fails for certain.
    pub(crate) fn find(
        &self,
        role: &RoleKey,
        presence: Presence,
        time_left: TimeDelta,
        unlock: Unlock,
    ) -> Result<Option<Credentials>, Problem> {
        let (true, Some(folder)) = (self.place != Place::None, &self.folder) else { return Ok(None) };
        let now = Utc::now();
        let mut document = folder.read();
        let Some(entry) = document.take(role) else { return Ok(None) };
        if entry.place != self.place || !entry.is_fresh(now, presence, time_left) {
            return Ok(None);
        }
        if entry.place == Place::File {
            return Ok(entry.credentials);
        }
        let found = keyring::get(role, unlock)?;
        // Another program may have changed the keyring: what it holds says itself how long it lasts.
        Ok(found.filter(|credentials| {
            Entry { lifetime: entry.lifetime.until(credentials.expiration), ..entry }
                .is_fresh(now, presence, time_left)
        }))
    }

    /// Keeps a role's credentials and gives where. Those that it has already are not written again.
    pub(crate) fn keep(
        &self,
        role: &RoleKey,
        credentials: &Credentials,
        unlock: Unlock,
    ) -> Result<Place, Problem> {
        if self.place == Place::Keyring && unlock == Unlock::Ask {
            // Before others have to wait for it.
            keyring::unlock()?;
        }
        self.write(role, credentials, Patience::UntilFree)?;
        Ok(self.place)
    }

    fn write(&self, role: &RoleKey, credentials: &Credentials, patience: Patience) -> Result<(), Problem> {
        if self.place == Place::None {
            return Ok(());
        }
        let folder = self.folder.as_ref().ok_or_else(no_folder)?;
        let now = Utc::now();
        let mut refused = None;
        let write = |document: &mut Document| {
            let known =
                document.entry(role).filter(|entry| entry.lifetime.expiration == credentials.expiration);
            let is_tried = |entry: &Entry| entry.place == Place::None && patience == Patience::None;
            if known.is_some_and(|entry| entry.place == self.place || is_tried(entry)) {
                return false;
            }
            for gone in document.drop_all_but(self.place, now) {
                forget_in_keyring(&gone, Unlock::Never);
            }
            let place = match self.place {
                Place::Keyring => match keyring::put(role, credentials, Unlock::Never) {
                    Ok(()) => Place::Keyring,
                    Err(trouble) => {
                        refused = Some(trouble);
                        Place::None
                    }
                },
                place => place,
            };
            document.put(Entry::new(role, credentials, place, now));
            true
        };
        folder.change(patience, write).map_err(|error| folder_failed(folder, &error))?;
        refused.map_or(Ok(()), |trouble| Err(trouble.into()))
    }

    /// Tries whether it can keep anything.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        if self.place == Place::None {
            return Ok(());
        }
        let folder = self.folder.as_ref().ok_or_else(no_folder)?;
        folder.check().map_err(|error| folder_failed(folder, &error))?;
        if self.place == Place::Keyring {
            keyring::check()?;
        }
        Ok(())
    }
}

/// Keeps credentials that an agent answered with, if the settings want that and they are new. Nobody waits for it,
/// is asked or is told: they have their credentials.
pub(crate) fn keep_in_passing(role: &RoleKey, credentials: &Credentials) {
    if !settings_files::may_choose_a_cache() {
        return;
    }
    let Some(folder) = Folder::usual() else { return };
    if folder.read().entry(role).is_some_and(|entry| entry.lifetime.expiration == credentials.expiration) {
        return;
    }
    let cache = Cache::of(&settings_files::load());
    if let Err(problem) = cache.write(role, credentials, Patience::None) {
        tracing::warn!(%role, %problem, "the credentials were not kept");
    }
}

/// Forgets a role whose credentials may no longer be kept, if they were.
pub(crate) fn forget_if_kept(role: &RoleKey) {
    if Folder::usual().is_some_and(|folder| folder.read().entry(role).is_some())
        && let Err(problem) = forget(&RoleSelection::Role(role.clone()), Unlock::Never)
    {
        tracing::warn!(%role, %problem, "credentials that may not be kept are not forgotten");
    }
}

/// What is kept and has not expired, wherever it is and whatever the settings say by now.
pub(crate) fn list() -> Vec<Kept> {
    let Some(folder) = Folder::usual() else { return Vec::new() };
    let now = Utc::now();
    let entries = folder.read().into_entries().filter(|entry| entry.place != Place::None);
    let alive = entries.filter(|entry| entry.lifetime.expiration > now);
    alive
        .map(|entry| Kept { role: entry.role, expiration: entry.lifetime.expiration, place: entry.place })
        .collect()
}

/// Forgets these roles, wherever it is and whatever the settings say by now.
pub(crate) fn forget(roles: &RoleSelection, unlock: Unlock) -> Result<(), Problem> {
    let Some(folder) = Folder::usual().filter(Folder::exists) else { return Ok(()) };
    let mut left = None;
    let change = |document: &mut Document| {
        for entry in document.remove(roles) {
            if entry.place == Place::Keyring
                && let Err(trouble) = keyring::remove(&entry.role, unlock)
            {
                // It has to stay in the list, so that it can be removed another time.
                document.put(entry);
                left = Some(trouble);
            }
        }
        true
    };
    folder.change(Patience::UntilFree, change).map_err(|error| folder_failed(&folder, &error))?;
    left.map_or(Ok(()), |trouble| Err(trouble.into()))
}

fn forget_in_keyring(entry: &Entry, unlock: Unlock) {
    if entry.place == Place::Keyring
        && let Err(trouble) = keyring::remove(&entry.role, unlock)
    {
        tracing::warn!(role = %entry.role, %trouble, "credentials that are of no use stay in the keyring");
    }
}

fn no_folder() -> Problem {
    Problem::new(Code::CacheFailed, "The cache has no place: the home folder is unknown.")
}

fn folder_failed(folder: &Folder, error: &io::Error) -> Problem {
    let message = format!("The cache {} cannot be written: {error}.", short_path(&folder.file()));
    Problem::new(Code::CacheFailed, message)
}

impl From<keyring::Trouble> for Problem {
    fn from(trouble: keyring::Trouble) -> Self {
        let next_step = trouble.next_step().to_owned();
        Self { next_step, ..Self::new(Code::CacheFailed, trouble.to_string()) }
    }
}
