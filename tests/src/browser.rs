//! A real browser with the extension, driven from outside. [`Kind`] and the browsers' modules contain what differs
//! between them.

mod chromium;
mod driver;
mod firefox;
mod kind;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command as Process;

use anyhow::{Context as _, Result, ensure};
use rolecall_core::identity;
use serde_json::Value;
use thirtyfour::{Capabilities, WebDriver, WindowHandle};
use url::Url;

use self::driver::Driver;
pub use self::kind::Kind;
use crate::{Popup, Question, Scene, SignInWindow, until};

/// Options for starting the browser.
#[derive(Clone, Debug)]
pub struct Options {
    /// Without a window on the screen.
    pub headless: bool,
    /// The unpacked extension, if not the built one.
    pub extension: Option<PathBuf>,
    /// The folder of the profile, if not the scene's first one.
    pub profile: Option<PathBuf>,
    /// The window's size in CSS pixels.
    pub size: (u32, u32),
}

impl Default for Options {
    fn default() -> Self {
        Self { headless: true, extension: None, profile: None, size: (420, 640) }
    }
}

/// The display preferences of a person's system and browser.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Dark rather than light.
    pub dark: bool,
    /// With forced colours.
    pub forced_colors: bool,
    /// The page's size in CSS pixels.
    pub size: (u32, u32),
}

/// A running browser. Dropping it closes it.
#[derive(Debug)]
pub struct Browser {
    // Dropped in this order: ending the session closes the browser.
    driver: WebDriver,
    _process: Driver,
    kind: Kind,
    issuer: String,
    console: String,
}

impl Browser {
    pub(crate) async fn start(scene: &Scene, options: Options) -> Result<Self> {
        let kind = scene.kind();
        let profile = options.profile.clone().unwrap_or_else(|| scene.browser_profile());
        // A scene's second profile stays as new as a person's.
        if kind == Kind::Firefox && options.profile.is_none() {
            firefox::fill(&profile, scene).await?;
        }
        let (process, driver) = open(scene, &profile, &options).await?;
        if kind == Kind::Firefox {
            firefox::install(&driver, scene, &options).await?;
        }
        Ok(Self {
            driver,
            _process: process,
            kind,
            issuer: format!("{}/", scene.sandbox.provider_origin()),
            console: scene.sandbox.console_url().to_owned(),
        })
    }

