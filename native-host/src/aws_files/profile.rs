//! What may be written: names, keys and values that every reader of the AWS files reads the same.
//!
//! Two dialects read these files (measured on botocore 1.44 and the Rust SDK): botocore keeps `value # note` whole
//! where the SDKs cut it at the `#`, adds `[DEFAULT]` to every profile, and splits lines at a lone carriage return.
//! Values are validated once, here; no other module sees invalid ones.

use chrono::{DateTime, SecondsFormat, Utc};
use rolecall_core::settings::ProfileName;
use secrecy::{ExposeSecret, SecretString};

use super::error::Error;
use super::files::Which;

/// Where a profile's credentials come from.
#[derive(Debug, Clone)]
pub enum Source {
    /// In the config file: a command that prints credentials.
    Process {
        /// The whole command line, already quoted for a shell; absolute, no `~`.
        command: String,
    },
    /// In the credentials file: the credentials themselves.
    File(StaticCredentials),
}

/// Short-lived credentials to write.
#[derive(Debug, Clone)]
pub struct StaticCredentials {
    /// `aws_access_key_id`.
    pub access_key_id: String,
    /// `aws_secret_access_key`.
    pub secret_access_key: SecretString,
    /// `aws_session_token`.
    pub session_token: SecretString,
    /// Written as `x_security_token_expires`, which SDKs ignore and people and other tools read.
    pub expires: Option<DateTime<Utc>>,
}

/// A profile to write.
#[derive(Debug, Clone)]
pub struct NewProfile {
    pub(super) name: ProfileName,
    pub(super) home: Which,
    pub(super) entries: Vec<Entry>,
}

impl NewProfile {
    /// Checks everything that would be written. `settings` follow the credentials in this order: `region`,
    /// `endpoint_url`, … They are written to the same file as the credentials.
    pub fn new<K, V>(
        name: ProfileName,
        source: Source,
        settings: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self, Error>
    where
        K: Into<String>,
        V: Into<String>,
    {
        if name.as_str() == "DEFAULT" {
            let reason = "botocore reads [DEFAULT] as part of every profile";
            return Err(Error::InvalidProfileName { name, reason });
        }
        let (home, mut entries) = match source {
            Source::Process { command } => (Which::Config, vec![Entry::new("credential_process", command)?]),
            Source::File(credentials) => (Which::Credentials, credentials.entries()?),
        };
        for (key, value) in settings {
            let key = key.into();
            if entries.iter().any(|entry| entry.key == key) {
                return Err(Error::InvalidSetting { key, reason: "it is given twice" });
            }
            if decides_credentials(&key) {
                return Err(Error::InvalidSetting { key, reason: "it decides where credentials come from" });
            }
            entries.push(Entry::new(key, value)?);
        }
        Ok(Self { name, home, entries })
    }

    /// The profile's name.
    #[must_use]
    pub const fn name(&self) -> &ProfileName {
        &self.name
    }
}

impl StaticCredentials {
    fn entries(self) -> Result<Vec<Entry>, Error> {
        let mut entries = vec![
            Entry::new("aws_access_key_id", self.access_key_id)?,
            Entry::new("aws_secret_access_key", self.secret_access_key.expose_secret())?,
            Entry::new("aws_session_token", self.session_token.expose_secret())?,
        ];
        if let Some(expires) = self.expires {
            let expires = expires.to_rfc3339_opts(SecondsFormat::Secs, true);
            entries.push(Entry::new("x_security_token_expires", expires)?);
        }
        Ok(entries)
    }
}

/// One `key = value` line that all readers read the same.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) value: SecretString,
}

impl Entry {
    fn new(key: impl Into<String>, value: impl Into<String>) -> Result<Self, Error> {
        let (key, value) = (key.into(), SecretString::from(value.into()));
        match key_fault(&key).or_else(|| value_fault(value.expose_secret())) {
            None => Ok(Self { key, value }),
            Some(reason) => Err(Error::InvalidSetting { key, reason }),
        }
    }
}

/// Whether some reader takes credentials, or their source, from a key of this (lower-case) name.
pub(crate) fn decides_credentials(key: &str) -> bool {
    CREDENTIAL_KEYS.contains(&key)
}

fn key_fault(key: &str) -> Option<&'static str> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    (key.is_empty() || !key.chars().all(fits)).then_some("a key is made of lower-case letters, digits and _")
}

fn value_fault(value: &str) -> Option<&'static str> {
    let mut before = ' ';
    for c in value.chars() {
        if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') {
            return Some("its value contains a line break or another control character");
        }
        if matches!(c, '#' | ';') && before.is_whitespace() {
            return Some("its value contains # or ; after a space, which some AWS tools read as a comment");
        }
        before = c;
    }
    if value.is_empty() {
        return Some("its value is empty");
    }
    (value.trim() != value).then_some("its value begins or ends with a space")
}

/// Keys that decide where a profile's credentials come from, in botocore or in any SDK.
const CREDENTIAL_KEYS: &[&str] = &[
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_security_token",
    "aws_session_token",
    "credential_process",
    "credential_source",
    "duration_seconds",
    "external_id",
    "login_session",
    "mfa_serial",
    "role_arn",
    "role_session_name",
    "source_profile",
    "sso_account_id",
    "sso_region",
    "sso_registration_scopes",
    "sso_role_name",
    "sso_session",
    "sso_start_url",
    "web_identity_token_file",
    "x_security_token_expires",
];
