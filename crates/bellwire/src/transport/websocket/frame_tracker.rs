//! Tracker of message boundaries in the incoming bytes.

/// Parses the frame headers in a stream of bytes (RFC 6455 §5.2). It validates nothing: the
/// protocol library does.
#[derive(Default)]
pub(super) struct FrameTracker {
    /// The number of frames of the unfinished message that have begun, without the last one.
    pub(super) unfinished: usize,
    /// The header that is being received, and the length received so far.
    header: [u8; 14],
    seen: usize,
    /// The bytes of the payload that are not yet received.
    payload: u64,
}

impl FrameTracker {
    pub(super) fn is_between_messages(&self) -> bool {
        self.unfinished == 0 && self.seen == 0 && self.payload == 0
    }

    pub(super) fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.payload > 0 {
                let skipped = usize::try_from(self.payload).unwrap_or(usize::MAX).min(bytes.len());
                self.payload -= skipped as u64;
                bytes = &bytes[skipped..];
                continue;
            }
            self.header[self.seen] = bytes[0];
            self.seen += 1;
            bytes = &bytes[1..];
            if self.seen >= 2 && self.seen == self.header_len() {
                self.begin_payload();
            }
        }
    }

    fn header_len(&self) -> usize {
        let length = match self.header[1] & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let mask = if self.header[1] & 0x80 != 0 { 4 } else { 0 };
        2 + length + mask
    }

    fn begin_payload(&mut self) {
        let (is_last, opcode) = (self.header[0] & 0x80 != 0, self.header[0] & 0x0f);
        let is_control = opcode & 0x08 != 0;
        if !is_control {
            self.unfinished = if is_last { 0 } else { self.unfinished + 1 };
        }
        self.payload = match self.header[1] & 0x7f {
            126 => u64::from(u16::from_be_bytes([self.header[2], self.header[3]])),
            127 => self.header[2..10].iter().fold(0, |length, byte| length << 8 | u64::from(*byte)),
            short => u64::from(short),
        };
        self.seen = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(first: u8, payload: usize) -> Vec<u8> {
        let mut bytes = vec![first];
        match payload {
            short @ 0..126 => bytes.push(0x80 | short as u8),
            middle @ 126..65536 => {
                bytes.push(0x80 | 126);
                bytes.extend((middle as u16).to_be_bytes());
            }
            long => {
                bytes.push(0x80 | 127);
                bytes.extend((long as u64).to_be_bytes());
            }
        }
        bytes.extend(vec![0x55; 4 + payload]);
        bytes
    }

    #[test]
    fn fragments_are_counted_in_chunks_of_any_size_and_control_frames_are_not() {
        let stream = [
            frame(0x01, 3),
            frame(0x89, 125),
            frame(0x00, 300),
            frame(0x00, 70_000),
            frame(0x00, 0),
        ]
        .concat();
        for size in [1, 2, 3, 7, 1000, stream.len()] {
            let mut frames = FrameTracker::default();
            stream.chunks(size).for_each(|chunk| frames.feed(chunk));
            assert_eq!(frames.unfinished, 4, "in chunks of {size}");
            frames.feed(&frame(0x80, 10));
            assert_eq!(frames.unfinished, 0, "the last one ends the message");
            frames.feed(&frame(0x81, 10));
            assert_eq!(frames.unfinished, 0, "a message in one frame");
        }
    }
}
