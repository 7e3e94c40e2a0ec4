//! A real Chromium with the extension in it, driven from outside.

use std::fs::File;
use std::path::PathBuf;
use std::process::Command as Process;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use http::Method;
use rolecall_core::identity;
use serde_json::{Value, json};
use thirtyfour::common::command::{Command, ExtensionCommand};
use thirtyfour::{Capabilities, WebDriver, WindowHandle};

use crate::chromedriver::Chromedriver;
use crate::{Popup, Scene, SignInWindow, until};

/// How to start the browser.
#[derive(Clone, Debug)]
pub struct Options {
    /// Without a window on the screen.
    pub headless: bool,
    /// The unpacked extension, if not the one that was built.
    pub extension: Option<PathBuf>,
    /// The window's size in CSS pixels.
    pub size: (u32, u32),
}

impl Default for Options {
    fn default() -> Self {
        Self { headless: true, extension: None, size: (420, 640) }
    }
}

/// A running browser. It is closed when this is dropped.
#[derive(Debug)]
pub struct Browser {
    // Dropped in this order: closing the session closes the browser.
    driver: WebDriver,
    _chromedriver: Chromedriver,
    issuer: String,
    console: String,
}

impl Browser {
    pub(crate) async fn start(scene: &Scene, options: Options) -> Result<Self> {
        let fixtures = scene.fixtures();
        let log = scene.path("chromedriver.log");
        let log = File::create(&log).with_context(|| format!("cannot create {}", log.display()))?;
        let mut command = Process::new(&fixtures.chromedriver);
        command.env_clear().envs(scene.environment()).stderr(log);
        let chromedriver = Chromedriver::start(command)?;

        let extension = options.extension.as_ref().unwrap_or(&fixtures.extension).display();
        let (width, height) = options.size;
        let mut arguments: Vec<String> = FLAGS.map(str::to_owned).to_vec();
        arguments.push(format!("--user-data-dir={}", scene.browser_profile().display()));
        arguments.push(format!("--disable-extensions-except={extension}"));
        arguments.push(format!("--load-extension={extension}"));
        arguments.push(format!("--window-size={width},{height}"));
        if options.headless {
            arguments.push("--headless=new".to_owned());
        }
        if rustix::process::geteuid().is_root() {
            // Chromium's own sandbox cannot be set up by root.
            arguments.push("--no-sandbox".to_owned());
        }
        let capabilities = json!({
            "browserName": "chrome",
            "goog:chromeOptions": { "binary": fixtures.chromium, "args": arguments },
        });
        let Value::Object(capabilities) = capabilities else { unreachable!("it was written as an object") };
        let driver = WebDriver::new(chromedriver.url(), Capabilities::from(capabilities)).await;
        let driver = driver.context("Chromium does not start")?;
        Ok(Self {
            driver,
            _chromedriver: chromedriver,
            issuer: format!("{}/", scene.sandbox.issuer()),
            console: scene.sandbox.console_url().to_owned(),
        })
    }

    /// Opens the popup's page, in a tab: WebDriver cannot press the toolbar's button.
    pub async fn popup(&self) -> Result<Popup<'_>> {
        let address = format!("chrome-extension://{}/popup.html", identity::CHROMIUM_EXTENSION_ID);
        until("the popup's page", async || {
            // While the extension is being installed, its pages do not exist.
            self.driver.goto(address.as_str()).await?;
            Ok((self.driver.title().await? == identity::PRODUCT).then_some(()))
        })
        .await?;
        Ok(Popup::new(self, self.driver.window().await?))
    }

    /// Waits for the provider's sign-in window.
    pub async fn sign_in_window(&self) -> Result<SignInWindow<'_>> {
        let handle = until("the sign-in window", async || self.window_at(&self.issuer).await).await?;
        Ok(SignInWindow::new(self, handle))
    }

    /// How many sign-in windows there are.
    pub async fn sign_in_windows(&self) -> Result<usize> {
        Ok(self.windows_at(&self.issuer).await?.len())
    }

    /// Waits for a tab with the AWS console, and gives all it says.
    pub async fn console(&self) -> Result<String> {
        until("the console", async || {
            let Some(handle) = self.window_at(&self.console).await? else { return Ok(None) };
            self.enter(&handle).await?;
            Ok(Some(self.text().await?).filter(|text| !text.is_empty()))
        })
        .await
    }

    /// Calls a method of the browser's own developer tools, for what WebDriver does not offer.
    pub async fn devtools(&self, method: &str, parameters: Value) -> Result<Value> {
        let call = DevTools(json!({ "cmd": method, "params": parameters }));
        Ok(self.driver.cmd(Command::ExtensionCommand(Box::new(call))).await?.value_json()?)
    }

    /// The session, for anything else.
    #[must_use]
    pub fn driver(&self) -> &WebDriver {
        &self.driver
    }

    pub(crate) async fn enter(&self, window: &WindowHandle) -> Result<()> {
        Ok(self.driver.switch_to_window(window.clone()).await?)
    }

    /// All that the current window says.
    pub(crate) async fn text(&self) -> Result<String> {
        Ok(self.driver.find(thirtyfour::By::Tag("body")).await?.text().await?)
    }

    pub(crate) async fn is_open(&self, window: &WindowHandle) -> Result<bool> {
        Ok(self.driver.windows().await?.contains(window))
    }

    async fn window_at(&self, address: &str) -> Result<Option<WindowHandle>> {
        Ok(self.windows_at(address).await?.pop())
    }

    async fn windows_at(&self, address: &str) -> Result<Vec<WindowHandle>> {
        let mut found = Vec::new();
        for handle in self.driver.windows().await? {
            // A window may close between being listed and being entered.
            if self.enter(&handle).await.is_ok()
                && self.driver.current_url().await.is_ok_and(|url| url.as_str().starts_with(address))
            {
                found.push(handle);
            }
        }
        Ok(found)
    }
}

#[derive(Debug)]
struct DevTools(Value);

impl ExtensionCommand for DevTools {
    fn parameters_json(&self) -> Option<Value> {
        Some(self.0.clone())
    }

    fn method(&self) -> Method {
        Method::POST
    }

    fn endpoint(&self) -> Arc<str> {
        "/goog/cdp/execute".into()
    }
}

/// Nothing but what the test does: no first run, no updates, no network of the browser's own.
const FLAGS: [&str; 10] = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--enable-logging=stderr",
    "--hide-scrollbars",
    "--no-default-browser-check",
    "--no-first-run",
];
