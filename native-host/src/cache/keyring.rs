//! The system's keyring: one entry for each role, with a limit on the time of each access.
//!
//! A keyring is another program, which may be absent, locked or stuck. Each of these is a [`KeyringError`] with its
//! next step, and none keeps a tool from getting its credentials.

#[cfg(any(windows, target_os = "macos"))]
mod native;
#[cfg(all(unix, not(target_os = "macos")))]
mod secret_service;

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rolecall_core::aws::Credentials;
use rolecall_core::json;
use rolecall_core::settings::RoleKey;

#[cfg(any(windows, target_os = "macos"))]
use native as system;
#[cfg(all(unix, not(target_os = "macos")))]
use secret_service as system;

/// Whether a person may be asked to unlock the keyring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unlock {
    /// Yes: they run the command at a terminal.
    Ask,
    /// No: a locked keyring counts as unavailable.
    Never,
}

/// Why the keyring cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum KeyringError {
    /// No keyring service is available.
    #[error("There is no keyring here: {0}.")]
    Absent(&'static str),
    /// A person would have to unlock it.
    #[error("The keyring is locked.")]
    Locked,
    /// It did not respond in time.
    #[error("The keyring did not answer in time.")]
    Silent,
    /// It reported an error.
    #[error("The keyring reports an error: {0}.")]
    Refused(String),
}

impl KeyringError {
    /// What a person can do about it.
    pub(super) fn next_step(&self) -> &'static str {
        match self {
            Self::Absent(_) => {
                "Start a keyring service, or choose another cache: cache = \"file\" or \"none\" under [host] in the settings."
            }
            Self::Locked => "Unlock the keyring, for example with rolecall login, then try again.",
            Self::Silent => "Check whether the keyring has opened a window, then try again.",
            Self::Refused(_) => {
                "Correct the problem named here, or choose another cache: cache = \"file\" or \"none\" under [host] in the settings."
            }
        }
    }
}

/// Reads a role's credentials.
pub(super) fn get(role: &RoleKey, unlock: Unlock) -> Result<Option<Credentials>, KeyringError> {
    let role = role.to_string();
    let secret = in_time(unlock, move || system::get(&role, unlock))?;
    // An unreadable entry is ignored; the reason could quote keys.
    Ok(secret.and_then(|secret| json::from_slice(&secret).ok()))
}

/// Writes a role's credentials, replacing the previous ones.
pub(super) fn put(role: &RoleKey, credentials: &Credentials, unlock: Unlock) -> Result<(), KeyringError> {
    let role = role.to_string();
    let secret = json::to_string(credentials);
    in_time(unlock, move || system::put(&role, secret.as_bytes(), unlock))
}

/// Removes a role's credentials, if they are there.
pub(super) fn remove(role: &RoleKey, unlock: Unlock) -> Result<(), KeyringError> {
    let role = role.to_string();
    in_time(unlock, move || system::remove(&role, unlock))
}

/// Asks the person to unlock the keyring, if it is locked.
pub(super) fn unlock() -> Result<(), KeyringError> {
    in_time(Unlock::Ask, system::unlock)
}

/// Tests whether it can store an entry.
pub(super) fn check() -> Result<(), KeyringError> {
    in_time(Unlock::Never, || {
        system::put(TRIAL, TRIAL.as_bytes(), Unlock::Never)?;
        let read = system::get(TRIAL, Unlock::Never)?;
        system::remove(TRIAL, Unlock::Never)?;
        match read {
            Some(read) if *read == TRIAL.as_bytes() => Ok(()),
            _ => Err(KeyringError::Refused("it does not return what was stored".to_owned())),
        }
    })
}

/// Runs a call on a separate thread, which is left behind if it takes too long.
fn in_time<T: Send + 'static>(
    unlock: Unlock,
    work: impl FnOnce() -> Result<T, KeyringError> + Send + 'static,
) -> Result<T, KeyringError> {
    let timeout = match unlock {
        Unlock::Never => TIMEOUT,
        Unlock::Ask => UNLOCK_TIMEOUT,
    };
    let (done, result) = mpsc::channel();
    let started = thread::Builder::new().spawn(move || {
        // After the timeout nothing receives this any more.
        let _ = done.send(work());
    });
    if started.is_err() {
        return Err(KeyringError::Silent);
    }
    result.recv_timeout(timeout).unwrap_or(Err(KeyringError::Silent))
}

/// The name under which a person finds the entries in their keyring.
const APPLICATION: &str = "rolecall";

/// The entry that [`check`] writes, in place of a role.
const TRIAL: &str = "trial";

/// An unlocked keyring responds within milliseconds, but may have to be started.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Enough time to type a password.
const UNLOCK_TIMEOUT: Duration = Duration::from_mins(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyring_library_that_panics_is_an_error_and_nothing_hangs() {
        let result: Result<(), _> = in_time(Unlock::Never, || panic!("the keyring's library gives up"));
        assert_eq!(result, Err(KeyringError::Silent));
    }
}
