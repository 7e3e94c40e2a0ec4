//! A terminal in a scene: programs run with the scene's environment, and what they print is kept.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context as _, Result, bail, ensure};
use tokio::process::Command;

use crate::{Fixtures, PATIENCE};

/// Where a person types commands.
#[derive(Debug)]
pub struct Terminal {
    environment: Vec<(OsString, OsString)>,
    rolecall: PathBuf,
}

impl Terminal {
    pub(crate) fn new(environment: Vec<(OsString, OsString)>, rolecall: PathBuf) -> Self {
        Self { environment, rolecall }
    }

    /// Runs `rolecall`.
    pub async fn rolecall<I>(&self, arguments: I) -> Result<Output>
    where
        I: IntoIterator,
        I::Item: AsRef<OsStr>,
    {
        self.run(self.rolecall.as_os_str(), arguments).await
    }

    /// Runs the real AWS command line.
    pub async fn aws<I>(&self, arguments: I) -> Result<Output>
    where
        I: IntoIterator,
        I::Item: AsRef<OsStr>,
    {
        let python = Fixtures::python()?;
        let module = ["-m", "awscli"].map(OsString::from);
        let arguments = arguments.into_iter().map(|argument| argument.as_ref().to_owned());
        self.run(python.as_os_str(), module.into_iter().chain(arguments)).await
    }

    async fn run<I>(&self, program: &OsStr, arguments: I) -> Result<Output>
    where
        I: IntoIterator,
        I::Item: AsRef<OsStr>,
    {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let line = format!("{:?}", command.as_std());
        let output = tokio::time::timeout(PATIENCE, command.output()).await;
        let output = output.with_context(|| format!("{line} takes more than {PATIENCE:?}"))?;
        let output = output.with_context(|| format!("cannot run {line}"))?;
        Ok(Output {
            line,
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }
}

/// What a command left behind.
#[derive(Debug)]
pub struct Output {
    /// The command.
    pub line: String,
    /// Its exit code, unless a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it said.
    pub stderr: String,
}

impl Output {
    /// What it printed, if it exited with 0.
    pub fn succeeded(self) -> Result<String> {
        ensure!(self.code == Some(0), "it failed: {self:#?}");
        Ok(self.stdout)
    }

    /// What it said, if it exited with something else.
    pub fn failed(self) -> Result<String> {
        if self.code == Some(0) {
            bail!("it should have failed: {self:#?}");
        }
        Ok(self.stderr)
    }
}
