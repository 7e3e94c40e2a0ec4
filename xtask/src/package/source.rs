//! The source that a release is made from: which commit it is, of what time, and an archive of it.

use std::env;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::archive::gzip;
use crate::repo;

/// A commit, or sources from an archive.
pub(super) struct Source {
    /// The commit; nothing if these sources have no history.
    pub(super) commit: Option<String>,
    /// When it was made, in seconds since 1970: the time of all that is packed.
    pub(super) time: u64,
}

impl Source {
    /// What this repository has checked out.
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

    /// The archive, named `name` within: the files of the commit, and its time for those who have nothing else.
    pub(super) fn archive(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let Some(commit) = &self.commit else { return Ok(None) };
        let prefix = format!("--prefix={name}/");
        let time = format!("--add-virtual-file={name}/{TIME_FILE}:{}\n", self.time);
        // Modes as fixed here rather than as the person's git is set up; times are the commit's.
        let args = ["-c", "tar.umask=0022", "archive", "--format=tar", &prefix, &time, commit];
        Ok(Some(gzip(&output(&args)?)?))
    }
}

/// The files that differ from the commit, as `git status` lists them.
pub(super) fn changes() -> Result<String> {
    git(&["status", "--porcelain"])
}

/// Runs git here and returns what it says, without the newline that ends it.
pub(super) fn git(args: &[&str]) -> Result<String> {
    let text = String::from_utf8(output(args)?).context("git answered something that is not UTF-8")?;
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

/// In a source archive: the time of the commit it was made from.
pub(super) const TIME_FILE: &str = "SOURCE_DATE_EPOCH";