    /// Opens the popup's page in a tab: WebDriver cannot press the toolbar's button.
    pub async fn popup(&self) -> Result<Popup<'_>> {
        let address = self.kind.page("popup.html");
        until("the popup's page", async || {
            // While the extension is being installed, its pages do not exist.
            self.driver.goto(address.as_str()).await?;
            Ok((self.driver.title().await? == identity::PRODUCT).then_some(()))
        })
        .await?;
        Ok(Popup::new(self, self.driver.window().await?))
    }

    /// Waits for the popup's page in a window of its own, in which a role is chosen for an address.
    pub async fn popup_window(&self) -> Result<Popup<'_>> {
        let address = self.kind.page("popup.html#");
        let handle = until("the popup's window", async || self.window_at(&address).await).await?;
        Ok(Popup::new(self, handle))
    }

    /// Waits until no popup is in a window of its own.
    pub async fn popup_window_closes(&self) -> Result<()> {
        let address = self.kind.page("popup.html#");
        let gone = async || Ok(self.windows_at(&address).await?.is_empty().then_some(()));
        until("the popup's window to close", gone).await
    }

    /// Waits for the provider's sign-in window.
    pub async fn sign_in_window(&self) -> Result<SignInWindow<'_>> {
        let handle = until("the sign-in window", async || self.window_at(&self.issuer).await).await?;
        Ok(SignInWindow::new(self, handle))
    }

    /// Waits for the window that asks for the approval of a program.
    pub async fn question(&self) -> Result<Question<'_>> {
        let address = self.kind.page("approval.html");
        let handle = until("a question about a program", async || self.window_at(&address).await).await?;
        Ok(Question::new(self, handle))
    }

    /// The number of open approval windows.
    pub async fn questions(&self) -> Result<usize> {
        Ok(self.windows_at(&self.kind.page("approval.html")).await?.len())
    }

    /// Waits for a tab at the provider's page of this path.
    pub async fn provider_page(&self, path: &str) -> Result<String> {
        let address = format!("{}{path}", self.issuer);
        until("the provider's page", async || {
            let Some(handle) = self.window_at(&address).await? else { return Ok(None) };
            self.enter(&handle).await?;
            Ok(Some(self.text().await?).filter(|text| !text.is_empty()))
        })
        .await
    }

    /// The number of open sign-in windows.
    pub async fn sign_in_windows(&self) -> Result<usize> {
        Ok(self.windows_at(&self.issuer).await?.len())
    }

    /// Waits for a tab with the AWS console, and returns its text.
    pub async fn console(&self) -> Result<String> {
        until("the console", async || {
            let Some(handle) = self.consoles().await?.pop() else { return Ok(None) };
            self.enter(&handle).await?;
            Ok(Some(self.text().await?).filter(|text| !text.is_empty()))
        })
        .await
    }

    /// Waits until a tab shows the console of this role, and enters it.
    pub async fn console_as(&self, role: &str) -> Result<()> {
        self.console_with(&format!("Signed in as {role}")).await
    }

    /// Waits until a tab shows the console at a service's page, in a region, and enters it.
    pub async fn console_at(&self, service: &str, region: &str) -> Result<()> {
        self.console_with(&format!("Service\n{service}\nRegion\n{region}")).await
    }

    async fn console_with(&self, words: &str) -> Result<()> {
        until(&format!("a console with {words:?}"), async || {
            for handle in self.consoles().await? {
                self.enter(&handle).await?;
                if self.text().await.is_ok_and(|text| text.contains(words)) {
                    return Ok(Some(()));
                }
            }
            Ok(None)
        })
        .await
    }

    /// The tabs of the console: one session of several has its own host.
    async fn consoles(&self) -> Result<Vec<WindowHandle>> {
        let port = Url::parse(&self.console)?.port();
        self.windows_where(|url| url.port() == port && url.path() != "/federation").await
    }

    /// Applies display preferences.
    pub async fn look(&self, look: Look) -> Result<()> {
        match self.kind {
            Kind::Chromium => chromium::look(&self.driver, look).await,
            Kind::Firefox => firefox::look(&self.driver, look).await,
        }
    }

    /// Revokes a permission, as a person can at any time in Firefox's add-on manager.
    pub async fn revoke(&self, pattern: &str) -> Result<()> {
        ensure!(self.kind == Kind::Firefox, "{} has no way to do so from outside", self.kind);
        firefox::revoke(&self.driver, pattern).await
    }

    /// The names and colours of Firefox's containers.
    pub async fn containers(&self) -> Result<Vec<(String, String)>> {
        ensure!(self.kind == Kind::Firefox, "{} has no containers", self.kind);
        firefox::containers(&self.driver).await
    }

    /// Whether Firefox offers containers to the person.
    pub async fn offers_containers(&self) -> Result<bool> {
        ensure!(self.kind == Kind::Firefox, "{} has no containers", self.kind);
        firefox::offers_containers(&self.driver).await
    }

    /// Stops the extension's background, as the browser does when it is idle.
    pub async fn end_background(&self) -> Result<()> {
        match self.kind {
            Kind::Chromium => chromium::end_background(&self.driver).await,
            Kind::Firefox => firefox::end_background(&self.driver).await,
        }
    }

    /// How many bytes the scripts of the current page keep, as far as the browser tells.
    pub async fn script_memory(&self) -> Result<u64> {
        match self.kind {
            Kind::Chromium => chromium::script_memory(&self.driver).await,
            Kind::Firefox => Ok(0),
        }
    }

    /// The address of a file of the extension.
    #[must_use]
    pub fn address_of(&self, file: &str) -> String {
        self.kind.page(file)
    }

    /// The WebDriver session.
    #[must_use]
    pub fn driver(&self) -> &WebDriver {
        &self.driver
    }

    pub(crate) async fn enter(&self, window: &WindowHandle) -> Result<()> {
        Ok(self.driver.switch_to_window(window.clone()).await?)
    }

    /// The text of the current window.
    pub async fn text(&self) -> Result<String> {
        Ok(self.driver.find(thirtyfour::By::Tag("body")).await?.text().await?)
    }

    pub(crate) async fn is_open(&self, window: &WindowHandle) -> Result<bool> {
        Ok(self.driver.windows().await?.contains(window))
    }

    pub(crate) async fn window_at(&self, address: &str) -> Result<Option<WindowHandle>> {
        Ok(self.windows_at(address).await?.pop())
    }

    async fn windows_at(&self, address: &str) -> Result<Vec<WindowHandle>> {
        self.windows_where(|url| url.as_str().starts_with(address)).await
    }

    async fn windows_where(&self, is_wanted: impl Fn(&Url) -> bool) -> Result<Vec<WindowHandle>> {
        let mut found = Vec::new();
        for handle in self.driver.windows().await? {
            // A window may close between listing and entering it.
            if self.enter(&handle).await.is_ok()
                && self.driver.current_url().await.is_ok_and(|url| is_wanted(&url))
            {
                found.push(handle);
            }
        }
        Ok(found)
    }
}

/// Starts the browser in this profile, and its driver. Firefox has no extension yet.
async fn open(scene: &Scene, profile: &Path, options: &Options) -> Result<(Driver, WebDriver)> {
    let kind = scene.kind();
    let log = profile.with_extension("log");
    let log = File::create(&log).with_context(|| format!("cannot create {}", log.display()))?;
    let mut command = Process::new(&scene.fixtures().driver);
    command.env_clear().envs(scene.environment());
    let capabilities = match kind {
        Kind::Chromium => {
            chromium::driver(&mut command);
            chromium::capabilities(scene, profile, options)
        }
        Kind::Firefox => {
            firefox::driver(&mut command);
            firefox::capabilities(&scene.fixtures().browser, profile, options)
        }
    };
    let process = Driver::start(command, log)?;
    let Value::Object(capabilities) = capabilities else { unreachable!("it is an object") };
    let driver = WebDriver::new(process.url(), Capabilities::from(capabilities)).await;
    Ok((process, driver.with_context(|| format!("{kind} does not start"))?))
}
