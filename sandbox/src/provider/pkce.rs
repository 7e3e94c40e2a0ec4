//! Proof Key for Code Exchange (RFC 7636), S256 only.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// Whether `challenge` has the form of an S256 challenge: 32 bytes in base64url.
pub(crate) fn is_challenge(challenge: &str) -> bool {
    URL_SAFE_NO_PAD.decode(challenge).is_ok_and(|bytes| bytes.len() == 32)
}

/// Whether `verifier` has the form of RFC 7636 section 4.1: 43 to 128 unreserved characters.
pub(crate) fn is_verifier(verifier: &str) -> bool {
    (43..=128).contains(&verifier.len())
        && verifier.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

/// Whether `verifier` matches `challenge` (section 4.6).
pub(crate) fn matches(verifier: &str, challenge: &str) -> bool {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == challenge
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 7636 appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_verifier_of_the_rfc_matches_its_challenge() {
        assert!(is_verifier(VERIFIER) && is_challenge(CHALLENGE));
        assert!(matches(VERIFIER, CHALLENGE));
    }

    #[test]
    fn another_verifier_and_the_plain_method_do_not_match() {
        assert!(!matches(&VERIFIER.replace('d', "e"), CHALLENGE));
        assert!(!matches(VERIFIER, VERIFIER));
    }

    #[test]
    fn short_long_and_odd_verifiers_are_malformed() {
        assert!(!is_verifier(&"a".repeat(42)));
        assert!(!is_verifier(&"a".repeat(129)));
        assert!(!is_verifier(&"a b".repeat(20)));
        assert!(!is_challenge("short"));
    }
}
