//! Sign-in tokens and console sessions.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use crate::random;
use crate::sts::Caller;

/// A session in the console.
#[derive(Clone)]
pub(super) struct Session {
    /// Distinguishes the sessions of one browser.
    pub(super) id: String,
    pub(super) caller: Caller,
    /// The `Issuer` parameter of the login.
    pub(super) issuer: String,
    pub(super) expires: DateTime<Utc>,
}

impl Session {
    /// What its own host begins with.
    pub(super) fn label(&self) -> String {
        format!("{}-{}", self.caller.account, self.id)
    }
}

/// The session that a sign-in token opens.
pub(super) struct SigninToken {
    pub(super) caller: Caller,
    pub(super) session_expires: DateTime<Utc>,
    pub(super) expires: DateTime<Utc>,
}

/// The console's state.
#[derive(Default)]
pub(crate) struct Sessions {
    tokens: HashMap<String, SigninToken>,
    browsers: HashMap<String, Vec<Session>>,
}

impl Sessions {
    /// A sign-in token for one login, of the letters `A-Za-z0-9_-`.
    pub(super) fn token(&mut self, token: SigninToken, length: usize) -> String {
        let mut value = random::token(length);
        value.truncate(length);
        self.tokens.insert(value.clone(), token);
        value
    }

    /// Returns and removes a token that is still valid.
    pub(super) fn redeem(&mut self, token: &str, now: DateTime<Utc>) -> Option<SigninToken> {
        self.tokens.remove(token).filter(|token| now < token.expires && now < token.session_expires)
    }

    /// The live sessions of a browser, the newest last.
    pub(super) fn of(&self, cookie: &str, now: DateTime<Utc>) -> Vec<Session> {
        let sessions = self.browsers.get(cookie).into_iter().flatten();
        sessions.filter(|session| now < session.expires).cloned().collect()
    }

    /// The live session whose own host begins with this label, after the others of its browser.
    pub(super) fn at(&self, label: &str, now: DateTime<Utc>) -> Option<Vec<Session>> {
        self.browsers.keys().find_map(|cookie| {
            let mut sessions = self.of(cookie, now);
            let position = sessions.iter().position(|session| session.label() == label)?;
            let session = sessions.remove(position);
            sessions.push(session);
            Some(sessions)
        })
    }

    /// Replaces the sessions of a browser.
    pub(super) fn set(&mut self, cookie: &str, sessions: Vec<Session>) {
        self.browsers.insert(cookie.to_owned(), sessions);
    }

    pub(super) fn log_out(&mut self, cookie: &str) {
        self.browsers.remove(cookie);
    }
}
