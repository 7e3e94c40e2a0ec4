//! Temporary folders, and the processes that still use them when they are removed.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// The permission bits of a file.
pub fn mode(path: &Path) -> Result<u32> {
    let metadata = fs::metadata(path).with_context(|| format!("cannot look at {}", path.display()))?;
    Ok(metadata.permissions().mode() & 0o777)
}

/// A folder that is removed with its contents, unless `ROLECALL_TEST_KEEP` is set.
#[derive(Debug)]
pub(crate) struct Folder(Option<TempDir>, PathBuf);

impl Folder {
    /// Creates one. Its path is short, because it contains sockets.
    pub(crate) fn new() -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("rolecall-")
            .tempdir()
            .context("cannot create a temporary folder")?;
        let path = folder.path().to_owned();
        if std::env::var_os("ROLECALL_TEST_KEEP").is_some() {
            eprintln!("keeping {}", path.display());
            return Ok(Self(None, folder.keep()));
        }
        Ok(Self(Some(folder), path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.1
    }

    /// Creates a private folder in it.
    pub(crate) fn private(&self, name: &str) -> Result<PathBuf> {
        let path = self.1.join(name);
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&path)
            .with_context(|| format!("cannot create {}", path.display()))?;
        Ok(path)
    }

    /// Creates a script in it that can be run at once. Another process writes it: a file that this one has open for
    /// writing can reach the child of another story's thread for a moment, and is then "text file busy".
    pub(crate) fn script(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.1.join(name);
        let mut install = Command::new("install");
        install.args(["-m", "755", "/dev/stdin"]).arg(&path).stdin(Stdio::piped());
        let mut child = install.spawn().context("cannot run install")?;
        let mut input = child.stdin.take().context("install has no input")?;
        input.write_all(text.as_bytes()).context("cannot write to install")?;
        drop(input);
        ensure!(child.wait()?.success(), "install did not write {}", path.display());
        Ok(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A crashed browser leaves child processes that would write into the folder during its removal.
        end(&processes_of(&self.1));
        if let Some(folder) = self.0.take()
            && let Err(error) = folder.close()
        {
            eprintln!("cannot remove {}: {error}", self.1.display());
        }
    }
}

/// The ids of the processes whose home is below `folder`. This only works on Linux; elsewhere closing the browser has
/// to do.
pub(crate) fn processes_of(folder: &Path) -> Vec<Pid> {
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    let home = format!("HOME={}/", folder.display());
    let ids = processes.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let lives_there = |id: &i32| {
        let environment = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable.starts_with(home.as_bytes()))
    };
    ids.filter(lives_there).filter_map(Pid::from_raw).collect()
}

/// Kills processes.
pub(crate) fn end(processes: &[Pid]) {
    for process in processes {
        // It may have ended meanwhile.
        let _ = kill_process(*process, Signal::KILL);
    }
}
