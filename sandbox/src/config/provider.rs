//! The configuration of the OpenID provider.

use std::time::Duration;

use serde_json::{Map, Value};

/// The OpenID provider: its clients, its users, and how it treats them.
#[derive(Clone, Debug)]
pub struct ProviderConfig {
    /// Its id in the settings document.
    pub id: String,
    /// Its name there.
    pub name: String,
    /// What its issuer has after host and port, such as `/` or `/realms/example`.
    pub issuer_path: String,
    /// Members of the discovery document that are not the usual ones; null takes a member away.
    pub metadata: Map<String, Value>,
    /// Further keys of the provider in the settings document.
    pub settings: toml::Table,
    /// The registered clients.
    pub clients: Vec<Client>,
    /// The users.
    pub users: Vec<User>,
    /// The scope the settings document asks for; without `offline_access` there is no refresh token.
    pub scope: String,
    /// Scopes that are refused as invalid.
    pub refused_scopes: Vec<String>,
    /// When there is a refresh token.
    pub refresh_tokens: RefreshTokens,
    /// What comes of `prompt=none`.
    pub silent: Silent,
    /// How it says that it refuses a token request.
    pub refusals: Refusals,
    /// Parameters without which the end-session endpoint shows an error.
    pub logout_needs: Vec<String>,
    /// The algorithm of ID tokens.
    pub signing: SigningAlgorithm,
    /// Keys to publish instead of the provider's own, as JWKs.
    pub published_keys: Option<Vec<Value>>,
    /// The lifetime of an ID token, from `iat` to `exp`.
    pub id_token_lifetime: Duration,
    /// The lifetime of an access token.
    pub access_token_lifetime: Duration,
    /// The lifetime of a refresh token.
    pub refresh_token_lifetime: Duration,
    /// The lifetime of an authorization code.
    pub code_lifetime: Duration,
    /// The lifetime of the single sign-on cookie.
    pub session_lifetime: Duration,
    /// How the token and userinfo endpoints treat requests from other origins.
    pub token_cors: TokenCors,
    /// Whether discovery and JWKS allow other origins.
    pub metadata_cors: bool,
    /// Whether discovery announces, and the redirect contains, the `iss` of RFC 9207.
    pub issuer_in_redirect: bool,
    /// Whether discovery has an end-session endpoint (OpenID Connect RP-Initiated Logout 1.0).
    pub end_session: bool,
    /// The role catalogue at `/catalogue.json`, if there is one.
    pub catalogue: Option<Catalogue>,
    /// The ARNs that the role service at `/roles` lists.
    pub served_roles: Vec<String>,
    /// The fault in ID tokens issued from now on.
    pub id_token_fault: Option<IdTokenFault>,
    /// The fault in redirects from now on.
    pub redirect_fault: Option<RedirectFault>,
}

impl ProviderConfig {
    /// The issuer at this origin.
    pub(crate) fn issuer(&self, origin: &str) -> String {
        format!("{origin}{}", self.issuer_path)
    }

    /// The address of the discovery document (OpenID Connect Discovery section 4.1).
    pub(crate) fn well_known_url(&self, origin: &str) -> String {
        format!("{}/.well-known/openid-configuration", self.issuer(origin).trim_end_matches('/'))
    }
}

/// A static file.
#[derive(Clone, Debug)]
pub struct Catalogue {
    /// What is in it.
    pub document: String,
    /// Whether it allows other origins.
    pub cors: bool,
}

/// What a provider makes of `prompt=none`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silent {
    /// A code from the session, or this error (OIDC Core section 3.1.2.6).
    Answered(&'static str),
    /// The form is shown all the same, also where there is a session.
    Ignored,
}

/// When a provider issues refresh tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RefreshTokens {
    /// For the scope `offline_access` (OIDC Core section 11).
    #[default]
    OfflineAccess,
    /// For the parameter `access_type=offline`.
    AccessType,
    /// Always.
    Always,
}

/// How a provider says that it refuses a token request.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusals {
    /// For the request's `Origin`.
    pub origin: Refusal,
    /// For want of an `Origin`.
    pub no_origin: Refusal,
    /// For want of the client's secret.
    pub no_secret: Refusal,
    /// For a wrong one.
    pub wrong_secret: Refusal,
}

/// An error response of the token endpoint (RFC 6749 section 5.2).
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// The status.
    pub status: u16,
    /// `error`.
    pub error: String,
    /// `error_description`.
    pub description: String,
    /// Further members.
    pub more: Map<String, Value>,
}

impl Refusal {
    /// A refusal without further members.
    #[must_use]
    pub fn new(status: u16, error: &str, description: &str) -> Self {
        Self { status, error: error.to_owned(), description: description.to_owned(), more: Map::new() }
    }
}

