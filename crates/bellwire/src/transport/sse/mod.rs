//! The transport over server-sent events: a bounded buffer between a connection's event loop and
//! the body of its response.

mod encoding;

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::Stream;

use self::encoding::END;
use crate::limits::MAX_FEEDS;
use crate::position::Position;
use crate::transport::{Incoming, Outgoing, Transport};

/// The bytes that may be buffered before the network has to accept some.
const HIGH_WATER: usize = 64 * 1024;
/// The maximum length of a chunk, in bytes: each chunk read shows that a slow reader is alive.
const CHUNK: usize = 16 * 1024;

/// Opens a transport and the body that reads from it. The reader is at the positions `since`, and
/// receives the notice for its developer first.
pub(crate) fn open(
    retry: u64,
    since: &[Position],
    notice: Option<&str>,
) -> (SseTransport, SseBody) {
    let mut pending = BytesMut::new();
    encoding::retry(&mut pending, retry);
    if let Some(text) = notice {
        encoding::notice(&mut pending, text);
    }
    let buffer = SharedBuffer::default();
    let events = SseBody(buffer.clone());
    let mut transport = SseTransport {
        pending,
        unfinished: false,
        positions: since.to_vec(),
        ended: false,
        buffer,
    };
    drop(transport.hand_over());
    (transport, events)
}

/// The event that sets the browser's retry time, in milliseconds.
pub(crate) fn retry(millis: u64) -> Bytes {
    let mut event = BytesMut::new();
    encoding::retry(&mut event, millis);
    event.freeze()
}

/// The event loop's end. It receives nothing but heartbeats that the network accepted, and the
/// disconnect of the reader.
pub(crate) struct SseTransport {
    /// Events that are written and not yet flushed.
    pending: BytesMut,
    /// Whether the last event is without its end, so that an id may follow.
    unfinished: bool,
    /// The reader's position in each feed.
    positions: Vec<Position>,
    ended: bool,
    buffer: SharedBuffer,
}

/// The body's end: a stream of chunks.
#[derive(Debug)]
pub(crate) struct SseBody(SharedBuffer);

#[derive(Debug, Clone, Default)]
struct SharedBuffer(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    waiting: BytesMut,
    end: Option<End>,
    /// Whether the body was dropped.
    disconnected: bool,
    /// Whether the reader accepted any bytes since the last call of `made_progress`.
    made_progress: bool,
    heartbeat: Heartbeat,
    /// The waker of the body, which waits for events.
    reader: Option<Waker>,
    /// The waker of the event loop, which waits for capacity and for input.
    writer: Option<Waker>,
}

#[derive(Debug)]
enum End {
    /// All events were delivered.
    Complete,
    /// The reader was too slow; the remaining events were dropped.
    Truncated,
}

/// The state of the last heartbeat. A reader of events cannot answer, so a heartbeat that the
/// network accepts counts as the answer.
#[derive(Debug, Default, PartialEq)]
enum Heartbeat {
    #[default]
    None,
    Pending,
    Accepted,
}

impl SharedBuffer {
    // A panic while the lock is held leaves bytes that are still whole events.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn poll_drained(&mut self, cx: &mut Context<'_>, limit: usize) -> Poll<io::Result<()>> {
        if self.disconnected {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if self.waiting.len() <= limit { Poll::Ready(Ok(())) } else { self.register_writer(cx) }
    }

    fn register_writer<T>(&mut self, cx: &Context<'_>) -> Poll<T> {
        self.writer = Some(cx.waker().clone());
        Poll::Pending
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

impl SseTransport {
    fn finish(&mut self) {
        if std::mem::take(&mut self.unfinished) {
            self.pending.put_slice(END);
        }
    }

    /// Moves the written events to the body.
    fn hand_over(&mut self) -> MutexGuard<'_, State> {
        self.finish();
        let mut state = self.buffer.lock();
        let pending = std::mem::take(&mut self.pending);
        let changed = !pending.is_empty() || self.ended;
        if state.waiting.is_empty() {
            state.waiting = pending;
        } else {
            state.waiting.extend_from_slice(&pending);
        }
        if self.ended {
            state.end.get_or_insert(End::Complete);
        }
        if changed {
            wake(&mut state.reader);
        }
        state
    }
}

impl Transport for SseTransport {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let state = match self.pending.len() {
            ..HIGH_WATER => return self.buffer.lock().poll_drained(cx, HIGH_WATER),
            _ => self.hand_over(),
        };
        { state }.poll_drained(cx, HIGH_WATER)
    }

    fn write(&mut self, out: Outgoing) -> io::Result<()> {
        self.finish();
        match out {
            Outgoing::Frame(frame) => {
                if frame.is_ping() {
                    self.buffer.lock().heartbeat = Heartbeat::Pending;
                }
                encoding::frame(&mut self.pending, &frame);
                self.unfinished = !frame.is_ping();
            }
            Outgoing::Close(close) => {
                encoding::close(&mut self.pending, &close);
                self.ended = true;
            }
        }
        Ok(())
    }

    /// Gives the last event this position as its id. If there is none, writes an event without
    /// data.
    fn note_position(&mut self, position: &Position) {
        match self.positions.iter().position(|known| known.feed == position.feed) {
            Some(index) => self.positions[index].at = position.at,
            None if self.positions.len() < MAX_FEEDS => self.positions.push(position.clone()),
            None => {}
        }
        encoding::id(&mut self.pending, &self.positions);
        self.unfinished = true;
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.hand_over().poll_drained(cx, 0)
    }

