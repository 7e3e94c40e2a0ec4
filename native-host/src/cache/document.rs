//! The list of cached credentials: one entry for each role.

use chrono::{DateTime, TimeDelta, Utc};
use rolecall_core::aws::Credentials;
use rolecall_core::freshness::{LAST_RESORT, Lifetime};
use rolecall_core::json::{self, ReadJson, WriteJson};
use rolecall_core::message::host::RoleSelection;
use rolecall_core::settings::RoleKey;
use rolecall_core::sign_in::Presence;
use zeroize::Zeroizing;

use crate::host_settings::CacheBackend;

/// The file's content.
#[derive(Debug, ReadJson, WriteJson)]
pub(super) struct Document {
    version: u32,
    roles: Vec<Entry>,
}

/// A role's entry.
#[derive(Debug, ReadJson, WriteJson)]
#[json(rename_all = "camelCase")]
pub(super) struct Entry {
    pub(super) role: RoleKey,
    /// Where the keys are.
    pub(super) backend: CacheBackend,
    pub(super) lifetime: Lifetime,
    /// The keys, if they are in the file.
    pub(super) credentials: Option<Credentials>,
}

impl Entry {
    /// An entry for credentials issued at this moment. It contains the keys only if the backend is the file.
    pub(super) fn new(
        role: &RoleKey,
        credentials: &Credentials,
        backend: CacheBackend,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            role: role.clone(),
            backend,
            lifetime: Lifetime::of(credentials, now),
            credentials: (backend == CacheBackend::File).then(|| credentials.clone()),
        }
    }

    /// Whether the credentials last long enough to be used instead of a sign-in, or when no person can sign in.
    pub(super) fn is_fresh(&self, now: DateTime<Utc>, presence: Presence, time_left: TimeDelta) -> bool {
        let needed = match presence {
            Presence::Person => time_left,
            Presence::Nobody => LAST_RESORT,
        };
        self.lifetime.is_fresh(now, needed)
    }
}

impl Default for Document {
    fn default() -> Self {
        Self { version: VERSION, roles: Vec::new() }
    }
}

impl Document {
    /// Parses it. `None` for anything but a complete document of this version; the reason could quote keys.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        json::from_slice(bytes).ok().filter(|document: &Self| document.version == VERSION)
    }

    /// Serializes it.
    pub(super) fn to_json(&self) -> Zeroizing<String> {
        json::to_string(self)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.roles.is_empty()
    }

    /// The entry of a role.
    pub(super) fn entry(&self, role: &RoleKey) -> Option<&Entry> {
        self.roles.iter().find(|entry| entry.role == *role)
    }

    /// Removes and returns the entry of a role.
    pub(super) fn take(&mut self, role: &RoleKey) -> Option<Entry> {
        let position = self.roles.iter().position(|entry| entry.role == *role)?;
        Some(self.roles.swap_remove(position))
    }

    /// All entries.
    pub(super) fn into_entries(self) -> impl Iterator<Item = Entry> {
        self.roles.into_iter()
    }

    /// Adds an entry, replacing the role's previous one.
    pub(super) fn put(&mut self, entry: Entry) {
        self.roles.retain(|other| other.role != entry.role);
        self.roles.push(entry);
    }

    /// Removes these roles and returns their entries.
    pub(super) fn remove(&mut self, roles: &RoleSelection) -> Vec<Entry> {
        self.roles.extract_if(.., |entry| roles.contains(&entry.role)).collect()
    }

    /// Removes entries that have expired or are in another backend, and returns them.
    pub(super) fn drop_all_but(&mut self, backend: CacheBackend, now: DateTime<Utc>) -> Vec<Entry> {
        let is_used = |entry: &Entry| entry.lifetime.expiration > now && entry.backend == backend;
        self.roles.extract_if(.., |entry| !is_used(entry)).collect()
    }
}

/// The format of the file. A file of another version is ignored.
const VERSION: u32 = 1;

