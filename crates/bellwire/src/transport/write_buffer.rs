//! Write buffer of one socket.

use std::cell::Cell;
use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, Bytes};

use crate::transport::EncodedFrame;

/// The maximum length of a frame that is copied, in bytes. Copying short frames together costs less
/// than a shared reference and a separate slice in the write.
const COPY_LIMIT: usize = 2 * 1024;
/// The maximum bytes that are copied for one socket. Further frames are queued as shared bytes, so
/// that a thousand slow readers do not hold a thousand copies.
const COPIED_LIMIT: usize = 16 * 1024;
/// The maximum slices in one vectored write: Linux's IOV_MAX.
const SLICES: usize = 1024;
/// The largest capacity that an empty queue keeps.
const KEPT_SLOTS: usize = 16;

thread_local! {
    /// The copy buffer of this thread, used by one socket after the other: a socket with nothing to
    /// write holds none.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Frames in order: short ones copied together in front, the others shared behind them.
#[derive(Default)]
pub(crate) struct WriteBuffer {
    copied: Vec<u8>,
    /// The bytes of `copied` that are written already.
    written: usize,
    shared: VecDeque<Bytes>,
    len: usize,
}

/// The slices of the next write.
pub(crate) enum NextWrite<'a> {
    One(&'a [u8]),
    Many(Vec<IoSlice<'a>>),
}

impl WriteBuffer {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Appends a frame that is shared with other sockets.
    pub(crate) fn push(&mut self, frame: &EncodedFrame) {
        let bytes = frame.bytes();
        if !self.copy(bytes) {
            self.len += bytes.len();
            self.shared.push_back(bytes.clone());
        }
    }

    /// Appends bytes of this socket only.
    pub(crate) fn push_bytes(&mut self, bytes: &[u8]) {
        if !self.copy(bytes) {
            self.len += bytes.len();
            self.shared.push_back(Bytes::copy_from_slice(bytes));
        }
    }

    /// Copies short bytes, unless shared frames have to be written first. Returns whether it did.
    fn copy(&mut self, bytes: &[u8]) -> bool {
        if !self.shared.is_empty()
            || bytes.len() > COPY_LIMIT
            || self.copied.len() + bytes.len() > COPIED_LIMIT
        {
            return false;
        }
        if self.copied.capacity() == 0 {
            self.copied = SPARE.take();
        }
        self.copied.extend_from_slice(bytes);
        self.len += bytes.len();
        true
    }

    /// The slices of the next write: everything, as a single slice if possible.
    pub(crate) fn next(&self) -> NextWrite<'_> {
        let copied = &self.copied[self.written..];
        match (copied, self.shared.len()) {
            (copied, 0) => NextWrite::One(copied),
            ([], 1) => NextWrite::One(&self.shared[0]),
            _ => {
                let copied = Some(copied).filter(|copied| !copied.is_empty());
                let slices = copied.into_iter().chain(self.shared.iter().map(AsRef::as_ref));
                NextWrite::Many(slices.take(SLICES).map(IoSlice::new).collect())
            }
        }
    }

    /// Removes bytes that were written.
    pub(crate) fn advance(&mut self, mut written: usize) {
        self.len -= written;
        let copied = written.min(self.copied.len() - self.written);
        self.written += copied;
        written -= copied;
        while written > 0 {
            let Some(first) = self.shared.front_mut() else { break };
            let taken = first.len().min(written);
            first.advance(taken);
            written -= taken;
            if first.is_empty() {
                self.shared.pop_front();
            }
        }
        if self.written == self.copied.len() {
            self.recycle();
        }
        if self.shared.is_empty() && self.shared.capacity() > KEPT_SLOTS {
            self.shared = VecDeque::new();
        }
    }

    fn recycle(&mut self) {
        let mut buffer = std::mem::take(&mut self.copied);
        buffer.clear();
        self.written = 0;
        SPARE.set(buffer);
    }

    /// Releases spare capacity. Called when the peer accepts no more bytes for now.
    pub(crate) fn shrink(&mut self) {
        if self.copied.capacity() > self.copied.len() {
            self.copied.drain(..self.written);
            self.copied.shrink_to_fit();
            self.written = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(length: usize, letter: u8) -> EncodedFrame {
        EncodedFrame::text(&vec![letter; length])
    }

    fn contents(buffer: &WriteBuffer) -> (usize, Vec<u8>) {
        match buffer.next() {
            NextWrite::One(one) => (1, one.to_vec()),
            NextWrite::Many(many) => {
                (many.len(), many.iter().flat_map(|slice| slice.to_vec()).collect())
            }
        }
    }

    #[test]
    fn short_frames_form_one_slice_and_long_ones_are_shared_in_order() {
        let mut buffer = WriteBuffer::default();
        let (short, long) = (text(100, b'a'), text(COPY_LIMIT + 1, b'b'));
        buffer.push(&short);
        buffer.push(&short);
        assert_eq!(contents(&buffer), (1, [short.bytes().as_ref(), short.bytes()].concat()));
        buffer.push(&long);
        buffer.push(&short);
        let expected =
            [short.bytes().as_ref(), short.bytes(), long.bytes(), short.bytes()].concat();
        assert_eq!(contents(&buffer), (3, expected));
    }

    #[test]
    fn after_a_partial_write_of_any_size_the_rest_comes_next() {
        let frames = [
            text(100, b'a'),
            text(COPY_LIMIT + 1, b'b'),
            text(5, b'c'),
            text(COPY_LIMIT * 4, b'd'),
        ];
        let whole = frames.iter().flat_map(|frame| frame.bytes().to_vec()).collect::<Vec<_>>();
        for step in [1, 7, 102, 103, 1000, whole.len()] {
            let mut buffer = WriteBuffer::default();
            frames.iter().for_each(|frame| buffer.push(frame));
            let mut seen = Vec::new();
            while buffer.len() > 0 {
                let (_, left) = contents(&buffer);
                assert_eq!(left.len(), buffer.len());
                let taken = step.min(left.len());
                seen.extend_from_slice(&left[..taken]);
                buffer.advance(taken);
                buffer.shrink();
            }
            assert_eq!(seen, whole, "in steps of {step}");
        }
    }

    #[test]
    fn a_stalled_socket_holds_few_copies_and_an_empty_buffer_holds_none() {
        let mut buffer = WriteBuffer::default();
        let frame = text(1000, b'a');
        (0..100).for_each(|_| buffer.push(&frame));
        assert!(buffer.copied.len() <= COPIED_LIMIT);
        assert_eq!(buffer.len(), 100 * frame.bytes().len());
        buffer.advance(buffer.len());
        assert_eq!((buffer.copied.capacity(), buffer.shared.capacity()), (0, 0));
    }
}
