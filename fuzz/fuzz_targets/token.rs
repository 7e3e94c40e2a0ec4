//! ID tokens: with any key set, none is taken that the provider's key has not signed; and whatever a provider signs, what is taken
//! is for this client and in time.
#![no_main]

use std::sync::LazyLock;

use base64ct::{Base64UrlUnpadded, Encoding};
use chrono::{DateTime, TimeDelta};
use libfuzzer_sys::fuzz_target;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use rolecall_core::oidc::{ExpectedToken, IdToken, KeySet, verify};
use rolecall_core::platform::HttpResponse;

static KEY: LazyLock<EcdsaKeyPair> = LazyLock::new(|| {
    let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
    let key = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(algorithm, key.as_ref(), &random).unwrap()
});

fuzz_target!(|input: (bool, &str, &str, &[u8])| {
    let (is_signed, header, claims, keys) = input;
    let encode = |bytes: &[u8]| Base64UrlUnpadded::encode_string(bytes);
    let signed = format!("{}.{}", encode(header.as_bytes()), encode(claims.as_bytes()));
    if is_signed {
        // An uncompressed point: a byte, x, y.
        let (x, y) = KEY.public_key().as_ref()[1..].split_at(32);
        let own =
            format!(r#"{{"keys":[{{"kty":"EC","crv":"P-256","x":"{}","y":"{}"}}]}}"#, encode(x), encode(y));
        let signature = KEY.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        if let Some(token) = read(&format!("{signed}.{}", encode(signature.as_ref())), own.as_bytes()) {
            assert!(token.issuer == "https://idp.example" && token.audience == "client");
            assert!(token.expires_at > now() - TimeDelta::seconds(300) && !token.person.sub.is_empty());
            assert!(!token.person.label().contains(char::is_control));
        }
    } else {
        assert!(read(&format!("{signed}.AAAA"), keys).is_none());
        assert!(read(claims, keys).is_none());
    }
});

fn read(token: &str, keys: &[u8]) -> Option<IdToken> {
    let response = HttpResponse::new(200, keys.to_vec().into());
    let keys = KeySet::read(&rolecall_fuzz_metadata(), &response).unwrap_or_default();
    let expected = ExpectedToken {
        issuer: "https://idp.example",
        client_id: "client",
        nonce: None,
        username_claim: None,
        roles_claim: Some("roles"),
        groups_claim: Some("groups"),
        clocks: (now(), None),
    };
    pollster::block_on(verify(token.to_owned().into(), &keys, expected)).ok()
}

fn now() -> DateTime<chrono::Utc> {
    DateTime::from_timestamp(1_900_000_000, 0).unwrap()
}

include!("provider.in");
