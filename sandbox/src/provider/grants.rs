//! The provider's state: sessions, open sign-in forms, codes, tokens, and what was issued together.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use crate::random;

/// A valid authorization request (OIDC Core section 3.1.2.1), waiting for a user or granted.
#[derive(Clone)]
pub(crate) struct AuthorizationRequest {
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) scope: String,
    pub(crate) state: Option<String>,
    pub(crate) nonce: Option<String>,
    pub(crate) code_challenge: String,
    pub(crate) login_hint: Option<String>,
    /// Whether a refresh token is issued.
    pub(crate) refresh: bool,
}

/// A user signed in in one browser.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) sub: String,
    pub(crate) auth_time: DateTime<Utc>,
    pub(crate) expires: DateTime<Utc>,
}

/// What an authorization code stands for.
pub(crate) struct Code {
    pub(crate) request: AuthorizationRequest,
    pub(crate) family: Family,
    pub(crate) expires: DateTime<Utc>,
    pub(crate) used: bool,
}

/// What a refresh token stands for.
pub(crate) struct Refresh {
    pub(crate) family: Family,
    pub(crate) expires: DateTime<Utc>,
    pub(crate) used: bool,
}

/// What an access token stands for.
pub(crate) struct Access {
    pub(crate) family: Family,
    pub(crate) expires: DateTime<Utc>,
}

/// Everything issued from one code is revoked together (RFC 6749 section 4.1.2, RFC 9700 section 4.14.2).
#[derive(Clone)]
pub(crate) struct Family {
    pub(crate) id: String,
    pub(crate) client_id: String,
    pub(crate) sub: String,
    pub(crate) scope: String,
    pub(crate) auth_time: DateTime<Utc>,
    pub(crate) refresh: bool,
}

/// The provider's state.
#[derive(Default)]
pub(crate) struct Grants {
    pub(crate) sessions: HashMap<String, Session>,
    pub(crate) forms: HashMap<String, AuthorizationRequest>,
    pub(crate) codes: HashMap<String, Code>,
    pub(crate) refresh: HashMap<String, Refresh>,
    pub(crate) access: HashMap<String, Access>,
    revoked: Vec<String>,
}

impl Grants {
    /// Opens a session and returns the cookie's value.
    pub(crate) fn sign_in(&mut self, session: Session) -> String {
        let cookie = random::token(24);
        self.sessions.insert(cookie.clone(), session);
        cookie
    }

    /// Issues a code for a session's user.
    pub(crate) fn code(
        &mut self,
        request: AuthorizationRequest,
        session: &Session,
        expires: DateTime<Utc>,
    ) -> String {
        let family = Family {
            id: random::token(9),
            client_id: request.client_id.clone(),
            sub: session.sub.clone(),
            scope: request.scope.clone(),
            auth_time: session.auth_time,
            refresh: request.refresh,
        };
        let code = random::token(24);
        self.codes.insert(code.clone(), Code { request, family, expires, used: false });
        code
    }

    pub(crate) fn revoke(&mut self, family: &Family) {
        self.revoked.push(family.id.clone());
    }

    pub(crate) fn is_revoked(&self, family: &Family) -> bool {
        self.revoked.contains(&family.id)
    }
}
