//! The source of a release: its commit, its time, and an archive of it.

use std::env;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::archive::gzip;
use crate::repo;

/// A commit, or sources from an archive.
pub(super) struct Source {
    /// The commit; `None` if these sources have no history.
    pub(super) commit: Option<String>,
    /// The commit's time, in seconds since 1970: the time of all packaged files.
    pub(super) time: u64,
}

impl Source {
    /// The sources of this repository.
    pub(super) fn here() -> Result<Self> {
        let commit = if repo::path(".git").exists() { Some(git(&["rev-parse", "HEAD"])?) } else { None };
        // https://reproducible-builds.org/specs/source-date-epoch/
        let time = match (env::var("SOURCE_DATE_EPOCH"), &commit) {
            (Ok(time), _) => time,
            (_, Some(commit)) => git(&["log", "-1", "--format=%ct", commit])?,
            (_, None) => String::from_utf8(repo::read(&repo::path(TIME_FILE))?)
                .context("the time of these sources is not a number")?,
        };
        let time = time.trim().parse().context("the time of these sources is not a number of seconds")?;
        Ok(Self { commit, time })
    }

    /// The archive, with the folder `name`: the files of the commit, and its time for builds without history.
    pub(super) fn archive(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let Some(commit) = &self.commit else { return Ok(None) };
        let prefix = format!("--prefix={name}/");
        let time = format!("--add-virtual-file={name}/{TIME_FILE}:{}\n", self.time);
        // Fixed modes, whatever the user's git configuration says; times are the commit's.
        let args = ["-c", "tar.umask=0022", "archive", "--format=tar", &prefix, &time, commit];
        Ok(Some(gzip(&output(&args)?)?))
    }
}

/// The files that differ from the commit, as `git status` lists them.
pub(super) fn changes() -> Result<String> {
    git(&["status", "--porcelain"])
}

/// Runs git here and returns its output without the last newline.
pub(super) fn git(args: &[&str]) -> Result<String> {
    let text = String::from_utf8(output(args)?).context("the output of git is not UTF-8")?;
    Ok(text.trim_end().to_owned())
}

fn output(args: &[&str]) -> Result<Vec<u8>> {
    let output =
        Command::new("git").args(args).current_dir(repo::root()).output().context("cannot run git")?;
    if !output.status.success() {
        bail!("git failed: {}", String::from_utf8_lossy(&output.stderr).trim_end());
    }
    Ok(output.stdout)
}

/// A file in the source archive: the time of its commit.
pub(super) const TIME_FILE: &str = "SOURCE_DATE_EPOCH";
