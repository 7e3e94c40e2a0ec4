//! The sandbox as a provider that companies have: what differs from the usual configuration, by public record. The pages
//! in `docs/providers` name the sources, and which of this is certain.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::world::{CHROMIUM_REDIRECT, CLIENT_ID, FIREFOX_LOOPBACK, trust};
use super::{Client, Config, ProviderConfig, RefreshTokens, Refusal, Refusals, Silent, TokenCors};

/// A provider that companies have, with a client for Rolecall registered as the page of `docs/providers` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Preset {
    /// Auth0, whose allowed origins lack the extension's.
    Auth0,
    /// authentik, whose redirect URIs lack the extension's address.
    Authentik,
    /// An Amazon Cognito user pool with the classic hosted UI.
    Cognito,
    /// Dex without allowed origins and sessions.
    Dex,
    /// Microsoft Entra ID with the platform "Mobile and desktop applications".
    EntraDesktop,
    /// Microsoft Entra ID with the platform "Single-page application".
    EntraSpa,
    /// GitLab.
    Gitlab,
    /// Google, with a web client and a desktop client.
    Google,
    /// `JumpCloud`.
    Jumpcloud,
    /// Keycloak, whose web origins lack the extension's.
    Keycloak,
    /// Okta with a custom authorization server.
    Okta,
    /// `OneLogin`.
    Onelogin,
    /// `PingFederate` without allowed origins.
    Pingfederate,
    /// `PingOne`.
    Pingone,
    /// Zitadel.
    Zitadel,
}

impl Preset {
    /// Every preset.
    pub const ALL: [Self; 15] = [
        Self::Auth0,
        Self::Authentik,
        Self::Cognito,
        Self::Dex,
        Self::EntraDesktop,
        Self::EntraSpa,
        Self::Gitlab,
        Self::Google,
        Self::Jumpcloud,
        Self::Keycloak,
        Self::Okta,
        Self::Onelogin,
        Self::Pingfederate,
        Self::Pingone,
        Self::Zitadel,
    ];

    /// The sandbox as this provider.
    #[must_use]
    pub fn config(self) -> Config {
        let mut config = Config::default();
        config.provider.name = format!("{self:?}");
        config.provider.id = config.provider.name.to_lowercase();
        match self {
            Self::Auth0 => auth0(&mut config),
            Self::Authentik => authentik(&mut config),
            Self::Cognito => cognito(&mut config),
            Self::Dex => dex(&mut config),
            Self::EntraDesktop => entra(&mut config, TokenCors::RefuseReadably, "native"),
            Self::EntraSpa => entra(&mut config, TokenCors::RequireOrigin, "extension"),
            Self::Gitlab => gitlab(&mut config),
            Self::Google => google(&mut config),
            Self::Jumpcloud => jumpcloud(&mut config),
            Self::Keycloak => keycloak(&mut config),
            Self::Okta => okta(&mut config),
            Self::Onelogin => onelogin(&mut config),
            Self::Pingfederate => pingfederate(&mut config),
            Self::Pingone => pingone(&mut config),
            Self::Zitadel => zitadel(&mut config),
        }
        config
    }
}

fn auth0(config: &mut Config) {
    let provider = &mut config.provider;
    provider.issuer_path = "/".into();
    provider.token_cors = TokenCors::NoHeaders;
    provider.scope = "openid email offline_access".into();
    provider.refusals = all(&Refusal::new(401, "access_denied", "Unauthorized"));
    groups(config, Groups::Nested, &["mfa"]);
}

fn authentik(config: &mut Config) {
    let provider = &mut config.provider;
    provider.issuer_path = "/application/o/rolecall/".into();
    (provider.token_cors, provider.metadata_cors) = (TokenCors::NoHeaders, false);
    provider.scope = "openid email profile offline_access".into();
    confidential_methods(provider);
    groups(config, Groups::Nested, &["pwd", "mfa"]);
}

fn cognito(config: &mut Config) {
    let provider = &mut config.provider;
    provider.issuer_path = "/eu-west-1_Example".into();
    without_offline_access(provider);
    provider.silent = Silent::Ignored;
    provider.logout_needs = vec!["logout_uri".to_owned()];
    provider.refusals = all(&Refusal::new(400, "invalid_client", ""));
    set(provider, "silent", false);
    set(provider, "roles_claim", "cognito:roles");
    let parameters = toml::Table::from_iter([("logout_uri".to_owned(), "https://example.com/".into())]);
    set(provider, "end_session_params", parameters);
    let roles: Vec<_> = config.sts.roles.iter().map(|role| role.arn.clone()).collect();
    for user in &mut provider.users {
        user.claims.insert("cognito:roles".to_owned(), json!(roles));
    }
    groups(config, Groups::None, &[]);
}

fn dex(config: &mut Config) {
    let provider = &mut config.provider;
    (provider.token_cors, provider.metadata_cors) = (TokenCors::NoHeaders, false);
    provider.silent = Silent::Ignored;
    provider.end_session = false;
    provider.id_token_lifetime = Duration::from_hours(24);
    confidential_methods(provider);
    provider.refusals = all(&Refusal::new(401, "invalid_client", "Invalid client credentials."));
    set(provider, "silent", false);
    groups(config, Groups::None, &[]);
}

