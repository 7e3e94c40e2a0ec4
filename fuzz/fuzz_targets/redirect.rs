//! The address at which the browser arrives: without the right state it gives no code.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rolecall_core::oidc::{ExpectedRedirect, read_redirect};
use rolecall_core::url::Url;

fuzz_target!(|text: &str| {
    let Ok(url) = text.parse::<Url>() else { return };
    let redirect_uri: Url = "https://abc.chromiumapp.org/".parse().unwrap();
    let metadata = rolecall_fuzz_metadata();
    let expected = ExpectedRedirect { redirect_uri: &redirect_uri, state: "mzE4Y0p2", metadata: &metadata };
    if read_redirect(&url, expected).is_ok() {
        assert!(url.query_pairs().any(|(name, value)| name == "state" && value == "mzE4Y0p2"));
    }
});

include!("provider.in");
