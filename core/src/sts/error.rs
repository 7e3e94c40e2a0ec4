//! The errors of STS. Their wire codes have inconsistent suffixes: some end in `Exception`.

use crate::aws::RoleArn;
use crate::code::Code;
use crate::oidc::{IdToken, KeySet};
use crate::text;

/// Why there are no credentials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StsError {
    /// `AccessDenied`: the trust policy does not allow this token, or the role does not exist.
    #[error(
        "AWS does not let this sign-in assume the role{}{}{}",
        role.as_ref().map(named).unwrap_or_default(),
        aws_said(message),
        amr.as_deref().map(|amr| also(&format!("If its trust policy expects groups in amr: the ID token has [{amr}]"))).unwrap_or_default()
    )]
    AccessDenied {
        /// The role asked for, once it is known.
        role: Option<RoleArn>,
        /// AWS's message; empty from some services.
        message: String,
        /// What `amr` has, if that is of a second factor and nothing else.
        amr: Option<String>,
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
    /// `AccessDenied` for a token with session tags, which a role's trust policy has to allow by name.
    #[error(
        "AWS does not let this sign-in assume the role{}. The ID token contains session tags, for which the role's trust \
         policy must allow sts:TagSession.",
        named(role)
    )]
    TagsDenied {
        /// The role asked for.
        role: RoleArn,
    },
    /// `AccessDenied` to a role that assumes another one.
    #[error("AWS does not let the role {} assume the role{}{}", source_role, named(role), aws_said(message))]
    ChainDenied {
        /// The role asked for.
        role: RoleArn,
        /// The name of the role that asked.
        source_role: String,
        /// AWS's message.
        message: String,
    },
    /// `ValidationError`: longer than the role's maximum session duration.
    #[error("The role does not allow sessions of the requested duration.")]
    DurationTooLong,
    /// `ExpiredTokenException`.
    #[error("AWS says that the ID token, or the session of the source role, has expired.")]
    ExpiredToken,
    /// `SignatureDoesNotMatch`, `RequestExpired`: of a request that was signed at another time than AWS's.
    #[error(
        "AWS does not accept the signature of the request, which a wrong clock can cause{}",
        aws_said(message)
    )]
    SignatureRefused {
        /// AWS's message.
        message: String,
    },
    /// `InvalidIdentityToken`.
    #[error("AWS does not accept the ID token{}{}", aws_said(message), also(explanation))]
    InvalidIdentityToken {
        /// AWS's message.
        message: String,
        /// What the token, the keys and the settings tell about it; empty where they tell nothing.
        explanation: String,
    },
    /// `IDPCommunicationError`, or `InvalidIdentityToken` because AWS has no key for the token. AWS says the same of an
    /// outage and of a key set in which there is no such key.
    #[error(
        "AWS could not fetch the identity provider's keys, or found none for this ID token{}",
        also_colon(explanation)
    )]
    ProviderUnreachable {
        /// What of the key set AWS stumbles over, where that can be told; empty otherwise.
        explanation: String,
    },
    /// `IDPRejectedClaim`.
    #[error("The identity provider told AWS that it rejects the sign-in{}", aws_said(message))]
    ClaimRejected {
        /// AWS's message.
        message: String,
    },
    /// `PackedPolicyTooLarge`.
    #[error("There are more groups, session tags or policy text than AWS accepts{}", aws_said(message))]
    PolicyTooLarge {
        /// AWS's message.
        message: String,
    },
    /// `MalformedPolicyDocument`.
    #[error("AWS says that a policy is malformed{}", aws_said(message))]
    MalformedPolicy {
        /// AWS's message.
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
        /// AWS's message.
        message: String,
    },
    /// `InvalidArgument` and its like, by which S3-compatible services mean the duration among others.
    #[error("The STS endpoint refused an argument of the request with {wire_code}{}", aws_said(message))]
    InvalidArgument {
        /// The wire code.
        wire_code: String,
        /// The service's message.
        message: String,
    },
    /// The token is longer than STS takes, so it was not sent.
    #[error("The ID token has {length} characters, and AWS STS accepts at most 20,000.")]
    TokenTooLong {
        /// How long it is.
        length: usize,
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
        /// The transport's message.
        reason: String,
    },
    /// No answer in time. Asking again would take as long.
    #[error("AWS STS did not respond: {reason}")]
    TimedOut {
        /// The transport's message.
        reason: String,
    },
    /// A success that cannot be one.
    #[error("The STS endpoint returned credentials that {reason}, so they are not used.")]
    Implausible {
        /// What is wrong with them, after "credentials that".
        reason: String,
    },
    /// Not an STS document.
    #[error("The STS endpoint did not return an STS response (HTTP status {status}).")]
    Malformed {
        /// The status.
        status: u16,
    },
}

