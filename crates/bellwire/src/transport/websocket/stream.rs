//! The byte stream below a WebSocket. Outgoing frames are buffered and written in as few calls as
//! possible, because writes dominate the cost of a delivery. Incoming frames are counted to detect
//! messages that never end.

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

/// The bytes that may be buffered before the socket has to accept some.
const HIGH_WATER: usize = 64 * 1024;
/// The bytes that an idle socket reads first: most messages of a page are shorter.
const PEEK_BYTES: usize = 512;

/// A byte stream with a write buffer and a tracker of incoming frames.
pub(crate) struct BufferedStream<S> {
    io: S,
    out: WriteBuffer,
    /// Whether the peer accepted any bytes since the last call of `made_progress`.
    flowing: bool,
    frames: FrameTracker,
    fragments: usize,
    /// Bytes that are read already and not yet consumed.
    peeked: Bytes,
    counters: Arc<Counters>,
}

impl<S: AsyncRead + Unpin> BufferedStream<S> {
    /// Waits for input, without keeping a buffer for it. Returns whether any arrived; it is then in
    /// [`peeked`](Self::peeked).
    pub(crate) fn poll_peek(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        if self.peeked.is_empty() {
            let mut bytes = [0; PEEK_BYTES];
            let mut buffer = ReadBuf::new(&mut bytes);
            ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer))?;
            self.peeked = Bytes::copy_from_slice(buffer.filled());
        }
        Poll::Ready(Ok(!self.peeked.is_empty()))
    }

    /// The bytes read by [`poll_peek`](Self::poll_peek), for the decoder of short messages.
    pub(crate) fn peeked(&mut self) -> &mut Bytes {
        &mut self.peeked
    }

    /// Leaves the peeked bytes to the library's reader: its next read returns them.
    pub(crate) fn unread(&mut self) {
        self.frames.feed(&self.peeked);
    }

    /// Whether all messages received so far are complete.
    pub(crate) fn is_between_messages(&self) -> bool {
        self.peeked.is_empty() && self.frames.is_between_messages()
    }
}

impl<S: AsyncWrite + Unpin> BufferedStream<S> {
    /// Wraps a stream on which one message may have at most `fragments` frames.
    pub(crate) fn new(io: S, fragments: usize, counters: Arc<Counters>) -> Self {
        let frames = FrameTracker::default();
        let (out, peeked) = (WriteBuffer::default(), Bytes::new());
        Self { io, out, flowing: false, frames, fragments, peeked, counters }
    }

    /// Appends a frame to the write buffer.
    pub(crate) fn push(&mut self, frame: &EncodedFrame) {
        self.out.push(frame);
    }

    /// Ready while the write buffer has capacity.
    pub(crate) fn poll_capacity(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.out.len() >= HIGH_WATER {
            ready!(self.poll_write_some(cx))?;
        }
        Poll::Ready(Ok(()))
    }

    /// Whether the peer accepted any bytes since the last call.
    pub(crate) fn made_progress(&mut self) -> bool {
        std::mem::take(&mut self.flowing)
    }

    /// Whether the unfinished message has more frames than allowed. Nothing more is read then.
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
        self.counters.wrote_bytes(written);
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
            // The caller checks `too_many_fragments` when a read is pending, and does not wait.
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

/// Frames of the library, such as pongs, are queued behind ours.
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
    async fn the_write_buffer_is_bounded_until_the_peer_accepts_some() {
        let (io, mut other) = tokio::io::duplex(1024);
        let mut stream = BufferedStream::new(io, 1, Arc::default());
        let mut cx = Context::from_waker(std::task::Waker::noop());
        let frame = EncodedFrame::text(&vec![b'x'; 1000]);
        let mut buffered = 0;
        while stream.poll_capacity(&mut cx).is_ready() {
            assert!(buffered < 2 * HIGH_WATER, "the buffer is bounded");
            stream.push(&frame);
            buffered += frame.bytes().len();
        }
        // The pipe holds what was written; the buffer exceeds the limit by one frame at most.
        assert!(
            (HIGH_WATER..HIGH_WATER + 1024 + frame.bytes().len()).contains(&buffered),
            "{buffered}"
        );
        let mut taken = [0; 1024];
        for _ in 0..2 {
            tokio::io::AsyncReadExt::read_exact(&mut other, &mut taken).await.unwrap();
            let _ = stream.poll_capacity(&mut cx);
        }
        assert!(stream.poll_capacity(&mut cx).is_ready(), "the buffer has capacity again");
    }
}
