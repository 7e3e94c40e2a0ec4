//! The marker of Rolecall's sections: a comment in them that names the keys Rolecall wrote.
//!
//! ```text
//! [profile example-dev]
//! # Managed by Rolecall as example-dev: credential_process, region. Other lines here are yours and stay.
//! ```
//! An unindented comment is a comment to every reader, and one inside the section moves with it when a person moves or
//! renames it. The name guards against a header deleted above it: the keys are then in another section.

/// A parsed marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Marker {
    /// The profile it was written for, if it still names one.
    pub(super) profile: Option<String>,
    /// The keys that Rolecall wrote.
    pub(super) keys: Vec<String>,
}

/// The marker line of a section.
pub(super) fn line<'a>(profile: &str, keys: impl Iterator<Item = &'a str>) -> String {
    let keys: Vec<_> = keys.collect();
    format!("# {CLAIM} as {profile}: {}. Other lines here are yours and stay.", keys.join(", "))
}

/// Parses a marker, even if it was re-indented, re-spaced or shortened.
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

/// The first line of a file that Rolecall created. It and the file are removed with Rolecall's last profile.
pub(super) const CREATED: &str = "# Created by Rolecall.";

const CLAIM: &str = "Managed by Rolecall";

/// The keys assumed to be Rolecall's when a person removed the list from the marker.
const DEFAULT_KEYS: &[&str] = &[
    "credential_process",
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "x_security_token_expires",
];
