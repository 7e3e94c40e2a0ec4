//! Native-messaging frames: a 32-bit length in native byte order, then that many bytes of UTF-8 JSON.

use std::io::{self, Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

/// The largest frame either side sends or takes, in bytes without the length.
///
/// Browsers kill the port when a host sends one byte more than 1 MiB; the other way they allow 64 MiB.
pub const MAX_FRAME_BYTES: usize = 1024 * 1024;

/// Reads one message. `Ok(None)` means that the other side closed at a frame's border.
///
/// # Errors
/// `InvalidData` for a frame that is too large or does not hold such a message, `UnexpectedEof` for one that
/// breaks off, and whatever the reader says.
pub fn read<T: DeserializeOwned>(reader: &mut impl Read) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    let mut filled = 0;
    while filled < length.len() {
        match reader.read(&mut length[filled..]) {
            Ok(0) if filled == 0 => return Ok(None),
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let length = usize::try_from(u32::from_ne_bytes(length)).unwrap_or(usize::MAX);
    if length > MAX_FRAME_BYTES {
        return Err(invalid("the frame is larger than 1 MiB"));
    }
    // Frames may hold credentials: the buffer is wiped, whatever becomes of it.
    let mut body = Zeroizing::new(vec![0; length]);
    reader.read_exact(&mut body)?;
    // serde's own message may quote the frame, so only the fact is told.
    serde_json::from_slice(&body).map(Some).map_err(|_| invalid("the frame does not hold a known message"))
}

/// Writes one message and flushes.
///
/// # Errors
/// `InvalidData` for a message that is too large, and whatever the writer says.
pub fn write<T: Serialize>(writer: &mut impl Write, message: &T) -> io::Result<()> {
    let mut frame = Zeroizing::new(vec![0; 4]);
    serde_json::to_writer(&mut *frame, message)
        .map_err(|_| invalid("the message cannot be written as JSON"))?;
    let length = frame.len() - 4;
    if length > MAX_FRAME_BYTES {
        return Err(invalid("the message is larger than 1 MiB"));
    }
    let length = u32::try_from(length).map_err(|_| invalid("the message is larger than 1 MiB"))?;
    frame[..4].copy_from_slice(&length.to_ne_bytes());
    writer.write_all(&frame)?;
    writer.flush()
}

fn invalid(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    #[cfg(not(target_arch = "wasm32"))]
    use proptest::prelude::*;
    use serde_json::Value;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn a_message_of_exactly_one_mebibyte_passes_and_one_byte_more_does_not() {
        let text = |length: usize| "x".repeat(length - 2);
        assert!(write(&mut Vec::new(), &text(MAX_FRAME_BYTES)).is_ok());
        assert_eq!(
            write(&mut Vec::new(), &text(MAX_FRAME_BYTES + 1)).unwrap_err().kind(),
            io::ErrorKind::InvalidData
        );
        let claimed = u32::try_from(MAX_FRAME_BYTES + 1).unwrap().to_ne_bytes();
        assert_eq!(read::<Value>(&mut &claimed[..]).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn the_end_between_frames_is_an_end_and_within_one_an_error() {
        let mut frame = Vec::new();
        write(&mut frame, &"hello").unwrap();
        let mut reader = &frame[..];
        assert_eq!(read::<String>(&mut reader).unwrap().as_deref(), Some("hello"));
        assert_eq!(read::<String>(&mut reader).unwrap(), None);
        for cut in 1..frame.len() {
            assert!(read::<String>(&mut &frame[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[cfg(not(target_arch = "wasm32"))]

    proptest! {
        #[test]
        fn what_is_written_is_read_back(text in ".*") {
            let mut frame = Vec::new();
            write(&mut frame, &text).unwrap();
            prop_assert_eq!(read::<String>(&mut &frame[..]).unwrap(), Some(text));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = read::<Value>(&mut &bytes[..]);
        }
    }
}
