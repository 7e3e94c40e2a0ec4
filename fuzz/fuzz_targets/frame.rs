//! Frames of native messaging: none is read beyond the limit, whatever length it says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rolecall_core::message::frame;

fuzz_target!(|bytes: &[u8]| {
    let mut reader = bytes;
    while let Ok(Some(frame)) = frame::read_bytes(&mut reader) {
        assert!(frame.len() <= bytes.len());
    }
});
