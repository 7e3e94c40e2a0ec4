//! RFC 7636, Proof Key for Code Exchange, with the S256 method only.

use base64ct::{Base64UrlUnpadded, Encoding};
use secrecy::{ExposeSecret, SecretString};

use crate::crypto::{self, DigestError};

/// A code verifier: the secret that proves that whoever redeems the code also asked for it.
#[derive(Debug, Clone)]
pub struct CodeVerifier(SecretString);

impl CodeVerifier {
    /// RFC 7636 section 4.1 recommends 32 random bytes, which become 43 characters.
    #[must_use]
    pub fn from_random(bytes: &[u8; 32]) -> Self {
        Self(Base64UrlUnpadded::encode_string(bytes).into())
    }

    /// Section 4.2: `BASE64URL(SHA256(ASCII(code_verifier)))`.
    pub(super) async fn challenge(&self) -> Result<String, DigestError> {
        crypto::sha256(self.0.expose_secret().as_bytes())
            .await
            .map(|digest| Base64UrlUnpadded::encode_string(&digest))
    }

    /// The verifier itself, for the token request.
    pub(super) fn secret(&self) -> &str {
        self.0.expose_secret()
    }
}

#[cfg(test)]
mod tests {
    #[cfg(not(target_arch = "wasm32"))]
    use futures_test::test as async_test;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as async_test;

    use super::*;

    #[async_test]
    async fn the_example_of_rfc_7636_appendix_b_gives_its_challenge() {
        let octets = [
            116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212, 37, 77, 105,
            214, 191, 240, 91, 88, 5, 88, 83, 132, 141, 121,
        ];
        let verifier = CodeVerifier::from_random(&octets);
        assert_eq!(verifier.secret(), "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(verifier.challenge().await.unwrap(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
