//! Every secret of the sign-ins so far, so that a test can look for them where they must not be.

use std::sync::{Mutex, PoisonError};

/// What a secret is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretKind {
    /// The client's secret (RFC 6749 section 2.3.1).
    ClientSecret,
    /// An authorization code.
    Code,
    /// The verifier of a code (RFC 7636 section 4.1).
    CodeVerifier,
    /// An ID token.
    IdToken,
    /// An access token.
    AccessToken,
    /// A refresh token.
    RefreshToken,
    /// The secret access key of credentials.
    SecretAccessKey,
    /// The session token of credentials.
    SessionToken,
    /// The sign-in token in the address that opens the console.
    SigninToken,
}

/// The values, in the order in which they were issued or received.
#[derive(Debug, Default)]
pub(crate) struct Secrets(Mutex<Vec<(SecretKind, String)>>);

impl Secrets {
    pub(crate) fn add(&self, kind: SecretKind, value: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((kind, value.to_owned()));
    }

    pub(crate) fn all(&self) -> Vec<(SecretKind, String)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
