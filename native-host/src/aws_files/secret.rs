//! Which parts of a line must not be shown.

use rolecall_core::text;

use super::{marker, text as bytes};

/// Whether the value of a (lower-case) key is a secret or may be one.
pub(super) fn is_secret(key: &str) -> bool {
    !key.ends_with("_expires") && SECRET_WORDS.iter().any(|word| key.contains(word))
}

/// A key for display. Text that does not look like a key may be a secret that ended up left of an `=`.
pub(super) fn shown_key(key: &str) -> &str {
    let looks_like_one = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if key.len() <= KEY_MAX && key.chars().all(looks_like_one) { key } else { UNUSUAL }
}

/// Masks secrets and control characters, line by line.
#[derive(Debug, Default)]
pub(super) struct Mask {
    in_secret: bool,
}

impl Mask {
    /// The next line for display.
    pub(super) fn line(&mut self, line: &[u8]) -> String {
        let text = String::from_utf8_lossy(line);
        let is_continuation = line.first().copied().is_some_and(bytes::is_blank) && self.in_secret;
        let (key, value) = text.split_once(['=', ':']).unwrap_or((&text, ""));
        if is_continuation {
            return MASK.to_owned();
        }
        let key = key.trim().to_lowercase();
        self.in_secret = if text.starts_with('[') || marker::is_marker(line) {
            false
        } else if shown_key(&key) == key {
            is_secret(&key) || is_credential(&value.to_lowercase())
        } else {
            is_secret(&text.to_lowercase())
        };
        match text.find(['=', ':']) {
            _ if !self.in_secret => text::on_lines(&text).into_owned(),
            Some(at) if shown_key(key.trim_start_matches(['#', ';', ' '])) != UNUSUAL => {
                format!("{} {MASK}", text::on_lines(text.get(..=at).unwrap_or_default()))
            }
            _ => MASK.to_owned(),
        }
    }
}

/// Whether a value, such as a command line, contains the name of a credential.
fn is_credential(value: &str) -> bool {
    CREDENTIAL_WORDS.iter().any(|word| value.contains(word))
}

const UNUSUAL: &str = "an unusual key";
const MASK: &str = "********";
const KEY_MAX: usize = 64;
const SECRET_WORDS: &[&str] = &["access_key", "secret", "token", "password"];
const CREDENTIAL_WORDS: &[&str] = &["secret_access_key", "session_token", "security_token", "password"];
