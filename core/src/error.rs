//! What can go wrong, and what to do then.
//!
//! Every failure of the product is a typed error with three parts: a stable [`Code`] to search for, one plain
//! sentence (its `Display`), and the next step. The codes and their next steps stand here, in one table; the
//! popup, the command line and the log show the same ones. [`Problem`] is that triple as it travels in a message.

use serde::{Deserialize, Serialize};

use crate::aws::{ArnError, RegionError};
use crate::console::ConsoleError;
use crate::oidc::{DiscoveryError, IdTokenError, RedirectError, TokenError};
use crate::platform::{AuthorizeError, RandomnessError, TransportError};
use crate::settings::SettingsError;
use crate::sts::StsError;

/// What functions of this crate return.
pub type Result<T> = std::result::Result<T, Error>;

/// Any failure of a sign-in.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// The settings document is not usable.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Text that is not a role's ARN.
    #[error(transparent)]
    Arn(#[from] ArnError),
    /// Text that is not a region.
    #[error(transparent)]
    Region(#[from] RegionError),
    /// The provider's configuration or keys are not usable.
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
    /// The browser did not come back.
    #[error(transparent)]
    Authorize(#[from] AuthorizeError),
    /// The browser came back with something that is not a code.
    #[error(transparent)]
    Redirect(#[from] RedirectError),
    /// The token endpoint refused.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The ID token is not acceptable.
    #[error(transparent)]
    IdToken(#[from] IdTokenError),
    /// STS refused.
    #[error(transparent)]
    Sts(#[from] StsError),
    /// The console's sign-in refused.
    #[error(transparent)]
    Console(#[from] ConsoleError),
    /// No response.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// No random bytes.
    #[error(transparent)]
    Randomness(#[from] RandomnessError),
}

impl Error {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Settings(error) => error.code(),
            Self::Arn(_) => Code::RoleArnInvalid,
            Self::Region(_) => Code::RegionInvalid,
            Self::Discovery(error) => error.code(),
            Self::Authorize(error) => error.code(),
            Self::Redirect(error) => error.code(),
            Self::Token(error) => error.code(),
            Self::IdToken(error) => error.code(),
            Self::Sts(error) => error.code(),
            Self::Console(error) => error.code(),
            Self::Transport(error) => error.code(),
            Self::Randomness(_) => Code::NoRandomness,
        }
    }
}

/// A failure as it travels between ui, worker, host and command line: what they show is this and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// The stable code, such as `state-mismatch`. A string, so that an older peer can show a newer code.
    pub code: String,
    /// One plain sentence.
    pub message: String,
    /// What the person can do about it.
    pub next_step: String,
    /// A match pattern that the person can be asked to allow, when that mends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
}

impl Problem {
    /// A problem of the given code, with the code's own next step.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code: code.as_str().to_owned(),
            message: message.into(),
            next_step: code.next_step().to_owned(),
            grant: None,
        }
    }

    /// Whether this is a problem of the given code.
    #[must_use]
    pub fn is(&self, code: Code) -> bool {
        self.code == code.as_str()
    }
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        let grant = match error {
            Error::Transport(TransportError::Relayed(problem)) => return (**problem).clone(),
            Error::Transport(
                TransportError::NotAllowed { pattern, .. } | TransportError::Withheld { pattern, .. },
            ) => Some(pattern.clone()),
            _ => None,
        };
        Self { grant, ..Self::new(error.code(), error.to_string()) }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::from(&error)
    }
}

macro_rules! codes {
    ($($variant:ident = $text:literal, $next:literal;)*) => {
        /// The stable code of a failure. Codes are never reused or renamed; `docs/errors.md` lists them all.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = concat!("`", $text, "`: ", $next)] $variant,)*
        }

        impl Code {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The code as people see and search for it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The code of this text, if this version knows it.
            #[must_use]
            pub fn from_text(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|code| code.as_str() == text)
            }

            /// What a person can do about it, as one sentence or two.
            #[must_use]
            pub fn next_step(self) -> &'static str {
                match self { $(Self::$variant => $next,)* }
            }
        }
    };
}

