//! What identifies a role.

use std::fmt;

use serde::Serialize;

use super::ProviderId;
use crate::aws::RoleArn;
use crate::json::{ReadJson, WriteJson};

/// What identifies a role: one ARN may be listed for two providers, and the sessions of both differ in who holds them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ReadJson, WriteJson)]
pub struct RoleKey {
    /// The provider whose ID token the role is assumed with.
    pub provider: ProviderId,
    /// The role's ARN.
    pub arn: RoleArn,
}

impl RoleKey {
    /// The key of this role at this provider.
    #[must_use]
    pub fn new(provider: ProviderId, arn: RoleArn) -> Self {
        Self { provider, arn }
    }
}

impl fmt::Display for RoleKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} (provider {})", self.arn, self.provider)
    }
}
