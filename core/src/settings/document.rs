//! The schema, and what makes a document valid.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Duration, Endpoint, ProfileName, ProviderId};
use crate::aws::{AccountId, Region, RoleArn};
use crate::error::Code;

/// A settings document.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// `[[provider]]`: whom people sign in with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub provider: Vec<Provider>,
    /// `[[role]]`: what they may become.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub role: Vec<Role>,
    /// `[[account]]`: what accounts are called.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub account: Vec<Account>,
}

/// An OpenID Connect provider and this product's registration there as a public client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provider {
    /// What roles refer to it by.
    pub id: ProviderId,
    /// What people call it. The host of `well_known_url` without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The address of the provider's configuration, ending in `/.well-known/openid-configuration`.
    pub well_known_url: Endpoint,
    /// The client registered there. AWS knows it as the audience.
    pub client_id: String,
    /// Space-separated scopes, `openid` among them.
    #[serde(default = "default_scope")]
    pub scope: String,
    /// Further parameters of the authorization request, such as `audience` or `domain_hint`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub authorize_params: BTreeMap<String, String>,
    /// A claim of the ID token that lists the ARNs of the person's roles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles_claim: Option<String>,
    /// An STS other than the one of the role's region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sts_endpoint: Option<Endpoint>,
    /// A federation endpoint other than the one of the role's partition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub console_endpoint: Option<Endpoint>,
    /// The console's own address, where the sign-in leads to, other than that of the role's partition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub console_destination: Option<Endpoint>,
    /// Written as `endpoint_url` into profiles, for services that are not AWS's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint_url: Option<Endpoint>,
    /// By which way the code is exchanged.
    #[serde(default, skip_serializing_if = "is_default")]
    pub token_exchange: TokenExchange,
    /// Where the provider sends the browser back to.
    #[serde(default, skip_serializing_if = "is_default")]
    pub redirect: Redirect,
    /// Whether a person is asked before a program gets credentials of any of the provider's roles.
    #[serde(default, skip_serializing_if = "is_default")]
    pub approve: Approve,
}

impl Provider {
    /// What to call it in a line of text.
    #[must_use]
    pub fn label(&self) -> &str {
        self.name.as_deref().or_else(|| self.well_known_url.url().host_str()).unwrap_or(self.id.as_str())
    }
}

/// A role people may assume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// Whose ID token the role trusts.
    pub provider: ProviderId,
    /// The role.
    pub arn: RoleArn,
    /// The AWS profile's name. `<account alias or id>-<role name>` without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<ProfileName>,
    /// The profile's region, which also decides which STS is asked. The partition's own default without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// How long credentials should last. As long as AWS allows without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<Duration>,
    /// A CSS colour name or `#rrggbb` by which people tell roles apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    /// How tools get the credentials.
    #[serde(default, skip_serializing_if = "is_default")]
    pub credentials: CredentialsMode,
    /// Whether a person is asked before a program gets the credentials. The provider's own `approve` holds if it is
    /// stricter.
    #[serde(default, skip_serializing_if = "is_default")]
    pub approve: Approve,
}

impl Role {
    /// A role that a provider lists: nothing but its ARN is known.
    pub(super) fn listed(provider: ProviderId, arn: RoleArn) -> Self {
        Self {
            provider,
            arn,
            profile: None,
            region: None,
            duration: None,
            color: None,
            credentials: CredentialsMode::default(),
            approve: Approve::default(),
        }
    }

    /// Whether a person is asked before a program gets the credentials: the stricter of what role and provider say,
    /// so that a weaker layer's role cannot undo what an organisation wants of its provider.
    #[must_use]
    pub fn approve(&self, provider: &Provider) -> Approve {
        self.approve.max(provider.approve)
    }

    /// The region asked and written.
    #[must_use]
    pub fn region(&self) -> Region {
        self.region.clone().unwrap_or_else(|| self.arn.partition().default_region())
    }
}

/// What an account is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The 12 digits.
    pub id: AccountId,
    /// The name shown instead of them.
    pub alias: String,
}

/// How tools on this machine get a role's credentials.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CredentialsMode {
    /// Through `credential_process`: nothing secret on disk.
    #[default]
    Process,
    /// Written into the credentials file, for tools that read nothing else.
    File,
    /// Not at all; the console only.
    None,
}

/// Whether a person is asked before credentials leave the browser, from the laxest to the strictest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Approve {
    /// No.
    #[default]
    Never,
    /// When a program asks for the first time; a yes may hold for this program for 8 hours.
    First,
    /// Each time.
    Always,
}

