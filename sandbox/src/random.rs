//! Unguessable strings for codes, cookies, tokens and keys.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// `bytes` bytes of randomness in base64url, for codes, cookies and tokens.
pub(crate) fn token(bytes: usize) -> String {
    URL_SAFE_NO_PAD.encode(fill(bytes))
}

/// `bytes` bytes of randomness in plain base64, with the `+` and `/` that AWS secrets have too: a client that does not
/// encode them in a form fails here.
pub(crate) fn secret(bytes: usize) -> String {
    STANDARD.encode(fill(bytes))
}

/// `length` characters of AWS's alphabet for ids.
pub(crate) fn id(length: usize) -> String {
    fill(length).into_iter().map(id_character).collect()
}

/// A version 4 UUID (RFC 9562 section 5.4), like AWS's request ids.
pub(crate) fn uuid() -> String {
    let mut bytes = fill(16);
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = hex(&bytes);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// One character of base32 for the low five bits of a byte.
pub(crate) fn id_character(byte: u8) -> char {
    char::from(ID_ALPHABET[usize::from(byte & 31)])
}

fn fill(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    if let Err(error) = getrandom::fill(&mut bytes) {
        panic!("the operating system returned no randomness: {error}");
    }
    bytes
}

const ID_ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_have_the_requested_length_and_alphabet_and_differ() {
        assert_eq!(secret(30).len(), 40);
        assert_eq!(id(16).len(), 16);
        assert!(id(64).bytes().all(|byte| ID_ALPHABET.contains(&byte)));
        assert_ne!(token(32), token(32));
        assert_eq!(uuid().len(), 36);
        assert_eq!(hex(&[0, 255]), "00ff");
    }
}
