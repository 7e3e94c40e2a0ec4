//! Changes to a document, line by line. Lines that no edit names keep their bytes.

use std::collections::{BTreeMap, BTreeSet};

use super::document::{Document, Property, Section};
use super::line::Kind;

/// Lines to drop, to replace and to insert.
#[derive(Debug, Default)]
pub(super) struct Edit {
    drop: BTreeSet<usize>,
    replace: BTreeMap<usize, Vec<u8>>,
    /// Content of new lines by the line they come before; the number of lines means the end.
    insert: BTreeMap<usize, Vec<Vec<u8>>>,
}

impl Edit {
    pub(super) fn is_empty(&self) -> bool {
        self.drop.is_empty() && self.replace.is_empty() && self.insert.is_empty()
    }

    pub(super) fn inserts(&self) -> bool {
        !self.insert.is_empty()
    }

    pub(super) fn drop_line(&mut self, line: usize) {
        self.replace.remove(&line);
        self.drop.insert(line);
    }

    pub(super) fn drops(&self, line: usize) -> bool {
        self.drop.contains(&line)
    }

    pub(super) fn replace(&mut self, line: usize, content: Vec<u8>) {
        self.replace.insert(line, content);
    }

    pub(super) fn insert(&mut self, before: usize, content: Vec<u8>) {
        self.insert.entry(before).or_default().push(content);
    }

    /// Drops a key with its continuation lines.
    pub(super) fn drop_property(&mut self, document: &Document<'_>, property: &Property) {
        for line in document.lines_of(property) {
            self.drop_line(line);
        }
    }

    /// Drops a header, the blank line before it, and lines that would then continue a key above.
    pub(super) fn drop_header(&mut self, document: &Document<'_>, section: &Section) {
        self.drop_line(section.header);
        if let Some(above) = section.header.checked_sub(1)
            && document.kind(above) == Kind::Blank
            && document.content(above).is_empty()
        {
            self.drop_line(above);
        }
        let first_key = document.properties(section).first().map_or(section.end, |property| property.line);
        for line in section.header..first_key {
            if document.kind(line) == Kind::IndentedComment {
                self.drop_line(line);
            }
        }
    }

    /// Adds a section at the end of the file, after a blank line.
    pub(super) fn append(&mut self, document: &Document<'_>, section: impl IntoIterator<Item = Vec<u8>>) {
        let end = document.lines.len();
        if end > 0 {
            self.insert(end, Vec::new());
        }
        for line in section {
            self.insert(end, line);
        }
    }

    /// The edited file. Whether it ends in a newline stays as it was: removing a profile then restores the exact bytes
    /// of a file that never had one.
    pub(super) fn render(&self, document: &Document<'_>) -> Vec<u8> {
        let grown: usize =
            self.insert.values().flatten().chain(self.replace.values()).map(|line| line.len() + 2).sum();
        let mut out = Vec::with_capacity(document.bytes.len() + grown + 2);
        let unterminated = document.lines.last().is_some_and(|line| line.span.end == line.span.next);
        let mut newline = first_newline(document);
        let mut copied = 0;
        let mut touched: BTreeSet<usize> = self.drop.iter().chain(self.replace.keys()).copied().collect();
        touched.extend(self.insert.keys());
        for line in touched {
            let start = document.lines.get(line).map_or(document.bytes.len(), |line| line.span.start);
            out.extend_from_slice(document.bytes.get(copied..start).unwrap_or_default());
            copied = start;
            if let Some(before) = line.checked_sub(1) {
                newline = newline_of(document, before).unwrap_or(newline);
            }
            if let Some(lines) = self.insert.get(&line) {
                if line == document.lines.len() && unterminated && !self.drops(line.saturating_sub(1)) {
                    newline = end_for(document, newline);
                    out.extend_from_slice(newline);
                }
                for content in lines {
                    out.extend_from_slice(content);
                    out.extend_from_slice(newline);
                }
            }
            let Some(original) = document.lines.get(line) else { continue };
            if self.drop.contains(&line) {
                copied = original.span.next;
            } else if let Some(content) = self.replace.get(&line) {
                out.extend_from_slice(content);
                copied = original.span.end;
            }
        }
        out.extend_from_slice(document.bytes.get(copied..).unwrap_or_default());
        let last_line = document.lines.len().saturating_sub(1);
        if unterminated && (self.drops(last_line) || self.insert.contains_key(&document.lines.len())) {
            strip_newline(&mut out);
        }
        out
    }
}

fn strip_newline(out: &mut Vec<u8>) {
    if out.pop_if(|byte| *byte == b'\n').is_some() {
        out.pop_if(|byte| *byte == b'\r');
    } else {
        out.pop_if(|byte| *byte == b'\r');
    }
}

/// The line's terminator, if all readers know it.
fn newline_of(document: &Document<'_>, line: usize) -> Option<&'static [u8]> {
    let span = document.lines.get(line)?.span;
    match document.bytes.get(span.end..span.next)? {
        b"\n" => Some(b"\n"),
        b"\r\n" => Some(b"\r\n"),
        _ => None,
    }
}

fn first_newline(document: &Document<'_>) -> &'static [u8] {
    (0..document.lines.len()).find_map(|line| newline_of(document, line)).unwrap_or(b"\n")
}

/// After a line whose content ends in CR, a bare LF would be taken for half of CR LF.
fn end_for(document: &Document<'_>, newline: &'static [u8]) -> &'static [u8] {
    if document.bytes.ends_with(b"\r") { b"\r\n" } else { newline }
}