fn entra(config: &mut Config, token_cors: TokenCors, token_exchange: &str) {
    let provider = &mut config.provider;
    provider.issuer_path = "/11111111-2222-3333-4444-555555555555/v2.0".into();
    provider.token_cors = token_cors;
    provider.scope = "openid profile email offline_access".into();
    provider.issuer_in_redirect = false;
    provider.silent = Silent::Answered("interaction_required");
    let absent = ["code_challenge_methods_supported", "prompt_values_supported", "revocation_endpoint"];
    provider.metadata.extend(absent.map(|name| (name.to_owned(), Value::Null)));
    provider.refusals = Refusals {
        origin: entra_refusal(
            400,
            "invalid_request",
            9_002_326,
            "Cross-origin token redemption is permitted only for the 'Single-Page Application' client-type.",
        ),
        no_origin: entra_refusal(
            400,
            "invalid_request",
            9_002_327,
            "Tokens issued for the 'Single-Page Application' client-type may only be redeemed via cross-origin requests.",
        ),
        no_secret: entra_refusal(
            401,
            "invalid_client",
            7_000_218,
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        ),
        wrong_secret: entra_refusal(401, "invalid_client", 7_000_215, "Invalid client secret provided."),
    };
    set(provider, "token_exchange", token_exchange);
    groups(config, Groups::Flattened, &[]);
}

fn entra_refusal(status: u16, error: &str, number: u32, words: &str) -> Refusal {
    let description = format!("AADSTS{number}: {words}\r\nTrace ID: 0\r\nCorrelation ID: 0");
    let more = Map::from_iter([("error_codes".to_owned(), json!([number]))]);
    Refusal { more, ..Refusal::new(status, error, &description) }
}

fn gitlab(config: &mut Config) {
    let provider = &mut config.provider;
    without_offline_access(provider);
    provider.end_session = false;
    provider.issuer_in_redirect = false;
    provider.id_token_lifetime = Duration::from_mins(2);
    for (user, number) in provider.users.iter_mut().zip(["1234567", "1"]) {
        user.sub = number.into();
    }
    let words = "Client authentication failed due to unknown client, no client authentication included, or unsupported authentication method.";
    provider.refusals = all(&Refusal::new(401, "invalid_client", words));
    groups(config, Groups::None, &[]);
}

fn google(config: &mut Config) {
    let provider = &mut config.provider;
    provider.scope = "openid email".into();
    provider.refused_scopes = vec!["offline_access".to_owned()];
    provider.refresh_tokens = RefreshTokens::AccessType;
    provider.end_session = false;
    provider.refusals.no_secret = Refusal::new(400, "invalid_request", "client_secret is missing.");
    provider.refusals.wrong_secret =
        Refusal::new(401, "invalid_client", "The provided client secret is invalid.");
    let desktop = Client {
        id: DESKTOP_CLIENT_ID.to_owned(),
        secret: Some("GOCSPX-sandbox-desktop".to_owned()),
        redirect_uris: vec!["http://127.0.0.1:*/redirect_uri".to_owned()],
        post_logout_redirect_uris: Vec::new(),
        origins: Vec::new(),
    };
    let web = &mut provider.clients[0];
    web.secret = Some("GOCSPX-sandbox-web".to_owned());
    web.redirect_uris = [CHROMIUM_REDIRECT, FIREFOX_LOOPBACK].map(str::to_owned).into();
    let own = toml::Table::from_iter([
        ("client_id".to_owned(), desktop.id.clone().into()),
        ("client_secret".to_owned(), desktop.secret.clone().unwrap_or_default().into()),
        ("host".to_owned(), "127.0.0.1".into()),
        ("ports".to_owned(), vec![toml::Value::from(0)].into()),
    ]);
    provider.clients.push(desktop);
    let asked = [("access_type", "offline"), ("hd", "example.com")];
    let asked = asked.map(|(name, value)| (name.to_owned(), toml::Value::from(value)));
    set(provider, "authorize_params", toml::Table::from_iter(asked));
    set(provider, "redirect", "loopback");
    set(provider, "loopback", own);
    groups(config, Groups::None, &[]);
    for account in &mut config.sts.accounts {
        account.audiences.get_or_insert_default().push(DESKTOP_CLIENT_ID.to_owned());
    }
    for role in &mut config.sts.roles {
        let both = json!([CLIENT_ID, DESKTOP_CLIENT_ID]).to_string();
        role.trust_policy = role.trust_policy.replace(&json!(CLIENT_ID).to_string(), &both);
    }
}

fn jumpcloud(config: &mut Config) {
    let provider = &mut config.provider;
    provider.issuer_path = "/".into();
    provider.token_cors = TokenCors::NoHeaders;
    let words = "Client authentication failed (e.g., unknown client, no client authentication included, or unsupported authentication method).";
    provider.refusals = all(&Refusal::new(401, "invalid_client", words));
    groups(config, Groups::None, &[]);
}

