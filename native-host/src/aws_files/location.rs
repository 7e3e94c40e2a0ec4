//! Where the two files are. Knows the variables of the AWS tools, nothing of what is in the files.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::{AwsFiles, error::Error};

impl AwsFiles {
    /// Finds the files as the AWS tools do: `AWS_CONFIG_FILE` and `AWS_SHARED_CREDENTIALS_FILE` (a leading `~/` is the
    /// home folder), else `.aws/config` and `.aws/credentials` in the home folder (`HOME`; on Windows `USERPROFILE`).
    /// `lookup` answers for the environment: pass `std::env::var_os`. An empty variable counts as unset.
    pub fn locate(lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self, Error> {
        let variable = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let home = HOME_VARIABLES.iter().find_map(|name| variable(name)).map(PathBuf::from);
        let file = |moved_by: &str, name: &str| match (variable(moved_by), &home) {
            (Some(path), home) => expand_home(Path::new(&path), home.as_deref()),
            (None, Some(home)) => Ok(home.join(".aws").join(name)),
            (None, None) => Err(Error::HomeMissing),
        };
        Ok(Self::at(file("AWS_CONFIG_FILE", "config")?, file("AWS_SHARED_CREDENTIALS_FILE", "credentials")?))
    }
}

fn expand_home(path: &Path, home: Option<&Path>) -> Result<PathBuf, Error> {
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => Ok(home.join(rest)),
        (Ok(_), None) => Err(Error::HomeMissing),
        (Err(_), _) => Ok(path.to_owned()),
    }
}

/// botocore and the SDKs ask `HOME` first everywhere; Windows sets only the second.
const HOME_VARIABLES: &[&str] = if cfg!(windows) { &["HOME", "USERPROFILE"] } else { &["HOME"] };
