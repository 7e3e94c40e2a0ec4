//! The Secret Service of the freedesktop.org desktops, such as GNOME's keyring and KDE's wallet: a program on the
//! session bus. Credentials cross the bus encrypted.
//!
//! Entries go into the default collection, which the desktop unlocks when its user logs in. They carry the attributes
//! `application` and `role`.

use std::collections::HashMap;

use secret_service::blocking::{Collection, SecretService};
use secret_service::{EncryptionType, Error};
use zeroize::Zeroizing;

use super::{APPLICATION, KeyringError, Unlock};

/// Reads the entry of this role.
pub(super) fn get(role: &str, unlock: Unlock) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringError> {
    let service = connect()?;
    let found = service.search_items(attributes(role))?;
    let item = match (found.unlocked.first(), found.locked.first(), unlock) {
        (Some(item), _, _) => item,
        (None, Some(item), Unlock::Ask) => {
            item.unlock()?;
            item
        }
        (None, Some(_), Unlock::Never) => return Err(KeyringError::Locked),
        (None, None, _) => return Ok(None),
    };
    Ok(Some(Zeroizing::new(item.get_secret()?)))
}

/// Writes the entry of this role, replacing the previous one.
pub(super) fn put(role: &str, secret: &[u8], unlock: Unlock) -> Result<(), KeyringError> {
    let service = connect()?;
    let collection = unlocked_collection(&service, unlock)?;
    let label = format!("Rolecall: {role}");
    collection.create_item(&label, attributes(role), secret, true, "application/json")?;
    Ok(())
}

/// Removes the entry of this role.
pub(super) fn remove(role: &str, unlock: Unlock) -> Result<(), KeyringError> {
    let service = connect()?;
    let found = service.search_items(attributes(role))?;
    if unlock == Unlock::Never && !found.locked.is_empty() {
        return Err(KeyringError::Locked);
    }
    for item in found.unlocked.iter().chain(&found.locked) {
        item.delete()?;
    }
    Ok(())
}

/// Asks the person to unlock the default collection.
pub(super) fn unlock() -> Result<(), KeyringError> {
    unlocked_collection(&connect()?, Unlock::Ask).map(|_| ())
}

fn connect() -> Result<SecretService<'static>, KeyringError> {
    SecretService::connect(EncryptionType::Dh).map_err(|error| match error {
        Error::Unavailable | Error::Zbus(_) | Error::ZbusFdo(_) => {
            KeyringError::Absent("no Secret Service is running on the session bus")
        }
        error => error.into(),
    })
}

fn unlocked_collection<'a>(
    service: &'a SecretService<'a>,
    unlock: Unlock,
) -> Result<Collection<'a>, KeyringError> {
    let collection = service.get_default_collection().map_err(|error| match error {
        Error::NoResult => KeyringError::Absent("the keyring service has no default keyring"),
        error => error.into(),
    })?;
    match (collection.is_locked()?, unlock) {
        (false, _) => {}
        (true, Unlock::Ask) => collection.unlock()?,
        (true, Unlock::Never) => return Err(KeyringError::Locked),
    }
    Ok(collection)
}

fn attributes(role: &str) -> HashMap<&str, &str> {
    HashMap::from([("application", APPLICATION), ("role", role)])
}

impl From<Error> for KeyringError {
    fn from(error: Error) -> Self {
        match error {
            Error::Locked | Error::Prompt | Error::PromptDisconnected => Self::Locked,
            // These are D-Bus's own errors, which contain no secret.
            error => Self::Refused(error.to_string()),
        }
    }
}
