//! How Rolecall's sections are told apart: a comment in them that names the keys it wrote.
//!
//! ```text
//! [profile example-dev]
//! # Managed by Rolecall as example-dev: credential_process, region. Other lines here are yours and stay.
//! ```
//! A comment at the margin is a comment to every reader, and one inside the section travels with it when a person moves
//! or renames it. The name guards against a header deleted above it: the keys then stand in somebody else's section.

/// What a marker says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Marker {
    /// The profile it was written for, if it still says.
    pub(super) profile: Option<String>,
    /// The keys that are Rolecall's.
    pub(super) keys: Vec<String>,
}

/// The line that marks a section as Rolecall's.
pub(super) fn line<'a>(profile: &str, keys: impl Iterator<Item = &'a str>) -> String {
    let keys: Vec<_> = keys.collect();
    format!("# {CLAIM} as {profile}: {}. Other lines here are yours and stay.", keys.join(", "))
}

/// Reads a marker back, however it was re-indented, re-spaced or shortened.
pub(super) fn parse(comment: &[u8]) -> Option<Marker> {
    let text = std::str::from_utf8(comment).ok()?.trim().trim_start_matches(['#', ';']).trim_start();
    let (claim, rest) = text.split_at_checked(CLAIM.len())?;
    if !claim.eq_ignore_ascii_case(CLAIM) {
        return None;
    }
    // Profile names may contain colons: the list begins after the last one that a space or the end follows.
    let (before, list) =
        match rest.split_once(": ").or_else(|| rest.strip_suffix(':').map(|before| (before, ""))) {
            Some((before, list)) => (before, list),
            None => (rest, ""),
        };
    let profile = before.trim().strip_prefix("as ").map(|name| name.trim().to_owned());
    let list = list.split_once('.').map_or(list, |(list, _)| list);
    let mut keys: Vec<_> =
        list.split(',').map(|key| key.trim().to_lowercase()).filter(|key| !key.is_empty()).collect();
    if keys.is_empty() {
        keys = DEFAULT_KEYS.iter().map(|&key| key.to_owned()).collect();
    }
    Some(Marker { profile, keys })
}

/// Whether a line is a marker: such lines name secret keys without holding secrets.
pub(super) fn is_marker(line: &[u8]) -> bool {
    matches!(line.trim_ascii_start().first(), Some(b'#' | b';')) && parse(line).is_some()
}

/// The first line of a file that did not exist before. With Rolecall's last profile, it and the file go again.
pub(super) const CREATED: &str = "# Created by Rolecall.";

const CLAIM: &str = "Managed by Rolecall";

/// What is Rolecall's where a person cut the list from the marker.
const DEFAULT_KEYS: &[&str] = &[
    "credential_process",
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "x_security_token_expires",
];
