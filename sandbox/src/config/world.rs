//! The world of the demo: two accounts, two people, five roles.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{
    Account, Client, Config, ConsoleConfig, Dialect, Ports, ProviderConfig, RefreshTokens, Refusals, Role,
    SigningAlgorithm, Silent, StsConfig, TokenCors, User,
};

impl Default for Config {
    fn default() -> Self {
        Self {
            ports: Ports::default(),
            provider: provider(),
            sts: StsConfig {
                accounts: vec![account(DEV, "example-dev"), account(PROD, "example-prod")],
                roles: roles(),
                dialect: Dialect::Aws,
                amr_entries: 30,
            },
            console: ConsoleConfig::default(),
        }
    }
}

fn provider() -> ProviderConfig {
    ProviderConfig {
        id: "sandbox".to_owned(),
        name: "Rolecall sandbox".to_owned(),
        issuer_path: String::new(),
        metadata: Map::new(),
        settings: toml::Table::new(),
        clients: vec![Client {
            id: CLIENT_ID.to_owned(),
            secret: None,
            redirect_uris: REDIRECTS.map(str::to_owned).to_vec(),
            post_logout_redirect_uris: REDIRECTS.map(str::to_owned).to_vec(),
            origins: Vec::new(),
        }],
        users: vec![
            User::new("alice-0001", "alice@example.com", "Alice Adams", &["dev", "admin"]),
            User::new("bob-0002", "bob@example.com", "Bob Brown", &["dev"]),
        ],
        scope: "openid email profile offline_access".to_owned(),
        refused_scopes: Vec::new(),
        refresh_tokens: RefreshTokens::default(),
        silent: Silent::Answered("login_required"),
        refusals: Refusals::default(),
        logout_needs: Vec::new(),
        signing: SigningAlgorithm::default(),
        published_keys: None,
        id_token_lifetime: Duration::from_hours(1),
        access_token_lifetime: Duration::from_hours(1),
        refresh_token_lifetime: Duration::from_hours(30 * 24),
        code_lifetime: Duration::from_mins(1),
        session_lifetime: Duration::from_hours(8),
        token_cors: TokenCors::default(),
        metadata_cors: true,
        issuer_in_redirect: true,
        end_session: true,
        catalogue: None,
        served_roles: Vec::new(),
        id_token_fault: None,
        redirect_fault: None,
    }
}

fn account(id: &str, alias: &str) -> Account {
    Account { id: id.to_owned(), alias: alias.to_owned(), audiences: Some(vec![CLIENT_ID.to_owned()]) }
}

/// One role of each kind a client meets: long sessions by group, short sessions for everyone, by group with a
/// wildcard, by subject, and one that refuses everyone.
fn roles() -> Vec<Role> {
    let arn = |account: &str, name: &str| format!("arn:aws:iam::{account}:role/{name}");
    let everyone = json!({});
    let developers = json!({ "ForAnyValue:StringEquals": { "{provider}:amr": "dev" } });
    let admins = json!({ "ForAnyValue:StringLike": { "{provider}:amr": ["admin*"] } });
    let known_people = json!({ "StringLike": { "{provider}:sub": ["alice-*", "bob-*"] } });
    let nobody = json!({ "StringLike": { "{provider}:sub": "nobody" } });
    let region = |region: &str| Some(region.to_owned());
    vec![
        Role {
            max_session_duration: 43200,
            region: region("eu-west-1"),
            ..Role::new(&arn(DEV, "developer"), &trust(DEV, developers))
        },
        Role { region: region("eu-west-1"), ..Role::new(&arn(DEV, "readonly"), &trust(DEV, everyone)) },
        Role {
            region: region("us-east-1"),
            color: Some("red".to_owned()),
            ..Role::new(&arn(PROD, "admin"), &trust(PROD, admins))
        },
        Role { region: region("us-east-1"), ..Role::new(&arn(PROD, "auditor"), &trust(PROD, known_people)) },
        Role { region: region("us-east-1"), ..Role::new(&arn(PROD, "break-glass"), &trust(PROD, nobody)) },
    ]
}

/// A trust policy for the sandbox's provider and its one client, under further `conditions`.
pub(super) fn trust(account: &str, mut conditions: Value) -> String {
    conditions["StringEquals"] = json!({ "{provider}:aud": CLIENT_ID });
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Federated": format!("arn:aws:iam::{account}:oidc-provider/{{provider}}") },
            "Action": ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"],
            "Condition": conditions,
        }],
    })
    .to_string()
}

pub(super) const CLIENT_ID: &str = "rolecall-sandbox";
const DEV: &str = "111111111111";
const PROD: &str = "222222222222";
/// The identity redirects of both browsers, and the loopback redirects of a command line (RFC 8252 section 7.3).
const REDIRECTS: [&str; 5] = [
    CHROMIUM_REDIRECT,
    "https://4ee8a6599c74e8d8a1150321c2f2e859c5d63e25.extensions.allizom.org/",
    FIREFOX_LOOPBACK,
    "http://127.0.0.1:*/",
    "http://localhost:*/",
];

/// The extension's address in Chromium browsers.
pub(super) const CHROMIUM_REDIRECT: &str = "https://ganjefdifpdbcgkcmbniolbdkacieled.chromiumapp.org/";
/// The extension's loopback address in Firefox.
pub(super) const FIREFOX_LOOPBACK: &str =
    "http://127.0.0.1/mozoauth2/4ee8a6599c74e8d8a1150321c2f2e859c5d63e25";
