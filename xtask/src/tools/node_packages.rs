//! npm packages that the end-to-end tests use: the AWS SDK for JavaScript and an OpenID Connect provider, both the last releases
//! that support Node.js 18, which Debian has, and axe-core, which runs in the browsers.

use std::path::PathBuf;

use anyhow::Result;

use crate::repo::{self, Stamp};
use crate::tools::npm;

/// The folder `node_modules`, filled first if the lock file has changed.
pub(crate) fn ready() -> Result<PathBuf> {
    let _lock = repo::lock("node-packages")?;
    let folder = repo::target("tools/node");
    let modules = folder.join("node_modules");
    let stamp = Stamp::new(folder.join("lock.sha256"), &[LOCK.as_bytes()]);
    let fetched = stamp.is_fresh() && modules.is_dir();
    npm::ready("run the programs that the tests use", fetched)?;
    if !fetched {
        npm::fetch("the tests' packages for Node.js", &folder, PACKAGE, LOCK)?;
        stamp.set()?;
    }
    Ok(modules)
}

const PACKAGE: &str = include_str!("../../../tests/node/package.json");
const LOCK: &str = include_str!("../../../tests/node/package-lock.json");
