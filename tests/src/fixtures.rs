//! What `cargo xtask` prepares for the tests and hands over in environment variables.

use std::env;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};

/// The built product and the programs around it.
#[derive(Clone, Debug)]
pub struct Fixtures {
    /// The unpacked extension for Chromium.
    pub extension: PathBuf,
    /// The program `rolecall`.
    pub host: PathBuf,
    /// Chromium.
    pub chromium: PathBuf,
    /// Its driver.
    pub chromedriver: PathBuf,
}

impl Fixtures {
    /// Reads where everything is.
    pub fn from_environment() -> Result<Self> {
        Ok(Self {
            extension: path("ROLECALL_TEST_EXTENSION_CHROMIUM")?,
            host: path("ROLECALL_TEST_HOST")?,
            chromium: path("ROLECALL_TEST_CHROMIUM")?,
            chromedriver: path("ROLECALL_TEST_CHROMEDRIVER")?,
        })
    }

    /// A Python that has the AWS command line and SDK; the demo does without.
    pub fn python() -> Result<PathBuf> {
        path("ROLECALL_TEST_PYTHON")
    }
}

fn path(name: &str) -> Result<PathBuf> {
    let path = env::var_os(name).map(PathBuf::from).with_context(|| {
        format!("{name} is not set: run the tests with `cargo xtask test --only e2e`, the demo with `cargo xtask demo`")
    })?;
    ensure!(path.exists(), "{name} names {}, which does not exist", path.display());
    Ok(path)
}
