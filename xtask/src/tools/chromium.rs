//! Chromium and its driver. Chrome does not work: its releases no longer load an unpacked extension from the command
//! line.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::tools::{apt, find};

/// A browser and its driver.
pub(crate) struct Chromium {
    pub(crate) browser: PathBuf,
    /// Its `WebDriver` server.
    pub(crate) driver: PathBuf,
}

/// Finds or installs both.
pub(crate) fn ready() -> Result<Chromium> {
    if let Some(found) = installed() {
        return Ok(found);
    }
    apt::install(&["chromium", "chromium-driver"], "test in a real browser", ELSEWHERE)?;
    match installed() {
        Some(found) => Ok(found),
        None => bail!("chromium and chromedriver were installed but are not on the PATH"),
    }
}

fn installed() -> Option<Chromium> {
    Some(Chromium { browser: find(&["chromium", "chromium-browser"])?, driver: find(&["chromedriver"])? })
}

const ELSEWHERE: &str = "Chromium with the chromedriver of the same version, both on the PATH,";
