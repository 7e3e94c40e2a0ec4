//! The two files and where they are. Knows the variables of the AWS tools, not the files' contents.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::error::Error;

/// The paths of the two files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsFiles {
    config: PathBuf,
    credentials: PathBuf,
}

/// One of the two files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Which {
    Config,
    Credentials,
}

impl AwsFiles {
    /// The files at these paths, which need not exist.
    #[must_use]
    pub const fn at(config: PathBuf, credentials: PathBuf) -> Self {
        Self { config, credentials }
    }

    /// Finds the files as the AWS tools do: `AWS_CONFIG_FILE` and `AWS_SHARED_CREDENTIALS_FILE` (a leading `~/` is the
    /// home folder), else `.aws/config` and `.aws/credentials` in the home folder (`HOME`; on Windows `USERPROFILE`).
    /// `lookup` reads the environment: pass `std::env::var_os`. An empty variable counts as unset.
    pub fn locate(lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self, Error> {
        let variable = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let home = HOME_VARIABLES.iter().find_map(|name| variable(name)).map(PathBuf::from);
        let file = |variable_name: &str, name: &str| match (variable(variable_name), &home) {
            (Some(path), home) => expand_home(Path::new(&path), home.as_deref()),
            (None, Some(home)) => Ok(home.join(".aws").join(name)),
            (None, None) => Err(Error::HomeMissing),
        };
        Ok(Self::at(file("AWS_CONFIG_FILE", "config")?, file("AWS_SHARED_CREDENTIALS_FILE", "credentials")?))
    }

    /// The path of the config file.
    #[must_use]
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// The path of the credentials file.
    #[must_use]
    pub fn credentials(&self) -> &Path {
        &self.credentials
    }

    pub(super) fn path(&self, which: Which) -> &Path {
        match which {
            Which::Config => &self.config,
            Which::Credentials => &self.credentials,
        }
    }
}

fn expand_home(path: &Path, home: Option<&Path>) -> Result<PathBuf, Error> {
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => Ok(home.join(rest)),
        (Ok(_), None) => Err(Error::HomeMissing),
        (Err(_), _) => Ok(path.to_owned()),
    }
}

/// botocore and the SDKs read `HOME` first everywhere; Windows sets only the second.
const HOME_VARIABLES: &[&str] = if cfg!(windows) { &["HOME", "USERPROFILE"] } else { &["HOME"] };
