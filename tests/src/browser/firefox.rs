//! Starting and driving Firefox.

use std::fs;
use std::path::Path;
use std::process::Command as Process;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use http::Method;
use rolecall_core::identity;
use serde_json::{Map, Value, json};
use thirtyfour::WebDriver;
use thirtyfour::common::command::{Command, ExtensionCommand};
use thirtyfour::extensions::addons::firefox::FirefoxTools;
use tokio::sync::OnceCell;

use super::kind::FIREFOX_UUID;
use super::{Look, Options};
use crate::scene::copy_folder;
use crate::{Fixtures, Scene};

/// The options of geckodriver.
pub(super) fn driver(command: &mut Process) {
    // System access: to extension pages, and to the browser's own settings while it runs.
    command.args(["--port=0", "--websocket-port=0", "--allow-system-access"]);
}

/// The requested capabilities.
pub(super) fn capabilities(browser: &Path, profile: &Path, options: &Options) -> Value {
    let (width, height) = options.size;
    let profile = profile.display().to_string();
    let mut arguments = vec!["-profile".to_owned(), profile];
    arguments.extend([format!("--width={width}"), format!("--height={height}")]);
    if options.headless {
        arguments.push("-headless".to_owned());
    }
    let mut preferences: Map<String, Value> =
        PREFERENCES.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let addresses = json!({ identity::FIREFOX_EXTENSION_ID: FIREFOX_UUID });
    preferences.insert("extensions.webextensions.uuids".to_owned(), addresses.to_string().into());
    json!({
        "browserName": "firefox",
        "moz:firefoxOptions": {
            "binary": browser,
            "args": arguments,
            "prefs": preferences,
        },
    })
}

/// Fills a new profile with the caches and databases that Firefox makes at its first start, a third of that start's time.
/// The first test makes them, without the extension, and keeps them below `target/`. Preferences are not kept: each start
/// has those that it is given.
pub(super) async fn fill(profile: &Path, scene: &Scene) -> Result<()> {
    static MADE: OnceCell<()> = OnceCell::const_new();
    let Some(kept) = Fixtures::firefox_profile() else { return Ok(()) };
    if fs::read_dir(profile)?.next().is_some() {
        return Ok(());
    }
    MADE.get_or_try_init(async || {
        if kept.exists() {
            return Ok(());
        }
        let used = scene.path("used-profile");
        fs::create_dir_all(&used).context("cannot make a folder for the profile")?;
        let (_process, driver) = super::open(scene, &used, &Options::default()).await?;
        driver.quit().await?;
        for preferences in ["prefs.js", "user.js"] {
            fs::remove_file(used.join(preferences)).context("Firefox has left no preferences")?;
        }
        let parent = kept.parent().context("the profile has no folder")?;
        fs::create_dir_all(parent).context("cannot make a folder for the profile")?;
        let copy = tempfile::tempdir_in(parent).context("cannot make a folder for the profile")?;
        let whole = copy.path().join("profile");
        copy_folder(&used, &whole)?;
        // Another process may have made it meanwhile.
        fs::rename(whole, &kept)
            .or_else(|error| if kept.exists() { Ok(()) } else { Err(error) })
            .context("cannot keep the profile")
    })
    .await?;
    copy_folder(&kept, profile)
}

/// Loads the extension temporarily, as a developer does: it is not signed.
pub(super) async fn install(driver: &WebDriver, scene: &Scene, options: &Options) -> Result<()> {
    let folder = options.extension.as_ref().unwrap_or(&scene.fixtures().extension);
    let folder = folder.to_str().context("the path of the extension is not UTF-8")?;
    let tools = FirefoxTools::new(Arc::clone(driver.handle()));
    tools.install_addon(folder, Some(true)).await.context("Firefox does not install the extension")
}

/// Applies display preferences.
pub(super) async fn look(driver: &WebDriver, look: Look) -> Result<()> {
    let (width, height) = look.size;
    let scheme = i32::from(!look.dark);
    let colors = if look.forced_colors { 2 } else { 1 };
    let arguments = vec![scheme.into(), colors.into(), width.into(), height.into()];
    run(driver, LOOK, arguments).await.map(drop).context("Firefox does not apply the display preferences")
}

