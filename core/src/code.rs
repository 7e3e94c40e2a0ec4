//! The stable failure codes with their next steps, and [`Problem`], the failure that components pass to each other.
//!
//! This is the only table of codes: the popup, the command line, the log and `docs/errors.md` show what it says. The
//! module depends on no other module's errors.

use std::fmt;
use std::ops::{Deref, DerefMut};

use serde::Serialize;

use crate::json::{ReadJson, WriteJson};

use crate::text;

/// A failure as it is sent between ui, worker, host and command line: they show this and nothing else.
///
/// It is one pointer: most functions that can fail return it, and have code for each part of what they return.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ReadJson, WriteJson)]
#[serde(transparent)]
pub struct Problem(Box<Details>);

/// What a [`Problem`] says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ReadJson, WriteJson)]
#[serde(rename_all = "camelCase")]
#[json(rename_all = "camelCase")]
pub struct Details {
    /// The stable code, such as `state-mismatch`. A string, so that an older peer can show a newer code.
    pub code: String,
    /// One plain sentence.
    pub message: String,
    /// What the person can do about it. It ends with a colon if a command follows.
    pub next_step: String,
    /// The command to run for that, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// A match pattern that the person can be asked to allow, when that fixes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
}

impl Deref for Problem {
    type Target = Details;

    fn deref(&self) -> &Details {
        &self.0
    }
}

