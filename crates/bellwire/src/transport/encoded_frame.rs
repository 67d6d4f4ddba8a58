//! Encoded frames: header and payload, encoded once and shared by all sockets.

use bytes::Bytes;
use smallvec::SmallVec;

/// Opcodes of RFC 6455 §5.2, with the FIN bit.
const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const PING: u8 = 0x89;

/// A complete message in one frame, as a server sends it: without a mask. All sockets share the
/// same bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EncodedFrame(Bytes);

/// Frames that belong together, in order; usually one.
pub(crate) type EncodedFrames = SmallVec<[EncodedFrame; 1]>;

impl EncodedFrame {
    /// A text frame. The caller guarantees that the payload is UTF-8.
    pub(crate) fn text(payload: &[u8]) -> Self {
        Self::new(TEXT, payload)
    }

    pub(crate) fn binary(payload: &[u8]) -> Self {
        Self::new(BINARY, payload)
    }

    pub(crate) fn ping() -> Self {
        Self(Bytes::from_static(&[PING, 0]))
    }

    fn new(first: u8, payload: &[u8]) -> Self {
        // One allocation of the exact size: with spare capacity, sharing would take a second one.
        let frame = match payload.len() {
            short @ 0..126 => [&[first, short as u8], payload].concat(),
            middle @ 126..65536 => {
                [&[first, 126][..], &(middle as u16).to_be_bytes(), payload].concat()
            }
            long => [&[first, 127][..], &(long as u64).to_be_bytes(), payload].concat(),
        };
        Self(frame.into())
    }

    /// The frame's bytes, header included.
    pub(crate) fn bytes(&self) -> &Bytes {
        &self.0
    }

    #[cfg(any(feature = "sse", feature = "testing", test))]
    pub(crate) fn is_text(&self) -> bool {
        self.0[0] == TEXT
    }

    #[cfg(any(feature = "sse", feature = "testing", test))]
    pub(crate) fn is_ping(&self) -> bool {
        self.0[0] == PING
    }

    /// The payload, without the header.
    pub(crate) fn payload(&self) -> Bytes {
        let header = match self.0[1] {
            126 => 4,
            127 => 10,
            _ => 2,
        };
        self.0.slice(header..)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_takes_as_many_bytes_as_it_needs() {
        for (length, header) in [(0, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10)] {
            let payload = vec![b'x'; length];
            let frame = EncodedFrame::text(&payload);
            assert_eq!(frame.bytes().len(), header + length, "{length}");
            assert_eq!(frame.payload(), payload, "{length}");
            assert!(frame.is_text());
        }
        assert!(!EncodedFrame::binary(b"").is_text() && EncodedFrame::ping().is_ping());
    }
}
