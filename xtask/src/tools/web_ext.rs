//! Mozilla's `web-ext`, which checks an extension like addons.mozilla.org. It is the last release that supports Node.js
//! 18, which Debian has.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::repo::{self, Stamp};
use crate::tools::npm;

/// A command that fails if the unpacked extension in `folder` has any warning.
pub(crate) fn lint(folder: &Path) -> Result<Command> {
    ready()?;
    let mut node = Command::new("node");
    node.arg(repo::target(PROGRAM)).args(OPTIONS).arg(folder);
    Ok(node)
}

/// Installs it if it is missing or has another version.
pub(crate) fn ready() -> Result<()> {
    let _lock = repo::lock("web-ext")?;
    let stamp = Stamp::new(repo::target("tools/web-ext/lock.sha256"), &[LOCK.as_bytes()]);
    let fetched = stamp.is_fresh() && repo::target(PROGRAM).is_file();
    npm::ready("run web-ext", fetched)?;
    if fetched {
        return Ok(());
    }
    npm::fetch("web-ext", &repo::target("tools/web-ext"), PACKAGE, LOCK)?;
    stamp.set()
}

const PROGRAM: &str = "tools/web-ext/node_modules/web-ext/bin/web-ext.js";
const PACKAGE: &str = include_str!("web-ext/package.json");
const LOCK: &str = include_str!("web-ext/package-lock.json");

/// Warnings are failures, and the user's own configuration is ignored.
const OPTIONS: [&str; 5] =
    ["lint", "--no-config-discovery", "--warnings-as-errors", "--boring", "--source-dir"];
