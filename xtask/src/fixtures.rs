//! What the end-to-end tests and the demo are given: the built product and the programs around it, by environment
//! variables. The names are a contract with `tests/`.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::extension::Browser;
use crate::tools::{chromium, python};
use crate::{build, repo, step};

/// Environment variables and what they point to.
pub(crate) struct Fixtures(Vec<(&'static str, PathBuf)>);

impl Fixtures {
    /// The built extension, the built host, a browser and its driver.
    pub(crate) fn ready() -> Result<Self> {
        build::extension(&Browser::ALL)?;
        let chromium = chromium::ready()?;
        step::run("build the host", repo::cargo().args(["build", "--package", "rolecall"]))?;
        let host = repo::target("debug/rolecall").with_extension(std::env::consts::EXE_EXTENSION);
        Ok(Self(vec![
            ("ROLECALL_TEST_EXTENSION_CHROMIUM", Browser::Chromium.folder()),
            ("ROLECALL_TEST_EXTENSION_FIREFOX", Browser::Firefox.folder()),
            ("ROLECALL_TEST_HOST", host),
            ("ROLECALL_TEST_CHROMIUM", chromium.browser),
            ("ROLECALL_TEST_CHROMEDRIVER", chromium.driver),
        ]))
    }

    /// The same and an interpreter that has the AWS command line and SDK.
    pub(crate) fn with_aws_command_line(mut self) -> Result<Self> {
        self.0.push(("ROLECALL_TEST_PYTHON", python::ready()?));
        Ok(self)
    }

    /// Tells a command where everything is.
    pub(crate) fn give<'command>(&self, command: &'command mut Command) -> &'command mut Command {
        command.envs(self.0.iter().map(|(name, path)| (name, path)))
    }
}
