//! A provider's key set.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rolecall_core::oidc::KeySet;
use rolecall_core::platform::HttpResponse;

fuzz_target!(|body: &[u8]| {
    if let Ok(keys) = KeySet::read(&rolecall_fuzz_metadata(), &HttpResponse::new(200, body.to_vec().into())) {
        let _ = keys.what_aws_refuses();
    }
});

include!("provider.in");
