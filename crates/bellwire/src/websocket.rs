//! One socket: frames in, frames out, all that waits in one write.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::{Sink, Stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_websockets::{CloseCode, Config, Error, Limits, Message, ServerBuilder, WebSocketStream};

use crate::action::Frame;
use crate::layer::Counters;
use crate::{Close, limits};

/// How many bytes may be gathered for one write before the socket has to take some.
const WRITE_BYTES: usize = 64 * 1024;

/// What goes out.
#[derive(Debug, Clone)]
pub(crate) enum Outgoing {
    /// Text, which the caller knows to be UTF-8.
    Text(Bytes),
    Binary(Bytes),
    Ping,
    Close(Close),
}

/// What comes in.
#[derive(Debug)]
pub(crate) enum Incoming {
    Message(Frame),
    /// A ping or a pong: the other side lives.
    Heartbeat,
    Close(Close),
}

/// The other side, as the connection's loop sees it: a socket, or a test.
pub(crate) trait Wire: Send {
    /// Ready while there is room for more to go out; otherwise nothing should be read either.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
    /// Adds to what goes out with the next flush.
    fn feed(&mut self, out: Outgoing) -> io::Result<()>;
    /// Writes all that was fed.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
    /// The next thing that came in; `None` when the connection is over.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Option<Incoming>>;
    /// Ends our half of the stream and waits for the end of theirs.
    fn poll_close(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
    /// Told when everything that waited has been dealt with. Only tests listen.
    fn idle(&mut self) {}
}

/// A WebSocket over any byte stream.
pub(crate) struct WebSocket<S> {
    stream: WebSocketStream<Counted<S>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Speaks WebSocket on a stream whose handshake is done.
    pub(crate) fn new(stream: S, limits: &limits::Limits, counters: Arc<Counters>) -> Self {
        let stream = ServerBuilder::new()
            .limits(Limits::default().max_payload_len(Some(limits.message_bytes)))
            .config(Config::default().frame_size(usize::MAX).flush_threshold(WRITE_BYTES))
            .serve(Counted { stream, counters });
        Self { stream }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Wire for WebSocket<S> {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_ready(cx).map_err(into_io)
    }

    fn feed(&mut self, out: Outgoing) -> io::Result<()> {
        Pin::new(&mut self.stream).start_send(message(out)).map_err(into_io)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx).map_err(into_io)
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Option<Incoming>> {
        loop {
            match ready!(Pin::new(&mut self.stream).poll_next(cx)) {
                Some(Ok(message)) => return Poll::Ready(incoming(message)),
                // The peer broke the protocol: its close frame is queued, and the next poll sends it and ends.
                Some(Err(Error::Protocol(_) | Error::PayloadTooLong { .. })) => {}
                Some(Err(_)) | None => return Poll::Ready(None),
            }
        }
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if ready!(Pin::new(&mut self.stream).poll_flush(cx)).is_err() {
            return Poll::Ready(());
        }
        let stream = self.stream.get_mut();
        if ready!(Pin::new(&mut *stream).poll_shutdown(cx)).is_err() {
            return Poll::Ready(());
        }
        // What still comes is thrown away here; left unread, it would make the kernel reset the connection and with it
        // the close frame that is under way.
        let mut rubbish = [0; 1024];
        loop {
            let mut buffer = ReadBuf::new(&mut rubbish);
            match ready!(Pin::new(&mut *stream).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {}
                _ => return Poll::Ready(()),
            }
        }
    }
}

fn message(out: Outgoing) -> Message {
    match out {
        Outgoing::Text(text) => Message::text(text),
        Outgoing::Binary(bytes) => Message::binary(bytes),
        Outgoing::Ping => Message::ping(Bytes::new()),
        Outgoing::Close(close) => Message::close(CloseCode::try_from(close.code()).ok(), close.reason()),
    }
}

fn incoming(message: Message) -> Option<Incoming> {
    if let Some((code, reason)) = message.as_close() {
        return Some(Incoming::Close(Close::received(code.into(), reason)));
    }
    if let Some(text) = message.as_text() {
        return Some(Incoming::Message(Frame::Text(text.to_owned())));
    }
    if message.is_binary() {
        return Some(Incoming::Message(Frame::Binary(message.into_payload().into())));
    }
    Some(Incoming::Heartbeat)
}

fn into_io(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        other => io::Error::other(other),
    }
}

/// A byte stream that counts its writes, which are what a delivery costs.
struct Counted<S> {
    stream: S,
    counters: Arc<Counters>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.counters.wrote();
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.counters.wrote();
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
