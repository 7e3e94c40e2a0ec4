//! The credentials that the STS has issued, and to whom.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};

use crate::config::Dialect;
use crate::random;

/// Short-lived credentials.
#[derive(Clone)]
pub(crate) struct Credentials {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
    pub(crate) session_token: String,
    pub(crate) expires: DateTime<Utc>,
}

impl Credentials {
    /// New credentials in the format of `dialect`: clients must not rely on AWS's.
    pub(super) fn new(dialect: Dialect, expires: DateTime<Utc>) -> Self {
        let (access_key_id, secret_length) = match dialect {
            Dialect::Aws => (format!("ASIA{}", random::id(16)), 40),
            Dialect::S3Compatible => (random::id(19), 39),
        };
        let mut secret_access_key = random::secret(30);
        secret_access_key.truncate(secret_length);
        Self { access_key_id, secret_access_key, session_token: random::secret(SESSION_TOKEN_BYTES), expires }
    }
}

/// AWS's session tokens have 1 KB and more, without a documented limit: this makes 1.3 KB of base64.
const SESSION_TOKEN_BYTES: usize = 1_000;

/// The identity of credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) account: String,
    /// The role's name without its path.
    pub(crate) role: String,
    pub(crate) session_name: String,
    /// `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`.
    pub(crate) arn: String,
    /// `AROA…:SESSION`.
    pub(crate) user_id: String,
    /// Whether the role was assumed with the credentials of another one.
    pub(crate) is_chained: bool,
    /// Passed on to every session that is assumed with this one's credentials, and cannot be changed there.
    pub(crate) source_identity: Option<String>,
    /// The keys of the session tags that are passed on in the same way, in lower case.
    pub(crate) transitive_keys: Vec<String>,
}

impl Caller {
    pub(super) fn new(role: &RoleArn<'_>, session_name: &str) -> Self {
        let RoleArn { partition, account, name } = *role;
        let digest = Sha256::digest(format!("{partition}/{account}/{name}"));
        let role_id: String = digest.iter().take(17).copied().map(random::id_character).collect();
        Self {
            account: account.to_owned(),
            role: name.to_owned(),
            session_name: session_name.to_owned(),
            arn: format!("arn:{partition}:sts::{account}:assumed-role/{name}/{session_name}"),
            user_id: format!("AROA{role_id}:{session_name}"),
            is_chained: false,
            source_identity: None,
            transitive_keys: Vec::new(),
        }
    }
}

/// The parts of a role's ARN that its sessions contain.
pub(super) struct RoleArn<'a> {
    pub(super) partition: &'a str,
    pub(super) account: &'a str,
    pub(super) name: &'a str,
}

impl<'a> RoleArn<'a> {
    pub(super) fn parse(arn: &'a str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':');
        let (Some("arn"), Some(partition), Some("iam"), Some(""), Some(account), Some(resource)) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        let name = resource.strip_prefix("role/")?.rsplit('/').next()?;
        let plausible =
            account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()) && !name.is_empty();
        plausible.then_some(Self { partition, account, name })
    }
}

/// All issued credentials, by access key id.
#[derive(Default)]
pub(crate) struct Issued(HashMap<String, (Credentials, Caller)>);

impl Issued {
    pub(super) fn add(&mut self, credentials: Credentials, caller: Caller) {
        self.0.insert(credentials.access_key_id.clone(), (credentials, caller));
    }

    pub(crate) fn find(&self, access_key_id: &str) -> Option<(Credentials, Caller)> {
        self.0.get(access_key_id).cloned()
    }
}
