//! Screenshots of the popup in its main states, for design reviews: taken from the built extension in a real browser,
//! driven to each state as a person would.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Parser;
use rolecall_sandbox::{CallKind, Config};
use rolecall_tests::{Browser, Kind, Look, Options, Popup, Scene, entries};
use thirtyfour::{By, Key};
use toml::Table;

/// Take screenshots of the popup: every state in light, dark, narrow and with forced colours.
#[derive(Parser)]
struct Arguments {
    /// The folder for the screenshots; created if missing
    folder: PathBuf,
    /// The browser to use
    #[arg(long, value_enum, default_value = "chromium")]
    browser: Kind,
    /// Take only the two pictures with which the README opens
    #[arg(long)]
    readme: bool,
}

#[tokio::main]
async fn main() -> Result<()> {
    let Arguments { folder, browser: kind, readme } = Arguments::parse();
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    if readme {
        return for_the_readme(kind, &folder).await;
    }
    with_the_host_program(kind, &folder).await?;
    with_headings(kind, &folder).await?;
    with_a_question(kind, &folder).await?;
    without_the_host_program(kind, &folder).await
}

async fn with_the_host_program(kind: Kind, folder: &Path) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    let browser = scene.browser_with(options()).await?;
    let popup = browser.popup().await?;
    let shoot = Camera { browser: &browser, popup: &popup, folder };

    popup.select("example-dev / developer").await?;
    popup.says("connected").await?;
    shoot.all("signed-out").await?;

    popup.type_keys("adm").await?;
    popup.lists(&["example-prod / admin"]).await?;
    shoot.all("searching").await?;
    popup.type_keys("zzz").await?;
    popup.lists(&[]).await?;
    shoot.all("no-match").await?;
    popup.key(Key::Escape).await?;

    popup.select("example-dev / developer").await?;
    popup.press("Sign in").await?;
    let window = browser.sign_in_window().await?;
    popup.status("Waiting for you to sign in").await?;
    shoot.all("signing-in").await?;
    window.close().await?;
    popup.alert("sign-in-cancelled").await?;
    shoot.all("error-cancelled").await?;
    popup.press("Sign in").await?;
    browser.sign_in_window().await?.choose("Alice Adams").await?;
    popup.status("Signed in to").await?;
    for role in ["example-dev / readonly", "example-prod / admin"] {
        popup.select(role).await?;
        popup.press("Sign in").await?;
        popup.status(&format!("Signed in to {role}.")).await?;
    }
    shoot.all("signed-in").await?;
    popup.press("Account").await?;
    shoot.all("account").await?;
    popup.press("Account").await?;

    let assuming = scene.sandbox.hold(CallKind::AssumeRole);
    popup.select("example-prod / auditor").await?;
    popup.press("Sign in").await?;
    popup.status("Asking AWS").await?;
    shoot.all("assuming").await?;
    assuming.release();
    popup.status("Signed in to example-prod / auditor.").await?;

    popup.press("Write profile").await?;
    popup.status("Wrote the profile").await?;
    shoot.all("profile-written").await?;

    popup.select("example-prod / break-glass").await?;
    popup.press("Sign in").await?;
    popup.alert("sts-access-denied").await?;
    shoot.all("error-access-denied").await?;

    popup.dismiss().await?;
    scene.remove_host()?;
    popup.says("Host program not installed").await?;
    popup.select("example-dev / developer").await?;
    popup.press("Write profile").await?;
    popup.alert("host-not-installed").await?;
    shoot.all("error-host-missing").await
}

/// The popup of somebody who is signed in to two roles.
async fn for_the_readme(kind: Kind, folder: &Path) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    scene.write_settings(|settings| {
        for provider in entries(settings, "provider") {
            provider.insert("name".into(), "Example Corp".into());
        }
        name_environments(settings);
    })?;
    let browser = scene.browser_with(options()).await?;
    let popup = browser.popup().await?;
    popup.select("example-dev / developer").await?;
    popup.says("connected").await?;
    popup.press("Sign in").await?;
    browser.sign_in_window().await?.choose("Alice Adams").await?;
    for role in ["example-dev / developer", "example-prod / admin"] {
        popup.select(role).await?;
        popup.press("Sign in").await?;
        popup.status(&format!("Signed in to {role}.")).await?;
    }
    popup.enter().await?;
    for (name, dark) in [("light", false), ("dark", true)] {
        browser.look(Look { dark, forced_colors: false, size: (POPUP_WIDTH, 600) }).await?;
        take(&browser, &folder.join(format!("popup-{name}.png"))).await?;
    }
    let mut terminal = String::new();
    for command in ["roles", "status"] {
        let output = scene.terminal().rolecall(command.split(' ')).await?.succeeded()?;
        let output: Vec<_> = output.lines().map(str::trim_end).collect();
        terminal.extend(["$ rolecall ", command, "\n", &output.join("\n"), "\n"]);
    }
    let path = folder.join("terminal.txt");
    fs::write(&path, terminal).with_context(|| format!("cannot write {}", path.display()))
}

