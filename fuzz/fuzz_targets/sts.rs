//! What STS answers.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rolecall_core::platform::HttpResponse;
use rolecall_core::sts::read_credentials;

fuzz_target!(|answer: (u16, &[u8])| {
    let role = "arn:aws:iam::123456789012:role/example".parse().unwrap();
    let now = chrono::DateTime::from_timestamp(1_900_000_000, 0).unwrap();
    let response = HttpResponse::new(answer.0, answer.1.to_vec().into());
    if let Ok(credentials) = read_credentials(&response, &role, now) {
        assert!(credentials.expiration > now && !credentials.access_key_id.is_empty());
    }
});
