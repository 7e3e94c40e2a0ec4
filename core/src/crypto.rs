//! Signatures and digests.
//!
//! Natively they come from `ring`, which TLS brings along. In a browser they come from its own Web Cryptography, which
//! answers later: that is why these functions are asynchronous.

use base64ct::{Base64UrlUnpadded, Encoding};

#[cfg(target_arch = "wasm32")]
use self::browser as implementation;
#[cfg(not(target_arch = "wasm32"))]
use self::native as implementation;

/// What AWS STS takes and every browser verifies (RFC 7518 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Es256,
}

impl Algorithm {
    /// The algorithm that a header names. Neither `none` nor a MAC is one, so that a public key can never be taken for a
    /// MAC's secret.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Self::Rs256,
            "RS384" => Self::Rs384,
            "RS512" => Self::Rs512,
            "ES256" => Self::Es256,
            _ => return None,
        })
    }
}

/// A public key (RFC 7518 sections 6.2.1 and 6.3.1), its numbers big-endian.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PublicKey {
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    P256 { x: Vec<u8>, y: Vec<u8> },
}

/// Why a signature is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignatureError {
    /// The key is too weak, or none.
    Key,
    /// It was not made with this key, or over other bytes.
    Signature,
}

impl PublicKey {
    /// An RSA key, from the parameters of a JSON Web Key.
    pub(crate) fn rsa(n: &str, e: &str) -> Option<Self> {
        let number = |text: &str| {
            let bytes = Base64UrlUnpadded::decode_vec(text).ok()?;
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            Some(bytes[zeros..].to_vec())
        };
        Some(Self::Rsa { modulus: number(n)?, exponent: number(e)? })
    }

    /// A point on the curve P-256, from the parameters of a JSON Web Key.
    pub(crate) fn p256(x: &str, y: &str) -> Option<Self> {
        let coordinate = |text: &str| Base64UrlUnpadded::decode_vec(text).ok();
        Some(Self::P256 { x: coordinate(x)?, y: coordinate(y)? })
    }

    /// Whether keys of this kind make such signatures.
    pub(crate) fn fits(&self, algorithm: Algorithm) -> bool {
        matches!(self, Self::P256 { .. }) == (algorithm == Algorithm::Es256)
    }

    /// RFC 7518 section 3.3 asks for RSA keys of 2048 bits or more; AWS takes 2048, 3072 and 4096.
    fn is_strong(&self) -> bool {
        match self {
            Self::Rsa { modulus, exponent } => {
                let is_whole = modulus.first().is_some_and(|byte| byte.leading_zeros() == 0);
                let is_odd = |number: &[u8]| number.last().is_some_and(|byte| byte % 2 == 1);
                let is_one = exponent == &[1];
                is_whole
                    && [256, 384, 512].contains(&modulus.len())
                    && is_odd(modulus)
                    && is_odd(exponent)
                    && !is_one
                    && exponent.len() <= 4
            }
            Self::P256 { x, y } => x.len() == 32 && y.len() == 32,
        }
    }
}

/// Checks a signature as RFC 7518 sections 3.3 and 3.4 have it.
pub(crate) async fn verify(
    algorithm: Algorithm,
    key: &PublicKey,
    signed: &[u8],
    signature: &[u8],
) -> Result<(), SignatureError> {
    if !key.fits(algorithm) || !key.is_strong() {
        return Err(SignatureError::Key);
    }
    implementation::verify(algorithm, key, signed, signature).await
}

/// SHA-256.
pub(crate) async fn sha256(bytes: &[u8]) -> Result<Vec<u8>, DigestError> {
    implementation::sha256(bytes).await
}

/// HMAC with SHA-256 (RFC 2104).
pub(crate) async fn hmac_sha256(key: &[u8], bytes: &[u8]) -> Result<Vec<u8>, DigestError> {
    implementation::hmac_sha256(key, bytes).await
}

/// The browser has no Web Cryptography, which only pages without a secure origin lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DigestError;

#[cfg(not(target_arch = "wasm32"))]
#[expect(clippy::unused_async, reason = "a browser's take time")]
mod native {
    use ring::digest::{SHA256, digest};
    use ring::hmac;
    use ring::signature::{
        ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
        RSA_PKCS1_2048_8192_SHA512, RsaPublicKeyComponents, UnparsedPublicKey,
    };

    use super::{Algorithm, DigestError, PublicKey, SignatureError};

