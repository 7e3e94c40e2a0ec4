//! Where a file cannot be read, and by which readers: botocore, the SDKs, or all.
//!
//! botocore refuses duplicate sections and keys, the SDKs merge them; the SDKs require `=` and an unindented first key,
//! botocore does not. Only what makes a reader refuse the whole file is reported.

use std::borrow::Cow;
use std::collections::HashSet;

use super::line::{Kind, Line, is_delimiter};
use super::text;

/// The first fault for each kind of reader.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Faults {
    pub(super) botocore: Option<Fault>,
    pub(super) sdks: Option<Fault>,
    /// The first line that ends in a lone carriage return, which the readers treat differently.
    pub(super) bare_return: Option<usize>,
}

impl Faults {
    /// The fault that stops every reader, if there is one.
    pub(super) fn for_everybody(&self) -> Option<Fault> {
        let (botocore, sdks) = (self.botocore?, self.sdks?);
        Some(if botocore.line < sdks.line { botocore } else { sdks })
    }
}

/// A line, counted from zero, and what is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) line: usize,
    pub(super) what: &'static str,
}

/// Follows a file line by line by the rules of both readers.
#[derive(Debug, Default)]
pub(super) struct Watch<'a> {
    faults: Faults,
    headers: HashSet<&'a [u8]>,
    keys: Keys<'a>,
    botocore_value: Value,
    sdks_value: Value,
    in_section: bool,
    in_sdk_section: bool,
}

/// The keys of one section. They are few, and comparing a few is faster than hashing one.
#[derive(Debug, Default)]
struct Keys<'a> {
    few: Vec<Cow<'a, [u8]>>,
    more: HashSet<Cow<'a, [u8]>>,
}

/// How a reader takes an indented line.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Value {
    #[default]
    None,
    Text,
    /// The key's own line has no value: the indented lines are `key = value` themselves.
    Nested,
}

impl<'a> Keys<'a> {
    fn clear(&mut self) {
        self.few.clear();
        self.more.clear();
    }

    /// Returns false if the key was there already.
    fn insert(&mut self, key: Cow<'a, [u8]>) -> bool {
        if self.few.contains(&key) {
            return false;
        }
        if self.few.len() < FEW {
            self.few.push(key);
            return true;
        }
        self.more.insert(key)
    }
}

impl<'a> Watch<'a> {
    /// Checks one line: its content, the content stripped as botocore does, and its kind.
    pub(super) fn line(&mut self, number: usize, content: &'a [u8], stripped: &'a [u8], kind: Kind) {
        if let Some(what) = self.botocore(stripped, kind) {
            self.faults.botocore.get_or_insert(Fault { line: number, what });
        }
        if let Some(what) = self.sdks(content) {
            self.faults.sdks.get_or_insert(Fault { line: number, what });
        }
    }

    /// The faults, after the last line.
    pub(super) fn finish(mut self, bytes: &[u8], lines: &[Line]) -> Faults {
        let line_at = |offset| lines.partition_point(|line| line.span.next <= offset);
        if bytes.starts_with(BYTE_ORDER_MARK) {
            let fault = Fault { line: 0, what: "it begins with a byte order mark" };
            self.faults.botocore = Some(fault);
            self.faults.sdks = Some(fault);
        } else if let Err(error) = std::str::from_utf8(bytes) {
            // Most SDKs replace or keep such bytes, which are seldom in more than a comment.
            self.faults.botocore =
                Some(Fault { line: line_at(error.valid_up_to()), what: "this line is not UTF-8" });
        }
        self.faults.bare_return =
            lines.iter().position(|line| bytes.get(line.span.end..line.span.next) == Some(b"\r"));
        self.faults
    }

    fn botocore(&mut self, stripped: &'a [u8], kind: Kind) -> Option<&'static str> {
        match kind {
            Kind::Blank | Kind::Comment | Kind::IndentedComment => None,
            Kind::Header => {
                self.keys.clear();
                self.in_section = true;
                self.botocore_value = Value::None;
                let header = stripped.get(1..stripped.iter().rposition(|&byte| byte == b']')?)?;
                if header.is_empty() {
                    Some("this section has no name")
                } else {
                    (!self.headers.insert(header) && header != b"DEFAULT")
                        .then_some("this section is a duplicate")
                }
            }
            Kind::Property | Kind::Junk if !self.in_section => Some(BEFORE_SECTIONS),
            Kind::Property => {
                let (key, value) = text::split_once(stripped, is_delimiter)?;
                self.botocore_value = if text::strip(value).is_empty() { Value::Nested } else { Value::Text };
                let key = text::strip(key);
                let key = if key.iter().any(|byte| !byte.is_ascii() || byte.is_ascii_uppercase()) {
                    Cow::Owned(String::from_utf8_lossy(key).to_lowercase().into_bytes())
                } else {
                    Cow::Borrowed(key)
                };
                (!self.keys.insert(key)).then_some("this key is a duplicate in its section")
            }
            Kind::Continuation => (self.botocore_value == Value::Nested && !stripped.contains(&b'='))
                .then_some("an indented line below a key without a value needs an `=`"),
            Kind::Junk => Some(NO_EQUALS),
        }
    }

    fn sdks(&mut self, content: &[u8]) -> Option<&'static str> {
        let first = *content.first()?;
        if text::trim_blanks(content).is_empty() || matches!(first, b'#' | b';') {
            return None;
        }
        if first == b'[' {
            self.sdks_value = Value::None;
            self.in_sdk_section = true;
            return (!matches!(text::without_comment(content, false), [b'[', .., b']']))
                .then_some("this line has no closing `]`");
        }
        if !self.in_sdk_section {
            return Some(BEFORE_SECTIONS);
        }
        let is_indented = text::is_blank(first);
        if is_indented && self.sdks_value != Value::Nested {
            return (self.sdks_value == Value::None).then_some("an indented line needs a key before it");
        }
        let Some((key, value)) = text::split_once(text::without_comment(content, true), |byte| byte == b'=')
        else {
            return Some(NO_EQUALS);
        };
        if !is_indented {
            self.sdks_value = if text::trim_blanks(value).is_empty() { Value::Nested } else { Value::Text };
        }
        text::trim_blanks(key).is_empty().then_some("this line has no key before the `=`")
    }
}

const FEW: usize = 16;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
const BEFORE_SECTIONS: &str = "this line is before the first section";
const NO_EQUALS: &str = "this line has no `=`";
