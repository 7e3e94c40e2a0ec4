//! The result of planning: the files before and after. Nothing is written.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::diff;

/// The changes of an operation. It holds the files' contents: `Debug` does not show them, dropping zeroizes them.
#[derive(Debug)]
pub struct Plan {
    pub(super) changes: Vec<Change>,
    notes: Vec<Note>,
}

/// A warning that does not stop the operation.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Note {
    /// The file.
    pub file: PathBuf,
    /// The line, counted from one.
    pub line: usize,
    /// One sentence without secrets.
    pub message: String,
}

/// One file's change. Changes are kept in the order of writing.
pub(super) struct Change {
    pub(super) path: PathBuf,
    pub(super) before: Contents,
    pub(super) after: Contents,
    /// Whether it removes something that Rolecall did not write.
    pub(super) takes_over: bool,
}

/// A file's bytes, or `None` if there is no file.
pub(super) type Contents = Option<Arc<Zeroized>>;

/// Bytes that may be secrets, zeroized on drop: all at once, where `Zeroizing` goes byte by byte.
#[derive(PartialEq, Eq)]
pub(super) struct Zeroized(pub(super) Vec<u8>);

impl Drop for Zeroized {
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

    /// The files that change, in the order of writing: removals first, so that no profile is ever in both.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.changes.iter().map(|change| change.path.as_path())
    }

    /// The change as a unified diff of both files. Secrets are masked, also in unchanged lines.
    #[must_use]
    pub fn diff(&self) -> String {
        let show = |change: &Change| diff::unified(&change.path, bytes(&change.before), bytes(&change.after));
        self.changes.iter().map(show).collect()
    }

    /// Warnings about the files.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }
}

/// The bytes of a file, if it exists.
pub(super) fn bytes(contents: &Contents) -> Option<&[u8]> {
    contents.as_ref().map(|bytes| bytes.0.as_slice())
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Change").field("path", &self.path).finish_non_exhaustive()
    }
}
