//! AWS's SDKs: three programs that use the SDK's default credential chain, as any program does. Each prints its
//! caller's ARN for every input line, or, when asked what it holds, its credentials in the format of a
//! `credential_process`.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;

use anyhow::{Context as _, Result, bail};

use crate::{Fixtures, Scene};

/// An SDK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sdk {
    /// boto3, for Python.
    Boto3,
    /// The SDK for JavaScript, version 3, on Node.js.
    JavaScript,
    /// The SDK for Rust.
    Rust,
}

impl Sdk {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Boto3, Self::JavaScript, Self::Rust];

    /// The command that runs its program in a scene.
    pub fn caller(self, scene: &Scene) -> Result<Vec<OsString>> {
        match self {
            Self::Boto3 => {
                let script = scene.file("caller.py", include_str!("../consumers/caller.py"))?;
                Ok(vec![Fixtures::python()?.into(), script.into()])
            }
            Self::JavaScript => {
                let script = scene.node_script("caller.mjs", include_str!("../consumers/caller.mjs"))?;
                Ok(vec!["node".into(), script.into()])
            }
            Self::Rust => {
                // Cargo passes no path of examples: they are beside the folder of the tests.
                let test = env::current_exe().context("no path of the tests")?;
                let folder =
                    test.parent().and_then(|deps| deps.parent()).context("the tests have no folder")?;
                let program = folder.join("examples/caller");
                fs::metadata(&program)
                    .with_context(|| format!("{}: cargo builds it with the tests", program.display()))?;
                Ok(vec![program.into()])
            }
        }
    }
}

impl Sdk {
    /// The command that makes the same STS calls as this product, at `endpoint`, for each line of JSON with the
    /// parameters of `AssumeRoleWithWebIdentity`.
    pub fn sts_calls(self, scene: &Scene, endpoint: &str) -> Result<Vec<OsString>> {
        let (program, script) = match self {
            Self::Boto3 => (
                Fixtures::python()?.into(),
                scene.file("sts_calls.py", include_str!("../consumers/sts_calls.py"))?,
            ),
            Self::JavaScript => (
                "node".into(),
                scene.node_script("sts_calls.mjs", include_str!("../consumers/sts_calls.mjs"))?,
            ),
            Self::Rust => bail!("its requests are not compared"),
        };
        Ok(vec![program, script.into(), endpoint.into()])
    }
}

impl Scene {
    /// A file on the machine.
    pub fn file(&self, name: &str, text: &str) -> Result<std::path::PathBuf> {
        let path = self.path(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    /// A script beside which Node.js finds its packages.
    pub(crate) fn node_script(&self, name: &str, text: &str) -> Result<std::path::PathBuf> {
        let packages = self.path("node_modules");
        if !packages.exists() {
            symlink(Fixtures::node_modules()?, &packages).context("cannot link the packages for Node.js")?;
        }
        self.file(name, text)
    }
}