async fn with_headings(kind: Kind, folder: &Path) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    scene.write_settings(|settings| {
        settings.insert("group_by".into(), "environment".into());
        name_environments(settings);
        let role = settings["role"][0].clone();
        for number in 0..20 {
            let mut role = role.clone();
            role["arn"] = format!("arn:aws:iam::111111111111:role/team-{number}").into();
            if let Some(roles) = settings["role"].as_array_mut() {
                roles.push(role);
            }
        }
    })?;
    let browser = scene.browser_with(options()).await?;
    let popup = browser.popup().await?;
    let shoot = Camera { browser: &browser, popup: &popup, folder };
    popup.select("example-prod / admin").await?;
    popup.says("connected").await?;
    shoot.all("headings").await?;
    for _ in 0..12 {
        popup.key(Key::Down).await?;
    }
    shoot.all("headings-scrolled").await?;
    popup.press("More actions").await?;
    shoot.all("menu").await
}

/// Says what the sandbox's accounts are for.
fn name_environments(settings: &mut Table) {
    for account in entries(settings, "account") {
        let is_production = account.get("alias").and_then(|alias| alias.as_str()) == Some("example-prod");
        account.insert("environment".into(), if is_production { "production" } else { "test" }.into());
    }
}

async fn with_a_question(kind: Kind, folder: &Path) -> Result<()> {
    let scene = Scene::installed(kind).await?;
    scene.write_settings(|settings| {
        for provider in entries(settings, "provider") {
            provider.insert("approve".into(), "first".into());
        }
    })?;
    let browser = scene.browser_with(options()).await?;
    browser.popup().await?.says("connected").await?;
    let terminal = scene.terminal();
    let asking = terminal.rolecall(["env", "developer"]);
    let looking = async {
        let question = browser.question().await?;
        question.text().await?;
        take_all(&browser, folder, "question", QUESTION_WIDTH).await?;
        question.answer("Refuse").await
    };
    let (_, looked) = tokio::join!(asking, looking);
    looked
}

async fn without_the_host_program(kind: Kind, folder: &Path) -> Result<()> {
    let scene = Scene::bare(kind, Config::default()).await?;
    let browser = scene.browser_with(options()).await?;
    let popup = browser.popup().await?;
    let shoot = Camera { browser: &browser, popup: &popup, folder };
    popup.says("Host program not installed").await?;
    shoot.all("nothing-set-up").await
}

fn options() -> Options {
    Options { size: (800, 900), ..Options::default() }
}

/// Takes the screenshots.
struct Camera<'a> {
    browser: &'a Browser,
    popup: &'a Popup<'a>,
    folder: &'a Path,
}

impl Camera<'_> {
    /// One screenshot per look.
    async fn all(&self, state: &str) -> Result<()> {
        self.popup.enter().await?;
        take_all(self.browser, self.folder, state, POPUP_WIDTH).await
    }
}

/// One screenshot of the current window per look.
async fn take_all(browser: &Browser, folder: &Path, state: &str, width: u32) -> Result<()> {
    for (name, width, dark, forced_colors) in [
        ("light", width, false, false),
        ("dark", width, true, false),
        ("narrow", 320, false, false),
        ("forced", width, true, true),
    ] {
        browser.look(Look { dark, forced_colors, size: (width, 600) }).await?;
        take(browser, &folder.join(format!("{state}-{name}.png"))).await?;
    }
    Ok(())
}

async fn take(browser: &Browser, path: &Path) -> Result<()> {
    // The browser makes the popup as high as its page.
    let page = browser.driver().find(By::Tag("body")).await?;
    let picture = page.screenshot_as_png().await?;
    fs::write(path, picture).with_context(|| format!("cannot write {}", path.display()))?;
    println!("{}", path.display());
    Ok(())
}

/// In CSS pixels, the width that the worker requests.
const QUESTION_WIDTH: u32 = 460;

/// In CSS pixels, the width in `popup.css`.
const POPUP_WIDTH: u32 = 380;
