//! What lies between a connection's loop and the body of its response: a bounded buffer, and word
//! of who is still there.

mod encoding;

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::Stream;

use self::encoding::END;
use crate::request::FEEDS;
use crate::transport::{Incoming, Outgoing, Transport};
use crate::{GroupName, Seq};

/// How many bytes may be gathered before the network has to take some.
const HIGH_WATER: usize = 64 * 1024;
/// The most that is handed on at once: a slow reader is seen to be alive by each piece.
const PIECE: usize = 16 * 1024;

/// Opens a pipe whose reader knows these positions.
pub(crate) fn open(retry: u64, since: &[(GroupName, Seq)]) -> (SseTransport, SseBody) {
    let mut gathered = BytesMut::new();
    encoding::retry(&mut gathered, retry);
    let buffer = SharedBuffer::default();
    let events = SseBody(buffer.clone());
    let mut transport = SseTransport {
        gathered,
        unfinished: false,
        positions: since.to_vec(),
        ended: false,
        buffer,
    };
    drop(transport.publish());
    (transport, events)
}

/// The event that sets the browser's retry time, in milliseconds.
pub(crate) fn retry(millis: u64) -> Bytes {
    let mut event = BytesMut::new();
    encoding::retry(&mut event, millis);
    event.freeze()
}

/// The loop's end. It hears nothing but that the other end took a heartbeat, or is gone.
pub(crate) struct SseTransport {
    /// What was fed and not flushed.
    gathered: BytesMut,
    /// Whether the last event may still get its id.
    unfinished: bool,
    /// Where the reader is in each feed.
    positions: Vec<(GroupName, Seq)>,
    ended: bool,
    buffer: SharedBuffer,
}

/// The body's end: pieces of whole events.
#[derive(Debug)]
pub(crate) struct SseBody(SharedBuffer);

#[derive(Debug, Clone, Default)]
struct SharedBuffer(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    waiting: BytesMut,
    end: Option<End>,
    /// Nobody reads any more.
    gone: bool,
    /// Whether something was taken since somebody asked.
    made_progress: bool,
    heartbeat: Heartbeat,
    /// The body, which waits for events.
    reader: Option<Waker>,
    /// The loop, which waits for room and for word of the reader.
    writer: Option<Waker>,
}

#[derive(Debug)]
enum End {
    /// Everything was said.
    Whole,
    /// The reader was too slow for what still waited.
    Cut,
}

/// A reader of events cannot answer. That the network takes a heartbeat is the sign of its life.
#[derive(Debug, Default, PartialEq)]
enum Heartbeat {
    #[default]
    None,
    Waits,
    QueuePoll,
}

impl SharedBuffer {
    // A panic while the lock is held leaves bytes that are still whole events.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn poll_taken(&mut self, cx: &mut Context<'_>, most: usize) -> Poll<io::Result<()>> {
        if self.gone {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if self.waiting.len() <= most { Poll::Ready(Ok(())) } else { self.sleep(cx) }
    }

    fn sleep<T>(&mut self, cx: &Context<'_>) -> Poll<T> {
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
            self.gathered.put_slice(END);
        }
    }

    /// Lets the body have what was gathered.
    fn publish(&mut self) -> MutexGuard<'_, State> {
        self.finish();
        let mut state = self.buffer.lock();
        let gathered = std::mem::take(&mut self.gathered);
        let news = !gathered.is_empty() || self.ended;
        if state.waiting.is_empty() {
            state.waiting = gathered;
        } else {
            state.waiting.extend_from_slice(&gathered);
        }
        if self.ended {
            state.end.get_or_insert(End::Whole);
        }
        if news {
            wake(&mut state.reader);
        }
        state
    }
}

impl Transport for SseTransport {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let state = match self.gathered.len() {
            ..HIGH_WATER => return self.buffer.lock().poll_taken(cx, HIGH_WATER),
            _ => self.publish(),
        };
        { state }.poll_taken(cx, HIGH_WATER)
    }

    fn write(&mut self, out: Outgoing) -> io::Result<()> {
        self.finish();
        match out {
            Outgoing::Frame(frame) => {
                if frame.is_ping() {
                    self.buffer.lock().heartbeat = Heartbeat::Waits;
                }
                encoding::frame(&mut self.gathered, &frame);
                self.unfinished = !frame.is_ping();
            }
            Outgoing::Close(close) => {
                encoding::close(&mut self.gathered, &close);
                self.ended = true;
            }
        }
        Ok(())
    }

    /// The last event takes the reader there; where nothing was to be shown, one without data does.
    fn note_position(&mut self, feed: &GroupName, seq: Seq) {
        match self.positions.iter().position(|(known, _)| known == feed) {
            Some(index) => self.positions[index].1 = seq,
            None if self.positions.len() < FEEDS => self.positions.push((feed.clone(), seq)),
            None => {}
        }
        encoding::id(&mut self.gathered, &self.positions);
        self.unfinished = true;
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.publish().poll_taken(cx, 0)
    }

    fn made_progress(&mut self) -> bool {
        std::mem::take(&mut self.buffer.lock().made_progress)
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Option<Incoming>> {
        let mut state = self.buffer.lock();
        if state.gone {
            return Poll::Ready(None);
        }
        if state.heartbeat == Heartbeat::QueuePoll {
            state.heartbeat = Heartbeat::None;
            return Poll::Ready(Some(Incoming::Heartbeat));
        }
        state.sleep(cx)
    }
}