    pub(super) async fn verify(
        algorithm: Algorithm,
        key: &PublicKey,
        signed: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        let result = match key {
            PublicKey::Rsa { modulus, exponent } => {
                let scheme = match algorithm {
                    Algorithm::Rs384 => &RSA_PKCS1_2048_8192_SHA384,
                    Algorithm::Rs512 => &RSA_PKCS1_2048_8192_SHA512,
                    Algorithm::Rs256 | Algorithm::Es256 => &RSA_PKCS1_2048_8192_SHA256,
                };
                RsaPublicKeyComponents { n: modulus, e: exponent }.verify(scheme, signed, signature)
            }
            PublicKey::P256 { x, y } => {
                // SEC 1 section 2.3.3: 4 marks a point that is not compressed.
                let point = [&[4], x.as_slice(), y].concat();
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(signed, signature)
            }
        };
        result.map_err(|_| SignatureError::Signature)
    }

    pub(super) async fn sha256(bytes: &[u8]) -> Result<Vec<u8>, DigestError> {
        Ok(digest(&SHA256, bytes).as_ref().to_vec())
    }

    pub(super) async fn hmac_sha256(key: &[u8], bytes: &[u8]) -> Result<Vec<u8>, DigestError> {
        Ok(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), bytes).as_ref().to_vec())
    }
}

#[cfg(target_arch = "wasm32")]
mod browser {
    use base64ct::{Base64UrlUnpadded, Encoding};
    use js_sys::{Array, Object, Promise, Reflect, Uint8Array};
    use wasm_bindgen::prelude::wasm_bindgen;
    use wasm_bindgen::{JsCast, JsValue};
    use wasm_bindgen_futures::JsFuture;

    use super::{Algorithm, DigestError, PublicKey, SignatureError};

    // Web Cryptography API, section 14: in pages and in workers alike.
    #[wasm_bindgen]
    extern "C" {
        #[wasm_bindgen(js_namespace = ["crypto", "subtle"], js_name = importKey, catch)]
        fn import_key(
            format: &str,
            key: &Object,
            algorithm: &Object,
            extractable: bool,
            usages: &Array,
        ) -> Result<Promise, JsValue>;

        #[wasm_bindgen(js_namespace = ["crypto", "subtle"], js_name = verify, catch)]
        fn verify_signature(
            algorithm: &Object,
            key: &JsValue,
            signature: &Uint8Array,
            signed: &Uint8Array,
        ) -> Result<Promise, JsValue>;

        #[wasm_bindgen(js_namespace = ["crypto", "subtle"], js_name = sign, catch)]
        fn sign(algorithm: &str, key: &JsValue, bytes: &Uint8Array) -> Result<Promise, JsValue>;

        #[wasm_bindgen(js_namespace = ["crypto", "subtle"], js_name = digest, catch)]
        fn digest(algorithm: &str, bytes: &Uint8Array) -> Result<Promise, JsValue>;
    }

    pub(super) async fn verify(
        algorithm: Algorithm,
        key: &PublicKey,
        signed: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        let (name, hash) = match algorithm {
            Algorithm::Rs256 => ("RSASSA-PKCS1-v1_5", "SHA-256"),
            Algorithm::Rs384 => ("RSASSA-PKCS1-v1_5", "SHA-384"),
            Algorithm::Rs512 => ("RSASSA-PKCS1-v1_5", "SHA-512"),
            Algorithm::Es256 => ("ECDSA", "SHA-256"),
        };
        // Each kind of key takes what it needs of it.
        let algorithm = object(&[("name", name), ("hash", hash), ("namedCurve", "P-256")]);
        let text = |bytes: &[u8]| Base64UrlUnpadded::encode_string(bytes);
        let jwk = match key {
            PublicKey::Rsa { modulus, exponent } => {
                object(&[("kty", "RSA"), ("n", &text(modulus)), ("e", &text(exponent))])
            }
            PublicKey::P256 { x, y } => {
                object(&[("kty", "EC"), ("crv", "P-256"), ("x", &text(x)), ("y", &text(y))])
            }
        };
        let usages = Array::of1(&"verify".into());
        let key = settled(import_key("jwk", &jwk, &algorithm, false, &usages)).await;
        // Natively, a point that is not on the curve is found out with the signature.
        let key = key.map_err(|_| SignatureError::Signature)?;
        let (signature, signed) = (Uint8Array::from(signature), Uint8Array::from(signed));
        match settled(verify_signature(&algorithm, &key, &signature, &signed)).await {
            Ok(answer) if answer.is_truthy() => Ok(()),
            _ => Err(SignatureError::Signature),
        }
    }

