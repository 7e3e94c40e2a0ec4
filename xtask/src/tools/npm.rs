//! npm: how programs written for Node.js are fetched. Versions and checksums stand in each program's lock file.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::tools::{apt, find};
use crate::{repo, step};

/// Makes sure of Node.js, and of npm where something is to be `fetched` still.
pub(crate) fn ready(purpose: &str, fetched: bool) -> Result<()> {
    if find(&["node"]).is_none() || (find(&["npm"]).is_none() && !fetched) {
        apt::install(&["nodejs", "npm"], purpose, "Node.js 18 or later with npm")?;
    }
    Ok(())
}

/// Fills `folder` with what the lock file lists, and with nothing else. No program of a package runs for it.
pub(crate) fn fetch(name: &str, folder: &Path, package: &str, lock: &str) -> Result<()> {
    repo::remove_dir(folder)?;
    repo::write(&folder.join("package.json"), package)?;
    repo::write(&folder.join("package-lock.json"), lock)?;
    let options = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
    step::run(&format!("fetch {name}"), Command::new("npm").args(options).current_dir(folder))
}
