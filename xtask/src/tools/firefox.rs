//! Firefox and its driver. The driver is built from a crate in a minute or two, since Debian does not have it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::repo::{self, Stamp};
use crate::step;
use crate::tools::{apt, find};

/// A browser and its driver.
pub(crate) struct Firefox {
    pub(crate) browser: PathBuf,
    /// Its `WebDriver` server.
    pub(crate) driver: PathBuf,
}

/// Finds or installs both.
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

/// The pinned version of the driver: the one on the PATH if it matches, else our own build.
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
        // It only passes messages on: what building it unoptimised saves is more than what running it costs.
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

/// The extended-support release first: it changes less often.
const BROWSERS: &[&str] = &["firefox-esr", "firefox"];

/// Of geckodriver.
const VERSION: &str = "0.37.1";

const ELSEWHERE: &str = "Firefox 140 or later, on the PATH,";
