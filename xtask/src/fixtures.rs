//! What the end-to-end tests, the demo and the measurements get in environment variables: the built product and the
//! programs that they need. The names are a contract with `tests/`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::extension::{Browser, Profile};
use crate::tools::{chromium, firefox, node_packages, python};

/// Environment variables and their values.
pub(crate) struct Fixtures(Vec<(&'static str, OsString)>);

impl Fixtures {
    /// The extension, already built with `profile`, the program `host`, and each of `browsers` with its driver.
    pub(crate) fn new(browsers: &[Browser], profile: Profile, host: PathBuf) -> Result<Self> {
        let names = browsers.iter().map(|browser| browser.name()).collect::<Vec<_>>().join(",");
        let mut variables =
            vec![("ROLECALL_TEST_HOST", host.into()), ("ROLECALL_TEST_BROWSERS", names.into())];
        for browser in browsers {
            let extension = browser.folder(profile).into();
            variables.extend(match browser {
                Browser::Chromium => {
                    let chromium = chromium::ready()?;
                    [
                        ("ROLECALL_TEST_EXTENSION_CHROMIUM", extension),
                        ("ROLECALL_TEST_CHROMIUM", chromium.browser.into()),
                        ("ROLECALL_TEST_CHROMEDRIVER", chromium.driver.into()),
                    ]
                }
                Browser::Firefox => {
                    let firefox = firefox::ready()?;
                    [
                        ("ROLECALL_TEST_EXTENSION_FIREFOX", extension),
                        ("ROLECALL_TEST_FIREFOX", firefox.browser.into()),
                        ("ROLECALL_TEST_GECKODRIVER", firefox.driver.into()),
                    ]
                }
            });
        }
        Ok(Self(variables))
    }

    /// The same with third-party programs: a Python with AWS's tools and an STS, and packages for Node.js.
    pub(crate) fn with_outside_programs(mut self) -> Result<Self> {
        self.0.push(("ROLECALL_TEST_PYTHON", python::ready()?.into()));
        self.0.push(("ROLECALL_TEST_NODE_MODULES", node_packages::ready()?.into()));
        Ok(self)
    }

    /// The same with the place of a Firefox profile that was used before, from which Firefox starts faster.
    pub(crate) fn with_used_profile(mut self) -> Result<Self> {
        if let Some((_, firefox)) = self.0.iter().find(|(name, _)| *name == "ROLECALL_TEST_FIREFOX") {
            self.0.push(("ROLECALL_TEST_FIREFOX_PROFILE", firefox::used_profile(firefox)?.into()));
        }
        Ok(self)
    }

    /// Sets the variables for a command.
    pub(crate) fn give<'command>(&self, command: &'command mut Command) -> &'command mut Command {
        command.envs(self.0.iter().map(|(name, value)| (name, value)))
    }
}
