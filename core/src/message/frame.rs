//! Native-messaging frames: a 32-bit length in native byte order, then that many bytes of UTF-8 JSON.

use std::io::{self, Read, Write};

use zeroize::Zeroizing;

use crate::json::{self, ReadJson, WriteJson};
use crate::{Code, Problem};

/// The largest frame either side sends or takes, in bytes without the length.
///
/// Browsers kill the port when a host sends one byte more than 1 MiB; the other way they allow 64 MiB.
pub const MAX_FRAME_BYTES: usize = 1024 * 1024;

/// Reads one message. `Ok(None)` means that the other side closed at a frame's border.
///
/// # Errors
/// As for [`read_bytes`], and `InvalidData` for a frame that does not hold such a message.
pub fn read<T: ReadJson>(reader: &mut impl Read) -> io::Result<Option<T>> {
    read_bytes(reader)?.map(|frame| parse(&frame)).transpose()
}

/// Reads one frame's content, which is zeroed when it is dropped: it may hold credentials.
///
/// # Errors
/// `InvalidData` for a frame that is too large, after it was skipped; `UnexpectedEof` for one that breaks off, and
/// whatever the reader says.
pub fn read_bytes(reader: &mut impl Read) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
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
    let length = u32::from_ne_bytes(length);
    match usize::try_from(length) {
        Ok(length) if length <= MAX_FRAME_BYTES => {
            let mut body = Zeroizing::new(vec![0; length]);
            reader.read_exact(&mut body)?;
            Ok(Some(body))
        }
        _ => {
            // What comes after it can be read.
            io::copy(&mut reader.take(length.into()), &mut io::sink())?;
            Err(invalid("the frame is larger than 1 MiB"))
        }
    }
}

/// Reads a message from a frame's content.
///
/// # Errors
/// `InvalidData` if it does not hold such a message.
pub fn parse<T: ReadJson>(frame: &[u8]) -> io::Result<T> {
    json::from_slice(frame).map_err(|_| invalid("the frame does not hold a known message"))
}

/// Writes one message and flushes.
///
/// # Errors
/// `InvalidData` for a message that is too large, of which nothing is written, and whatever the writer says.
pub fn write<T: WriteJson>(writer: &mut impl Write, message: &T) -> io::Result<()> {
    let frame = encode(message).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    writer.write_all(&frame)?;
    writer.flush()
}

/// Writes a response and flushes. One that is too large gives way to the error that `instead` makes of the reason.
///
/// # Errors
/// Whatever the writer says.
pub fn write_response<T: WriteJson>(
    writer: &mut impl Write,
    response: &T,
    instead: impl FnOnce(Problem) -> T,
) -> io::Result<()> {
    match encode(response) {
        Ok(frame) => {
            writer.write_all(&frame)?;
            writer.flush()
        }
        Err(error) => write(writer, &instead(error.into())),
    }
}

/// A message with its length before it.
///
/// # Errors
/// For a message that is too large.
pub fn encode<T: WriteJson>(message: &T) -> Result<Zeroizing<Vec<u8>>, EncodeError> {
    let text = json::to_string(message);
    let bytes = text.len();
    let length = u32::try_from(bytes).ok().filter(|_| bytes <= MAX_FRAME_BYTES);
    let length = length.ok_or(EncodeError { bytes })?;
    Ok(Zeroizing::new([length.to_ne_bytes().as_slice(), text.as_bytes()].concat()))
}

/// A message is too large to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("A message of {bytes} bytes is larger than the 1 MiB that browsers allow.")]
pub struct EncodeError {
    /// Without the length.
    bytes: usize,
}

impl From<EncodeError> for Problem {
    fn from(error: EncodeError) -> Self {
        Self::new(Code::MessageTooLarge, error.to_string())
    }
}

/// How many bytes a message takes as JSON.
pub fn json_size(message: &dyn WriteJson) -> usize {
    json::to_string(message).len()
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
    fn a_frame_that_is_too_large_is_skipped_and_the_next_one_read() {
        let mut frames = u32::try_from(MAX_FRAME_BYTES + 1).unwrap().to_ne_bytes().to_vec();
        frames.resize(frames.len() + MAX_FRAME_BYTES + 1, b' ');
        write(&mut frames, &"next").unwrap();
        let mut reader = &frames[..];
        assert_eq!(read::<String>(&mut reader).unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(read::<String>(&mut reader).unwrap().as_deref(), Some("next"));
    }

    #[test]
    fn a_response_that_is_too_large_gives_way_to_an_error() {
        let mut frames = Vec::new();
        let large = "x".repeat(MAX_FRAME_BYTES);
        write_response(&mut frames, &large, |problem| problem.code.clone()).unwrap();
        assert_eq!(read::<String>(&mut &frames[..]).unwrap().as_deref(), Some("message-too-large"));
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
