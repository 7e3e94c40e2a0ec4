//! What the console stand-in can be told.

/// The console stand-in's switches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConsoleConfig {
    /// `getSigninToken` by POST answers 405, so that only the GET form works.
    pub post_refused: bool,
    /// The browser opted in to several sessions side by side: a login adds one (five at most) where it would
    /// otherwise be told to log out first.
    pub multi_session: bool,
}
