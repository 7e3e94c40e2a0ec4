//! Third-party OpenID Connect providers and STSs. They do not know Rolecall: what works with them follows the standard.

use std::ffi::OsString;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use thirtyfour::{By, WindowHandle};
use toml::Table;

use crate::{Browser, Fixtures, Program, Scene, until};

/// A provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// npm's oidc-provider, version 8.
    OidcProvider8,
    /// npm's oidc-provider, version 9.
    OidcProvider9,
    /// Authlib, for Python.
    Authlib,
}

/// An STS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sts {
    /// moto, which accepts every token.
    Moto,
    /// One that verifies tokens, evaluates trust policies and responds in JSON if the client accepts it.
    Trust,
}

/// The configuration of a provider and an STS.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The provider.
    pub provider: Provider,
    /// The STS.
    pub sts: Sts,
    /// `web` or `native` (OpenID Connect Dynamic Client Registration 1.0, section 2).
    pub application_type: &'static str,
    /// The redirect URIs of its one public client, `rolecall`.
    pub redirect_uris: Vec<String>,
    /// Whether every origin may read its responses.
    pub cors: bool,
    /// Whether it requires pushed authorization requests (RFC 9126).
    pub par: bool,
    /// The algorithm of ID tokens.
    pub algorithm: &'static str,
    /// Their lifetime, in seconds; only for Authlib.
    pub lifetime: u32,
}

/// Both, running for a scene.
#[derive(Debug)]
pub struct Independent {
    setup: Setup,
    issuer: String,
    sts: String,
    provider: Program,
    _sts: Program,
}

impl Provider {
    /// Why it cannot run on this machine, if it cannot.
    #[must_use]
    pub fn missing(self) -> Option<&'static str> {
        let version = Command::new("node").arg("--version").output().ok();
        let version = version.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        let major =
            version.and_then(|text| text.trim_start_matches('v').split('.').next()?.parse::<u32>().ok());
        (self == Self::OidcProvider9 && major.is_none_or(|major| major < 20))
            .then_some("oidc-provider 9 needs Node.js 20")
    }
}

impl Independent {
    /// Starts them.
    pub async fn start(scene: &Scene, setup: Setup) -> Result<Self> {
        let terminal = scene.terminal();
        let config = json!({
            "application_type": setup.application_type,
            "redirect_uris": setup.redirect_uris,
            "cors": setup.cors,
            "par": setup.par,
            "algorithm": setup.algorithm,
            "lifetime": setup.lifetime,
        });
        let python = || Fixtures::python().map(OsString::from);
        let node = |package: &str| -> Result<Vec<OsString>> {
            let script = scene.node_script("provider.mjs", include_str!("../independent/provider.mjs"))?;
            Ok(vec!["node".into(), script.into(), package.into(), config.to_string().into()])
        };
        let mut provider = terminal.start(&match setup.provider {
            Provider::OidcProvider8 => node("oidc-provider")?,
            Provider::OidcProvider9 => node("oidc-provider-9")?,
            Provider::Authlib => {
                let text = include_str!("../independent/provider_authlib.py");
                let script = scene.file("provider.py", text)?;
                vec![python()?, script.into(), config.to_string().into()]
            }
        })?;
        let issuer = provider.next().await.context("the provider does not start")?;
        let (sts, address) = match setup.sts {
            Sts::Moto => {
                let script = scene.file("sts.py", include_str!("../independent/sts.py"))?;
                let mut sts = terminal.start(&[python()?, script.into()])?;
                let address = sts.next().await;
                (sts, address)
            }
            Sts::Trust => {
                let script = scene.file("sts.py", include_str!("../independent/sts_trust.py"))?;
                let mut sts = terminal.start(&[python()?, script.into()])?;
                let address = sts.ask(&trust(&issuer).to_string()).await;
                (sts, address)
            }
        };
        let address = address.context("the STS does not start")?;
        Ok(Self { setup, issuer, sts: address, provider, _sts: sts })
    }

