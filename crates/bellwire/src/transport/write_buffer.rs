//! What waits to be written to one socket.

use std::cell::Cell;
use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, Bytes};

use crate::transport::EncodedFrame;

/// Frames up to this long are copied together: that costs less than a reference to share and a
/// buffer of its own in the write.
const COPY_LIMIT: usize = 2 * 1024;
/// How much is copied for one socket. What comes beyond it waits as shared bytes, so a thousand
/// slow readers do not hold a thousand copies.
const COPIED_LIMIT: usize = 16 * 1024;
/// How many buffers one write takes: Linux's IOV_MAX.
const SLICES: usize = 1024;
/// A queue that was longer than this once gives its memory back when it is empty.
const KEPT_SLOTS: usize = 16;

thread_local! {
    /// The room that this thread's sockets copy into, one after the other: a socket with nothing to
    /// write keeps none.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Frames in their order: short ones copied together in front, the others shared behind them.
#[derive(Default)]
pub(crate) struct WriteBuffer {
    copied: Vec<u8>,
    /// How much of `copied` is written.
    written: usize,
    shared: VecDeque<Bytes>,
    len: usize,
}

/// What one write takes.
pub(crate) enum NextWrite<'a> {
    One(&'a [u8]),
    Many(Vec<IoSlice<'a>>),
}

impl WriteBuffer {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Adds a frame that other sockets get as well.
    pub(crate) fn push(&mut self, frame: &EncodedFrame) {
        let bytes = frame.bytes();
        if !self.copy(bytes) {
            self.len += bytes.len();
            self.shared.push_back(bytes.clone());
        }
    }

    /// Adds bytes that are only this socket's.
    pub(crate) fn push_bytes(&mut self, bytes: &[u8]) {
        if !self.copy(bytes) {
            self.len += bytes.len();
            self.shared.push_back(Bytes::copy_from_slice(bytes));
        }
    }

    /// Copies what is short, if nothing waits that has to leave before it.
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

    /// What the next write takes: all of it, in one piece where it is one.
    pub(crate) fn next(&self) -> NextWrite<'_> {
        let copied = &self.copied[self.written..];
        match (copied, self.shared.len()) {
            (copied, 0) => NextWrite::One(copied),
            ([], 1) => NextWrite::One(&self.shared[0]),
            _ => {
                let copied = Some(copied).filter(|copied| !copied.is_empty());
                let pieces = copied.into_iter().chain(self.shared.iter().map(AsRef::as_ref));
                NextWrite::Many(pieces.take(SLICES).map(IoSlice::new).collect())
            }
        }
    }

    /// So many bytes are written.
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
        let mut room = std::mem::take(&mut self.copied);
        room.clear();
        self.written = 0;
        SPARE.set(room);
    }

    /// The other side takes no more for now: what is left stays in as little room as it needs.
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

    fn all(gathered: &WriteBuffer) -> (usize, Vec<u8>) {
        match gathered.next() {
            NextWrite::One(one) => (1, one.to_vec()),
            NextWrite::Many(many) => {
                (many.len(), many.iter().flat_map(|piece| piece.to_vec()).collect())
            }
        }
    }

    #[test]
    fn short_frames_leave_as_one_piece_and_long_ones_are_shared_all_in_their_order() {
        let mut gathered = WriteBuffer::default();
        let (short, long) = (text(100, b'a'), text(COPY_LIMIT + 1, b'b'));
        gathered.push(&short);
        gathered.push(&short);
        assert_eq!(all(&gathered), (1, [short.bytes().as_ref(), short.bytes()].concat()));
        gathered.push(&long);
        gathered.push(&short);
        let expected =
            [short.bytes().as_ref(), short.bytes(), long.bytes(), short.bytes()].concat();
        assert_eq!(all(&gathered), (3, expected));
    }

    #[test]
    fn whatever_a_write_takes_the_rest_is_what_comes_next() {
        let frames = [
            text(100, b'a'),
            text(COPY_LIMIT + 1, b'b'),
            text(5, b'c'),
            text(COPY_LIMIT * 4, b'd'),
        ];
        let whole = frames.iter().flat_map(|frame| frame.bytes().to_vec()).collect::<Vec<_>>();
        for step in [1, 7, 102, 103, 1000, whole.len()] {
            let mut gathered = WriteBuffer::default();
            frames.iter().for_each(|frame| gathered.push(frame));
            let mut seen = Vec::new();
            while gathered.len() > 0 {
                let (_, left) = all(&gathered);
                assert_eq!(left.len(), gathered.len());
                let taken = step.min(left.len());
                seen.extend_from_slice(&left[..taken]);
                gathered.advance(taken);
                gathered.shrink();
            }
            assert_eq!(seen, whole, "in steps of {step}");
        }
    }

    #[test]
    fn a_socket_that_takes_nothing_holds_few_copies_and_one_with_nothing_to_write_none() {
        let mut gathered = WriteBuffer::default();
        let frame = text(1000, b'a');
        (0..100).for_each(|_| gathered.push(&frame));
        assert!(gathered.copied.len() <= COPIED_LIMIT);
        assert_eq!(gathered.len(), 100 * frame.bytes().len());
        gathered.advance(gathered.len());
        assert_eq!((gathered.copied.capacity(), gathered.shared.capacity()), (0, 0));
    }
}
