//! Transports: the WebSocket, server-sent events, and the trait that both implement.

mod close;
mod encoded_frame;
mod frame;
pub(crate) mod sse;
mod websocket;
mod write_buffer;

use crate::GroupName;
use crate::Seq;
use std::io;
use std::task::{Context, Poll};

pub use close::Close;
pub use frame::Frame;

pub(crate) use encoded_frame::{EncodedFrame, EncodedFrames};
pub(crate) use websocket::WebSocket;

/// What goes out.
#[derive(Debug, Clone)]
pub(crate) enum Outgoing {
    Frame(EncodedFrame),
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
pub(crate) trait Transport: Send {
    /// Ready while there is room for more to go out; otherwise nothing should be read either.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
    /// Adds to what goes out with the next flush.
    fn write(&mut self, out: Outgoing) -> io::Result<()>;
    /// Adds a frame that others get as well.
    fn write_shared(&mut self, frame: &EncodedFrame) -> io::Result<()> {
        self.write(Outgoing::Frame(frame.clone()))
    }
    /// Told that with what was fed last, the other side is at this number of a feed. Socket and test find it in the frame.
    fn note_position(&mut self, _: &GroupName, _: Seq) {}
    /// Writes all that was fed.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
    /// Whether the other side took anything since this was asked last.
    fn made_progress(&mut self) -> bool {
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
