//! npm: fetches programs for Node.js. Versions and checksums are in each program's lock file.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::tools::{apt, find};
use crate::{repo, step};

/// Makes sure that Node.js is installed, and npm unless everything was `fetched` already.
pub(crate) fn ready(purpose: &str, fetched: bool) -> Result<()> {
    if find(&["node"]).is_none() || (find(&["npm"]).is_none() && !fetched) {
        apt::install(&["nodejs", "npm"], purpose, "Node.js 18 or later with npm")?;
    }
    Ok(())
}

/// Fills `folder` with exactly what the lock file lists. No install script of a package runs.
pub(crate) fn fetch(name: &str, folder: &Path, package: &str, lock: &str) -> Result<()> {
    repo::remove_dir(folder)?;
    repo::write(&folder.join("package.json"), package)?;
    repo::write(&folder.join("package-lock.json"), lock)?;
    let options = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
    step::run(&format!("fetch {name}"), Command::new("npm").args(options).current_dir(folder))
}
