//! The transport over a WebSocket.

mod frame_tracker;
mod short_message;
mod stream;

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::{Sink, Stream as _};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_websockets::proto::ProtocolError;
use tokio_websockets::{CloseCode, Error, Message, ServerBuilder, WebSocketStream};

use self::short_message::{ShortMessage, take_short};
use self::stream::BufferedStream;
use super::{Close, EncodedFrame, Frame, Incoming, Outgoing, Transport};
use crate::Limits;
use crate::layer_counters::Counters;

/// A WebSocket over any byte stream. Outgoing messages are written as complete encoded frames; the
/// protocol library reads, and answers pings and closes.
///
/// The library's reader allocates 8 KiB, and more after a long message. A socket that receives
/// nothing, or only short messages, therefore has none: it creates one for the first other input
/// and drops it when all input is read.
pub(crate) struct WebSocket<S> {
    reader: Reader<S>,
    /// The maximum length of a message, in bytes.
    message_bytes: usize,
}

enum Reader<S> {
    Idle(BufferedStream<S>),
    // Boxed, so that an idle socket reserves no memory for it.
    Reading(Box<WebSocketStream<BufferedStream<S>>>),
    /// The closing handshake has begun: the library's state of it must be kept.
    Closing(Box<WebSocketStream<BufferedStream<S>>>),
    /// A placeholder while one state replaces another.
    Changing,
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// A WebSocket over a stream whose handshake is done.
    pub(crate) fn new(io: S, limits: &Limits, counters: Arc<Counters>) -> Self {
        let reader = Reader::Idle(BufferedStream::new(io, limits.fragments, counters));
        Self { reader, message_bytes: limits.message_bytes }
    }

    fn stream(&mut self) -> &mut BufferedStream<S> {
        match &mut self.reader {
            Reader::Idle(stream) => stream,
            Reader::Reading(socket) | Reader::Closing(socket) => socket.get_mut(),
            Reader::Changing => unreachable!("left within the same call"),
        }
    }

    /// The library's reader, created if there is none.
    fn reader(&mut self) -> &mut WebSocketStream<BufferedStream<S>> {
        self.reader = match std::mem::replace(&mut self.reader, Reader::Changing) {
            Reader::Idle(mut stream) => {
                stream.unread();
                let limits =
                    tokio_websockets::Limits::default().max_payload_len(Some(self.message_bytes));
                Reader::Reading(Box::new(ServerBuilder::new().limits(limits).serve(stream)))
            }
            other => other,
        };
        match &mut self.reader {
            Reader::Reading(socket) | Reader::Closing(socket) => socket,
            Reader::Idle(_) | Reader::Changing => unreachable!("replaced above"),
        }
    }

    fn begin_closing(&mut self) {
        self.reader();
        self.reader = match std::mem::replace(&mut self.reader, Reader::Changing) {
            Reader::Reading(socket) => Reader::Closing(socket),
            other => other,
        };
    }

    fn release_reader(&mut self) {
        self.reader = match std::mem::replace(&mut self.reader, Reader::Changing) {
            Reader::Reading(socket) => Reader::Idle(socket.into_inner()),
            other => other,
        };
    }

    /// The next incoming message, read by the library.
    fn poll_library(&mut self, cx: &mut Context<'_>) -> Poll<Option<Incoming>> {
        let socket = self.reader();
        let next = Pin::new(&mut *socket).poll_next(cx);
        if next.is_pending() {
            if socket.get_ref().too_many_fragments() {
                return Poll::Ready(Some(Incoming::Broken(Close::policy("too many fragments"))));
            }
            // Output of the library, such as a pong, has to be in our write buffer before the
            // library's reader may be dropped.
            let flushed = socket.flush_into_stream(cx);
            if flushed
                && socket.get_ref().is_between_messages()
                && matches!(self.reader, Reader::Reading(_))
            {
                self.release_reader();
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

/// Moves the library's pending output into our stream, which accepts everything. Returns whether it
/// succeeded.
trait FlushIntoStream {
    fn flush_into_stream(&mut self, cx: &mut Context<'_>) -> bool;
}

impl<S: AsyncRead + AsyncWrite + Unpin> FlushIntoStream for WebSocketStream<BufferedStream<S>> {
    fn flush_into_stream(&mut self, cx: &mut Context<'_>) -> bool {
        // Pending only if our stream could not write everything: then it is in our write buffer.
        !matches!(Pin::new(self).poll_flush(cx), Poll::Ready(Err(_)))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Transport for WebSocket<S> {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_capacity(cx)
    }

    fn write(&mut self, out: Outgoing) -> io::Result<()> {
        match out {
            Outgoing::Frame(frame) => self.stream().push(&frame),
            Outgoing::Close(close) => {
                self.begin_closing();
                Pin::new(self.reader()).start_send(close_frame(&close)).map_err(into_io)?;
            }
        }
        Ok(())
    }

    fn write_shared(&mut self, frame: &EncodedFrame) -> io::Result<()> {
        self.stream().push(frame);
        Ok(())
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.reader {
            Reader::Idle(stream) => Pin::new(stream).poll_flush(cx),
            Reader::Reading(socket) | Reader::Closing(socket) => {
                Pin::new(socket).poll_flush(cx).map_err(into_io)
            }
            Reader::Changing => unreachable!("left within the same call"),
        }
    }

    fn made_progress(&mut self) -> bool {
        self.stream().made_progress()
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Option<Incoming>> {
        if let Reader::Idle(stream) = &mut self.reader {
            match ready!(stream.poll_peek(cx)) {
                Ok(true) => {}
                Ok(false) | Err(_) => return Poll::Ready(None),
            }
            match take_short(stream.peeked(), self.message_bytes) {
                Some(ShortMessage::Text(text)) => {
                    return Poll::Ready(Some(Incoming::Message(Frame::Text(text))));
                }
                Some(ShortMessage::Pong) => return Poll::Ready(Some(Incoming::Heartbeat)),
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
        // Discard further input: left unread, it would make the kernel reset the connection and
        // lose the close frame that is being sent.
        let mut discarded = [0; 1024];
        loop {
            let mut buffer = ReadBuf::new(&mut discarded);
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
        // Validated again: the library misses a character that is truncated by the end of the
        // message.
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

/// The close that answers a protocol error; `None` if the connection is lost.
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
