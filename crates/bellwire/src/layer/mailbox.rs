//! What waits for one socket.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::delivery::{Body, Delivery};
use crate::{Close, GroupName};

/// A queue that was longer than this once gives its memory back when it is empty.
const KEPT_SLOTS: usize = 32;

/// One thing that waits.
pub(crate) enum Mail {
    Delivery(Arc<Delivery>),
    /// Ask the other side whether it lives.
    Ping,
    /// The socket was taken out of this group.
    Expelled(GroupName),
}

impl Mail {
    fn weight(&self) -> usize {
        match self {
            Self::Delivery(delivery) => delivery.weight,
            Self::Ping | Self::Expelled(_) => 0,
        }
    }

    fn is_of(&self, group: &GroupName) -> bool {
        matches!(self, Self::Delivery(delivery) if delivery.group == *group)
    }
}

/// What was dropped when the queue overflowed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Lost {
    /// Numbered changes: each feed catches up by its numbers.
    pub(crate) numbered: bool,
    /// Events and patches without a number: only the consumer can say what to do.
    pub(crate) unnumbered: bool,
}

impl Lost {
    fn note(&mut self, mail: &Mail) {
        if let Mail::Delivery(delivery) = mail {
            match &delivery.body {
                Body::Frames(frames) if frames.seq().is_some() => self.numbered = true,
                _ => self.unnumbered = true,
            }
        }
    }

    fn any(self) -> bool {
        self.numbered || self.unnumbered
    }
}

/// What a socket's loop finds.
pub(crate) enum Taken {
    /// Everything was dealt with.
    Empty,
    /// The loop asked to stop at this one.
    Stopped(Mail),
    /// The queue had overflowed and was dropped.
    Lost(Lost),
    /// The socket is to close.
    Close(Close),
}

/// A queue bounded in messages and bytes. When it overflows it is dropped as a whole: whoever is that far behind is
/// quicker to bring up to date from the source of truth. The reader notices by [`Taken::Lost`].
pub(crate) struct Mailbox {
    state: Mutex<State>,
    messages: usize,
    bytes: usize,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Mail>,
    bytes: usize,
    lost: Lost,
    close: Option<Close>,
    /// Closed mailboxes take nothing more: what is sent after a kick is never delivered.
    closed: bool,
    waker: Option<Waker>,
}

impl Mailbox {
    pub(crate) fn new(messages: usize, bytes: usize) -> Self {
        Self { state: Mutex::new(State::default()), messages, bytes }
    }

    // A panic while the lock is held leaves a queue that is still a queue.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds one more; `false` when the queue overflowed and was dropped.
    pub(crate) fn push(&self, mail: Mail) -> bool {
        let mut state = self.lock();
        if state.closed {
            return true;
        }
        let fits = state.queue.len() < self.messages && state.bytes + mail.weight() <= self.bytes;
        // A single message larger than the bound passes through an empty queue: it exists already and is shared.
        let fits = fits || state.queue.is_empty();
        if fits {
            state.bytes += mail.weight();
            state.queue.push_back(mail);
        } else {
            state.overflow(&mail);
        }
        state.wake();
        fits
    }

    /// The socket is to close, and nothing that waits or comes later is delivered. The first reason stays.
    pub(crate) fn close(&self, close: Close) {
        let mut state = self.lock();
        if !state.closed {
            state.closed = true;
            state.close = Some(close);
            state.queue = VecDeque::new();
            state.bytes = 0;
            state.lost = Lost::default();
        }
        state.wake();
    }

    /// Drops what waits from this group, and lets the loop know that it is out of it.
    pub(crate) fn expel(&self, group: &GroupName) {
        let mut state = self.lock();
        if !state.closed {
            state.queue.retain(|mail| !mail.is_of(group));
            state.bytes = state.queue.iter().map(Mail::weight).sum();
            state.queue.push_back(Mail::Expelled(group.clone()));
        }
        state.wake();
    }

    /// Only the order to close, which outranks everything that waits.
    pub(crate) fn poll_close(&self, cx: &mut Context<'_>) -> Poll<Close> {
        let mut state = self.lock();
        match state.close.take() {
            Some(close) => Poll::Ready(close),
            None => state.sleep(cx),
        }
    }

    /// Hands on what waits, one by one and under the lock, so that nothing is delivered after an expulsion or a kick.
    /// `deal` returns what it cannot deal with at once.
    pub(crate) fn poll_take(
        &self,
        cx: &mut Context<'_>,
        mut deal: impl FnMut(Mail) -> Option<Mail>,
    ) -> Taken {
        let mut state = self.lock();
        if let Some(close) = state.close.take() {
            return Taken::Close(close);
        }
        if state.lost.any() {
            return Taken::Lost(std::mem::take(&mut state.lost));
        }
        while let Some(mail) = state.queue.pop_front() {
            state.bytes -= mail.weight();
            if let Some(mail) = deal(mail) {
                return Taken::Stopped(mail);
            }
        }
        if state.queue.capacity() > KEPT_SLOTS {
            state.queue = VecDeque::new();
        }
        let _: Poll<()> = state.sleep(cx);
        Taken::Empty
    }

    /// Wakes the loop without mail.
    pub(crate) fn nudge(&self) {
        self.lock().wake();
    }
}

impl State {
    fn overflow(&mut self, newest: &Mail) {
        let State { queue, lost, .. } = self;
        queue.iter().for_each(|mail| lost.note(mail));
        lost.note(newest);
        // An expulsion is an order, not news: it survives.
        queue.retain(|mail| matches!(mail, Mail::Expelled(_)));
        self.bytes = 0;
    }

    fn sleep<T>(&mut self, cx: &Context<'_>) -> Poll<T> {
        if !self.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            self.waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}
