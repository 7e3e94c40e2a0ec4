//! A unified diff that can be shown: secrets masked, control characters made visible.

use std::fmt::Write as _;
use std::path::Path;

use similar::{Algorithm, DiffOp, DiffTag, capture_diff_slices, group_diff_ops};

use super::secret::Mask;
use super::text;

/// The change from `old` to `new` of the file at `path`; `None` is a file that does not exist.
pub(super) fn unified(path: &Path, old: Option<&[u8]>, new: Option<&[u8]>) -> String {
    let (old_lines, new_lines) = (lines(old), lines(new));
    let ops = capture_diff_slices(Algorithm::Myers, &old_lines, &new_lines);
    let mut out = String::new();
    for hunk in group_diff_ops(ops, CONTEXT) {
        if out.is_empty() {
            let name = |side: Option<&[u8]>| {
                side.map_or_else(|| "/dev/null".to_owned(), |_| path.display().to_string())
            };
            let _ = writeln!(out, "--- {}\n+++ {}", name(old), name(new));
        }
        write_hunk(&mut out, &hunk, &old_lines, &new_lines);
    }
    out
}

fn write_hunk(out: &mut String, hunk: &[DiffOp], old: &[&[u8]], new: &[&[u8]]) {
    let (Some(first), Some(last)) = (hunk.first(), hunk.last()) else { return };
    let span = |start: usize, end: usize| {
        // An empty range names the line before it.
        let begin = if start == end { start } else { start + 1 };
        format!("{begin},{}", end - start)
    };
    let removed = span(first.old_range().start, last.old_range().end);
    let added = span(first.new_range().start, last.new_range().end);
    let _ = writeln!(out, "@@ -{removed} +{added} @@");
    let (mut old_mask, mut new_mask) = (Mask::default(), Mask::default());
    for op in hunk {
        if op.tag() != DiffTag::Insert {
            let sign = if op.tag() == DiffTag::Equal { ' ' } else { '-' };
            write_lines(out, sign, old.get(op.old_range()).unwrap_or_default(), &mut old_mask);
        }
        if op.tag() != DiffTag::Delete {
            let shown = if op.tag() == DiffTag::Equal { None } else { Some('+') };
            let lines = new.get(op.new_range()).unwrap_or_default();
            match shown {
                Some(sign) => write_lines(out, sign, lines, &mut new_mask),
                None => write_lines(&mut String::new(), ' ', lines, &mut new_mask),
            }
        }
    }
}

fn write_lines(out: &mut String, sign: char, lines: &[&[u8]], mask: &mut Mask) {
    for line in lines {
        let content = line.strip_suffix(b"\n").unwrap_or(line);
        let content = content.strip_suffix(b"\r").unwrap_or(content);
        let _ = writeln!(out, "{sign}{}", mask.line(content));
        if !line.ends_with(b"\n") && !line.ends_with(b"\r") {
            out.push_str("\\ No newline at end of file\n");
        }
    }
}

fn lines(side: Option<&[u8]>) -> Vec<&[u8]> {
    let bytes = side.unwrap_or_default();
    text::lines(bytes).map(|span| bytes.get(span.start..span.next).unwrap_or_default()).collect()
}

/// Unchanged lines shown around a change, the usual number.
const CONTEXT: usize = 3;