impl Drop for SseTransport {
    /// What nobody took until now is dropped, so that a reader who never reads keeps nothing here.
    fn drop(&mut self) {
        let mut state = self.buffer.lock();
        let end = if state.waiting.is_empty() { End::Whole } else { End::Cut };
        state.waiting = BytesMut::new();
        match end {
            End::Whole => drop(state.end.get_or_insert(end)),
            End::Cut => state.end = Some(end),
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
                Some(End::Whole) => Poll::Ready(None),
                Some(End::Cut) => {
                    state.end = Some(End::Whole);
                    Poll::Ready(Some(Err(io::ErrorKind::TimedOut.into())))
                }
                None => {
                    state.reader = Some(cx.waker().clone());
                    Poll::Pending
                }
            };
        }
        let piece = state.waiting.len().min(PIECE);
        let piece = state.waiting.split_to(piece).freeze();
        state.made_progress = true;
        if state.waiting.is_empty() {
            state.waiting = BytesMut::new(); // its memory goes with the last piece
            if state.heartbeat == Heartbeat::Waits {
                state.heartbeat = Heartbeat::QueuePoll;
            }
        }
        wake(&mut state.writer);
        Poll::Ready(Some(Ok(piece)))
    }
}

impl Drop for SseBody {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.gone = true;
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

    fn feed(transport: &mut SseTransport, text: &str) {
        transport.write(Outgoing::Frame(EncodedFrame::text(text.as_bytes()))).unwrap();
    }

    fn ready(poll: Poll<io::Result<()>>) -> bool {
        matches!(poll, Poll::Ready(Ok(())))
    }

    /// What can be read now.
    fn read(events: &mut SseBody) -> String {
        let mut read = Vec::new();
        while let Some(Some(Ok(piece))) = events.next().now_or_never() {
            assert!(piece.len() <= PIECE);
            read.extend_from_slice(&piece);
        }
        String::from_utf8(read).unwrap()
    }

    #[test]
    fn what_nobody_takes_is_bounded_and_room_comes_with_each_piece() {
        let mut cx = Context::from_waker(Waker::noop());
        let (mut transport, mut events) = open(1, &[]);
        let text = "x".repeat(1_000);
        for _ in 0..10_000 {
            if ready(transport.poll_ready(&mut cx)) {
                feed(&mut transport, &text);
            }
        }
        let waiting = transport.gathered.len() + transport.buffer.lock().waiting.len();
        assert!((HIGH_WATER..3 * HIGH_WATER).contains(&waiting), "{waiting}");
        assert!(transport.poll_flush(&mut cx).is_pending() && !transport.made_progress());
        assert_eq!(events.next().now_or_never().unwrap().unwrap().unwrap().len(), PIECE);
        assert!(
            transport.made_progress() && !transport.made_progress(),
            "a piece is a sign of life, once"
        );
        assert!(read(&mut events).len() < waiting);
        assert!(ready(transport.poll_flush(&mut cx)) && ready(transport.poll_ready(&mut cx)));
        assert_eq!(
            transport.buffer.lock().waiting.capacity(),
            0,
            "a resting stream keeps no memory"
        );
    }

    #[test]
    fn a_number_goes_with_the_last_frame_or_by_itself() {
        let mut cx = Context::from_waker(Waker::noop());
        let group = |name: &str| GroupName::new(name).unwrap();
        let (mut transport, mut events) = open(1, &[(group("b"), 7)]);
        feed(&mut transport, "one");
        feed(&mut transport, "two");
        transport.note_position(&group("a"), 1);
        feed(&mut transport, "three");
        let _ = transport.poll_flush(&mut cx);
        transport.note_position(&group("b"), 8);
        let _ = transport.poll_flush(&mut cx);
        assert_eq!(
            read(&mut events),
            "retry: 1\n\ndata: one\n\ndata: two\nid: b:7,a:1\n\ndata: three\n\nid: b:8,a:1\n\n"
        );
    }

    #[test]
    fn a_heartbeat_that_is_taken_is_heard_and_a_reader_who_is_gone_is_noticed() {
        let mut cx = Context::from_waker(Waker::noop());
        let (mut transport, mut events) = open(1, &[]);
        transport.write(Outgoing::Frame(EncodedFrame::ping())).unwrap();
        assert!(
            transport.poll_flush(&mut cx).is_pending()
                && transport.poll_receive(&mut cx).is_pending()
        );
        read(&mut events);
        assert!(matches!(transport.poll_receive(&mut cx), Poll::Ready(Some(Incoming::Heartbeat))));
        assert!(transport.poll_receive(&mut cx).is_pending(), "one answer for one question");
        drop(events);
        assert!(matches!(transport.poll_receive(&mut cx), Poll::Ready(None)));
        assert!(matches!(transport.poll_flush(&mut cx), Poll::Ready(Err(_))));
    }
}
