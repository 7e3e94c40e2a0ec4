//! What is in the files: Rolecall's profiles, and what is there for one name.

use std::path::PathBuf;

use super::{AwsFiles, Error, Finding, ProfileName};

/// How a profile gives credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Through a command in the config file.
    Process,
    /// Through keys in the credentials file.
    File,
}

/// A profile that Rolecall wrote.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ManagedProfile {
    /// Its name.
    pub name: ProfileName,
    /// How it gives credentials.
    pub mode: Mode,
    /// The file it is in.
    pub file: PathBuf,
    /// The line of its header, counted from one.
    pub line: usize,
    /// Every key and value of it that holds no secret, in the file's order (`credential_process`, `region`, …).
    pub settings: Vec<(String, String)>,
    /// `x_security_token_expires` as written, in file mode.
    pub expires: Option<String>,
}

/// Whose section it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Owner {
    /// Rolecall wrote it.
    Rolecall,
    /// Somebody else did.
    Other,
}

/// One section that some reader takes for the profile.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SectionReport {
    /// The file.
    pub file: PathBuf,
    /// The line of the header, counted from one.
    pub line: usize,
    /// Whose it is.
    pub owner: Owner,
    /// The keys in it, in the file's order.
    pub keys: Vec<String>,
}

/// What the files hold for one profile name.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Inspection {
    /// The sections, config file first; none if there is no such profile.
    pub sections: Vec<SectionReport>,
    /// Somebody else's keys that decide the credentials in place of Rolecall's, or would: such as static keys that beat
    /// `credential_process`. A forced `Set` replaces them.
    pub outranking: Vec<Finding>,
}

impl AwsFiles {
    /// Rolecall's own profiles, config file first, each in the file's order.
    pub fn list(&self) -> Result<Vec<ManagedProfile>, Error> {
        Ok(Vec::new())
    }

    /// What is there for one profile, and whose it is.
    pub fn inspect(&self, _profile: &ProfileName) -> Result<Inspection, Error> {
        Ok(Inspection { sections: Vec::new(), outranking: Vec::new() })
    }
}
