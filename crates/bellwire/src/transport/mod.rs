//! Transports: the WebSocket, server-sent events, and the trait that both implement.

mod close;
mod encoded_frame;
mod data_frame;
#[cfg(feature = "sse")]
pub(crate) mod sse;
mod websocket;
mod write_buffer;

use std::io;
use std::task::{Context, Poll};

use crate::position::Position;

pub use close::Close;
pub use data_frame::Frame;

pub(crate) use encoded_frame::{EncodedFrame, EncodedFrames};
pub(crate) use websocket::WebSocket;

/// A frame or close to write.
#[derive(Debug, Clone)]
pub(crate) enum Outgoing {
    Frame(EncodedFrame),
    Close(Close),
}

/// A message or event read from the peer.
#[derive(Debug)]
pub(crate) enum Incoming {
    Message(Frame),
    /// A ping or a pong: the peer is alive.
    Heartbeat,
    /// The peer closed.
    Close(Close),
    /// The peer violated the protocol, so that later input is meaningless; contains the close to
    /// send.
    Broken(Close),
}

/// The peer, as the event loop sees it: a WebSocket, an event stream, or a test.
pub(crate) trait Transport: Send {
    /// Ready while the write buffer has capacity. Until then the event loop reads nothing either.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
    /// Appends to the write buffer; the next flush sends it.
    fn write(&mut self, out: Outgoing) -> io::Result<()>;
    /// Appends a frame that is shared with other sockets.
    fn write_shared(&mut self, frame: &EncodedFrame) -> io::Result<()> {
        self.write(Outgoing::Frame(frame.clone()))
    }
    /// Called after a numbered frame is written; the peer is now at this position. A WebSocket needs
    /// no such call, since the frame contains the position.
    fn note_position(&mut self, _: &Position) {}
    /// Writes the whole write buffer.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
    /// Whether the peer accepted any bytes since the last call.
    fn made_progress(&mut self) -> bool {
        true
    }
    /// The next message or event; `None` after the end of the connection.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Option<Incoming>>;
    /// Shuts down our half of the stream and waits for the end of the peer's half.
    fn poll_close(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
    /// Called when the event loop has nothing left to do. Only tests implement it.
    fn idle(&mut self) {}
}

/// A transport without a peer.
pub(crate) struct Closed;

impl Transport for Closed {
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::ErrorKind::NotConnected.into()))
    }

    fn write(&mut self, _: Outgoing) -> io::Result<()> {
        Err(io::ErrorKind::NotConnected.into())
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::ErrorKind::NotConnected.into()))
    }

    fn poll_receive(&mut self, _: &mut Context<'_>) -> Poll<Option<Incoming>> {
        Poll::Ready(None)
    }
}