    pub(super) async fn sha256(bytes: &[u8]) -> Result<Vec<u8>, DigestError> {
        let bytes = settled(digest("SHA-256", &Uint8Array::from(bytes))).await.map_err(|_| DigestError)?;
        Ok(Uint8Array::new(&bytes).to_vec())
    }

    pub(super) async fn hmac_sha256(key: &[u8], bytes: &[u8]) -> Result<Vec<u8>, DigestError> {
        let algorithm = object(&[("name", "HMAC"), ("hash", "SHA-256")]);
        let usages = Array::of1(&"sign".into());
        let key = settled(import_key("raw", &Uint8Array::from(key), &algorithm, false, &usages)).await;
        let key = key.map_err(|_| DigestError)?;
        let mac = settled(sign("HMAC", &key, &Uint8Array::from(bytes))).await.map_err(|_| DigestError)?;
        Ok(Uint8Array::new(&mac).to_vec())
    }

    async fn settled(promise: Result<Promise, JsValue>) -> Result<JsValue, JsValue> {
        JsFuture::from(promise?).await
    }

    fn object(members: &[(&str, &str)]) -> Object {
        let object = Object::new();
        for (name, value) in members {
            // A plain object takes every member.
            let _ = Reflect::set(object.unchecked_ref(), &(*name).into(), &(*value).into());
        }
        object
    }
}

#[cfg(test)]
mod tests {
    #[cfg(not(target_arch = "wasm32"))]
    use futures_test::test as async_test;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as async_test;

    use super::*;

    /// FIPS 180-4's example.
    #[async_test]
    async fn the_digest_of_abc_is_the_standards() {
        let digest = sha256(b"abc").await.unwrap();
        assert_eq!(digest[..4], [0xba, 0x78, 0x16, 0xbf]);
        assert_eq!(digest[28..], [0xf2, 0x00, 0x15, 0xad]);
    }

    /// RFC 4231, test case 2.
    #[async_test]
    async fn the_code_of_a_short_key_is_the_standards() {
        let code = hmac_sha256(b"Jefe", b"what do ya want for nothing?").await.unwrap();
        assert_eq!(code[..4], [0x5b, 0xdc, 0xc1, 0x46]);
        assert_eq!(code[28..], [0x64, 0xec, 0x38, 0x43]);
    }

    #[async_test]
    async fn a_key_that_is_none_is_told_apart_from_a_wrong_signature() {
        let number = |length: usize, last: u8| {
            let mut bytes = vec![0xff; length];
            bytes[length - 1] = last;
            bytes
        };
        let rsa = |length, last, exponent: &[u8]| PublicKey::Rsa {
            modulus: number(length, last),
            exponent: exponent.to_vec(),
        };
        let (e, short) = ([1, 0, 1], SignatureError::Key);
        for (key, error) in [
            (rsa(256, 0xfd, &e), SignatureError::Signature),
            (rsa(128, 0xfd, &e), short),
            (rsa(255, 0xfd, &e), short),
            (rsa(1024, 0xfd, &e), short),
            (rsa(256, 0xfe, &e), short),
            (rsa(256, 0xfd, &[1]), short),
            (rsa(256, 0xfd, &[2]), short),
            (rsa(256, 0xfd, &[]), short),
            (PublicKey::P256 { x: vec![1; 31], y: vec![1; 32] }, short),
            (PublicKey::P256 { x: vec![], y: vec![] }, short),
        ] {
            let algorithm =
                if matches!(key, PublicKey::Rsa { .. }) { Algorithm::Rs256 } else { Algorithm::Es256 };
            assert_eq!(verify(algorithm, &key, b"signed", &[1; 256]).await, Err(error), "{key:?}");
        }
        let nowhere = PublicKey::P256 { x: vec![1; 32], y: vec![1; 32] };
        let result = verify(Algorithm::Es256, &nowhere, b"signed", &[1; 64]).await;
        assert_eq!(result, Err(SignatureError::Signature));
    }

    #[test]
    fn zeros_before_a_number_mean_nothing() {
        assert_eq!(PublicKey::rsa("AP8", "AAEAAQ"), PublicKey::rsa("_w", "AQAB"));
        assert_eq!(PublicKey::rsa("-/-", "AQAB"), None);
    }

    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;
}
