//! Debian's packages: the only installations outside of `target/`.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Result, bail};

use crate::tools::find;
use crate::{repo, step};

/// Installs packages, or fails with what to install if apt is missing or not permitted.
///
/// `purpose` ends the sentence "… is needed to"; `elsewhere` begins it on systems without apt.
pub(crate) fn install(packages: &[&str], purpose: &str, elsewhere: &str) -> Result<()> {
    let list = packages.join(" ");
    if find(&["apt-get"]).is_none() {
        bail!("{elsewhere} is needed to {purpose}. Install that and run this again");
    }
    let Some(become_root) = become_root() else {
        bail!("{elsewhere} is needed to {purpose}. As root, `apt-get install {list}`, then run this again");
    };
    let _lock = repo::lock("debian-packages")?;
    step::note(&format!("installing Debian's {list}, which is needed to {purpose}"));
    let step = step::Step::start(&format!("install {list}"));
    if !UPDATED.swap(true, Ordering::Relaxed) {
        // Old package lists name removed versions; a failed update alone is not an error.
        let _ = step::observed("apt-get update", apt(&become_root).arg("update"))?;
    }
    step::logged(
        "apt-get install",
        apt(&become_root).args(["install", "--yes", "--no-install-recommends"]).args(packages),
    )?;
    step.ok("");
    Ok(())
}

/// The command prefix to run as root; empty if we are root already.
fn become_root() -> Option<Vec<&'static str>> {
    let id = Command::new("id").arg("-u").output().ok()?;
    if id.stdout.trim_ascii() == b"0" {
        return Some(Vec::new());
    }
    // sudo asks for a password on the terminal itself.
    find(&["sudo"]).map(|_| vec!["sudo"])
}

fn apt(become_root: &[&str]) -> Command {
    let words = [become_root, &["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet"]].concat();
    let mut command = Command::new(words.first().copied().unwrap_or("env"));
    command.args(words.get(1..).unwrap_or_default());
    command
}

/// Whether this run has updated the package lists.
static UPDATED: AtomicBool = AtomicBool::new(false);
