//! The structure of an AWS file: which bytes are headers, keys, continuations and comments.
//!
//! A document borrows the file and never re-serialises it: lines that are not edited keep their bytes. It follows
//! botocore's rules for continuations, because they agree with the SDKs' wherever the SDKs read the file at all.

use super::faults::{Faults, Watch};
use super::line::{Kind, Line, is_delimiter};
use super::text;

/// A parsed file.
#[derive(Debug)]
pub(super) struct Document<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) lines: Vec<Line>,
    pub(super) sections: Vec<Section>,
    pub(super) faults: Faults,
    properties: Vec<Property>,
}

/// A section: its header's line and the lines up to the next header.
#[derive(Debug, Clone, Copy)]
pub(super) struct Section {
    pub(super) header: usize,
    pub(super) end: usize,
    properties: (usize, usize),
}

/// A key with its value: the line it begins on and the line after the last that belongs to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Property {
    pub(super) line: usize,
    pub(super) end: usize,
}

impl<'a> Document<'a> {
    /// Parses `bytes`.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let mut document = Self {
            bytes,
            lines: Vec::new(),
            sections: Vec::new(),
            faults: Faults::default(),
            properties: Vec::new(),
        };
        document.lines.reserve(bytes.len() / 32);
        let mut watch = Watch::default();
        let mut margin = 0;
        let mut in_property = false;
        for span in text::lines(bytes) {
            let content = bytes.get(span.start..span.end).unwrap_or_default();
            let stripped = text::strip(content);
            let number = document.lines.len();
            let kind = match stripped.first() {
                None if is_stray_indent(content) => Kind::IndentedComment,
                None => Kind::Blank,
                Some(b'#' | b';') if content.first().copied().is_some_and(text::is_blank) => {
                    Kind::IndentedComment
                }
                Some(b'#' | b';') => Kind::Comment,
                Some(_) if in_property && text::indent(content) > margin => Kind::Continuation,
                Some(_) => {
                    margin = text::indent(content);
                    classify(stripped)
                }
            };
            watch.line(number, content, stripped, kind);
            document.push(Line { span, kind });
            in_property = match kind {
                Kind::Header => false,
                Kind::Property => true,
                _ => in_property,
            };
        }
        document.faults = watch.finish(bytes, &document.lines);
        document
    }

    fn push(&mut self, line: Line) {
        let number = self.lines.len();
        self.lines.push(line);
        match line.kind {
            Kind::Header => {
                let properties = (self.properties.len(), self.properties.len());
                self.sections.push(Section { header: number, end: number, properties });
            }
            Kind::Property => self.properties.push(Property { line: number, end: number + 1 }),
            _ => {}
        }
        let Some(section) = self.sections.last_mut() else { return };
        section.end = number + 1;
        section.properties.1 = self.properties.len();
        if matches!(line.kind, Kind::Continuation | Kind::IndentedComment)
            && section.properties.0 < section.properties.1
            && let Some(property) = self.properties.last_mut()
        {
            property.end = number + 1;
        }
    }

    /// A line without its terminator.
    pub(super) fn content(&self, line: usize) -> &'a [u8] {
        self.lines
            .get(line)
            .and_then(|line| self.bytes.get(line.span.start..line.span.end))
            .unwrap_or_default()
    }

    /// The kind of a line; past the end, blank.
    pub(super) fn kind(&self, line: usize) -> Kind {
        self.lines.get(line).map_or(Kind::Blank, |line| line.kind)
    }

    /// The keys of a section, in order.
    pub(super) fn properties(&self, section: &Section) -> &[Property] {
        self.properties.get(section.properties.0..section.properties.1).unwrap_or_default()
    }

    /// A key as botocore reads it, in lower case.
    pub(super) fn key(&self, property: &Property) -> String {
        let line = text::strip(self.content(property.line));
        let key = text::split_once(line, is_delimiter).map_or(line, |(key, _)| text::strip(key));
        String::from_utf8_lossy(key).to_lowercase()
    }

    /// The value on the key's own line as botocore reads it.
    pub(super) fn value(&self, property: &Property) -> &'a [u8] {
        let line = text::strip(self.content(property.line));
        text::split_once(line, is_delimiter).map_or(&[], |(_, value)| text::strip(value))
    }

    /// The lines of a property that are removed with it: not the unindented comments between them.
    pub(super) fn lines_of(&self, property: &Property) -> impl Iterator<Item = usize> + '_ {
        let belongs = |kind| matches!(kind, Kind::Property | Kind::Continuation | Kind::IndentedComment);
        (property.line..property.end).filter(move |&line| belongs(self.kind(line)))
    }
}

fn classify(stripped: &[u8]) -> Kind {
    match stripped {
        [b'[', rest @ ..] if rest.contains(&b']') => Kind::Header,
        [first, ..] if is_delimiter(*first) => Kind::Junk,
        line if line.iter().any(|&byte| is_delimiter(byte)) => Kind::Property,
        _ => Kind::Junk,
    }
}

/// A line that is blank to botocore and a continuation to the SDKs, such as a space and a form feed.
fn is_stray_indent(content: &[u8]) -> bool {
    content.first().copied().is_some_and(text::is_blank) && !text::trim_blanks(content).is_empty()
}