/// By which way the code is exchanged at the token endpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenExchange {
    /// The least powerful way that works.
    #[default]
    Auto,
    /// From the extension only.
    Extension,
    /// Through the native host only, for providers that refuse the extension's origin.
    Native,
}

/// Where a provider sends the browser back to, if the browser has more than one such address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Redirect {
    /// The browser's own address for the extension.
    #[default]
    Browser,
    /// Firefox's loopback address for it, for providers that take no other than loopback addresses. Nothing listens
    /// there. Other browsers have none and use their own.
    Loopback,
}

impl Settings {
    /// Reads a TOML document. The second part lists keys that are not known, which are ignored: a newer document
    /// must not lock an older program out.
    pub fn from_toml(text: &str) -> Result<(Self, Vec<String>), SettingsError> {
        let syntax = |error: toml::de::Error| SettingsError::Toml {
            line: error.span().map_or(1, |span| 1 + text[..span.start.min(text.len())].matches('\n').count()),
            reason: error.message().to_owned(),
        };
        let mut unknown = Vec::new();
        let document = toml::Deserializer::parse(text).map_err(syntax)?;
        let settings: Self =
            serde_ignored::deserialize(document, |path| unknown.push(path.to_string())).map_err(syntax)?;
        settings.check()?;
        Ok((settings, unknown))
    }

    /// Reads a JSON document, as [`from_toml`](Self::from_toml).
    pub fn from_json(value: serde_json::Value) -> Result<(Self, Vec<String>), SettingsError> {
        let mut unknown = Vec::new();
        let settings: Self = serde_ignored::deserialize(value, |path| unknown.push(path.to_string()))
            .map_err(|error| SettingsError::Json { reason: error.to_string() })?;
        settings.check()?;
        Ok((settings, unknown))
    }

    /// What types alone cannot say.
    fn check(&self) -> Result<(), SettingsError> {
        let mut ids = BTreeSet::new();
        for provider in &self.provider {
            let refuse = |reason: String| SettingsError::Provider { id: provider.id.clone(), reason };
            if !ids.insert(&provider.id) {
                return Err(refuse("it stands twice".to_owned()));
            }
            if provider.client_id.is_empty() {
                return Err(refuse("client_id is empty".to_owned()));
            }
            // OIDC Core 3.1.2.1: without it the request is not an OpenID Connect request.
            if !provider.scope.split(' ').any(|scope| scope == "openid") {
                return Err(refuse("scope lacks openid".to_owned()));
            }
            if let Some(name) =
                provider.authorize_params.keys().find(|name| RESERVED.contains(&name.as_str()))
            {
                return Err(refuse(format!("authorize_params must not set {name}")));
            }
        }
        let mut roles = BTreeSet::new();
        for role in &self.role {
            let refuse = |reason: String| SettingsError::Role { arn: role.arn.clone(), reason };
            if !roles.insert((&role.provider, &role.arn)) {
                return Err(refuse("it stands twice for the same provider".to_owned()));
            }
            if role.color.as_deref().is_some_and(|color| !is_color(color)) {
                return Err(refuse("color must be a colour's name or #rrggbb".to_owned()));
            }
            let provider = self.provider.iter().find(|provider| provider.id == role.provider);
            let approve = provider.map_or(role.approve, |provider| role.approve(provider));
            if approve != Approve::Never && role.credentials == CredentialsMode::File {
                return Err(refuse(
                    "every program can read what credentials = \"file\" writes, so approve cannot hold"
                        .to_owned(),
                ));
            }
        }
        Ok(())
    }
}

/// Why a settings document is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// Not TOML, or not of this schema.
    #[error("The settings cannot be read: line {line}: {reason}.")]
    Toml {
        /// Counted from 1.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
    /// Not of this schema.
    #[error("The settings cannot be read: {reason}.")]
    Json {
        /// What is wrong.
        reason: String,
    },
    /// A provider that contradicts itself.
    #[error("The settings of the provider \"{id}\" cannot be used: {reason}.")]
    Provider {
        /// Which.
        id: ProviderId,
        /// What is wrong.
        reason: String,
    },
    /// A role that contradicts itself.
    #[error("The settings of the role {arn} cannot be used: {reason}.")]
    Role {
        /// Which.
        arn: RoleArn,
        /// What is wrong.
        reason: String,
    },
    /// A role whose provider is in no layer.
    #[error("The role {arn} names the provider \"{id}\", which is not in the settings.")]
    ProviderUnknown {
        /// The role.
        arn: RoleArn,
        /// The provider it names.
        id: ProviderId,
    },
}

