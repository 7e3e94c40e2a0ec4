//! ID tokens: none is taken that the provider's key has not signed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rolecall_core::oidc::{ExpectedToken, KeySet, verify};
use rolecall_core::platform::HttpResponse;

fuzz_target!(|input: (&str, &[u8])| {
    let metadata = rolecall_fuzz_metadata();
    let response = HttpResponse::new(200, input.1.to_vec().into());
    let keys = KeySet::read(&metadata, &response).unwrap_or_default();
    let expected = ExpectedToken {
        issuer: "https://idp.example",
        client_id: "client",
        nonce: None,
        username_claim: None,
        roles_claim: Some("roles"),
        clocks: (chrono::DateTime::from_timestamp(1_900_000_000, 0).unwrap(), None),
    };
    let _ = pollster::block_on(verify(input.0.to_owned().into(), &keys, expected));
});

include!("provider.in");