#[cfg(test)]
mod tests {
    use rolecall_core::freshness::SDK_RENEWAL;
    use secrecy::ExposeSecret;

    use super::*;

    fn role(name: &str) -> RoleKey {
        RoleKey {
            provider: "corp".parse().unwrap(),
            arn: format!("arn:aws:iam::123456789012:role/{name}").parse().unwrap(),
        }
    }

    fn entry(name: &str, minutes: i64, backend: CacheBackend) -> Entry {
        let now = Utc::now();
        let credentials = Credentials {
            access_key_id: "ASIAEXAMPLE".into(),
            secret_access_key: "very/secret+key".into(),
            session_token: "token".into(),
            expiration: now + TimeDelta::minutes(minutes),
        };
        Entry::new(&role(name), &credentials, backend, now)
    }

    #[test]
    fn without_a_person_to_sign_in_credentials_are_used_until_their_last_minute() {
        let entry = entry("a", 60, CacheBackend::File);
        let end = entry.lifetime.expiration;
        let fresh = |left, presence| entry.is_fresh(end - TimeDelta::seconds(left), presence, SDK_RENEWAL);
        assert!(fresh(61, Presence::Nobody));
        assert!(!fresh(60, Presence::Nobody) && !fresh(-1, Presence::Nobody));
        assert!(fresh(901, Presence::Person) && !fresh(900, Presence::Person));
    }

    #[test]
    fn a_written_document_is_read_back() {
        let mut document = Document::default();
        document.put(entry("a", 60, CacheBackend::File));
        document.put(entry("b", 60, CacheBackend::Keyring));
        let bytes = document.to_json();
        let read = Document::parse(bytes.as_bytes()).unwrap();
        let kept = read.entry(&role("a")).unwrap().credentials.as_ref().unwrap();
        assert_eq!(kept.secret_access_key.expose_secret(), "very/secret+key");
        let elsewhere = read.entry(&role("b")).unwrap();
        assert!(elsewhere.backend == CacheBackend::Keyring && elsewhere.credentials.is_none());
        assert_eq!(bytes.matches("very/secret+key").count(), 1);
    }

    #[test]
    fn a_truncated_document_or_one_of_another_version_is_ignored() {
        let mut document = Document::default();
        document.put(entry("a", 60, CacheBackend::File));
        let bytes = document.to_json();
        assert!(Document::parse(&bytes.as_bytes()[..bytes.len() - 1]).is_none());
        assert!(Document::parse(br#"{"version":2,"roles":[]}"#).is_none());
        assert!(Document::parse(b"").is_none());
        assert!(Document::parse(br#"{"version":1,"roles":[]}"#).is_some());
    }

    #[test]
    fn a_role_has_one_entry() {
        let mut document = Document::default();
        document.put(entry("a", 10, CacheBackend::File));
        document.put(entry("a", 60, CacheBackend::File));
        assert_eq!(document.into_entries().count(), 1);
    }

    #[test]
    fn expired_entries_and_those_of_another_backend_are_removed() {
        let mut document = Document::default();
        document.put(entry("expired", -1, CacheBackend::File));
        document.put(entry("elsewhere", 60, CacheBackend::Keyring));
        document.put(entry("here", 60, CacheBackend::File));
        let dropped = document.drop_all_but(CacheBackend::File, Utc::now());
        let dropped: Vec<_> = dropped.iter().map(|entry| entry.role.arn.name()).collect();
        assert_eq!(dropped, ["expired", "elsewhere"]);
        assert!(document.entry(&role("here")).is_some());
    }

    #[test]
    fn one_role_or_all_are_removed() {
        let mut document = Document::default();
        document.put(entry("a", 60, CacheBackend::File));
        document.put(entry("b", 60, CacheBackend::File));
        assert_eq!(document.remove(&RoleSelection::Role(role("a"))).len(), 1);
        assert!(document.entry(&role("b")).is_some());
        document.remove(&RoleSelection::All);
        assert!(document.is_empty());
    }
}
