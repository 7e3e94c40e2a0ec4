//! Lines and white space as the readers of these files see them. Knows no sections or keys.
//!
//! botocore reads through Python's text mode: a line ends at LF, CR LF or a lone CR, and white space is Unicode's. The
//! SDKs end lines at LF or CR LF and treat only space and tab as blanks.

/// One line: `bytes[start..end]` is its content, `bytes[end..next]` its terminator.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) next: usize,
}

/// The lines of a file. A lone CR at the very end counts as content: what would follow it is not known yet.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = Span> {
    let mut start = 0;
    let has_returns = memchr::memchr(b'\r', bytes).is_some();
    std::iter::from_fn(move || {
        let rest = bytes.get(start..).filter(|rest| !rest.is_empty())?;
        let (length, terminator) = first_line(rest, has_returns);
        let span = Span { start, end: start + length, next: start + length + terminator };
        start = span.next;
        Some(span)
    })
}

/// The lengths of the first line and of its terminator.
fn first_line(rest: &[u8], has_returns: bool) -> (usize, usize) {
    let line = match memchr::memchr(b'\n', rest) {
        Some(at) => rest.get(..at).unwrap_or_default(),
        None => rest,
    };
    let terminated = line.len() < rest.len();
    match if has_returns { memchr::memchr(b'\r', line) } else { None } {
        Some(at) if at + 1 < line.len() => (at, 1),
        Some(at) if terminated => (at, 2),
        _ => (line.len(), usize::from(terminated)),
    }
}

/// `line` without white space around it, as Python's `str.strip` has it.
pub(super) fn strip(line: &[u8]) -> &[u8] {
    // Nearly every line: checking both ends is enough.
    if let (Some(first), Some(last)) = (line.first(), line.last())
        && first.is_ascii_graphic()
        && last.is_ascii_graphic()
    {
        return line;
    }
    match std::str::from_utf8(line) {
        Ok(text) if !line.is_ascii() => text.trim_matches(is_space).as_bytes(),
        _ => trim(line, is_ascii_space),
    }
}

/// `line` without the white space it begins with.
pub(super) fn strip_start(line: &[u8]) -> &[u8] {
    match std::str::from_utf8(line) {
        Ok(text) if !line.is_ascii() => text.trim_start_matches(is_space).as_bytes(),
        _ => line
            .iter()
            .position(|&byte| !is_ascii_space(byte))
            .and_then(|at| line.get(at..))
            .unwrap_or_default(),
    }
}

/// [`strip`] for text.
pub(super) fn strip_str(line: &str) -> &str {
    line.trim_matches(is_space)
}

/// How many characters of white space `line` begins with, as Python counts them.
pub(super) fn indent(line: &[u8]) -> usize {
    if line.first().is_some_and(u8::is_ascii_graphic) {
        return 0;
    }
    match std::str::from_utf8(line) {
        Ok(text) if !line.is_ascii() => text.chars().take_while(|&c| is_space(c)).count(),
        _ => line.iter().take_while(|&&byte| is_ascii_space(byte)).count(),
    }
}

/// `line` without the SDKs' blanks around it.
pub(super) fn trim_blanks(line: &[u8]) -> &[u8] {
    trim(line, is_blank)
}

/// Space or tab: an SDK's continuation line begins with one.
pub(super) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// [`is_blank`] for text.
pub(super) const fn is_blank_char(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

/// The parts before and after the first byte that `matches`.
pub(super) fn split_once(line: &[u8], matches: impl Fn(u8) -> bool) -> Option<(&[u8], &[u8])> {
    let at = line.iter().position(|&byte| matches(byte))?;
    Some((line.get(..at)?, line.get(at + 1..)?))
}

/// `line` up to the comment that the SDKs see in it.
pub(super) fn without_comment(line: &[u8], needs_space_before: bool) -> &[u8] {
    let line = trim_blanks(line);
    if memchr::memchr2(b'#', b';', line).is_none() {
        return line;
    }
    let mut after_space = false;
    for (at, &byte) in line.iter().enumerate() {
        if matches!(byte, b'#' | b';') && (after_space || !needs_space_before) {
            return trim_blanks(line.get(..at).unwrap_or_default());
        }
        after_space = byte.is_ascii_whitespace() || byte == b'\x0b';
    }
    line
}

fn trim(line: &[u8], blank: impl Fn(u8) -> bool) -> &[u8] {
    let Some(from) = line.iter().position(|&byte| !blank(byte)) else { return &[] };
    let to = line.iter().rposition(|&byte| !blank(byte)).map_or(from, |last| last + 1);
    line.get(from..to).unwrap_or_default()
}

const fn is_ascii_space(byte: u8) -> bool {
    matches!(byte, b'\t'..=b'\r' | b'\x1c'..=b' ')
}

fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\x1c'..='\x1f')
}
