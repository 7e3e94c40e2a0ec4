//! A provider's configuration.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rolecall_core::oidc::Metadata;
use rolecall_core::platform::HttpResponse;

fuzz_target!(|body: &[u8]| {
    let provider = rolecall_fuzz_provider();
    let _ = Metadata::read(&provider, &HttpResponse::new(200, body.to_vec().into()));
});

include!("provider.in");
