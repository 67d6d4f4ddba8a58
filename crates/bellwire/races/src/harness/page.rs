//! [`Page`]: a connection with the real event loop, and a simulated browser that logs the frames it
//! receives.

use std::collections::VecDeque;
use std::io;
use std::task::{Context, Poll, Waker};

use shuttle::future::{JoinHandle, block_on, spawn};

use crate::connection::Connection;
use crate::consumer::ConsumerDriver;
use crate::outbound::{Channel, Reader};
use crate::request::reservation::Reservation;
use crate::sync::{Arc, Mutex, PoisonError};
use crate::transport::EncodedFrame;
use crate::transport::Frame;
use crate::transport::{Incoming, Outgoing, Transport};
use crate::{Bellwire, Close, Consumer, Scope, Seq};

/// A log of frames and handler calls, in order, as text. Its lock is not a scheduling point,
/// because logging is not part of the race.
#[derive(Debug, Clone, Default)]
pub struct Log(Arc<std::sync::Mutex<Vec<String>>>);

impl Log {
    pub fn note(&self, line: impl Into<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line.into());
    }

    pub fn all(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Yields to other threads until this line was logged.
    pub fn wait_for(&self, line: &str) {
        while !self.all().iter().any(|logged| logged == line) {
            shuttle::thread::yield_now();
        }
    }

    /// The numbers of the patches for this selector, in order.
    pub fn numbers(&self, selector: &str) -> Vec<Seq> {
        let number = |line: String| line.strip_prefix(selector)?.strip_prefix(' ')?.parse().ok();
        self.all().into_iter().filter_map(number).collect()
    }
}

/// A handshake in progress: the reservation is made, and the response is being sent.
pub struct Handshake(Reservation);

/// An open page.
pub struct Page {
    end: Arc<Mutex<End>>,
    channel: Arc<Channel>,
    task: JoinHandle<Close>,
}

/// The browser's end of the transport.
#[derive(Debug, Default)]
struct End {
    incoming: VecDeque<String>,
    disconnected: bool,
    /// The transport is not ready for writes.
    writes_blocked: bool,
    /// Written frames are not flushed.
    flush_blocked: bool,
    waker: Option<Waker>,
}

struct TestTransport {
    end: Arc<Mutex<End>>,
    log: Log,
    /// The frames that were written and not flushed.
    unflushed: Vec<String>,
}

impl Handshake {
    /// Makes a reservation for this person.
    pub fn start(bellwire: &Bellwire, person: &str, query: &str) -> Self {
        let mut scope = Scope::new("/", query);
        scope.identity.person = Some(person.into());
        Self(
            Reservation::take(bellwire.clone(), scope)
                .unwrap_or_else(|rejection| panic!("{rejection}")),
        )
    }

    /// Completes the handshake and runs the connection.
    pub fn open(self, consumer: impl Consumer, log: &Log) -> Page {
        let end = Arc::default();
        let transport =
            TestTransport { end: Arc::clone(&end), log: log.clone(), unflushed: Vec::new() };
        let channel = self.0.channel.clone();
        let socket = self.0.socket(Box::new(transport), Reader::default());
        let connection = Connection::open(Box::new(ConsumerDriver::new(consumer, socket)));
        Page { end, channel, task: spawn(connection.run()) }
    }
}

impl std::fmt::Debug for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Page({})", self.channel.name)
    }
}

impl std::fmt::Debug for Handshake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Handshake({})", self.0.channel.name)
    }
}

impl Page {
    /// Sends a text frame to the server.
    pub fn send(&self, text: &str) {
        self.change(|end| end.incoming.push_back(text.to_owned()));
    }

    /// Sets whether the transport refuses further writes.
    pub fn block_writes(&self, blocked: bool) {
        self.change(|end| end.writes_blocked = blocked);
    }

    /// Sets whether written frames stay unflushed.
    pub fn block_flush(&self, blocked: bool) {
        self.change(|end| end.flush_blocked = blocked);
    }

    /// Returns whether the channel counts as write-blocked.
    pub fn is_write_blocked(&self) -> bool {
        self.channel.write_blocked_since().is_some()
    }

    /// Disconnects after the server has received all sent frames.
    pub fn disconnect(&self) {
        self.change(|end| end.disconnected = true);
    }

    /// Waits for the end of the connection.
    pub fn ended(self) -> Close {
        block_on(self.task).unwrap_or_else(|error| panic!("the connection's task failed: {error}"))
    }

    fn change(&self, change: impl FnOnce(&mut End)) {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut end);
        if let Some(waker) = end.waker.take() {
            waker.wake();
        }
    }
}

impl Transport for TestTransport {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        if !end.writes_blocked {
            return Poll::Ready(Ok(()));
        }
        end.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    fn write(&mut self, out: Outgoing) -> io::Result<()> {
        let line = match out {
            Outgoing::Frame(frame) => line(&frame),
            Outgoing::Close(close) => format!("close {} {}", close.code(), close.reason()),
        };
        let blocked = self.end.lock().unwrap_or_else(PoisonError::into_inner).flush_blocked;
        if blocked || !self.unflushed.is_empty() {
            self.unflushed.push(line);
        } else {
            self.log.note(line);
        }
        Ok(())
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.unflushed.is_empty() {
            return Poll::Ready(Ok(()));
        }
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        if end.flush_blocked {
            end.waker = Some(cx.waker().clone());
            return Poll::Pending;
        }
        self.unflushed.drain(..).for_each(|line| self.log.note(line));
        Poll::Ready(Ok(()))
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Option<Incoming>> {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = end.incoming.pop_front() {
            return Poll::Ready(Some(Incoming::Message(Frame::Text(text))));
        }
        // A browser answers a close with its own.
        if end.disconnected || self.log.all().iter().any(|line| line.starts_with("close")) {
            return Poll::Ready(None);
        }
        end.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

/// The log line of a frame: `<selector> <html>` for a patch, the text of an error, `answer <id>`
/// for an answer, else `ping`.
fn line(frame: &EncodedFrame) -> String {
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(&frame.payload()) else {
        return "ping".into();
    };
    let part = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
    match (part("error"), part("answer")) {
        (error, _) if !error.is_empty() => error,
        (_, answer) if !answer.is_empty() => format!("answer {answer}"),
        _ => format!("{} {}", part("selector"), part("html")),
    }
}