impl Default for Refusals {
    fn default() -> Self {
        Self {
            origin: Refusal::new(
                400,
                "invalid_request",
                "the request's origin is not allowed for this client",
            ),
            no_origin: Refusal::new(400, "invalid_request", "the request must have an origin"),
            no_secret: Refusal::new(401, "invalid_client", "client_secret is missing"),
            wrong_secret: Refusal::new(401, "invalid_client", "the client secret is wrong"),
        }
    }
}

/// A client (RFC 6749 section 2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its `client_id`.
    pub id: String,
    /// Its secret, if the provider demands one.
    pub secret: Option<String>,
    /// Exact redirect URIs, or patterns: `*.` as the first label stands for one label, `:*` for any port, a final
    /// `/*` for any path.
    pub redirect_uris: Vec<String>,
    /// Where `/logout` may send the browser afterwards; same patterns.
    pub post_logout_redirect_uris: Vec<String>,
    /// The origins that [`TokenCors::RefuseOrigins`] accepts.
    pub origins: Vec<String>,
}

/// A user and their claims.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    /// The `sub` claim.
    pub sub: String,
    /// The `email` claim, and the `login_hint` that selects this person.
    pub email: String,
    /// The `name` claim, and what the sign-in form shows.
    pub name: String,
    /// The `groups` claim.
    pub groups: Vec<String>,
    /// The `amr` claim, which is how groups reach a trust policy.
    pub amr: Vec<String>,
    /// Further claims, which replace the ones above: `https://aws.amazon.com/tags`, for example.
    pub claims: Map<String, Value>,
}

impl User {
    /// A user whose `amr` contains their groups.
    #[must_use]
    pub fn new(sub: &str, email: &str, name: &str, groups: &[&str]) -> Self {
        let groups: Vec<String> = groups.iter().map(|group| (*group).to_owned()).collect();
        Self {
            sub: sub.to_owned(),
            email: email.to_owned(),
            name: name.to_owned(),
            amr: groups.clone(),
            groups,
            claims: Map::new(),
        }
    }
}

/// The signature algorithm of ID tokens (RFC 7518 section 3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SigningAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    #[default]
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// ECDSA on P-521 with SHA-512.
    Es512,
}

/// How the token endpoint treats a request with an `Origin`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenCors {
    /// Any origin is served, as providers do for single-page applications.
    #[default]
    AllowAll,
    /// An origin that is not registered for the client gets `invalid_request` without CORS headers, and the code is not
    /// used up; a request without an `Origin` is served.
    RefuseOrigins,
    /// Every request is served (the code is used up), but the response has no CORS headers.
    NoHeaders,
    /// Any origin is served, and a code that was sent to an `https` address only from one, as by Entra ID for single-page
    /// applications. Every response can be read.
    RequireOrigin,
    /// A code is not exchanged from any origin, as by Entra ID for other applications. Every response can be read.
    RefuseReadably,
}

/// Faults of an ID token.
#[derive(Clone, Debug, PartialEq)]
pub enum IdTokenFault {
    /// Signed by an unpublished key, under the `kid` of the right one.
    ForeignKey,
    /// A valid signature under an unpublished `kid`.
    UnknownKid,
    /// The right key's signature of other bytes.
    BrokenSignature,
    /// `alg: none` and no signature (RFC 7515 appendix A.5).
    AlgorithmNone,
    /// HS256 with the public key's text as the secret (RFC 8725 section 2.1).
    HmacWithPublicKey,
    /// Another issuer.
    WrongIssuer,
    /// Another client's audience.
    WrongAudience,
    /// Another sign-in's nonce.
    WrongNonce,
    /// Expired an hour ago.
    Expired,
    /// `nbf` and `iat` an hour from now.
    NotYetValid,
    /// Issued a day and an hour ago, and not yet expired: too old for STS.
    IssuedYesterday,
    /// This claim twice, with different values.
    DuplicateClaim(String),
    /// Without this claim.
    MissingClaim(String),
    /// With this claim replaced or added.
    Claim(String, Value),
}

/// Faults of the redirect back to the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedirectFault {
    /// Another sign-in's `state`.
    WrongState,
    /// No `state`.
    MissingState,
    /// Another issuer's `iss`.
    WrongIssuer,
    /// No `iss`, although discovery announces it.
    MissingIssuer,
    /// No `code`.
    MissingCode,
    /// This error instead of a code.
    Error {
        /// `error`, as RFC 6749 section 4.1.2.1 lists them.
        error: String,
        /// `error_description`.
        description: String,
    },
}
