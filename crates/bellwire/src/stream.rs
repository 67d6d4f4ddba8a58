//! The byte stream under a socket. What goes out is gathered here and leaves in as few writes as possible, for writes are what
//! a delivery costs; what comes in is watched for messages that never end.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::frame::Encoded;
use crate::gathered::{Gathered, Next};
use crate::layer::Counters;

/// How many bytes may be gathered before the socket has to take some.
const GATHERED: usize = 64 * 1024;
/// How many bytes a resting socket reads to wake up: most messages of a page are shorter.
const FIRST: usize = 512;

/// A byte stream with a queue before it and a follower of frames behind it.
pub(crate) struct Stream<S> {
    io: S,
    out: Gathered,
    /// Whether the other side took anything since somebody asked.
    flowing: bool,
    frames: Frames,
    fragments: usize,
    /// Read already, and to be read again by the protocol's reader.
    first: Bytes,
    counters: Arc<Counters>,
}

impl<S: AsyncRead + Unpin> Stream<S> {
    /// Waits for bytes to come in, without room of its own for them. Returns whether any came: then [`first`](Self::first) has them.
    pub(crate) fn poll_first(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        if self.first.is_empty() {
            let mut room = [0; FIRST];
            let mut buffer = ReadBuf::new(&mut room);
            ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer))?;
            self.first = Bytes::copy_from_slice(buffer.filled());
        }
        Poll::Ready(Ok(!self.first.is_empty()))
    }

    /// What came in first, for whoever can do with it alone.
    pub(crate) fn first(&mut self) -> &mut Bytes {
        &mut self.first
    }

    /// Leaves what came in first to the protocol's reader: its next read has it.
    pub(crate) fn leave_first(&mut self) {
        self.frames.see(&self.first);
    }

    /// Whether everything that came in so far was whole messages.
    pub(crate) fn at_rest(&self) -> bool {
        self.first.is_empty() && self.frames.at_rest()
    }
}

impl<S: AsyncWrite + Unpin> Stream<S> {
    /// At most `fragments` frames may make one message.
    pub(crate) fn new(io: S, fragments: usize, counters: Arc<Counters>) -> Self {
        let frames = Frames::default();
        let (out, first) = (Gathered::default(), Bytes::new());
        Self { io, out, flowing: false, frames, fragments, first, counters }
    }

    /// Adds to what goes out with the next write.
    pub(crate) fn push(&mut self, frame: &Encoded) {
        self.out.push(frame);
    }

    /// Ready while there is room for more.
    pub(crate) fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.out.len() >= GATHERED {
            ready!(self.poll_write_some(cx))?;
        }
        Poll::Ready(Ok(()))
    }

    /// Whether the other side took anything since this was asked last.
    pub(crate) fn flowed(&mut self) -> bool {
        std::mem::take(&mut self.flowing)
    }

    /// Whether the message that is coming in has more frames than it may have. Nothing more is read then.
    pub(crate) fn too_many_fragments(&self) -> bool {
        self.frames.unfinished > self.fragments
    }

    fn poll_write_some(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.counters.wrote();
        let Self { io, out, .. } = self;
        let io = Pin::new(io);
        let written = match out.next() {
            Next::One(bytes) => io.poll_write(cx, bytes),
            Next::Many(pieces) => io.poll_write_vectored(cx, &pieces),
        };
        if written.is_pending() {
            out.shrink();
        }
        let written = ready!(written)?;
        if written == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.flowing = true;
        self.out.take_off(written);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Stream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.too_many_fragments() {
            // The reader asks `too_many_fragments` when it finds nothing, and does not wait.
            return Poll::Pending;
        }
        if !self.first.is_empty() {
            let fits = self.first.len().min(buf.remaining());
            buf.put_slice(&self.first.split_to(fits));
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        let read = Pin::new(&mut self.io).poll_read(cx, buf);
        if read.is_ready() {
            self.frames.see(&buf.filled()[before..]);
        }
        read
    }
}

/// The protocol's own frames, such as pongs, queue behind ours.
impl<S: AsyncWrite + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.out.push_bytes(buf);
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.out.len() > 0 {
            ready!(self.poll_write_some(cx))?;
        }
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_flush(cx))?;
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// Follows the frames in a stream of bytes (RFC 6455 §5.2) as far as their headers go. It judges nothing: that is the
/// protocol's own reader's affair.
#[derive(Default)]
struct Frames {
    /// How many frames of the message that is coming in have begun, the last one not among them.
    unfinished: usize,
    /// The header that is coming in.
    header: [u8; 14],
    seen: usize,
    /// How much of a payload is still to come.
    payload: u64,
}

impl Frames {
    fn at_rest(&self) -> bool {
        self.unfinished == 0 && self.seen == 0 && self.payload == 0
    }

    fn see(&mut self, mut bytes: &[u8]) {
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

    #[tokio::test]
    async fn so_much_is_gathered_and_then_the_other_side_has_to_take_some() {
        let (io, mut other) = tokio::io::duplex(1024);
        let mut stream = Stream::new(io, 1, Arc::default());
        let mut cx = Context::from_waker(std::task::Waker::noop());
        let frame = Encoded::text(&vec![b'x'; 1000]);
        let mut gathered = 0;
        while stream.poll_room(&mut cx).is_ready() {
            assert!(gathered < 2 * GATHERED, "there is an end to it");
            stream.push(&frame);
            gathered += frame.bytes().len();
        }
        // What the pipe holds has left; what waits is one frame too much at most.
        assert!((GATHERED..GATHERED + 1024 + frame.bytes().len()).contains(&gathered), "{gathered}");
        let mut taken = [0; 1024];
        for _ in 0..2 {
            tokio::io::AsyncReadExt::read_exact(&mut other, &mut taken).await.unwrap();
            let _ = stream.poll_room(&mut cx);
        }
        assert!(stream.poll_room(&mut cx).is_ready(), "there is room again");
    }

    #[test]
    fn fragments_are_counted_however_the_bytes_arrive_and_control_frames_are_none() {
        let stream =
            [frame(0x01, 3), frame(0x89, 125), frame(0x00, 300), frame(0x00, 70_000), frame(0x00, 0)]
                .concat();
        for size in [1, 2, 3, 7, 1000, stream.len()] {
            let mut frames = Frames::default();
            stream.chunks(size).for_each(|chunk| frames.see(chunk));
            assert_eq!(frames.unfinished, 4, "in chunks of {size}");
            frames.see(&frame(0x80, 10));
            assert_eq!(frames.unfinished, 0, "the last one ends the message");
            frames.see(&frame(0x81, 10));
            assert_eq!(frames.unfinished, 0, "a message in one frame");
        }
    }
}
