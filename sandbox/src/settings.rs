//! The settings document that points Rolecall to a sandbox. It is the one thing both sides share, so it is written here
//! by hand and read there by the product's own schema.

use serde::Serialize;

use crate::config::Config;
use crate::world::Urls;

/// The document, TOML.
pub(crate) fn toml(config: &Config, urls: &Urls) -> String {
    let document = Document {
        provider: config
            .provider
            .clients
            .iter()
            .take(1)
            .map(|client| Provider {
                id: &config.provider.id,
                name: &config.provider.name,
                well_known_url: config.provider.well_known_url(&urls.provider),
                client_id: &client.id,
                client_secret: client.secret.as_deref(),
                scope: &config.provider.scope,
                sts_endpoint: &urls.sts,
                console_endpoint: &urls.federation,
                more: &config.provider.settings,
            })
            .collect(),
        account: config
            .sts
            .accounts
            .iter()
            .map(|account| Account { id: &account.id, alias: &account.alias })
            .collect(),
        role: config
            .sts
            .roles
            .iter()
            .map(|role| Role {
                provider: &config.provider.id,
                arn: &role.arn,
                profile: role.profile.as_deref(),
                region: role.region.as_deref(),
                color: role.color.as_deref(),
                more: &role.settings,
            })
            .collect(),
    };
    toml::to_string(&document)
        .unwrap_or_else(|error| format!("# The settings of this sandbox cannot be serialized: {error}\n"))
}

#[derive(Serialize)]
struct Document<'a> {
    provider: Vec<Provider<'a>>,
    account: Vec<Account<'a>>,
    role: Vec<Role<'a>>,
}

#[derive(Serialize)]
struct Provider<'a> {
    id: &'a str,
    name: &'a str,
    well_known_url: String,
    client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
    scope: &'a str,
    sts_endpoint: &'a str,
    console_endpoint: &'a str,
    #[serde(flatten)]
    more: &'a toml::Table,
}

#[derive(Serialize)]
struct Account<'a> {
    id: &'a str,
    alias: &'a str,
}

#[derive(Serialize)]
struct Role<'a> {
    provider: &'a str,
    arn: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    color: Option<&'a str>,
    #[serde(flatten)]
    more: &'a toml::Table,
}