    fn made_progress(&mut self) -> bool {
        std::mem::take(&mut self.buffer.lock().made_progress)
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Option<Incoming>> {
        let mut state = self.buffer.lock();
        if state.disconnected {
            return Poll::Ready(None);
        }
        if state.heartbeat == Heartbeat::Accepted {
            state.heartbeat = Heartbeat::None;
            return Poll::Ready(Some(Incoming::Heartbeat));
        }
        state.register_writer(cx)
    }
}

impl Drop for SseTransport {
    /// Drops the events that are not yet read, so that a reader who never reads holds no memory.
    fn drop(&mut self) {
        let mut state = self.buffer.lock();
        let end = if state.waiting.is_empty() { End::Complete } else { End::Truncated };
        state.waiting = BytesMut::new();
        match end {
            End::Complete => drop(state.end.get_or_insert(end)),
            End::Truncated => state.end = Some(end),
        }
        wake(&mut state.reader);
    }
}

impl Stream for SseBody {
    type Item = io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut state = self.0.lock();
        if state.waiting.is_empty() {
            return match state.end {
                Some(End::Complete) => Poll::Ready(None),
                Some(End::Truncated) => {
                    state.end = Some(End::Complete);
                    Poll::Ready(Some(Err(io::ErrorKind::TimedOut.into())))
                }
                None => {
                    state.reader = Some(cx.waker().clone());
                    Poll::Pending
                }
            };
        }
        let length = state.waiting.len().min(CHUNK);
        let chunk = state.waiting.split_to(length).freeze();
        state.made_progress = true;
        if state.waiting.is_empty() {
            state.waiting = BytesMut::new(); // the last chunk owns its memory
            if state.heartbeat == Heartbeat::Pending {
                state.heartbeat = Heartbeat::Accepted;
            }
        }
        wake(&mut state.writer);
        Poll::Ready(Some(Ok(chunk)))
    }
}

impl Drop for SseBody {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.disconnected = true;
        state.waiting = BytesMut::new();
        wake(&mut state.writer);
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use futures_util::{FutureExt, StreamExt};

    use super::*;
    use crate::transport::EncodedFrame;

    fn write_text(transport: &mut SseTransport, text: &str) {
        transport.write(Outgoing::Frame(EncodedFrame::text(text.as_bytes()))).unwrap();
    }

    fn ready(poll: Poll<io::Result<()>>) -> bool {
        matches!(poll, Poll::Ready(Ok(())))
    }

    /// Reads everything that is available.
    fn read(events: &mut SseBody) -> String {
        let mut read = Vec::new();
        while let Some(Some(Ok(chunk))) = events.next().now_or_never() {
            assert!(chunk.len() <= CHUNK);
            read.extend_from_slice(&chunk);
        }
        String::from_utf8(read).unwrap()
    }

    #[test]
    fn unread_events_are_bounded_and_each_chunk_read_frees_capacity() {
        let mut cx = Context::from_waker(Waker::noop());
        let (mut transport, mut events) = open(1, &[], None);
        let text = "x".repeat(1_000);
        for _ in 0..10_000 {
            if ready(transport.poll_ready(&mut cx)) {
                write_text(&mut transport, &text);
            }
        }
        let waiting = transport.pending.len() + transport.buffer.lock().waiting.len();
        assert!((HIGH_WATER..3 * HIGH_WATER).contains(&waiting), "{waiting}");
        assert!(transport.poll_flush(&mut cx).is_pending() && !transport.made_progress());
        assert_eq!(events.next().now_or_never().unwrap().unwrap().unwrap().len(), CHUNK);
        assert!(
            transport.made_progress() && !transport.made_progress(),
            "a chunk counts as progress once"
        );
        assert!(read(&mut events).len() < waiting);
        assert!(ready(transport.poll_flush(&mut cx)) && ready(transport.poll_ready(&mut cx)));
        assert_eq!(transport.buffer.lock().waiting.capacity(), 0, "an idle stream keeps no memory");
    }

    #[test]
    fn a_position_is_sent_with_the_last_frame_or_by_itself() {
        let mut cx = Context::from_waker(Waker::noop());
        let at = |position: &str| Position::parse(position).unwrap();
        let (mut transport, mut events) = open(1, &[at("b:3f9.7")], None);
        write_text(&mut transport, "one");
        write_text(&mut transport, "two");
        transport.note_position(&at("a:3f9.1"));
        write_text(&mut transport, "three");
        let _ = transport.poll_flush(&mut cx);
        transport.note_position(&at("b:3f9.8"));
        let _ = transport.poll_flush(&mut cx);
        assert_eq!(
            read(&mut events),
            concat!(
                "retry: 1\n\ndata: one\n\ndata: two\nid: b:3f9.7,a:3f9.1\n\n",
                "data: three\n\nid: b:3f9.8,a:3f9.1\n\n"
            )
        );
    }

    #[test]
    fn an_accepted_heartbeat_and_a_disconnected_reader_are_noticed() {
        let mut cx = Context::from_waker(Waker::noop());
        let (mut transport, mut events) = open(1, &[], None);
        transport.write(Outgoing::Frame(EncodedFrame::ping())).unwrap();
        assert!(
            transport.poll_flush(&mut cx).is_pending()
                && transport.poll_receive(&mut cx).is_pending()
        );
        read(&mut events);
        assert!(matches!(transport.poll_receive(&mut cx), Poll::Ready(Some(Incoming::Heartbeat))));
        assert!(transport.poll_receive(&mut cx).is_pending(), "one answer per heartbeat");
        drop(events);
        assert!(matches!(transport.poll_receive(&mut cx), Poll::Ready(None)));
        assert!(matches!(transport.poll_flush(&mut cx), Poll::Ready(Err(_))));
    }
}
