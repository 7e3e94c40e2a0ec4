//! What STS says when it refuses. The suffixes of the wire codes are uneven: some end in `Exception`.

use crate::aws::RoleArn;
use crate::error::Code;
use crate::oidc::IdToken;

/// Why there are no credentials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StsError {
    /// `AccessDenied`: the trust policy does not allow this token, or the role does not exist.
    #[error("AWS does not let this sign-in assume the role{}{}", role.as_ref().map(named).unwrap_or_default(), aws_said(message))]
    AccessDenied {
        /// The role asked for, once it is known.
        role: Option<RoleArn>,
        /// AWS's own words; empty from some services.
        message: String,
    },
    /// `AccessDenied` for a token whose `amr` holds nothing but authentication methods after a second factor.
    #[error(
        "AWS does not let this sign-in assume the role{}: the provider sent amr = [{amr}] instead of group names, \
         which happens after a second factor.",
        named(role)
    )]
    GroupsReplaced {
        /// The role asked for.
        role: RoleArn,
        /// What the token carries.
        amr: String,
    },
    /// `ValidationError`: longer than the role's maximum session duration.
    #[error("The role does not allow sessions as long as was asked for.")]
    DurationTooLong,
    /// `ExpiredTokenException`.
    #[error("AWS says that the ID token has expired.")]
    ExpiredToken,
    /// `InvalidIdentityToken`.
    #[error("AWS does not accept the ID token{}", aws_said(message))]
    InvalidIdentityToken {
        /// AWS's own words.
        message: String,
    },
    /// `IDPCommunicationError`, or `InvalidIdentityToken` because the keys could not be fetched.
    #[error("AWS could not reach the identity provider to check the ID token.")]
    ProviderUnreachable,
    /// `IDPRejectedClaim`.
    #[error("The identity provider told AWS that it rejects the sign-in{}", aws_said(message))]
    ClaimRejected {
        /// AWS's own words.
        message: String,
    },
    /// `PackedPolicyTooLarge`.
    #[error("The sign-in carries more groups or session tags than AWS takes{}", aws_said(message))]
    PolicyTooLarge {
        /// AWS's own words.
        message: String,
    },
    /// `MalformedPolicyDocument`.
    #[error("AWS says that a policy is malformed{}", aws_said(message))]
    MalformedPolicy {
        /// AWS's own words.
        message: String,
    },
    /// `RegionDisabledException`.
    #[error("AWS STS is not enabled in this region for the account.")]
    RegionDisabled,
    /// `Throttling`.
    #[error("AWS STS is refusing requests because there are too many.")]
    Throttled,
    /// `ValidationError`, or a code this version does not know.
    #[error("AWS STS refused the request with {wire_code}{}", aws_said(message))]
    Validation {
        /// The wire code.
        wire_code: String,
        /// AWS's own words.
        message: String,
    },
    /// A failure on the service's side.
    #[error("AWS STS is not available (HTTP status {status}).")]
    Unavailable {
        /// The status.
        status: u16,
    },
    /// Nothing answered.
    #[error("AWS STS could not be reached: {reason}")]
    Unreachable {
        /// The transport's own sentence.
        reason: String,
    },
    /// Not an STS document.
    #[error("The STS endpoint answered with something that is not an STS response (HTTP status {status}).")]
    Malformed {
        /// The status.
        status: u16,
    },
}

impl StsError {
    /// Reads an error document. `status` is the response's.
    #[must_use]
    pub fn from_wire(status: u16, wire_code: &str, message: &str) -> Self {
        let message: String =
            message.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(300).collect();
        match wire_code {
            "AccessDenied" | "AccessDeniedException" => Self::AccessDenied { role: None, message },
            "ExpiredTokenException" | "ExpiredToken" => Self::ExpiredToken,
            // STS reports an outage of the provider under the same code as a bad token.
            "InvalidIdentityToken" if message.contains("verification key") => Self::ProviderUnreachable,
            "InvalidIdentityToken" => Self::InvalidIdentityToken { message },
            "IDPCommunicationError" => Self::ProviderUnreachable,
            "IDPRejectedClaim" => Self::ClaimRejected { message },
            "PackedPolicyTooLarge" => Self::PolicyTooLarge { message },
            "MalformedPolicyDocument" => Self::MalformedPolicy { message },
            "RegionDisabledException" => Self::RegionDisabled,
            "Throttling" | "ThrottlingException" | "RequestLimitExceeded" => Self::Throttled,
            "ValidationError" if message.contains("MaxSessionDuration") => Self::DurationTooLong,
            _ if status >= 500 => Self::Unavailable { status },
            _ => Self::Validation { wire_code: wire_code.chars().take(60).collect(), message },
        }
    }

    /// The same refusal, told with what is known about the role and the token.
    #[must_use]
    pub fn explained(self, role: &RoleArn, token: &IdToken) -> Self {
        match self {
            Self::AccessDenied { .. } if amr_was_replaced(&token.amr) => {
                Self::GroupsReplaced { role: role.clone(), amr: token.amr.join(", ") }
            }
            Self::AccessDenied { message, .. } => Self::AccessDenied { role: Some(role.clone()), message },
            other => other,
        }
    }

    /// Whether the same request may succeed a moment later.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::ProviderUnreachable)
    }

    /// Whether a new ID token may succeed where this one failed.
    #[must_use]
    pub fn asks_for_new_token(&self) -> bool {
        matches!(
            self,
            Self::AccessDenied { .. }
                | Self::GroupsReplaced { .. }
                | Self::ExpiredToken
                | Self::InvalidIdentityToken { .. }
                | Self::ClaimRejected { .. }
        )
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::AccessDenied { .. } => Code::StsAccessDenied,
            Self::GroupsReplaced { .. } => Code::StsGroupsReplaced,
            Self::DurationTooLong => Code::StsDurationTooLong,
            Self::ExpiredToken => Code::StsExpiredToken,
            Self::InvalidIdentityToken { .. } => Code::StsInvalidIdentityToken,
            Self::ProviderUnreachable => Code::StsProviderUnreachable,
            Self::ClaimRejected { .. } => Code::StsClaimRejected,
            Self::PolicyTooLarge { .. } => Code::StsPolicyTooLarge,
            Self::MalformedPolicy { .. } => Code::StsMalformedPolicy,
            Self::RegionDisabled => Code::StsRegionDisabled,
            Self::Throttled => Code::StsThrottled,
            Self::Validation { .. } => Code::StsValidation,
            Self::Unavailable { .. } => Code::StsUnavailable,
            Self::Unreachable { .. } => Code::StsUnreachable,
            Self::Malformed { .. } => Code::StsResponseInvalid,
        }
    }
}

/// Some providers overwrite `amr` with RFC 8176 values once a second factor was used; then no group matches.
fn amr_was_replaced(amr: &[String]) -> bool {
    amr.iter().any(|value| value == "mfa") && amr.iter().all(|value| RFC_8176.contains(&value.as_str()))
}

/// A role as a sentence names it; its ARN would fill three lines of the popup.
fn named(role: &RoleArn) -> String {
    format!(" {} in the account {}", role.name(), role.account())
}

fn aws_said(message: &str) -> String {
    if message.is_empty() { ".".to_owned() } else { format!(": {}.", message.trim_end_matches('.')) }
}

/// RFC 8176 section 2, Authentication Method Reference Values.
const RFC_8176: [&str; 20] = [
    "face", "fpt", "geo", "hwk", "iris", "kba", "mca", "mfa", "otp", "pin", "pop", "pwd", "rba", "retina",
    "sc", "sms", "swk", "tel", "user", "vbm",
];
