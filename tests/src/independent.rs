//! Services that are not ours: an OpenID Connect provider (npm's oidc-provider) and an STS (moto). Neither knows of
//! Rolecall, so what they agree on with it is the standard.

use std::ffi::OsString;

use anyhow::{Context as _, Result};
use thirtyfour::{By, WindowHandle};
use toml::Table;

use crate::{Browser, Fixtures, Program, Scene, until};

/// Both, running for a scene.
#[derive(Debug)]
pub struct Independent {
    issuer: String,
    sts: String,
    _programs: [Program; 2],
}

impl Independent {
    /// Starts them. The provider has one public client, `rolecall`, of this application type (OpenID Connect Dynamic
    /// Client Registration 1.0, section 2) and with these redirect addresses.
    pub async fn start(scene: &Scene, application_type: &str, redirect_uris: &[&str]) -> Result<Self> {
        let terminal = scene.terminal();
        let script = scene.node_script("provider.mjs", include_str!("../independent/provider.mjs"))?;
        let mut provider: Vec<OsString> = vec!["node".into(), script.into(), application_type.into()];
        provider.extend(redirect_uris.iter().map(OsString::from));
        let mut provider = terminal.start(&provider)?;
        let script = scene.file("sts.py", include_str!("../independent/sts.py"))?;
        let mut sts = terminal.start(&[OsString::from(Fixtures::python()?), script.into()])?;
        let issuer = provider.next().await.context("the provider does not start")?;
        Ok(Self {
            issuer,
            sts: sts.next().await.context("the STS does not start")?,
            _programs: [provider, sts],
        })
    }

    /// The settings document that an administrator would write for them.
    pub fn settings(&self) -> Result<Table> {
        let (issuer, sts) = (&self.issuer, &self.sts);
        let text = format!(
            r#"
            [[provider]]
            id = "others"
            name = "A provider of others"
            well_known_url = "{issuer}/.well-known/openid-configuration"
            client_id = "rolecall"
            sts_endpoint = "{sts}"
            endpoint_url = "{sts}"

            [[role]]
            provider = "others"
            arn = "arn:aws:iam::123456789012:role/example"
            profile = "example"
            region = "eu-west-1"
            "#
        );
        text.parse().context("the settings for others' services")
    }

    /// Waits for the provider's page in whatever window, and signs in there: any name and any password will do.
    pub async fn sign_in(&self, browser: &Browser, name: &str) -> Result<()> {
        let page = self.page(browser).await?;
        page.fill_in("login", name).await?;
        page.fill_in("password", "any").await?;
        page.press("Sign-in").await?;
        page.press("Continue").await
    }

    /// Waits for the provider's page in whatever window, where it knows the person already, and agrees.
    pub async fn agree(&self, browser: &Browser) -> Result<()> {
        self.page(browser).await?.press("Continue").await
    }

    async fn page<'browser>(&self, browser: &'browser Browser) -> Result<Page<'browser>> {
        let window = until("the provider's page", async || browser.window_at(&self.issuer).await).await?;
        Ok(Page { browser, window })
    }
}

/// The provider's page, one after the other in the same window.
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
