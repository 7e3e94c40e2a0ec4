//! What the console stand-in can be told.

/// The console stand-in's switches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleConfig {
    /// How long sign-in tokens are. AWS documents one of about 1.1 KB and promises no limit.
    pub token_length: usize,
    /// `getSigninToken` refuses whatever names an `Origin`, as another sign-in host of AWS is known to do.
    pub origins_refused: bool,
    /// `getSigninToken` by POST answers 405, so that only the GET form works.
    pub post_refused: bool,
    /// The browser opted in to several sessions side by side: a login adds one (five at most) where it would
    /// otherwise be told to log out first.
    pub multi_session: bool,
}

impl Default for ConsoleConfig {
    fn default() -> Self {
        Self { token_length: 1100, origins_refused: false, post_refused: false, multi_session: false }
    }
}
