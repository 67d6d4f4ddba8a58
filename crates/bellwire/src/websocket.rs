//! One socket: messages in, messages out.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::{Sink, Stream as _};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_websockets::proto::ProtocolError;
use tokio_websockets::{CloseCode, Error, Message, ServerBuilder, WebSocketStream};

use crate::action::Frame;
use crate::frame::Encoded;
use crate::layer::Counters;
use crate::stream::Stream;
use crate::{Close, Limits};

/// What goes out.
#[derive(Debug, Clone)]
pub(crate) enum Outgoing {
    Frame(Encoded),
    Close(Close),
}

/// What comes in.
#[derive(Debug)]
pub(crate) enum Incoming {
    Message(Frame),
    /// A ping or a pong: the other side lives.
    Heartbeat,
    /// The other side closed.
    Close(Close),
    /// The other side broke the protocol, and nothing after it means anything: this is how to close.
    Broken(Close),
}

/// The other side, as the connection's loop sees it: a socket, or a test.
pub(crate) trait Wire: Send {
    /// Ready while there is room for more to go out; otherwise nothing should be read either.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
    /// Adds to what goes out with the next flush.
    fn feed(&mut self, out: Outgoing) -> io::Result<()>;
    /// Writes all that was fed.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
    /// Whether the other side took anything since this was asked last.
    fn flowed(&mut self) -> bool {
        true
    }
    /// The next thing that came in; `None` when the connection is over.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Option<Incoming>>;
    /// Ends our half of the stream and waits for the end of theirs.
    fn poll_close(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
    /// Told when everything that waited has been dealt with. Only tests listen.
    fn idle(&mut self) {}
}

/// A WebSocket over any byte stream. Messages go out as whole frames of our own; the library reads, and answers what the
/// protocol asks to be answered.
pub(crate) struct WebSocket<S> {
    stream: WebSocketStream<Stream<S>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Speaks WebSocket on a stream whose handshake is done.
    pub(crate) fn new(io: S, limits: &Limits, counters: Arc<Counters>) -> Self {
        let most = tokio_websockets::Limits::default().max_payload_len(Some(limits.message_bytes));
        let stream = Stream::new(io, limits.fragments, counters);
        Self { stream: ServerBuilder::new().limits(most).serve(stream) }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Wire for WebSocket<S> {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.get_mut().poll_room(cx)
    }

    fn feed(&mut self, out: Outgoing) -> io::Result<()> {
        match out {
            Outgoing::Frame(frame) => self.stream.get_mut().push(frame.bytes().clone()),
            Outgoing::Close(close) => {
                Pin::new(&mut self.stream).start_send(close_frame(&close)).map_err(into_io)?;
            }
        }
        Ok(())
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx).map_err(into_io)
    }

    fn flowed(&mut self) -> bool {
        self.stream.get_mut().flowed()
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Option<Incoming>> {
        let next = Pin::new(&mut self.stream).poll_next(cx);
        if next.is_pending() && self.stream.get_ref().too_many_fragments() {
            return Poll::Ready(Some(Incoming::Broken(Close::policy("too many fragments"))));
        }
        Poll::Ready(match ready!(next) {
            Some(Ok(message)) => Some(incoming(message)),
            Some(Err(error)) => broken(&error).map(Incoming::Broken),
            None => None,
        })
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

fn close_frame(close: &Close) -> Message {
    match close.sendable().and_then(|code| CloseCode::try_from(code).ok()) {
        Some(code) => Message::close(Some(code), close.reason()),
        None => Message::close(None, ""),
    }
}

fn incoming(message: Message) -> Incoming {
    if let Some((code, reason)) = message.as_close() {
        return Incoming::Close(Close::received(code.into(), reason));
    }
    if message.is_text() {
        // Looked at once more: the library overlooks a character that the end of the message cuts off.
        let text = std::str::from_utf8(message.as_payload()).map(str::to_owned);
        return match text {
            Ok(text) => Incoming::Message(Frame::Text(text)),
            Err(_) => Incoming::Broken(Close::new(Close::NOT_UTF8, "text that is not UTF-8")),
        };
    }
    if message.is_binary() {
        return Incoming::Message(Frame::Binary(message.into_payload().into()));
    }
    Incoming::Heartbeat
}

/// How to close upon a broken rule; `None` when there is nobody left to tell.
fn broken(error: &Error) -> Option<Close> {
    match error {
        Error::PayloadTooLong { max_len, .. } => {
            Some(Close::new(Close::TOO_BIG, format!("a message holds at most {max_len} bytes")))
        }
        Error::Protocol(ProtocolError::InvalidUtf8) => {
            Some(Close::new(Close::NOT_UTF8, "text that is not UTF-8"))
        }
        Error::Protocol(error) => Some(Close::new(Close::PROTOCOL, error.to_string())),
        _ => None,
    }
}

fn into_io(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        other => io::Error::other(other),
    }
}
