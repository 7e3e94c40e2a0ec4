//! The configuration of the simulated console.

/// The configuration of the simulated console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleConfig {
    /// The length of sign-in tokens. AWS documents about 1.1 KB and promises no limit.
    pub token_length: usize,
    /// `getSigninToken` refuses requests with an `Origin`, as another sign-in host of AWS is known to do.
    pub origins_refused: bool,
    /// `getSigninToken` by POST responds with 405, so that only the GET form works.
    pub post_refused: bool,
    /// The browser has multi-session support turned on: a login adds a session (five at most) instead of asking the
    /// person to log out first.
    pub multi_session: bool,
}

impl Default for ConsoleConfig {
    fn default() -> Self {
        Self { token_length: 1100, origins_refused: false, post_refused: false, multi_session: false }
    }
}