/// Revokes a permission of the extension.
pub(super) async fn revoke(driver: &WebDriver, pattern: &str) -> Result<()> {
    let arguments = vec![identity::FIREFOX_EXTENSION_ID.into(), pattern.into()];
    run(driver, REVOKE, arguments).await.map(drop).context("Firefox does not revoke the permission")
}

/// Stops the extension's background.
pub(super) async fn end_background(driver: &WebDriver) -> Result<()> {
    let arguments = vec![identity::FIREFOX_EXTENSION_ID.into()];
    run(driver, END_BACKGROUND, arguments).await.map(drop).context("Firefox does not stop the background")
}

/// The names and colours of the containers.
pub(super) async fn containers(driver: &WebDriver) -> Result<Vec<(String, String)>> {
    let found = run(driver, CONTAINERS, Vec::new()).await.context("Firefox does not list its containers")?;
    Ok(serde_json::from_value(found)?)
}

/// Whether the browser offers containers to the person.
pub(super) async fn offers_containers(driver: &WebDriver) -> Result<bool> {
    let script = r#"return Services.prefs.getBoolPref("privacy.userContext.enabled");"#;
    let is_on = run(driver, script, Vec::new()).await.context("Firefox does not tell its settings")?;
    Ok(is_on == true)
}

/// Runs a script in the browser's chrome context.
async fn run(driver: &WebDriver, script: &str, arguments: Vec<Value>) -> Result<Value> {
    context(driver, "chrome").await?;
    let ran = driver.execute(script, arguments).await;
    context(driver, "content").await?;
    Ok(ran?.json().clone())
}

/// Selects the context of scripts: the browser itself, or the page.
async fn context(driver: &WebDriver, context: &'static str) -> Result<()> {
    driver.cmd(Command::ExtensionCommand(Box::new(Context(context)))).await?;
    Ok(())
}

#[derive(Debug)]
struct Context(&'static str);

impl ExtensionCommand for Context {
    fn parameters_json(&self) -> Option<Value> {
        Some(json!({ "context": self.0 }))
    }

    fn method(&self) -> Method {
        Method::POST
    }

    fn endpoint(&self) -> Arc<str> {
        "/moz/context".into()
    }
}

/// Sets colours by preferences, and the page's size by style, since no window can be that small.
const LOOK: &str = r#"
const [scheme, colors, width, height] = arguments;
Services.prefs.setIntPref("layout.css.prefers-color-scheme.content-override", scheme);
Services.prefs.setIntPref("browser.display.document_color_use", colors);
Services.prefs.setCharPref("layout.css.devPixelsPerPx", "2.0");
const { style } = gBrowser.selectedBrowser;
style.setProperty("flex", "none");
style.setProperty("width", `${width}px`);
style.setProperty("height", `${height}px`);
"#;

/// What the add-on manager does for its switches.
const REVOKE: &str = r#"
const [id, pattern] = arguments;
const { ExtensionPermissions } = ChromeUtils.importESModule("resource://gre/modules/ExtensionPermissions.sys.mjs");
const { extension } = WebExtensionPolicy.getByID(id);
return ExtensionPermissions.remove(id, { permissions: [], origins: [pattern] }, extension).then(() => null);
"#;

/// What about:preferences lists.
const CONTAINERS: &str = r#"
const { ContextualIdentityService } = ChromeUtils.importESModule("resource://gre/modules/ContextualIdentityService.sys.mjs");
return ContextualIdentityService.getPublicIdentities().map(({ name, color }) => [name ?? "", color]);
"#;

/// What the browser does after 30 idle seconds, even though the port to the native host keeps it from doing so.
const END_BACKGROUND: &str = r"
const { extension } = WebExtensionPolicy.getByID(arguments[0]);
return extension.terminateBackground({ disableResetIdleForTest: true }).then(() => null);
";

/// Beyond what geckodriver sets by itself (no first run, no updates, no network of the browser's own): the browser's
/// permission prompt cannot be answered from outside, so it is accepted automatically. It still needs the person's
/// click, and only grants what was requested.
const PREFERENCES: [(&str, bool); 4] = [
    // There is no desktop to show notifications: the browser shows them.
    ("alerts.useSystemBackend", false),
    ("extensions.webextOptionalPermissionPrompts", false),
    ("devtools.console.stdout.content", true),
    ("devtools.console.stdout.chrome", true),
];
