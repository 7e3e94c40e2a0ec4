//! The settings document: one schema, three layers.
//!
//! The same document is TOML on disk and JSON in a browser's managed policy. [`document`](self) types are parsed
//! once and are valid from then on; a [`Reading`] is what of a document can be used, and [`Layers`] puts several
//! documents over one another.

mod document;
mod endpoint;
mod layers;
mod reading;
mod role_key;
mod value;

pub use document::{
    Account, Approve, Badge, CredentialsMode, DefaultAction, GroupBy, OtherGroups, Preferences, Provider,
    Redirect, Role, Settings, SettingsError, TokenExchange,
};
pub use endpoint::{Endpoint, EndpointError};
pub use layers::{Catalogue, Effective, Layer, Layers, LeftOut, Listed, Sourced};
pub use reading::{Fault, Lost, Reading, parse_toml};
pub use role_key::RoleKey;
pub use value::{ClientSecret, Duration, ProfileName, ProfilePart, ProfileTemplate, ProviderId};

#[cfg(test)]
pub(crate) mod fixture {
    use super::{Provider, Role, Settings};

    pub(crate) fn settings() -> Settings {
        let text = r#"
            [[provider]]
            id = "corp"
            name = "Example Corp"
            well_known_url = "https://idp.example/.well-known/openid-configuration"
            client_id = "abcdef"

            [[role]]
            provider = "corp"
            arn = "arn:aws:iam::123456789012:role/example-role"
            region = "eu-west-1"
        "#;
        Settings::from_toml(text).unwrap().0
    }

    pub(crate) fn provider() -> Provider {
        settings().provider.remove(0)
    }

    pub(crate) fn role() -> Role {
        settings().role.remove(0)
    }
}
