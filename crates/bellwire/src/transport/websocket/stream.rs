//! The byte stream under a socket. What goes out is gathered here and leaves in as few writes as
//! possible, for writes are what a delivery costs; what comes in is watched for messages that never
//! end.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::Counters;
use crate::transport::EncodedFrame;
use crate::transport::websocket::frame_tracker::FrameTracker;
use crate::transport::write_buffer::{NextWrite, WriteBuffer};

/// How many bytes may be gathered before the socket has to take some.
const HIGH_WATER: usize = 64 * 1024;
/// How many bytes a resting socket reads to wake up: most messages of a page are shorter.
const PEEK_BYTES: usize = 512;

/// A byte stream with a queue before it and a follower of frames behind it.
pub(crate) struct BufferedStream<S> {
    io: S,
    out: WriteBuffer,
    /// Whether the other side took anything since somebody asked.
    flowing: bool,
    frames: FrameTracker,
    fragments: usize,
    /// Read already, and to be read again by the protocol's reader.
    peeked: Bytes,
    counters: Arc<Counters>,
}

impl<S: AsyncRead + Unpin> BufferedStream<S> {
    /// Waits for bytes to come in, without room of its own for them. Returns whether any came: then
    /// [`peeked`](Self::peeked) has them.
    pub(crate) fn poll_peek(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        if self.peeked.is_empty() {
            let mut room = [0; PEEK_BYTES];
            let mut buffer = ReadBuf::new(&mut room);
            ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer))?;
            self.peeked = Bytes::copy_from_slice(buffer.filled());
        }
        Poll::Ready(Ok(!self.peeked.is_empty()))
    }

    /// What came in first, for whoever can do with it alone.
    pub(crate) fn peeked(&mut self) -> &mut Bytes {
        &mut self.peeked
    }

    /// Leaves what came in first to the protocol's reader: its next read has it.
    pub(crate) fn unread(&mut self) {
        self.frames.feed(&self.peeked);
    }

    /// Whether everything that came in so far was whole messages.
    pub(crate) fn is_between_messages(&self) -> bool {
        self.peeked.is_empty() && self.frames.is_between_messages()
    }
}

impl<S: AsyncWrite + Unpin> BufferedStream<S> {
    /// At most `fragments` frames may make one message.
    pub(crate) fn new(io: S, fragments: usize, counters: Arc<Counters>) -> Self {
        let frames = FrameTracker::default();
        let (out, peeked) = (WriteBuffer::default(), Bytes::new());
        Self { io, out, flowing: false, frames, fragments, peeked, counters }
    }

    /// Adds to what goes out with the next write.
    pub(crate) fn push(&mut self, frame: &EncodedFrame) {
        self.out.push(frame);
    }

    /// Ready while there is room for more.
    pub(crate) fn poll_capacity(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.out.len() >= HIGH_WATER {
            ready!(self.poll_write_some(cx))?;
        }
        Poll::Ready(Ok(()))
    }

    /// Whether the other side took anything since this was asked last.
    pub(crate) fn made_progress(&mut self) -> bool {
        std::mem::take(&mut self.flowing)
    }

    /// Whether the message that is coming in has more frames than it may have. Nothing more is read
    /// then.
    pub(crate) fn too_many_fragments(&self) -> bool {
        self.frames.unfinished > self.fragments
    }

    fn poll_write_some(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.counters.wrote();
        let Self { io, out, .. } = self;
        let io = Pin::new(io);
        let written = match out.next() {
            NextWrite::One(bytes) => io.poll_write(cx, bytes),
            NextWrite::Many(pieces) => io.poll_write_vectored(cx, &pieces),
        };
        if written.is_pending() {
            out.shrink();
        }
        let written = ready!(written)?;
        if written == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.flowing = true;
        self.out.advance(written);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for BufferedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.too_many_fragments() {
            // The reader asks `too_many_fragments` when it finds nothing, and does not wait.
            return Poll::Pending;
        }
        if !self.peeked.is_empty() {
            let fits = self.peeked.len().min(buf.remaining());
            buf.put_slice(&self.peeked.split_to(fits));
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        let read = Pin::new(&mut self.io).poll_read(cx, buf);
        if read.is_ready() {
            self.frames.feed(&buf.filled()[before..]);
        }
        read
    }
}

/// The protocol's own frames, such as pongs, queue behind ours.
impl<S: AsyncWrite + Unpin> AsyncWrite for BufferedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn so_much_is_gathered_and_then_the_other_side_has_to_take_some() {
        let (io, mut other) = tokio::io::duplex(1024);
        let mut stream = BufferedStream::new(io, 1, Arc::default());
        let mut cx = Context::from_waker(std::task::Waker::noop());
        let frame = EncodedFrame::text(&vec![b'x'; 1000]);
        let mut gathered = 0;
        while stream.poll_capacity(&mut cx).is_ready() {
            assert!(gathered < 2 * HIGH_WATER, "there is an end to it");
            stream.push(&frame);
            gathered += frame.bytes().len();
        }
        // What the pipe holds has left; what waits is one frame too much at most.
        assert!(
            (HIGH_WATER..HIGH_WATER + 1024 + frame.bytes().len()).contains(&gathered),
            "{gathered}"
        );
        let mut taken = [0; 1024];
        for _ in 0..2 {
            tokio::io::AsyncReadExt::read_exact(&mut other, &mut taken).await.unwrap();
            let _ = stream.poll_capacity(&mut cx);
        }
        assert!(stream.poll_capacity(&mut cx).is_ready(), "there is room again");
    }
}