impl DerefMut for Problem {
    fn deref_mut(&mut self) -> &mut Details {
        &mut self.0
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

impl Problem {
    /// A problem of the given code, with the code's own next step. What cannot be shown is taken out of the message.
    pub fn new(code: Code, message: impl AsRef<str>) -> Self {
        Self(Box::new(Details {
            code: code.as_str().to_owned(),
            message: text::on_one_line(message.as_ref(), MESSAGE_MAX),
            next_step: code.next_step().to_owned(),
            command: code.command().map(str::to_owned),
            grant: None,
        }))
    }

    /// The same problem with another next step.
    #[must_use]
    pub fn with_next_step(mut self, next_step: impl AsRef<str>) -> Self {
        self.0.next_step = text::on_one_line(next_step.as_ref(), MESSAGE_MAX);
        self.0.command = None;
        self
    }

    /// The same problem with another sentence, which can be shown as it is.
    #[must_use]
    pub fn with_message(mut self, message: String) -> Self {
        self.0.message = message;
        self
    }

    /// The same problem, fixed if the person allows this match pattern.
    #[must_use]
    pub fn with_grant(mut self, pattern: &str) -> Self {
        self.0.grant = Some(pattern.to_owned());
        self
    }

    /// The same problem for a page: a next step that needs a terminal is replaced.
    #[must_use]
    pub fn for_popup(self) -> Self {
        match Code::from_text(&self.code).and_then(Code::next_step_in_popup) {
            Some(next_step) => self.with_next_step(next_step),
            None => self,
        }
    }

    /// What the person can do about it, with the command, on one line.
    #[must_use]
    pub fn next_line(&self) -> String {
        match &self.command {
            Some(command) => format!("{} {command}", self.next_step),
            None => self.next_step.clone(),
        }
    }

    /// What a person can agree to as the way on, as a button says it.
    #[must_use]
    pub fn confirmation(&self) -> Option<&'static str> {
        match Code::from_text(&self.code)? {
            Code::ConsoleSessionOpen => Some("End the other session"),
            Code::ConsoleSessionsFull => Some("Open it all the same"),
            _ => None,
        }
    }

    /// Whether this is a problem of the given code.
    #[must_use]
    pub fn is(&self, code: Code) -> bool {
        self.code == code.as_str()
    }
}

/// The longest message, in characters. Those of the settings are the longest: they name several ARNs.
const MESSAGE_MAX: usize = 4_000;

macro_rules! codes {
    (
        $($variant:ident = $text:literal, $next:literal $(, $key:ident $value:literal)*;)*
        #[$only:meta] {
            $($native:ident = $native_text:literal, $native_next:literal $(, $native_key:ident $native_value:literal)*;)*
        }
    ) => {
        codes! {
            @all
            $($variant = $text, $next $(, $key $value)*;)*
            $(#[$only] $native = $native_text, $native_next $(, $native_key $native_value)*;)*
        }
    };
    (@optional) => { None };
    (@optional $text:literal) => { Some($text) };
    (@all $($(#[$only:meta])? $variant:ident = $text:literal, $next:literal $(, run $command:literal)? $(, popup $popup:literal)?;)*) => {
        /// The stable code of a failure. Codes are never reused or renamed; `docs/errors.md` lists them all.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$only])? #[doc = concat!("`", $text, "`: ", $next)] $variant,)*
        }

        impl Code {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$($(#[$only])? Self::$variant),*];

            /// The code as people see and search for it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $($(#[$only])? Self::$variant => $text,)* }
            }

            /// The code of this text, if this version knows it.
            #[must_use]
            pub fn from_text(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|code| code.as_str() == text)
            }

            /// What a person can do about it, as one sentence or two. It ends with a colon if [`Self::command`] follows.
            #[must_use]
            pub fn next_step(self) -> &'static str {
                match self { $($(#[$only])? Self::$variant => $next,)* }
            }

            /// The command to run for that, if it is one.
            #[must_use]
            pub fn command(self) -> Option<&'static str> {
                match self { $($(#[$only])? Self::$variant => codes!(@optional $($command)?),)* }
            }

            /// What the popup says instead, where the next step is one for a terminal.
            #[must_use]
            pub fn next_step_in_popup(self) -> Option<&'static str> {
                match self { $($(#[$only])? Self::$variant => codes!(@optional $($popup)?),)* }
            }
        }
    };
}

codes! {
    // Settings
    SettingsInvalid = "settings-invalid", "Correct the settings at the place named.";
    PolicyUnavailable = "policy-unavailable", "Try again in a minute; if it happens again, restart the browser, or ask its administrator to check the policy of the Rolecall extension.";
    ProviderUnknown = "provider-unknown", "Add a [[provider]] with this id to the settings, or correct the role's provider.";
    CatalogueUnavailable = "catalogue-unavailable", "The roles that were read before stay in the list, and Rolecall tries again. If it lasts, check catalogue_url in the settings.";
    RoleServiceUnavailable = "role-service-unavailable", "The roles that were listed before stay in the list, and Rolecall tries again. If it lasts, check roles_url in the settings.";
    RoleUnknown = "role-unknown", "Choose a role from the list, or add it to the settings.";
    RoleArnInvalid = "role-arn-invalid", "Give the role as arn:aws:iam::123456789012:role/NAME.";
    RegionInvalid = "region-invalid", "Give a region such as eu-west-1.";

    // Provider
    ProviderUnreachable = "provider-unreachable", "Check the network connection and the provider's address in the settings.";
    ProviderBusy = "provider-busy", "Wait a minute and try again.";
    ProviderMisconfigured = "provider-misconfigured", "Check well_known_url in the settings; if it is right, tell your identity provider's administrator.";
    IssuerMismatch = "issuer-mismatch", "Correct well_known_url in the settings so that it matches the issuer named there.";
    KeysUnusable = "keys-unusable", "Ask your identity provider's administrator to check its key set (jwks_uri).";

    // The window
    SignInCancelled = "sign-in-cancelled", "Sign in again when you are ready.";
    SignInNeeded = "sign-in-needed", "Sign in at your provider.";
    SignInTimedOut = "sign-in-timed-out", "Sign in again.";
    ApprovalNeeded = "approval-needed", "Open the browser, run it again, and approve the request there.";
    ApprovalRefused = "approval-refused", "Run it again and choose Allow, if this program should have the role.";
    NoBrowser = "no-browser", "Close other sign-in windows and try again, or sign in from a terminal, which shows the address to open. Run:", run "rolecall login --no-browser";

    // The redirect
    StateMismatch = "state-mismatch", "Start the sign-in again from Rolecall; do not continue in a window that something else opened.";
    RedirectIssuerMismatch = "redirect-issuer-mismatch", "Do not sign in on this network until this is explained; tell your security team.";
    RedirectInvalid = "redirect-invalid", "Try again; if it happens again, tell your identity provider's administrator.";
    AccessDeniedByProvider = "provider-denied", "Sign in as someone who may use this application, or ask your identity provider's administrator for access.";
    ProviderRefused = "provider-refused", "Check client_id and scope in the settings against what is registered at the provider.";

    // The token endpoint
    TokenRefused = "token-refused", "Check client_id and the redirect URI registered at the provider.";
    OriginRefused = "origin-refused", "Install the Rolecall host program (rolecall install) and leave token_exchange at \"auto\" or \"native\", or register the extension's origin at the provider.";
    OriginRequired = "origin-required", "Set token_exchange = \"extension\" for the provider in the settings, or register the redirect URI at the provider for a native application.";
    SecretWanted = "secret-wanted", "Register Rolecall at the provider as a public client, such as a native application, or set client_secret for the provider in the settings if it gives public clients one (Google does).";
    SecretRefused = "secret-refused", "Correct client_secret of the provider in the settings, or remove it if the client is a public one.";
    TokenResponseInvalid = "token-response-invalid", "Add openid to scope in the settings; if it is there, tell your identity provider's administrator.";

    // The ID token
    TokenMalformed = "id-token-malformed", "Tell your identity provider's administrator; nothing was sent to AWS.";
    TokenAlgorithmRefused = "id-token-algorithm-refused", "Have the provider sign ID tokens for this client with RS256 or ES256.";
    TokenKeyUnknown = "id-token-key-unknown", "Try again in a minute; if it happens again, tell your identity provider's administrator.";
    TokenSignatureInvalid = "id-token-signature-invalid", "Do not sign in on this network until this is explained; tell your security team. Nothing was sent to AWS.";
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
    StsAccessDenied = "sts-access-denied", "Ask your AWS administrator to check the role's trust policy against your sign-in (provider, client id, sub, groups). If the role or the identity provider in IAM is only seconds old, try again.";
    StsGroupsReplaced = "sts-groups-replaced", "Have the provider keep group names in amr after a second factor, or use another claim in the role's trust policy.";
    StsTagsDenied = "sts-tags-denied", "Ask your AWS administrator to allow sts:TagSession beside sts:AssumeRoleWithWebIdentity in the role's trust policy.";
    StsChainDenied = "sts-chain-denied", "Ask your AWS administrator to check that the source role may call sts:AssumeRole for this role, and that this role's trust policy allows the source role: with the external_id of the settings, and with sts:TagSession or sts:SetSourceIdentity if session_tags or source_identity are set.";
    StsDurationTooLong = "sts-duration-too-long", "Set a shorter duration for the role, or raise the role's maximum session duration.";
    StsExpiredToken = "sts-expired-token", "Sign in again; if it happens again, check this computer's clock.";
    StsInvalidIdentityToken = "sts-invalid-identity-token", "Ask your AWS administrator to compare the identity provider in IAM (URL and audience) with the values named here.";
    StsProviderUnreachable = "sts-provider-unreachable", "Try again in a minute. AWS must be able to read the provider's discovery document and keys from the internet, with a kid for each key: rolecall doctor checks them.";
    StsClaimRejected = "sts-claim-rejected", "Sign in again; if it happens again, ask your identity provider's administrator.";
    StsPolicyTooLarge = "sts-policy-too-large", "Have the provider send fewer groups (amr) or session tags for this client.";
    StsMalformedPolicy = "sts-malformed-policy", "Ask your AWS administrator to check the role's policies.";
    StsRegionDisabled = "sts-region-disabled", "Choose another region for the role, or have STS enabled there.";
    StsThrottled = "sts-throttled", "Wait a few seconds and try again.";
    StsValidation = "sts-validation", "Check the role's settings (ARN, duration).";
    StsUnreachable = "sts-unreachable", "Check the network connection, and sts_endpoint and region in the settings, then try again.";
    StsUnavailable = "sts-unavailable", "Try again in a minute; the AWS Health Dashboard shows outages.";
    StsResponseInvalid = "sts-response-invalid", "Check sts_endpoint in the settings: the server there is not compatible with AWS STS.";

    // Console
    ConsoleNotOffered = "console-not-offered", "Use the role from a terminal instead; set console_endpoint for the provider if it has a console.";
    ConsoleRefused = "console-refused", "Sign in to the role again, then open the console.";
    ConsoleSessionOpen = "console-session-open", "End the other session, which Rolecall will then always do.";
    ConsoleSessionsFull = "console-sessions-full", "Sign out of one of these sessions in the console, then open it all the same.";
    ConsolePageInvalid = "console-page-invalid", "Name a service such as s3, or give the ARN of a resource or an address of the role's console.";
    ConsoleResponseInvalid = "console-response-invalid", "Check console_endpoint in the settings.";

    // Transport
    Unreachable = "unreachable", "Check the network connection, then try again.";
    RequestTimedOut = "request-timed-out", "Check the network connection, then try again.";
    HostPermissionNeeded = "host-permission-needed", "Choose Allow to let Rolecall connect to this address, or install the Rolecall host program.";
    AnswerWithheld = "answer-withheld", "Choose Allow to let Rolecall read responses from this address, or set token_exchange to \"auto\" or \"native\" for the provider and install the Rolecall host program.";
    CertificateUntrusted = "certificate-untrusted", "If your organisation has its own certificate authority, add its certificate to the system's trust store, or set SSL_CERT_FILE to its file; otherwise do not sign in on this network.";
    PrivateNetwork = "private-network", "Set private_endpoints = true for the provider in the settings, if this address is your organisation's own; otherwise do not use this provider.";
    AnswerTooLarge = "answer-too-large", "Check the address in the settings.";
    NoRandomness = "no-randomness", "Restart the browser or the computer.";

    // The native host
    HostNotInstalled = "host-not-installed", "Install the Rolecall host program and run:", run "rolecall install";
    HostForbidden = "host-forbidden", "Run:", run "rolecall install";
    HostExited = "host-exited", "Run:", run "rolecall doctor";
    HostVersion = "host-version", "Update the Rolecall extension and host program so that both are current, then run:", run "rolecall install";
    HostTimedOut = "host-timed-out", "Run:", run "rolecall doctor";
    MessageTooLarge = "message-too-large", "Report it with this code and what you did; until then, smaller settings may help.";
    HostProtocol = "host-protocol", "Update the Rolecall extension and host program so that both are current.";
    CallerRefused = "caller-refused", "Run:", run "rolecall install";

    // The machine
    ProfileInvalid = "profile-invalid", "Choose a profile name of letters, digits and _./%@:+-";
    Internal = "internal", "Try again; if it happens again, report it with this code and what you did.";

    // These are only in the host program, which sends the extension such a problem with its next step.
    #[cfg(not(target_arch = "wasm32"))] {
        ProfileUnknown = "profile-unknown", "Run:", run "rolecall profile list";
        ProgramPathUnfit = "program-path-unfit", "Install Rolecall in a folder whose path has no spaces or special characters, then write the profile again.";
        FileFailed = "file-failed", "Correct the problem named here, then try again; the file was not changed.";
        CacheFailed = "cache-failed", "Correct the problem named here, or choose another cache in the settings; everything else works without it.";
        AgentUnavailable = "agent-unavailable", "Open the browser that has the Rolecall extension, then try again.";
        AgentTimedOut = "agent-timed-out", "Finish the sign-in in the browser, then try again.";
        BrowserUnknown = "browser-unknown", "Run:", run "rolecall install --help";
        CredentialProcessFailed = "credential-process-failed", "Correct the error that the program reported above, or write the profile again:", run "rolecall profile write --help";
        LoopbackPortsTaken = "loopback-ports-taken", "Close the program that uses them, or set other ports that are registered at the provider: ports in [loopback], or in the provider's own loopback.";
        RoleAmbiguous = "role-ambiguous", "Give more of the role's name, or its ARN.";
        RoleMissing = "role-missing", "Name a role: rolecall roles lists them.";
        CommandFailed = "command-failed", "Check the command's name and path.";
        ImportFailed = "import-failed", "Give a config.yaml or [maws] file of the previous tool, or a Rolecall settings file.";
        CredentialsRefused = "credentials-refused", "Get fresh credentials, or run:", run "rolecall doctor";
        IdentityNotOffered = "identity-not-offered", "The credentials may still work: try to use them.";

        // The AWS files
        AwsFilesHomeMissing = "aws-files-home-missing", "Set HOME, or both AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE, and try again.", popup "Start the browser with HOME set, then try again.";
        AwsFilesProfileNameInvalid = "aws-files-profile-name-invalid", "Choose another name, such as example-dev.";
        AwsFilesSettingInvalid = "aws-files-setting-invalid", "Correct the setting and try again.";
        AwsFilesProfileConflict = "aws-files-profile-conflict", "Choose another profile name, or repeat the command with --force to replace what is there; a backup is made first.", popup "Give the role another profile name in the settings, or remove that profile from the AWS files, then try again.";
        AwsFilesOneFile = "aws-files-one-file", "Point AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE at two different files and try again.", popup "Have the AWS tools keep their settings and credentials in two different files, then try again.";
        AwsFilesProfileNotFound = "aws-files-profile-not-found", "List the profiles that Rolecall wrote:", run "rolecall profile list";
        AwsFilesUnreadable = "aws-files-unreadable", "Correct that line and try again.";
        AwsFilesNotText = "aws-files-not-text", "Save the file as UTF-8 without a byte order mark and try again.";
        AwsFilesNotAFile = "aws-files-not-a-file", "Move it away, or point AWS_CONFIG_FILE or AWS_SHARED_CREDENTIALS_FILE at a file.", popup "Move it away, then try again.";
        AwsFilesLinkLoop = "aws-files-link-loop", "Replace the link with a file or with a link to one.";
        AwsFilesLinkIntoNowhere = "aws-files-link-into-nowhere", "Create or mount that folder, or remove the link, and try again.";
        AwsFilesReadOnlyFile = "aws-files-read-only-file", "Make the file writable with `chmod u+w` and try again.", popup "Make the file writable, then try again.";
        AwsFilesReadOnlyFolder = "aws-files-read-only-folder", "Make the folder writable and try again.";
        AwsFilesForeignOwner = "aws-files-foreign-owner", "Run the command as the file's owner.", popup "Make yourself the file's owner, then try again.";
        AwsFilesDiskFull = "aws-files-disk-full", "Free some space and try again.";
        AwsFilesLocked = "aws-files-locked", "Wait for the other process, or end it, and try again.";
        AwsFilesBusy = "aws-files-busy", "Let the other program finish and try again.";
        AwsFilesIo = "aws-files-io", "Check the path and its permissions and try again.";
    }
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
    fn every_code_is_in_the_documentation_in_this_order() {
        let mut documentation = include_str!("../../docs/errors.md");
        for code in Code::ALL {
            let popup =
                code.next_step_in_popup().map(|step| format!(" In the popup: {step}")).unwrap_or_default();
            let next = Problem::new(*code, "").next_line();
            let row = format!("| `{}` | {next}{popup} |", code.as_str());
            let rest = documentation.split_once(&row).map(|(_, rest)| rest);
            documentation = rest
                .unwrap_or_else(|| panic!("docs/errors.md lacks the row, or has it in another order\n{row}"));
        }
    }

    #[test]
    fn a_next_step_ends_with_a_colon_exactly_where_a_command_follows() {
        for code in Code::ALL {
            assert_eq!(code.next_step().ends_with(':'), code.command().is_some(), "{code:?}");
            assert!(!code.next_step().contains("un: "), "{code:?}");
        }
    }

    #[test]
    #[cfg(not(target_arch = "wasm32"))]
    fn a_page_gives_no_advice_that_is_meant_for_a_terminal() {
        let conflict = Problem::new(Code::AwsFilesProfileConflict, "It is somebody else's.");
        assert!(conflict.next_step.contains("--force"));
        let shown = conflict.for_popup();
        assert!(!shown.next_line().contains("--"), "{}", shown.next_line());
        // A command that a page can show apart stays one.
        let missing = Problem::new(Code::HostNotInstalled, "It is not there.").for_popup();
        assert_eq!(missing.command.as_deref(), Some("rolecall install"));
        for code in Code::ALL.iter().filter(|code| code.as_str().starts_with("aws-files-")) {
            let shown = Problem::new(*code, "").for_popup().next_line();
            assert!(!shown.contains("--") && !shown.contains('`') && !shown.contains("_FILE"), "{code:?}");
        }
    }
}
