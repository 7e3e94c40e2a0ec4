//! Where things are in this repository, and the commands that run in it.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// The repository's root folder.
pub(crate) fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

/// A path below the repository's root.
pub(crate) fn path(relative: &str) -> PathBuf {
    root().join(relative)
}

/// A path below `target/`, where everything that can be made again goes.
pub(crate) fn target(relative: &str) -> PathBuf {
    root().join("target").join(relative)
}

/// The cargo that started this program, in the repository's root and with the repository's own target folder.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).env("CARGO_TARGET_DIR", root().join("target"));
    command
}

/// Keeps other runs of `cargo xtask` away from what both would write, until the returned file is dropped.
pub(crate) fn lock() -> Result<File> {
    let path = target("xtask.lock");
    create_parent(&path)?;
    let file = File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
    if file.try_lock().is_err() {
        eprintln!("waiting for another `cargo xtask` to finish its set-up");
        file.lock().context("cannot lock the target folder")?;
    }
    Ok(file)
}

/// Creates the folder that `path` lies in.
pub(crate) fn create_parent(path: &Path) -> Result<()> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))
}

/// Reads a file, naming it if that fails.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Writes a file and the folders above it, naming it if that fails.
pub(crate) fn write(path: &Path, content: impl AsRef<[u8]>) -> Result<()> {
    create_parent(path)?;
    fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))
}

/// Removes a folder and all in it, if it is there.
pub(crate) fn remove_dir(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// SHA-256 of some bytes, in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

/// Remembers by content what an output was made from, so that it is made again only when that has changed.
pub(crate) struct Stamp {
    file: PathBuf,
    wanted: String,
}

impl Stamp {
    /// A stamp kept in `file` for an output made from `inputs`.
    pub(crate) fn new(file: PathBuf, inputs: &[&[u8]]) -> Self {
        let mut digest = Sha256::new();
        for input in inputs {
            digest.update(Sha256::digest(input));
        }
        Self { file, wanted: format!("{:x}", digest.finalize()) }
    }

    /// Whether the output was made from just these inputs.
    pub(crate) fn is_fresh(&self) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|found| found == self.wanted)
    }

    /// Notes that the output has now been made from these inputs.
    pub(crate) fn set(&self) -> Result<()> {
        write(&self.file, &self.wanted)
    }
}
