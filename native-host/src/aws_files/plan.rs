//! What an operation would change: both files looked at, both edited, nothing written.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::Error;
use super::planner::{Planner, View};
use super::{AwsFiles, Operation, Options, Which, diff, store};

/// What an operation changes in the files. It holds their contents: `Debug` does not show them, dropping wipes them.
#[derive(Debug)]
pub struct Plan {
    pub(super) changes: Vec<Change>,
    notes: Vec<Note>,
}

/// Something a person should know, though it does not stop the operation.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Note {
    /// The file.
    pub file: PathBuf,
    /// The line, counted from one.
    pub line: usize,
    /// One sentence without secrets.
    pub message: String,
}

/// One file's change, in the order to be written.
pub(super) struct Change {
    pub(super) path: PathBuf,
    pub(super) before: Contents,
    pub(super) after: Contents,
    /// Whether something goes that Rolecall did not write.
    pub(super) takes_over: bool,
}

/// A file's bytes, or none if there is no file.
pub(super) type Contents = Option<Arc<Wiped>>;

/// Bytes that may be secrets, wiped when dropped: in one sweep, where `Zeroizing` goes byte by byte.
#[derive(PartialEq, Eq)]
pub(super) struct Wiped(pub(super) Vec<u8>);

impl Drop for Wiped {
    fn drop(&mut self) {
        zeroize::zeroize_bytes(&mut self.0);
    }
}

impl Plan {
    pub(super) fn new(changes: impl IntoIterator<Item = Change>, notes: Vec<Note>) -> Self {
        let changes = changes.into_iter().filter(|change| change.before != change.after).collect();
        Self { changes, notes }
    }

    /// Whether nothing would change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The files that change, in the order they are written: what goes first, so that no profile is in both.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.changes.iter().map(|change| change.path.as_path())
    }

    /// The change as a unified diff of both files. Secrets are masked, in lines that only give context too.
    #[must_use]
    pub fn diff(&self) -> String {
        let show = |change: &Change| diff::unified(&change.path, bytes(&change.before), bytes(&change.after));
        self.changes.iter().map(show).collect()
    }

    /// What a person should know about the files.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }
}

/// The bytes of a file, if there is one.
pub(super) fn bytes(contents: &Contents) -> Option<&[u8]> {
    contents.as_ref().map(|bytes| bytes.0.as_slice())
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Change").field("path", &self.path).finish_non_exhaustive()
    }
}

impl AwsFiles {
    /// What `operation` would change now. Writes nothing and takes no lock.
    pub fn plan(&self, operation: &Operation, options: &Options) -> Result<Plan, Error> {
        let config = store::read(&self.config)?;
        let credentials = store::read(&self.credentials)?;
        self.plan_for(&config, &credentials, operation, options)
    }

    /// What `operation` would change in these contents.
    pub(super) fn plan_for(
        &self,
        config: &store::Snapshot,
        credentials: &store::Snapshot,
        operation: &Operation,
        options: &Options,
    ) -> Result<Plan, Error> {
        let profile = operation.profile().as_str();
        let planner =
            Planner { profile, force: options.force, is_one_file: config.target == credentials.target };
        let config = View::new(Which::Config, &self.config, config.contents(), profile)?;
        let credentials = View::new(Which::Credentials, &self.credentials, credentials.contents(), profile)?;
        match operation {
            Operation::Set(new) if new.home == Which::Config => planner.set(new, config, credentials),
            Operation::Set(new) => planner.set(new, credentials, config),
            Operation::Remove(_) => planner.remove(config, credentials),
        }
    }
}
