//! Programs that are built from a crate, since Debian does not have them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::repo::{self, Stamp};
use crate::step;
use crate::tools::find;

/// A program with the name of its crate.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    /// The only version that is used.
    pub(crate) version: &'static str,
}

impl Program {
    /// Finds or builds it: the one on the PATH if its version matches, else our own build.
    pub(crate) fn ready(&self) -> Result<PathBuf> {
        let Self { name, version } = self;
        if let Some(found) = find(&[name]).filter(|program| self.is_version_of(program)) {
            return Ok(found);
        }
        let _lock = repo::lock(name)?;
        let folder = repo::target("tools").join(name);
        let program = folder.join("bin").join(name).with_extension(std::env::consts::EXE_EXTENSION);
        let stamp = Stamp::new(folder.join("version.sha256"), &[version.as_bytes()]);
        if stamp.is_fresh() && program.is_file() {
            return Ok(program);
        }
        let built = repo::target(&format!("tools/{name}-build"));
        let mut install = repo::cargo();
        install
            .args(["install", name, "--locked", "--force", "--version", &format!("={version}"), "--root"])
            .arg(&folder)
            // What building it unoptimised saves is more than what running it costs.
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
            .env("CARGO_TARGET_DIR", &built);
        step::run(&format!("build {name}"), &mut install)?;
        repo::remove_dir(&built)?;
        stamp.set()?;
        Ok(program)
    }

    fn is_version_of(&self, program: &Path) -> bool {
        // "geckodriver 0.37.1 (…)"
        Command::new(program).arg("--version").output().is_ok_and(|output| {
            String::from_utf8_lossy(&output.stdout).split_whitespace().nth(1) == Some(self.version)
        })
    }
}
