//! The keychain of macOS and the credential manager of Windows. Both are unlocked while their user is logged in.

use keyring::{Entry, Error};
use zeroize::Zeroizing;

use super::{APPLICATION, KeyringError, Unlock};

/// Reads the entry of this role.
pub(super) fn get(role: &str, _unlock: Unlock) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringError> {
    match Entry::new(APPLICATION, role)?.get_secret() {
        Ok(secret) => Ok(Some(Zeroizing::new(secret))),
        Err(Error::NoEntry) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Writes the entry of this role, replacing the previous one.
pub(super) fn put(role: &str, secret: &[u8], _unlock: Unlock) -> Result<(), KeyringError> {
    Ok(Entry::new(APPLICATION, role)?.set_secret(secret)?)
}

/// Removes the entry of this role.
pub(super) fn remove(role: &str, _unlock: Unlock) -> Result<(), KeyringError> {
    match Entry::new(APPLICATION, role)?.delete_credential() {
        Ok(()) | Err(Error::NoEntry) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The system unlocks it at login.
pub(super) fn unlock() -> Result<(), KeyringError> {
    Entry::new(APPLICATION, APPLICATION)?;
    Ok(())
}

impl From<Error> for KeyringError {
    fn from(error: Error) -> Self {
        match error {
            Error::NoDefaultStore => Self::Absent("the system offers none to this program"),
            Error::NoStorageAccess(_) => Self::Locked,
            // The credential manager takes 2560 bytes; a session with many tags is longer.
            Error::TooLong(_, limit) => Self::Refused(format!("it takes no more than {limit} bytes")),
            // Other errors may quote the stored secret.
            _ => Self::Refused("it gives no reason that can be shown".to_owned()),
        }
    }
}
