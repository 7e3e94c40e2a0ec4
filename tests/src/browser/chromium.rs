//! Starting and driving Chromium.

use std::path::Path;
use std::process::Command as Process;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use http::Method;
use serde_json::{Value, json};
use thirtyfour::WebDriver;
use thirtyfour::common::command::{Command, ExtensionCommand};

use super::{Look, Options};
use crate::Scene;

/// The options of chromedriver.
pub(super) fn driver(command: &mut Process) {
    command.args(["--port=0", "--enable-chrome-logs"]);
}

/// The requested capabilities.
pub(super) fn capabilities(scene: &Scene, profile: &Path, options: &Options) -> Value {
    let fixtures = scene.fixtures();
    let extension = options.extension.as_ref().unwrap_or(&fixtures.extension).display();
    let (width, height) = options.size;
    let mut arguments: Vec<String> = FLAGS.map(str::to_owned).to_vec();
    arguments.push(format!("--user-data-dir={}", profile.display()));
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
    json!({
        "browserName": "chrome",
        "goog:chromeOptions": {
            "binary": fixtures.browser,
            "args": arguments,
            // Otherwise windows that the extension opens are not listed.
            "enableExtensionTargets": true,
        },
    })
}

/// Applies display preferences.
pub(super) async fn look(driver: &WebDriver, look: Look) -> Result<()> {
    let scheme = if look.dark { "dark" } else { "light" };
    let forced = if look.forced_colors { "active" } else { "none" };
    let features = json!([
        { "name": "prefers-color-scheme", "value": scheme },
        { "name": "forced-colors", "value": forced },
    ]);
    devtools(driver, "Emulation.setEmulatedMedia", json!({ "features": features })).await?;
    let (width, height) = look.size;
    let size = json!({ "width": width, "height": height, "deviceScaleFactor": 2, "mobile": false });
    devtools(driver, "Emulation.setDeviceMetricsOverride", size).await?;
    Ok(())
}

/// Stops the extension's background. The current window must show a page of the extension.
pub(super) async fn end_background(driver: &WebDriver) -> Result<()> {
    devtools(driver, "ServiceWorker.enable", json!({})).await?;
    devtools(driver, "ServiceWorker.stopAllWorkers", json!({})).await?;
    Ok(())
}

/// How many bytes the scripts of the current page keep.
pub(super) async fn script_memory(driver: &WebDriver) -> Result<u64> {
    devtools(driver, "HeapProfiler.collectGarbage", json!({})).await?;
    let usage = devtools(driver, "Runtime.getHeapUsage", json!({})).await?;
    let bytes = usage["usedSize"].as_u64();
    bytes.with_context(|| format!("{usage} does not tell the memory"))
}

/// Calls a method of the `DevTools` protocol, for what WebDriver does not offer.
async fn devtools(driver: &WebDriver, method: &str, parameters: Value) -> Result<Value> {
    let call = DevTools(json!({ "cmd": method, "params": parameters }));
    Ok(driver.cmd(Command::ExtensionCommand(Box::new(call))).await?.value()?)
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

/// Turns off everything that the test does not need: the first run, updates, the browser's own network requests.
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
