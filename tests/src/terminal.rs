//! A terminal in a scene: it runs programs with the scene's environment and collects their output.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context as _, Result, bail, ensure};
use tokio::process::Command;

use crate::{Fixtures, Program, TIMEOUT};

/// Runs commands.
#[derive(Clone, Debug)]
pub struct Terminal {
    environment: Vec<(OsString, OsString)>,
    rolecall: PathBuf,
}

impl Terminal {
    pub(crate) fn new(environment: Vec<(OsString, OsString)>, rolecall: PathBuf) -> Self {
        Self { environment, rolecall }
    }

    /// The same terminal with one more variable.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Starts a program, given with its arguments, that runs until its input ends.
    pub fn start(&self, command: &[OsString]) -> Result<Program> {
        let (program, arguments) = command.split_first().context("no program")?;
        Program::start(self.command(program, arguments))
    }

    /// Starts `rolecall` with a command that runs until its input ends.
    pub fn start_rolecall<I>(&self, arguments: I) -> Result<Program>
    where
        I: IntoIterator,
        I::Item: AsRef<OsStr>,
    {
        Program::start(self.command(self.rolecall.as_os_str(), arguments))
    }

    /// Runs `rolecall`.
    pub async fn rolecall<I>(&self, arguments: I) -> Result<Output>
    where
        I: IntoIterator,
        I::Item: AsRef<OsStr>,
    {
        self.run(self.rolecall.as_os_str(), arguments).await
    }

    /// Runs a line of bash in which `$0` is `rolecall`.
    pub async fn bash(&self, line: &str) -> Result<Output> {
        let rolecall = self.rolecall.clone().into_os_string();
        self.run(OsStr::new("bash"), [OsString::from("-c"), line.into(), rolecall]).await
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
        let mut command = self.command(program, arguments);
        command.stdin(Stdio::null()).kill_on_drop(true);
        let line = format!("{:?}", command.as_std());
        let output = tokio::time::timeout(TIMEOUT, command.output()).await;
        let output = output.with_context(|| format!("{line} takes more than {TIMEOUT:?}"))?;
        let output = output.with_context(|| format!("cannot run {line}"))?;
        Ok(Output {
            line,
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    fn command<I>(&self, program: &OsStr, arguments: I) -> Command
    where
        I: IntoIterator,
        I::Item: AsRef<OsStr>,
    {
        let mut command = Command::new(program);
        command.args(arguments).env_clear();
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// The result of a command.
#[derive(Debug)]
pub struct Output {
    /// The command.
    pub line: String,
    /// Its exit code, unless a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Output {
    /// Its standard output, if it exited with 0.
    pub fn succeeded(self) -> Result<String> {
        ensure!(self.code == Some(0), "it failed: {self:#?}");
        Ok(self.stdout)
    }

    /// Its standard error, if it exited with another code.
    pub fn failed(self) -> Result<String> {
        if self.code == Some(0) {
            bail!("it should have failed: {self:#?}");
        }
        Ok(self.stderr)
    }
}