impl SettingsError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::ProviderUnknown { .. } => Code::ProviderUnknown,
            _ => Code::SettingsInvalid,
        }
    }
}

fn default_scope() -> String {
    "openid email".to_owned()
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Colours go into a style sheet, so nothing but a name or six hexadecimal digits passes.
fn is_color(text: &str) -> bool {
    match text.strip_prefix('#') {
        Some(digits) => digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => (3..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphabetic()),
    }
}

/// Parameters of the authorization request that this product sets itself.
const RESERVED: [&str; 14] = [
    "response_type",
    "response_mode",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "prompt",
    "login_hint",
    "id_token_hint",
    "request",
    "request_uri",
];

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    const PROVIDER: &str = "[[provider]]\nid = \"corp\"\nwell_known_url = \"https://idp.example/.well-known/openid-configuration\"\nclient_id = \"abc\"\n";

    #[test]
    fn the_documented_example_is_read() {
        let text = include_str!("../../../docs/example-config.toml");
        let (settings, unknown) = Settings::from_toml(text).unwrap();
        assert_eq!(unknown, Vec::<String>::new());
        assert_eq!(settings.provider[0].label(), "Example Corp");
        assert_eq!(settings.role[0].profile.as_ref().unwrap().as_str(), "example-dev");
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, message) in [
            ("[[provider]]\nid = \"a b\"\n", "line 2: \"a b\" must be 1 to 64 letters"),
            ("[[provider]\n", "line 1"),
            (&format!("{PROVIDER}scope = \"email\"\n"), "scope lacks openid"),
            (&format!("{PROVIDER}{PROVIDER}"), "it stands twice"),
            (&format!("{PROVIDER}authorize_params = {{ state = \"x\" }}\n"), "must not set state"),
            (&PROVIDER.replace("https:", "http:"), "line 3: the address"),
            ("[[role]]\nprovider = \"corp\"\narn = \"x\"\n", "line 3: \"x\" is not the ARN of an IAM role"),
            (
                "[[role]]\nprovider = \"corp\"\narn = \"arn:aws:iam::123456789012:role/x\"\nduration = 9000000\n",
                "duration must be 900 to 43200 seconds",
            ),
            (
                "[[role]]\nprovider = \"corp\"\narn = \"arn:aws:iam::123456789012:role/x\"\ncolor = \"red;background:url(x)\"\n",
                "color must be",
            ),
            (
                "[[role]]\nprovider = \"corp\"\narn = \"arn:aws:iam::123456789012:role/x\"\napprove = \"sometimes\"\n",
                "line 4: unknown variant `sometimes`",
            ),
            (
                &format!(
                    "{PROVIDER}approve = \"first\"\n[[role]]\nprovider = \"corp\"\narn = \"arn:aws:iam::123456789012:role/x\"\ncredentials = \"file\"\n"
                ),
                "approve cannot hold",
            ),
        ] {
            let error = Settings::from_toml(text).unwrap_err();
            assert!(error.to_string().contains(message), "{error} lacks {message}");
        }
    }

    #[test]
    fn keys_of_a_newer_version_are_named_and_ignored() {
        let (settings, unknown) = Settings::from_toml(&format!("{PROVIDER}sparkle = true\n")).unwrap();
        assert_eq!(settings.provider.len(), 1);
        assert_eq!(unknown, ["provider.0.sparkle"]);
    }

    #[test]
    fn the_stricter_of_role_and_provider_decides_who_is_asked() {
        let (mut role, mut provider) = (super::super::fixture::role(), super::super::fixture::provider());
        assert_eq!(role.approve(&provider), Approve::Never);
        provider.approve = Approve::First;
        assert_eq!(role.approve(&provider), Approve::First);
        role.approve = Approve::Always;
        assert_eq!(role.approve(&provider), Approve::Always);
    }

    #[test]
    fn json_and_toml_are_the_same_document() {
        let settings = super::super::fixture::settings();
        let json = serde_json::to_value(&settings).unwrap();
        assert_eq!(Settings::from_json(json).unwrap().0, settings);
        let toml = toml::to_string(&settings).unwrap();
        assert_eq!(Settings::from_toml(&toml).unwrap().0, settings);
    }
}