fn keycloak(config: &mut Config) {
    let provider = &mut config.provider;
    provider.issuer_path = "/realms/example".into();
    provider.token_cors = TokenCors::NoHeaders;
    provider.scope = "openid email".into();
    provider.refusals =
        all(&Refusal::new(401, "unauthorized_client", "Invalid client or Invalid client credentials"));
    // Its groups are in `amr`, as in the usual configuration.
}

fn okta(config: &mut Config) {
    let provider = &mut config.provider;
    provider.issuer_path = "/oauth2/aus1".into();
    provider.token_cors = TokenCors::RefuseOrigins;
    provider.logout_needs = vec!["id_token_hint".to_owned()];
    provider.refusals = Refusals {
        origin: Refusal::new(
            400,
            "invalid_request",
            "Browser requests to the token endpoint must be part of at least one whitelisted redirect_uri.",
        ),
        ..all(&Refusal::new(
            401,
            "invalid_client",
            "The client secret supplied for a confidential client is invalid.",
        ))
    };
    set(provider, "token_exchange", "native");
    groups(config, Groups::Flattened, &["pwd", "mfa"]);
}

fn onelogin(config: &mut Config) {
    config.provider.issuer_path = "/oidc/2".into();
    config.provider.token_cors = TokenCors::NoHeaders;
    groups(config, Groups::None, &[]);
}

fn pingfederate(config: &mut Config) {
    (config.provider.token_cors, config.provider.metadata_cors) = (TokenCors::NoHeaders, false);
    let words = "Invalid client or client credentials.";
    config.provider.refusals = all(&Refusal::new(401, "invalid_client", words));
    groups(config, Groups::None, &["pwd"]);
}

fn pingone(config: &mut Config) {
    config.provider.issuer_path = "/11111111-2222-3333-4444-555555555555/as".into();
    groups(config, Groups::None, &["pwd"]);
}

fn zitadel(config: &mut Config) {
    for user in &mut config.provider.users {
        user.claims.insert("aud".to_owned(), json!([CLIENT_ID, "another-client", "a-project"]));
        user.claims.insert("azp".to_owned(), json!(CLIENT_ID));
    }
    groups(config, Groups::Nested, &["pwd", "mfa", "user"]);
}

/// The same refusal, whatever is wrong.
fn all(refusal: &Refusal) -> Refusals {
    Refusals { no_secret: refusal.clone(), wrong_secret: refusal.clone(), ..Refusals::default() }
}

fn set(provider: &mut ProviderConfig, key: &str, value: impl Into<toml::Value>) {
    provider.settings.insert(key.to_owned(), value.into());
}

/// Refresh tokens come without the scope, which is refused.
fn without_offline_access(provider: &mut ProviderConfig) {
    provider.scope = "openid email".into();
    provider.refused_scopes = vec!["offline_access".to_owned()];
    provider.refresh_tokens = RefreshTokens::Always;
}

/// What providers announce that take clients without a secret all the same.
fn confidential_methods(provider: &mut ProviderConfig) {
    let methods = json!(["client_secret_basic", "client_secret_post"]);
    provider.metadata.insert("token_endpoint_auth_methods_supported".to_owned(), methods);
}

/// How groups get to AWS.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Groups {
    /// As session tags in one claim.
    Nested,
    /// As session tags, each in a claim of its own.
    Flattened,
    /// Not at all.
    None,
}

/// Has `amr` hold methods of signing in, and the groups reach AWS in this way. The roles that wanted groups in `amr` want
/// them there, or Alice's `sub`.
fn groups(config: &mut Config, groups: Groups, amr: &[&str]) {
    for user in &mut config.provider.users {
        user.amr = amr.iter().map(|&method| method.to_owned()).collect();
        let joined = format!("/{}/", user.groups.join("/"));
        let claim = match groups {
            Groups::Nested => (TAGS.to_owned(), json!({ "principal_tags": { "Groups": [joined] } })),
            Groups::Flattened => (format!("{TAGS}/principal_tags/Groups"), json!(joined)),
            Groups::None => continue,
        };
        user.claims.extend([claim]);
    }
    let alice = config.provider.users.first().map(|user| user.sub.clone()).unwrap_or_default();
    for role in &mut config.sts.roles {
        let account = role.arn.split(':').nth(4).unwrap_or_default().to_owned();
        let group = match role.arn.rsplit('/').next() {
            Some("developer") => "dev",
            Some("admin") => "admin",
            _ => continue,
        };
        role.trust_policy = trust(
            &account,
            match groups {
                Groups::None => json!({ "StringLike": { "{provider}:sub": alice } }),
                _ => json!({ "StringLike": { "aws:RequestTag/Groups": format!("*/{group}/*") } }),
            },
        );
    }
}

const DESKTOP_CLIENT_ID: &str = "rolecall-sandbox-desktop";
const TAGS: &str = "https://aws.amazon.com/tags";
