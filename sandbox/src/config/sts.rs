//! The configuration of the STS.

/// The STS: accounts, roles, and the wire format.
#[derive(Clone, Debug)]
pub struct StsConfig {
    /// The accounts there are.
    pub accounts: Vec<Account>,
    /// The roles there are.
    pub roles: Vec<Role>,
    /// The wire format.
    pub dialect: Dialect,
    /// With more `amr` entries than this the packed session policy is too large. AWS publishes no number: about thirty
    /// group names have been seen to be too many.
    pub amr_entries: usize,
}

/// An AWS account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Twelve digits.
    pub id: String,
    /// Its alias.
    pub alias: String,
    /// The client ids registered with IAM's OIDC provider for the sandbox; `None`: this account has none.
    pub audiences: Option<Vec<String>>,
}

/// An IAM role.
#[derive(Clone, Debug, PartialEq)]
pub struct Role {
    /// `arn:aws:iam::ACCOUNT:role/NAME`, with a path if it has one.
    pub arn: String,
    /// The trust policy, JSON. `{provider}` stands for the provider's host and port, which are known only once the
    /// sandbox listens.
    pub trust_policy: String,
    /// `MaxSessionDuration`, seconds, 3600–43200.
    pub max_session_duration: u32,
    /// `profile` in the settings document.
    pub profile: Option<String>,
    /// `region` in the settings document.
    pub region: Option<String>,
    /// `color` in the settings document.
    pub color: Option<String>,
    /// Further keys in the settings document.
    pub settings: toml::Table,
}

impl Role {
    /// A role with sessions of up to an hour, AWS's default.
    #[must_use]
    pub fn new(arn: &str, trust_policy: &str) -> Self {
        Self {
            arn: arn.to_owned(),
            trust_policy: trust_policy.to_owned(),
            max_session_duration: 3600,
            profile: None,
            region: None,
            color: None,
            settings: toml::Table::new(),
        }
    }
}

/// The wire format of the STS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// AWS.
    #[default]
    Aws,
    /// The S3-compatible stores: POST only (a GET answers 200 with an unrelated document), no `xmlns`, no
    /// `ResponseMetadata`, fractional `Expiration`, `<Error>` as the root, every refusal an `AccessDenied` without a
    /// message, no CORS, no GetCallerIdentity, keys without AWS's shape.
    S3Compatible,
}