codes! {
    // Settings
    SettingsInvalid = "settings-invalid", "Correct the settings at the place named.";
    PolicyUnavailable = "policy-unavailable", "Restart the browser; if it happens again, ask whoever manages this browser to check the policy of the Rolecall extension.";
    ProviderUnknown = "provider-unknown", "Add a [[provider]] with this id to the settings, or correct the role's provider.";
    RoleUnknown = "role-unknown", "Choose a role from the list, or add it to the settings.";
    RoleArnInvalid = "role-arn-invalid", "Give the role as arn:aws:iam::123456789012:role/NAME.";
    RegionInvalid = "region-invalid", "Give a region such as eu-west-1.";

    // Provider
    ProviderUnreachable = "provider-unreachable", "Check the network connection and the provider's address in the settings.";
    ProviderBusy = "provider-busy", "Wait a minute and try again.";
    ProviderMisconfigured = "provider-misconfigured", "Check well_known_url in the settings; if it is right, tell your identity provider's administrator.";
    IssuerMismatch = "issuer-mismatch", "Correct well_known_url in the settings so that it belongs to the issuer that answers there.";
    KeysUnusable = "keys-unusable", "Tell your identity provider's administrator that its key set cannot be used.";

    // The window
    SignInCancelled = "sign-in-cancelled", "Sign in again when you are ready.";
    SignInNeeded = "sign-in-needed", "Sign in at your provider.";
    SignInTimedOut = "sign-in-timed-out", "Sign in again.";
    ApprovalNeeded = "approval-needed", "Run it again where a browser is open, and answer Rolecall's question there.";
    ApprovalRefused = "approval-refused", "Run it again and choose Allow, if this program should have the role.";
    NoBrowser = "no-browser", "Sign in first, in a terminal: it shows the address to open. Run: rolecall login --no-browser";

    // The redirect
    StateMismatch = "state-mismatch", "Start the sign-in again from Rolecall; do not continue in a window that something else opened.";
    RedirectIssuerMismatch = "redirect-issuer-mismatch", "Do not sign in on this network until the answer is explained; tell your security team.";
    RedirectInvalid = "redirect-invalid", "Try again; if it happens again, tell your identity provider's administrator.";
    AccessDeniedByProvider = "provider-denied", "Sign in as someone who may use this application, or ask your identity provider's administrator for access.";
    ProviderRefused = "provider-refused", "Check client_id and scope in the settings against what is registered at the provider.";

    // The token endpoint
    TokenRefused = "token-refused", "Check client_id and the registered redirect address at the provider.";
    OriginRefused = "origin-refused", "Install the Rolecall host program (rolecall install) and leave token_exchange at \"auto\" or \"native\", or have the extension's origin registered at the provider.";
    OriginRequired = "origin-required", "Set token_exchange = \"extension\" for the provider in the settings, or register the redirect address there as one of a native application.";
    SecretWanted = "secret-wanted", "Have Rolecall registered at the provider as a public client, such as a native application, which has no secret and uses PKCE.";
    TokenResponseInvalid = "token-response-invalid", "Add openid to scope in the settings; if it is there, tell your identity provider's administrator.";

    // The ID token
    TokenMalformed = "id-token-malformed", "Tell your identity provider's administrator; nothing was sent to AWS.";
    TokenAlgorithmRefused = "id-token-algorithm-refused", "Have the provider sign ID tokens for this client with RS256 or ES256.";
    TokenKeyUnknown = "id-token-key-unknown", "Try again in a minute; if it happens again, tell your identity provider's administrator.";
    TokenSignatureInvalid = "id-token-signature-invalid", "Do not sign in on this network until it is explained; tell your security team. Nothing was sent to AWS.";
    TokenIssuerMismatch = "id-token-issuer-mismatch", "Check well_known_url in the settings; nothing was sent to AWS.";
    TokenAudienceMismatch = "id-token-audience-mismatch", "Check client_id in the settings; nothing was sent to AWS.";
    TokenNonceMismatch = "id-token-nonce-mismatch", "Start the sign-in again; if it happens again, tell your security team.";
    TokenExpired = "id-token-expired", "Check that this computer's clock is right, then try again.";
    TokenNotYetValid = "id-token-not-yet-valid", "Check that this computer's clock is right, then try again.";
    TokenClaimMissing = "id-token-claim-missing", "Have the provider put this claim in ID tokens for this client.";
    TokenClaimDuplicate = "id-token-claim-duplicate", "Tell your identity provider's administrator; nothing was sent to AWS.";
    TokenClaimInvalid = "id-token-claim-invalid", "Have the provider correct this claim in ID tokens for this client.";
    TokenSubjectChanged = "id-token-subject-changed", "Sign in again.";

    // STS
    StsAccessDenied = "sts-access-denied", "Ask whoever owns the role to check its trust policy against your sign-in (provider, client id, sub, groups). AWS refuses a role or an identity provider for some seconds after it was made: if it is new, try again.";
    StsGroupsReplaced = "sts-groups-replaced", "Have the provider keep group names in amr after a second factor, or use another claim in the role's trust policy.";
    StsTagsDenied = "sts-tags-denied", "Ask whoever owns the role to allow sts:TagSession beside sts:AssumeRoleWithWebIdentity in its trust policy.";
    StsDurationTooLong = "sts-duration-too-long", "Set a shorter duration for the role, or raise the role's maximum session duration.";
    StsExpiredToken = "sts-expired-token", "Sign in again; if it happens again, check this computer's clock.";
    StsInvalidIdentityToken = "sts-invalid-identity-token", "Ask whoever owns the account to compare the identity provider in IAM (URL and audience) with what is said here.";
    StsProviderUnreachable = "sts-provider-unreachable", "Try again in a minute; if it happens again, the provider's discovery document and keys must be readable from the internet, with a kid for each key: rolecall doctor checks them.";
    StsClaimRejected = "sts-claim-rejected", "Sign in again; if it happens again, ask your identity provider's administrator.";
    StsPolicyTooLarge = "sts-policy-too-large", "Have the provider send fewer groups (amr) or session tags for this client.";
    StsMalformedPolicy = "sts-malformed-policy", "Ask whoever owns the role to check its policies.";
    StsRegionDisabled = "sts-region-disabled", "Choose another region for the role, or have STS enabled there.";
    StsThrottled = "sts-throttled", "Wait a few seconds and try again.";
    StsValidation = "sts-validation", "Check the role's settings (ARN, duration).";
    StsUnreachable = "sts-unreachable", "Check the network connection, then try again; sts_endpoint and region in the settings decide which address is asked.";
    StsUnavailable = "sts-unavailable", "Try again in a minute; the AWS Health Dashboard tells of outages.";
    StsResponseInvalid = "sts-response-invalid", "Check sts_endpoint in the settings: what answers there does not speak AWS STS.";

    // Console
    ConsoleNotOffered = "console-not-offered", "Use the role from a terminal instead; set console_endpoint for the provider if there is a console.";
    ConsoleRefused = "console-refused", "Sign in to the role again, then open the console.";
    ConsoleResponseInvalid = "console-response-invalid", "Check console_endpoint in the settings.";

    // Transport
    Unreachable = "unreachable", "Check the network connection, then try again.";
    RequestTimedOut = "request-timed-out", "Check the network connection, then try again.";
    HostPermissionNeeded = "host-permission-needed", "Choose Allow to let Rolecall talk to this address, or install the Rolecall host program.";
    AnswerWithheld = "answer-withheld", "Choose Allow to let Rolecall read the answers of this address, or set token_exchange to \"auto\" or \"native\" for the provider and install the Rolecall host program.";
    CertificateUntrusted = "certificate-untrusted", "If your organisation has a certificate authority of its own, add its certificate to the system's store, or name its file in SSL_CERT_FILE; otherwise do not go on in this network.";
    AnswerTooLarge = "answer-too-large", "Check the address in the settings.";
    NoRandomness = "no-randomness", "Restart the browser or the computer.";

    // The native host
    HostNotInstalled = "host-not-installed", "Install the Rolecall host program and run: rolecall install";
    HostForbidden = "host-forbidden", "Run: rolecall install";
    HostExited = "host-exited", "Run: rolecall doctor";
    HostVersion = "host-version", "Update the Rolecall extension and host program so that both are current, then run: rolecall install";
    HostTimedOut = "host-timed-out", "Run: rolecall doctor";
    MessageTooLarge = "message-too-large", "Report it with this code and what you did; smaller settings help until then.";
    HostProtocol = "host-protocol", "Update the Rolecall extension and host program so that both are current.";
    CallerRefused = "caller-refused", "Run: rolecall install";

    // The machine
    ProfileInvalid = "profile-invalid", "Choose a profile name of letters, digits and _./%@:+-";
    ProfileUnknown = "profile-unknown", "Run: rolecall profile list";
    ProgramPathUnfit = "program-path-unfit", "Install Rolecall in a folder whose path has no spaces or special characters, then write the profile again.";
    FileFailed = "file-failed", "Correct what is named, then try again; the file is as it was.";
    CacheFailed = "cache-failed", "Choose another cache in the settings, or correct what is named; nothing else depends on it.";
    AgentUnavailable = "agent-unavailable", "Open the browser that has the Rolecall extension, then try again.";
    AgentTimedOut = "agent-timed-out", "Finish the sign-in in the browser, then try again.";
    BrowserUnknown = "browser-unknown", "Run: rolecall install --help";
    CredentialProcessFailed = "credential-process-failed", "Correct what the program says above, or write the profile again: rolecall profile write --help";
    LoopbackPortsTaken = "loopback-ports-taken", "End the program that listens there, or set other ports that are registered at the provider: [loopback] ports in the settings.";
    RoleAmbiguous = "role-ambiguous", "Give more of the role's name, or its ARN.";
    RoleMissing = "role-missing", "Name a role: rolecall roles lists them.";
    CommandFailed = "command-failed", "Check the command's name and path.";
    ImportFailed = "import-failed", "Give a config.yaml or [maws] file of the previous tool, or a Rolecall settings file.";
    CredentialsRefused = "credentials-refused", "Get fresh credentials, or run: rolecall doctor";
    IdentityNotOffered = "identity-not-offered", "The credentials may work all the same: try what you want to do with them.";
    Internal = "internal", "Try again; if it happens again, report it with this code and what you did.";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn codes_are_unique_and_kebab_case() {
        let unique: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(unique.len(), Code::ALL.len());
        for code in unique {
            assert!(code.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{code}");
        }
    }

    #[test]
    fn every_code_is_in_the_documentation() {
        let documentation = include_str!("../../docs/errors.md");
        for code in Code::ALL {
            let row = format!("| `{}` | {} |", code.as_str(), code.next_step());
            assert!(documentation.contains(&row), "docs/errors.md lacks the row\n{row}");
        }
    }

    #[test]
    fn what_the_host_program_says_of_a_request_is_passed_on_also_where_its_code_is_of_a_newer_version() {
        for code in ["certificate-untrusted", "of-a-newer-version"] {
            let told = Problem {
                code: code.to_owned(),
                message: "The certificate of idp.example is not trusted.".to_owned(),
                next_step: "Do what the newer version says.".to_owned(),
                grant: None,
            };
            let error = Error::from(TransportError::Relayed(Box::new(told.clone())));
            assert_eq!(Problem::from(error), told);
        }
    }

    #[test]
    fn a_problem_tells_code_sentence_and_next_step() {
        let problem = Problem::from(Error::Authorize(AuthorizeError::Cancelled));
        assert_eq!(problem.code, "sign-in-cancelled");
        assert_eq!(problem.message, "The sign-in window was closed before the sign-in was complete.");
        assert_eq!(problem.next_step, "Sign in again when you are ready.");
    }
}
