//! One line of an AWS file, and how the tools that read it take it.

use super::text::Span;

/// One line and its kind.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub(super) span: Span,
    pub(super) kind: Kind,
}

/// How the readers take a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Blank,
    /// An unindented comment, which every reader takes for one.
    Comment,
    /// Ignored by botocore, a continuation of the key before it for the SDKs.
    IndentedComment,
    Header,
    Property,
    Continuation,
    /// Refused by every reader.
    Junk,
}

/// Whether botocore ends a key at this byte. The SDKs do so only at `=`.
pub(super) const fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'=' | b':')
}
