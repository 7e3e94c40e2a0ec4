//! Firefox and its driver. The driver is built from a crate in a minute or two, since Debian does not have it.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::repo;
use crate::tools::crates_io::Program;
use crate::tools::{apt, find};

/// A browser and its driver.
pub(crate) struct Firefox {
    pub(crate) browser: PathBuf,
    /// Its `WebDriver` server.
    pub(crate) driver: PathBuf,
}

/// Finds or installs both.
pub(crate) fn ready() -> Result<Firefox> {
    Ok(Firefox { browser: browser()?, driver: DRIVER.ready()? })
}

/// Where the tests keep a profile that this version of the browser has used before.
pub(crate) fn used_profile(browser: &OsStr) -> Result<PathBuf> {
    let output = Command::new(browser).arg("--version").output().context("cannot run Firefox")?;
    let output = String::from_utf8_lossy(&output.stdout);
    let version = output.split_whitespace().last().context("Firefox does not tell its version")?;
    Ok(repo::target("tools/firefox-profile").join(version))
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

/// The extended-support release first: it changes less often.
const BROWSERS: &[&str] = &["firefox-esr", "firefox"];

const DRIVER: Program = Program { name: "geckodriver", version: "0.37.1" };

const ELSEWHERE: &str = "Firefox 140 or later, on the PATH,";
