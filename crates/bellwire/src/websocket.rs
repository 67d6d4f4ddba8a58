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
use crate::short::{self, Short};
use crate::stream::Stream;
use crate::{Close, GroupName, Limits, Seq};

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

/// The other side, as the connection's loop sees it: a socket, a stream of events, or a test.
pub(crate) trait Wire: Send {
    /// Ready while there is room for more to go out; otherwise nothing should be read either.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
    /// Adds to what goes out with the next flush.
    fn feed(&mut self, out: Outgoing) -> io::Result<()>;
    /// Adds a frame that others get as well.
    fn share(&mut self, frame: &Encoded) -> io::Result<()> {
        self.feed(Outgoing::Frame(frame.clone()))
    }
    /// Told that with what was fed last, the other side is at this number of a feed. Socket and test find it in the frame.
    fn reached(&mut self, _: &GroupName, _: Seq) {}
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

/// Where nobody is.
pub(crate) struct Nowhere;

impl Wire for Nowhere {
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::ErrorKind::NotConnected.into()))
    }

    fn feed(&mut self, _: Outgoing) -> io::Result<()> {
        Err(io::ErrorKind::NotConnected.into())
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::ErrorKind::NotConnected.into()))
    }

    fn poll_receive(&mut self, _: &mut Context<'_>) -> Poll<Option<Incoming>> {
        Poll::Ready(None)
    }
}

/// A WebSocket over any byte stream. Messages go out as whole frames of our own; the library reads, and answers what the
/// protocol asks to be answered.
///
/// Its reader comes with 8 KiB of room and keeps more after a long message. So a socket on which nothing comes in, or only short
/// messages, has none: it gets one with the first other bytes and gives it back when everything was read.
pub(crate) struct WebSocket<S> {
    reader: Reader<S>,
    /// How many bytes a message may have.
    longest: usize,
}

enum Reader<S> {
    Resting(Stream<S>),
    // Boxed: a socket that rests keeps no room for it.
    Awake(Box<WebSocketStream<Stream<S>>>),
    /// The closing handshake has begun: what the library knows of it must not be forgotten.
    Closing(Box<WebSocketStream<Stream<S>>>),
    /// Between two of the others.
    Changing,
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Speaks WebSocket on a stream whose handshake is done.
    pub(crate) fn new(io: S, limits: &Limits, counters: Arc<Counters>) -> Self {
        let reader = Reader::Resting(Stream::new(io, limits.fragments, counters));
        Self { reader, longest: limits.message_bytes }
    }

    fn stream(&mut self) -> &mut Stream<S> {
        match &mut self.reader {
            Reader::Resting(stream) => stream,
            Reader::Awake(socket) | Reader::Closing(socket) => socket.get_mut(),
            Reader::Changing => unreachable!("left within the same call"),
        }
    }

    /// The library's end of the socket.
    fn awake(&mut self) -> &mut WebSocketStream<Stream<S>> {
        self.reader = match std::mem::replace(&mut self.reader, Reader::Changing) {
            Reader::Resting(mut stream) => {
                stream.leave_first();
                let limits = tokio_websockets::Limits::default().max_payload_len(Some(self.longest));
                Reader::Awake(Box::new(ServerBuilder::new().limits(limits).serve(stream)))
            }
            other => other,
        };
        match &mut self.reader {
            Reader::Awake(socket) | Reader::Closing(socket) => socket,
            Reader::Resting(_) | Reader::Changing => unreachable!("woken above"),
        }
    }

    fn begin_closing(&mut self) {
        self.awake();
        self.reader = match std::mem::replace(&mut self.reader, Reader::Changing) {
            Reader::Awake(socket) => Reader::Closing(socket),
            other => other,
        };
    }

    fn rest(&mut self) {
        self.reader = match std::mem::replace(&mut self.reader, Reader::Changing) {
            Reader::Awake(socket) => Reader::Resting(socket.into_inner()),
            other => other,
        };
    }

    /// What comes in, from the library.
    fn poll_library(&mut self, cx: &mut Context<'_>) -> Poll<Option<Incoming>> {
        let socket = self.awake();
        let next = Pin::new(&mut *socket).poll_next(cx);
        if next.is_pending() {
            if socket.get_ref().too_many_fragments() {
                return Poll::Ready(Some(Incoming::Broken(Close::policy("too many fragments"))));
            }
            // Whatever the library has to say, such as a pong, is ours to write before it may be forgotten.
            let said = socket.flush_into_stream(cx);
            if said && socket.get_ref().at_rest() && matches!(self.reader, Reader::Awake(_)) {
                self.rest();
            }
            return Poll::Pending;
        }
        Poll::Ready(match ready!(next) {
            Some(Ok(message)) => Some(incoming(message)),
            Some(Err(error)) => broken(&error).map(Incoming::Broken),
            None => None,
        })
    }
}

/// Moves what the library has to say into our stream, which takes everything.
trait FlushIntoStream {
    fn flush_into_stream(&mut self, cx: &mut Context<'_>) -> bool;
}

impl<S: AsyncRead + AsyncWrite + Unpin> FlushIntoStream for WebSocketStream<Stream<S>> {
    fn flush_into_stream(&mut self, cx: &mut Context<'_>) -> bool {
        // Pending only when our stream could not write all of it at once: then it is in our queue.
        !matches!(Pin::new(self).poll_flush(cx), Poll::Ready(Err(_)))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Wire for WebSocket<S> {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_room(cx)
    }

    fn feed(&mut self, out: Outgoing) -> io::Result<()> {
        match out {
            Outgoing::Frame(frame) => self.stream().push(&frame),
            Outgoing::Close(close) => {
                self.begin_closing();
                Pin::new(self.awake()).start_send(close_frame(&close)).map_err(into_io)?;
            }
        }
        Ok(())
    }

    fn share(&mut self, frame: &Encoded) -> io::Result<()> {
        self.stream().push(frame);
        Ok(())
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.reader {
            Reader::Resting(stream) => Pin::new(stream).poll_flush(cx),
            Reader::Awake(socket) | Reader::Closing(socket) => {
                Pin::new(socket).poll_flush(cx).map_err(into_io)
            }
            Reader::Changing => unreachable!("left within the same call"),
        }
    }

    fn flowed(&mut self) -> bool {
        self.stream().flowed()
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Option<Incoming>> {
        if let Reader::Resting(stream) = &mut self.reader {
            match ready!(stream.poll_first(cx)) {
                Ok(true) => {}
                Ok(false) | Err(_) => return Poll::Ready(None),
            }
            match short::take(stream.first(), self.longest) {
                Some(Short::Text(text)) => return Poll::Ready(Some(Incoming::Message(Frame::Text(text)))),
                Some(Short::Pong) => return Poll::Ready(Some(Incoming::Heartbeat)),
                None => {}
            }
        }
        let received = self.poll_library(cx);
        if let Poll::Ready(Some(Incoming::Close(_) | Incoming::Broken(_))) = received {
            self.begin_closing();
        }
        received
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if ready!(self.poll_flush(cx)).is_err() {
            return Poll::Ready(());
        }
        let stream = self.stream();
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
