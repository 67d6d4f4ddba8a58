//! A page with its connection: the loop that serves it in a site, and a browser's end that notes
//! what it sees.

use std::collections::VecDeque;
use std::io;
use std::task::{Context, Poll, Waker};

use shuttle::future::{JoinHandle, block_on, spawn};

use crate::connection::Connection;
use crate::outbound::Channel;
use crate::request::reservation::Reservation;
use crate::sync::{Arc, Mutex, PoisonError};
use crate::transport::EncodedFrame;
use crate::transport::Frame;
use crate::transport::{Incoming, Outgoing, Transport};
use crate::{Bellwire, Close, Consumer, Dialect, Scope};

/// What a page and its consumer saw, in order, as words. Its lock is no turn for others: noting is
/// not part of the race.
#[derive(Debug, Clone, Default)]
pub struct Sight(Arc<std::sync::Mutex<Vec<String>>>);

impl Sight {
    pub fn note(&self, words: impl Into<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(words.into());
    }

    pub fn all(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets others have their turns until this was seen.
    pub fn until(&self, words: &str) {
        while !self.all().iter().any(|seen| seen == words) {
            shuttle::thread::yield_now();
        }
    }

    /// The numbers that were patched into this selector, in order.
    pub fn numbers(&self, selector: &str) -> Vec<u64> {
        let number = |seen: String| seen.strip_prefix(selector)?.strip_prefix(' ')?.parse().ok();
        self.all().into_iter().filter_map(number).collect()
    }
}

/// A place that was taken: the answer to the handshake is on its way.
pub struct Promise(Reservation);

/// An open page.
pub struct Page {
    end: Arc<Mutex<End>>,
    channel: Arc<Channel>,
    serving: JoinHandle<Close>,
}

/// What lies between browser and server.
#[derive(Debug, Default)]
struct End {
    said: VecDeque<String>,
    gone: bool,
    /// The browser takes nothing for now.
    full: bool,
    /// What is written gets no further for now.
    held: bool,
    waker: Option<Waker>,
}

struct StageWire {
    end: Arc<Mutex<End>>,
    sight: Sight,
    /// What was written and is held.
    unseen: Vec<String>,
}

impl Promise {
    /// Takes a place for this person.
    pub fn take(bellwire: &Bellwire, person: &str, query: &str) -> Self {
        let mut scope = Scope::new("/", query);
        scope.identity.person = Some(person.into());
        Self(
            Reservation::take(bellwire.clone(), scope)
                .unwrap_or_else(|refused| panic!("{refused}")),
        )
    }

    /// The protocol has switched: the connection lives from here on.
    pub fn open(self, consumer: impl Consumer, sight: &Sight) -> Page {
        let end = Arc::default();
        let transport =
            StageWire { end: Arc::clone(&end), sight: sight.clone(), unseen: Vec::new() };
        let channel = self.0.channel.clone();
        let connection =
            Connection::open(Box::new(consumer), self.0.socket(Box::new(transport), Dialect::Json));
        Page { end, channel, serving: spawn(connection.run()) }
    }
}

impl std::fmt::Debug for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Page({})", self.channel.name)
    }
}

impl std::fmt::Debug for Promise {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Promise({})", self.0.channel.name)
    }
}

impl Page {
    pub fn say(&self, words: &str) {
        self.change(|end| end.said.push_back(words.to_owned()));
    }

    /// Takes nothing any more, until it is told otherwise.
    pub fn stall(&self, full: bool) {
        self.change(|end| end.full = full);
    }

    /// Shows nothing of what is written, until it is told otherwise.
    pub fn hold(&self, held: bool) {
        self.change(|end| end.held = held);
    }

    /// Whether it counts as one that accepts nothing.
    pub fn is_stuck(&self) -> bool {
        self.channel.write_blocked_since().is_some()
    }

    /// Goes, once everything that it said was heard.
    pub fn leave(&self) {
        self.change(|end| end.gone = true);
    }

    /// Waits for the end of the connection.
    pub fn ended(self) -> Close {
        block_on(self.serving)
            .unwrap_or_else(|error| panic!("the connection was given up: {error}"))
    }

    fn change(&self, change: impl FnOnce(&mut End)) {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut end);
        if let Some(waker) = end.waker.take() {
            waker.wake();
        }
    }
}

impl Transport for StageWire {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        if !end.full {
            return Poll::Ready(Ok(()));
        }
        end.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    fn write(&mut self, out: Outgoing) -> io::Result<()> {
        let words = match out {
            Outgoing::Frame(frame) => words(&frame),
            Outgoing::Close(close) => format!("close {} {}", close.code(), close.reason()),
        };
        let held = self.end.lock().unwrap_or_else(PoisonError::into_inner).held;
        if held || !self.unseen.is_empty() {
            self.unseen.push(words);
        } else {
            self.sight.note(words);
        }
        Ok(())
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.unseen.is_empty() {
            return Poll::Ready(Ok(()));
        }
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        if end.held {
            end.waker = Some(cx.waker().clone());
            return Poll::Pending;
        }
        self.unseen.drain(..).for_each(|words| self.sight.note(words));
        Poll::Ready(Ok(()))
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Option<Incoming>> {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(said) = end.said.pop_front() {
            return Poll::Ready(Some(Incoming::Message(Frame::Text(said))));
        }
        // A browser answers a close with its own.
        if end.gone || self.sight.all().iter().any(|seen| seen.starts_with("close")) {
            return Poll::Ready(None);
        }
        end.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

/// A patch as `<selector> <html>`, an error as its words, anything else as a ping.
fn words(frame: &EncodedFrame) -> String {
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(&frame.payload()) else {
        return "ping".into();
    };
    let part = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
    match part("error") {
        error if error.is_empty() => format!("{} {}", part("selector"), part("html")),
        error => error,
    }
}
