//! Messages between the extension, the host program and the command line: what is read can be written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rolecall_core::json;
use rolecall_core::message::host::{ToHost, ToWorker};

fuzz_target!(|text: &str| {
    if let Ok(message) = json::from_str::<ToHost>(text) {
        json::from_str::<ToHost>(&json::to_string(&message)).unwrap();
    }
    if let Ok(message) = json::from_str::<ToWorker>(text) {
        json::from_str::<ToWorker>(&json::to_string(&message)).unwrap();
    }
});
