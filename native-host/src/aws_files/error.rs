//! Why an operation on the AWS files can fail, and what a person can do about it.
//!
//! No variant holds a value read from a file, so no error can show a secret.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rolecall_core::settings::ProfileName;
use rolecall_core::{Code, Problem};

/// Why an operation on the AWS files failed. Unless a variant says otherwise, neither file was changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither a home folder nor the variables that set the files' paths are known.
    #[error("The home folder is unknown, so the AWS files cannot be found.")]
    HomeMissing,

    /// A profile name with a special meaning.
    #[error("\"{name}\" cannot be the name of an AWS profile: {reason}.")]
    InvalidProfileName {
        /// The name as given.
        name: ProfileName,
        /// What is wrong with it.
        reason: &'static str,
    },

    /// A key or value that not all readers of these files read the same. The value is not repeated here.
    #[error("The setting {key:?} cannot be written to an AWS file: {reason}.")]
    InvalidSetting {
        /// The key as given.
        key: String,
        /// What is wrong with it or with its value.
        reason: &'static str,
    },

    /// The profile contains something that Rolecall did not write.
    #[error("The profile {profile:?} was not changed: {}.", Findings(.findings))]
    Conflict {
        /// The profile's name.
        profile: String,
        /// Every conflict, in reading order.
        findings: Vec<Finding>,
    },

    /// Both paths lead to one file.
    #[error("The config and the credentials file are the same file: {}.", .path.display())]
    OneFile {
        /// The file.
        path: PathBuf,
    },

    /// There is no such profile in either file.
    #[error("There is no profile {profile:?} in the AWS files.")]
    NotFound {
        /// The profile's name.
        profile: String,
    },

    /// No AWS tool can read the file, so nothing can be added to it safely.
    #[error("{}:{line}: AWS tools cannot read this file: {what}.", .file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The line, counted from one.
        line: usize,
        /// What the readers refuse.
        what: &'static str,
    },

    /// The file is not text in an encoding that AWS tools read: it is UTF-16 or binary.
    #[error("{} is not a text file that AWS tools can read.", .file.display())]
    NotText {
        /// The file.
        file: PathBuf,
    },

    /// The path does not lead to a regular file.
    #[error("{} is {what}, not a file.", .path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// Its kind: "a folder", "a named pipe", …
        what: &'static str,
    },

    /// A chain of symbolic links that never ends.
    #[error("{} is a symbolic link that leads back to itself.", .path.display())]
    SymlinkLoop {
        /// The path.
        path: PathBuf,
    },

    /// The folder that a symbolic link points into does not exist.
    #[error("{} is a symbolic link into a folder that does not exist: {}.", .link.display(), .folder.display())]
    LinkIntoNowhere {
        /// The link.
        link: PathBuf,
        /// The missing folder.
        folder: PathBuf,
    },

    /// The file is write-protected.
    #[error("{} is read-only.", .path.display())]
    ReadOnlyFile {
        /// The file.
        path: PathBuf,
    },

    /// The folder is write-protected, so the file in it cannot be replaced in one step.
    #[error("The folder {} is read-only, so the file in it cannot be replaced safely.", .folder.display())]
    ReadOnlyFolder {
        /// The folder.
        folder: PathBuf,
    },

    /// The file has another owner or group, which replacing it would change.
    #[error("{} belongs to another user or group, and replacing it would change that.", .path.display())]
    ForeignOwner {
        /// The file.
        path: PathBuf,
    },

    /// No space, or no quota, is left.
    #[error("There is no space left to write {}; it was not changed.", .path.display())]
    DiskFull {
        /// The file.
        path: PathBuf,
    },

    /// Another process held the lock until the deadline.
    #[error("Another process has held the lock on {} for {} seconds.", .path.display(), .waited.as_secs())]
    Locked {
        /// The file.
        path: PathBuf,
        /// How long this process waited.
        waited: Duration,
    },

    /// Another program kept rewriting the file during the change.
    #[error("Another program keeps changing {}.", .path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },

    /// Any other error of the operating system.
    #[error("Could not {action} {}: {source}.", .path.display())]
    Io {
        /// What was being done: "read", "write", …
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
}

impl Error {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::HomeMissing => Code::AwsFilesHomeMissing,
            Self::InvalidProfileName { .. } => Code::AwsFilesProfileNameInvalid,
            Self::InvalidSetting { .. } => Code::AwsFilesSettingInvalid,
            Self::Conflict { .. } => Code::AwsFilesProfileConflict,
            Self::OneFile { .. } => Code::AwsFilesOneFile,
            Self::NotFound { .. } => Code::AwsFilesProfileNotFound,
            Self::Unreadable { .. } => Code::AwsFilesUnreadable,
            Self::NotText { .. } => Code::AwsFilesNotText,
            Self::NotAFile { .. } => Code::AwsFilesNotAFile,
            Self::SymlinkLoop { .. } => Code::AwsFilesLinkLoop,
            Self::LinkIntoNowhere { .. } => Code::AwsFilesLinkIntoNowhere,
            Self::ReadOnlyFile { .. } => Code::AwsFilesReadOnlyFile,
            Self::ReadOnlyFolder { .. } => Code::AwsFilesReadOnlyFolder,
            Self::ForeignOwner { .. } => Code::AwsFilesForeignOwner,
            Self::DiskFull { .. } => Code::AwsFilesDiskFull,
            Self::Locked { .. } => Code::AwsFilesLocked,
            Self::Busy { .. } => Code::AwsFilesBusy,
            Self::Io { .. } => Code::AwsFilesIo,
        }
    }
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

/// One conflict in a profile, and where it is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// The file it is in.
    pub file: PathBuf,
    /// The line it is on, counted from one.
    pub line: usize,
    /// The conflict, in words and key names; never a value.
    pub what: String,
}

impl Finding {
    pub(super) fn new(file: &Path, line: usize, what: String) -> Self {
        Self { file: file.to_owned(), line, what }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file.display(), self.line, self.what)
    }
}

struct Findings<'a>(&'a [Finding]);

impl fmt::Display for Findings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, finding) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str("; ")?;
            }
            finding.fmt(f)?;
        }
        Ok(())
    }
}
