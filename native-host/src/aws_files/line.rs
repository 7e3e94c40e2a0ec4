//! One line of an AWS file, and what it is to the tools that read it.

use super::text::Span;

/// One line and what it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub(super) span: Span,
    pub(super) kind: Kind,
}

/// What a line is to the readers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Blank,
    /// A comment at the margin: a comment to everybody.
    Comment,
    /// Nothing to botocore, a continuation of the key before it to the SDKs.
    IndentedComment,
    Header,
    Property,
    Continuation,
    /// Nothing any reader accepts.
    Junk,
}

/// Whether a byte ends a key for botocore. The SDKs know only the first.
pub(super) const fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'=' | b':')
}
