//! What `cargo xtask` prepares for the tests and passes in environment variables.

use std::env;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};

use crate::Kind;

/// The built product and the programs that it needs, for one browser.
#[derive(Clone, Debug)]
pub struct Fixtures {
    /// The unpacked extension.
    pub extension: PathBuf,
    /// The program `rolecall`.
    pub host: PathBuf,
    /// The browser.
    pub browser: PathBuf,
    /// Its driver.
    pub driver: PathBuf,
}

impl Fixtures {
    /// Reads the paths from the environment.
    pub fn from_environment(kind: Kind) -> Result<Self> {
        let [extension, browser, driver] = match kind {
            Kind::Chromium => {
                ["ROLECALL_TEST_EXTENSION_CHROMIUM", "ROLECALL_TEST_CHROMIUM", "ROLECALL_TEST_CHROMEDRIVER"]
            }
            Kind::Firefox => {
                ["ROLECALL_TEST_EXTENSION_FIREFOX", "ROLECALL_TEST_FIREFOX", "ROLECALL_TEST_GECKODRIVER"]
            }
        };
        Ok(Self {
            extension: path(extension)?,
            host: path("ROLECALL_TEST_HOST")?,
            browser: path(browser)?,
            driver: path(driver)?,
        })
    }

    /// The folder of a Firefox profile that was used before. The first test that needs it makes it; only tests have one.
    pub(crate) fn firefox_profile() -> Option<PathBuf> {
        env::var_os("ROLECALL_TEST_FIREFOX_PROFILE").map(PathBuf::from)
    }

    /// A Python with the AWS command line, its SDK and an STS; not needed by the demo.
    pub fn python() -> Result<PathBuf> {
        path("ROLECALL_TEST_PYTHON")
    }

    /// The folder `node_modules` with the AWS SDK and a provider; not needed by the demo.
    pub fn node_modules() -> Result<PathBuf> {
        path("ROLECALL_TEST_NODE_MODULES")
    }
}

fn path(name: &str) -> Result<PathBuf> {
    let path = env::var_os(name).map(PathBuf::from).with_context(|| {
        format!("{name} is not set: run the tests with `cargo xtask test --only e2e`, the demo with `cargo xtask demo`")
    })?;
    ensure!(path.exists(), "{name} names {}, which does not exist", path.display());
    Ok(path)
}