    /// Their configuration.
    #[must_use]
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// The settings document that an administrator would write for them.
    pub fn settings(&self) -> Result<Table> {
        let (issuer, sts) = (&self.issuer, &self.sts);
        let text = format!(
            r#"
            [[provider]]
            id = "others"
            name = "A third-party provider"
            well_known_url = "{issuer}/.well-known/openid-configuration"
            client_id = "rolecall"
            scope = "openid email"
            sts_endpoint = "{sts}"
            endpoint_url = "{sts}"

            [[role]]
            provider = "others"
            arn = "arn:aws:iam::123456789012:role/example"
            profile = "example"
            region = "eu-west-1"

            [[role]]
            provider = "others"
            arn = "arn:aws:iam::123456789012:role/closed"
            region = "eu-west-1"
            "#
        );
        text.parse().context("the settings for third-party services")
    }

    /// Waits for the provider's page in any window, and signs in there: any name and password are accepted.
    pub async fn sign_in(&self, browser: &Browser, name: &str) -> Result<()> {
        let page = self.page(browser).await?;
        page.fill_in("login", name).await?;
        page.fill_in("password", "any").await?;
        page.press("Sign-in").await?;
        if self.setup.provider == Provider::Authlib {
            return Ok(());
        }
        page.press("Continue").await
    }

    /// Waits for the provider's page in any window, where the person has a session, and consents.
    pub async fn agree(&self, browser: &Browser) -> Result<()> {
        self.page(browser).await?.press("Continue").await
    }

    /// Rotates the provider's key: from now on it signs with, and publishes, only a new one.
    pub async fn rotate_key(&mut self) -> Result<()> {
        self.provider.ask("rotate").await.map(drop)
    }

    /// The grant types that the provider's token endpoint received.
    pub async fn grants(&mut self) -> Result<String> {
        self.provider.ask("grants").await
    }

    async fn page<'browser>(&self, browser: &'browser Browser) -> Result<Page<'browser>> {
        let window = until("the provider's page", async || browser.window_at(&self.issuer).await).await?;
        Ok(Page { browser, window })
    }
}

/// The configuration of the STS, like IAM's: the provider with its audience, and two roles. The second is for members
/// of an empty group.
fn trust(issuer: &str) -> Value {
    let host = issuer.trim_start_matches("http://");
    let policy = |condition: Value| {
        json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": { "Federated": format!("arn:aws:iam::123456789012:oidc-provider/{host}") },
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": condition,
            }],
        })
    };
    json!({
        "issuer": issuer,
        "audiences": ["rolecall"],
        "roles": {
            "arn:aws:iam::123456789012:role/example":
                policy(json!({ "StringEquals": { format!("{host}:aud"): "rolecall", format!("{host}:sub"): "alice" } })),
            "arn:aws:iam::123456789012:role/closed":
                policy(json!({ "ForAnyValue:StringEquals": { format!("{host}:amr"): ["board"] } })),
        },
    })
}

/// The provider's pages, one after the other in the same window.
struct Page<'browser> {
    browser: &'browser Browser,
    window: WindowHandle,
}

impl Page<'_> {
    async fn fill_in(&self, field: &str, text: &str) -> Result<()> {
        let found = until(format!("the field {field}"), async || {
            self.browser.enter(&self.window).await?;
            Ok(Some(self.browser.driver().find(By::Name(field)).await?))
        });
        Ok(found.await?.send_keys(text).await?)
    }

    async fn press(&self, label: &str) -> Result<()> {
        let found = until(format!("the button “{label}”"), async || {
            self.browser.enter(&self.window).await?;
            let button = self.browser.driver().find(By::Css("button[type=submit]")).await?;
            Ok((button.text().await?.eq_ignore_ascii_case(label)).then_some(button))
        });
        Ok(found.await?.click().await?)
    }
}