/// Context to explain a refusal.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The role asked for.
    pub role: &'a RoleArn,
    /// The token that was sent.
    pub token: &'a IdToken,
    /// The keys that the provider publishes.
    pub keys: &'a KeySet,
    /// Whether an earlier token of the provider had groups in `amr`.
    pub amr_held_groups: bool,
}

impl StsError {
    /// Reads an error document. `status` is the response's.
    ///
    /// The wire codes lose or keep the suffix `Exception` unevenly, so they are compared without it.
    #[must_use]
    pub fn from_wire(status: u16, wire_code: &str, message: &str) -> Self {
        let message = text::on_one_line(message, 300);
        let explanation = String::new();
        let speaks_of_duration = || text::contains(&message.to_ascii_lowercase(), "durationseconds");
        match wire_code.strip_suffix("Exception").unwrap_or(wire_code) {
            "AccessDenied" => Self::AccessDenied { role: None, message, amr: None },
            "ExpiredToken" => Self::ExpiredToken,
            "SignatureDoesNotMatch" | "RequestExpired" => Self::SignatureRefused { message },
            "InvalidIdentityToken" if text::contains(&message, "verification key") => {
                Self::ProviderUnreachable { explanation }
            }
            "InvalidIdentityToken" => Self::InvalidIdentityToken { message, explanation },
            "IDPCommunicationError" => Self::ProviderUnreachable { explanation },
            "IDPRejectedClaim" => Self::ClaimRejected { message },
            "PackedPolicyTooLarge" => Self::PolicyTooLarge { message },
            "MalformedPolicyDocument" => Self::MalformedPolicy { message },
            "RegionDisabled" => Self::RegionDisabled,
            code if THROTTLING.contains(&code) => Self::Throttled,
            "RequestTimeout" => Self::Unavailable { status },
            "ValidationError" if text::contains(&message, "MaxSessionDuration") => Self::DurationTooLong,
            "ValidationError" | "InvalidParameterValue" if speaks_of_duration() => {
                Self::InvalidArgument { wire_code: shortened(wire_code), message }
            }
            "InvalidArgument" | "InvalidParameterValue" => {
                Self::InvalidArgument { wire_code: shortened(wire_code), message }
            }
            _ if status == 429 => Self::Throttled,
            _ if status >= 500 => Self::Unavailable { status },
            _ => Self::Validation { wire_code: shortened(wire_code), message },
        }
    }

    /// The same refusal, told with what is known about the role, the token and the keys. AWS's own texts of today no
    /// longer say which of them it is.
    #[must_use]
    pub fn explained(self, context: Context<'_>) -> Self {
        let Context { role, token, keys, amr_held_groups } = context;
        let had_groups = amr_held_groups || token.amr.iter().any(String::is_empty);
        match self {
            Self::AccessDenied { .. } if had_groups && is_of_a_second_factor(&token.amr) => {
                Self::GroupsReplaced { role: role.clone(), amr: shown(&token.amr) }
            }
            Self::AccessDenied { .. } if token.has_session_tags => Self::TagsDenied { role: role.clone() },
            Self::AccessDenied { message, .. } => {
                let amr = is_of_a_second_factor(&token.amr).then(|| shown(&token.amr));
                Self::AccessDenied { role: Some(role.clone()), message, amr }
            }
            Self::InvalidIdentityToken { message, .. } => {
                let explanation = explanation(&message, context);
                Self::InvalidIdentityToken { message, explanation }
            }
            Self::ProviderUnreachable { .. } => {
                let explanation = keys.why_aws_finds_none(token.kid.as_deref()).unwrap_or_default();
                Self::ProviderUnreachable { explanation }
            }
            other => other,
        }
    }

