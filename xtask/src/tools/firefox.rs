//! Firefox and its driver. The driver is built as a crate: Debian does not have it, and building it takes a minute or two.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::repo::{self, Stamp};
use crate::step;
use crate::tools::{apt, find};

/// A browser and a driver for it.
pub(crate) struct Firefox {
    /// The browser.
    pub(crate) browser: PathBuf,
    /// Its `WebDriver` server.
    pub(crate) driver: PathBuf,
}

/// Finds both, or installs them.
pub(crate) fn ready() -> Result<Firefox> {
    Ok(Firefox { browser: browser()?, driver: driver()? })
}

fn browser() -> Result<PathBuf> {
    if let Some(found) = find(BROWSERS) {
        return Ok(found);
    }
    apt::install(&["firefox-esr"], "test in a real browser", ELSEWHERE)?;
    match find(BROWSERS) {
        Some(found) => Ok(found),
        None => bail!("firefox-esr was installed but is not on the PATH"),
    }
}

/// The driver of the pinned version: the one on the PATH if it is that, else one of our own.
fn driver() -> Result<PathBuf> {
    if let Some(found) = find(&["geckodriver"]).filter(|program| is_pinned(program)) {
        return Ok(found);
    }
    let _lock = repo::lock("geckodriver")?;
    let folder = repo::target("tools/geckodriver");
    let driver = folder.join("bin/geckodriver").with_extension(std::env::consts::EXE_EXTENSION);
    let stamp = Stamp::new(folder.join("version.sha256"), &[VERSION.as_bytes()]);
    if stamp.is_fresh() && driver.is_file() {
        return Ok(driver);
    }
    let built = repo::target("tools/geckodriver-build");
    let version = format!("={VERSION}");
    let mut install = repo::cargo();
    install
        .args(["install", "geckodriver", "--locked", "--force", "--version", &version, "--root"])
        .arg(&folder)
        // It only passes messages on: what is saved in building it is never lost in running it.
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
        .env("CARGO_TARGET_DIR", &built);
    step::run("build geckodriver", &mut install)?;
    repo::remove_dir(&built)?;
    stamp.set()?;
    Ok(driver)
}

fn is_pinned(program: &Path) -> bool {
    // "geckodriver 0.37.1 (…)"
    Command::new(program).arg("--version").output().is_ok_and(|output| {
        String::from_utf8_lossy(&output.stdout).split_whitespace().nth(1) == Some(VERSION)
    })
}

/// The extended-support release first: it changes least.
const BROWSERS: &[&str] = &["firefox-esr", "firefox"];

/// Of geckodriver.
const VERSION: &str = "0.37.1";

const ELSEWHERE: &str = "Firefox 140 or later, on the PATH,";