    /// Whether the same request may succeed a moment later, as the AWS SDKs have it: a provider that AWS could not reach, a
    /// token that it refuses (a token, a provider or a certificate may be too new for it: aws-sdk-ruby #2099, aws-sdk-php
    /// #1858, aws-actions/configure-aws-credentials #757), too many requests, a failure of the service or of the way to it.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::InvalidIdentityToken { .. }
                | Self::ProviderUnreachable { .. }
                | Self::Throttled
                | Self::Unavailable { .. }
                | Self::Unreachable { .. }
        )
    }

    /// Whether a shorter duration may succeed.
    #[must_use]
    pub fn may_be_the_duration(&self) -> bool {
        matches!(self, Self::DurationTooLong | Self::InvalidArgument { .. })
    }

    /// Whether a new ID token may succeed where this one failed.
    #[must_use]
    pub fn asks_for_new_token(&self) -> bool {
        matches!(
            self,
            Self::AccessDenied { .. }
                | Self::GroupsReplaced { .. }
                | Self::TagsDenied { .. }
                | Self::ChainDenied { .. }
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
            Self::TagsDenied { .. } => Code::StsTagsDenied,
            Self::ChainDenied { .. } => Code::StsChainDenied,
            Self::DurationTooLong => Code::StsDurationTooLong,
            Self::ExpiredToken | Self::SignatureRefused { .. } => Code::StsExpiredToken,
            Self::InvalidIdentityToken { .. } => Code::StsInvalidIdentityToken,
            Self::ProviderUnreachable { .. } => Code::StsProviderUnreachable,
            Self::ClaimRejected { .. } => Code::StsClaimRejected,
            Self::PolicyTooLarge { .. } | Self::TokenTooLong { .. } => Code::StsPolicyTooLarge,
            Self::MalformedPolicy { .. } => Code::StsMalformedPolicy,
            Self::RegionDisabled => Code::StsRegionDisabled,
            Self::Throttled => Code::StsThrottled,
            Self::Validation { .. } | Self::InvalidArgument { .. } => Code::StsValidation,
            Self::Unavailable { .. } => Code::StsUnavailable,
            Self::Unreachable { .. } | Self::TimedOut { .. } => Code::StsUnreachable,
            Self::Implausible { .. } | Self::Malformed { .. } => Code::StsResponseInvalid,
        }
    }
}

/// Whether `amr` names methods of signing in and nothing else, a second factor among them. Some providers write that over
/// the groups that they had there; an empty string beside it is left of a rule that put one before the groups, for the
/// provider to write over (Mozilla's for Auth0). At others it never holds anything else.
fn is_of_a_second_factor(amr: &[String]) -> bool {
    amr.iter().any(|value| value == "mfa") && !holds_groups(amr)
}

/// Whether `amr` has other values than those for methods of signing in.
pub(crate) fn holds_groups(amr: &[String]) -> bool {
    amr.iter().any(|value| !value.is_empty() && !RFC_8176.contains(&value.as_str()))
}

fn shown(amr: &[String]) -> String {
    amr.iter().filter(|value| !value.is_empty()).map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// A role as a sentence names it; its ARN would fill three lines of the popup.
fn named(role: &RoleArn) -> String {
    format!(" {} in the account {}", role.name(), role.account())
}

fn aws_said(message: &str) -> String {
    if message.is_empty() { ".".to_owned() } else { format!(": {}.", message.trim_end_matches('.')) }
}

fn also(explanation: &str) -> String {
    if explanation.is_empty() { String::new() } else { format!(" {explanation}.") }
}

fn also_colon(explanation: &str) -> String {
    if explanation.is_empty() { ".".to_owned() } else { format!(": {explanation}.") }
}

fn shortened(wire_code: &str) -> String {
    text::on_one_line(wire_code, 60)
}

/// What the token, the keys and the settings tell about a refused token. The texts are those that AWS is recorded to
/// answer with, those of before 2026 included: `tests/recorded`.
fn explanation(message: &str, Context { role, token, keys, .. }: Context<'_>) -> String {
    let IdToken { issuer, audience, .. } = token;
    let account = role.account();
    let provider = issuer.trim_start_matches("https://");
    let says = |words: &str| text::contains(message, words);
    if says("could not be validated") {
        let key = keys
            .what_aws_refuses()
            .first()
            .map_or_else(String::new, |finding| format!(". The provider's key set has {finding}"));
        return format!(
            "In IAM of the account {account} there must be an identity provider {provider}, exactly as written, with the \
             audience {audience}{key}"
        );
    }
    if says("token audience") && !says("more than one") {
        return format!(
            "The identity provider {provider} in IAM of the account {account} needs the audience {audience}"
        );
    }
    if says("No OpenIDConnect provider found") {
        return format!(
            "IAM of the account {account} needs an identity provider {provider}, exactly as written"
        );
    }
    if says("roles claim") {
        return format!("The claim https://aws.amazon.com/roles of the ID token does not list {role}");
    }
    if says("principal_tags") {
        return "Each session tag in the ID token must be a list of one string".to_owned();
    }
    String::new()
}

/// The codes by which AWS SDKs know that a request came too soon after others ("Retry behavior"), without the suffix.
const THROTTLING: [&str; 11] = [
    "BandwidthLimitExceeded",
    "EC2Throttled",
    "LimitExceeded",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceeded",
    "RequestLimitExceeded",
    "RequestThrottled",
    "SlowDown",
    "Throttled",
    "Throttling",
    "TooManyRequests",
];

/// RFC 8176 section 2, Authentication Method Reference Values.
const RFC_8176: [&str; 20] = [
    "face", "fpt", "geo", "hwk", "iris", "kba", "mca", "mfa", "otp", "pin", "pop", "pwd", "rba", "retina",
    "sc", "sms", "swk", "tel", "user", "vbm",
];
