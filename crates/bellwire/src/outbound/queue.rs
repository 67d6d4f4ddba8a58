//! Queue of one socket: messages, and control messages that take precedence.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

use crate::outbound::Delivery;
use crate::outbound::cost::Cost;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Arc, Mutex, MutexGuard, PoisonError};
use crate::{Close, GroupName};

/// The largest capacity that an empty queue keeps.
const KEPT_SLOTS: usize = 32;

/// A summary of the messages dropped when the queue overflowed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Overflow {
    /// Groups whose numbered changes were dropped: subscribers catch up by number.
    pub(crate) numbered: Vec<GroupName>,
    /// Whether anything without a number was dropped as well: the consumer has to decide what to
    /// do.
    pub(crate) unnumbered: bool,
}

impl Overflow {
    fn note(&mut self, delivery: &Delivery) {
        if !delivery.is_numbered() {
            self.unnumbered = true;
        } else if !self.numbered.contains(&delivery.group) {
            self.numbered.push(delivery.group.clone());
        }
    }

    fn is_empty(&self) -> bool {
        self.numbered.is_empty() && !self.unnumbered
    }
}

/// A control message. Control messages take precedence over all others.
pub(crate) enum Control {
    /// Close the socket.
    Close(Close),
    /// The socket was removed from this group.
    Removed(GroupName),
    /// Send a ping.
    Ping,
}

/// The result of polling the queue.
pub(crate) enum QueuePoll {
    /// All messages are handled.
    Empty,
    /// A publisher is about to write the queued messages.
    WriterBusy,
    /// Handling stopped, because the event loop has to do something else first.
    Blocked,
    /// A control message takes precedence.
    Control,
    /// An event for the consumer.
    Event(Arc<Delivery>),
    /// The queue overflowed and was dropped.
    Overflow(Overflow),
}

/// The result of handling a delivery.
pub(crate) enum Handled {
    /// The delivery is handled.
    Done,
    /// The delivery is handled, but no further one can be for now.
    Stop,
    /// The delivery is an event for the consumer.
    Event,
}

/// The result of queueing a message.
pub(crate) struct Pushed {
    /// Whether it fitted; otherwise the queue was dropped.
    pub(crate) fits: bool,
    /// Whether it is the first since the last write, so that a flush has to be scheduled.
    pub(crate) first: bool,
}

/// A queue bounded in messages and bytes. An overflow drops it as a whole: a reader that is so far
/// behind is brought up to date faster from the source of truth. The event loop is informed by
/// [`QueuePoll::Overflow`].
pub(crate) struct Queue {
    state: Mutex<State>,
    /// Whether a control message may be pending: read without the lock, and again under the lock
    /// before a waker is registered.
    has_control: AtomicBool,
    limit: Cost,
}

#[derive(Default)]
struct State {
    messages: VecDeque<Arc<Delivery>>,
    /// The total cost of the queue.
    cost: Cost,
    overflow: Option<Box<Overflow>>,
    /// Boxed, since most sockets rarely receive a control message.
    controls: Option<Box<Controls>>,
    /// Whether a publisher is about to write the queued messages, or to wake the event loop.
    writer_pending: bool,
    /// Whether the event loop is about to poll the queue itself. Then no flush is scheduled.
    loop_woken: bool,
    /// The waker of the event loop, or of its running handler, if it waits.
    waker: Option<Waker>,
}

#[derive(Default)]
struct Controls {
    /// A requested close. It stays once it is requested, and nothing is delivered any more.
    close: Option<Close>,
    removed: Vec<GroupName>,
    ping: bool,
}

impl Queue {
    pub(crate) fn new(messages: usize, bytes: usize) -> Self {
        Self {
            state: Mutex::default(),
            has_control: AtomicBool::new(false),
            limit: Cost::new(messages, bytes),
        }
    }

    // A panic while the lock is held leaves a valid queue.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a delivery. The event loop is not woken, and leaves the messages until a publisher
    /// [writes](Self::drain_frames) them or [wakes](Self::wake_loop) it, so that messages published
    /// together are written together.
    pub(crate) fn push(&self, delivery: &Arc<Delivery>) -> Pushed {
        let mut state = self.lock();
        // A pending removal blocks the group's messages. A join before the event loop handles the
        // removal is undone by it.
        if state.is_out_of(&delivery.group) {
            return Pushed { fits: true, first: false };
        }
        let cost = state.cost.plus(delivery.cost);
        // A single message larger than the limit passes through an empty queue: it exists already
        // and is shared.
        let is_alone = state.messages.is_empty() && cost.messages() == 1;
        let fits = is_alone || cost.is_within(self.limit);
        if fits {
            state.cost = cost;
            state.messages.push_back(delivery.clone());
        } else {
            state.overflow(delivery);
        }
        Pushed {
            fits,
            first: !state.loop_woken && !std::mem::replace(&mut state.writer_pending, true),
        }
    }

    /// The number of queued messages.
    #[cfg(feature = "metrics")]
    pub(crate) fn depth(&self) -> u32 {
        self.lock().cost.messages()
    }

    /// Requests a close: messages queued now or later are not delivered. The first close wins.
    pub(crate) fn close(&self, close: Close) {
        let mut state = self.lock();
        if state.close().is_none() {
            let waker = state.waker.take();
            let controls = Some(Box::new(Controls { close: Some(close), ..Controls::default() }));
            *state = State { controls, waker, ..State::default() };
        }
        self.wake_for_control(state);
    }

    /// The requested close, if any.
    pub(crate) fn closed(&self) -> Option<Close> {
        self.lock().close().cloned()
    }

    /// Waits until a close is requested.
    pub(crate) fn poll_closed(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.close().is_some() { Poll::Ready(()) } else { state.register(cx) }
    }

    /// Drops the queued messages of this group, and informs the event loop that the socket was
    /// removed from it.
    pub(crate) fn remove_from(&self, group: &GroupName) {
        let mut state = self.lock();
        state.discard(group);
        if !state.is_out_of(group) {
            state.controls().removed.push(group.clone());
        }
        self.wake_for_control(state);
    }

    /// Calls `handle` under the lock, unless the socket was removed from this group or a close was
    /// requested.
    pub(crate) fn if_member<T>(&self, group: &GroupName, handle: impl FnOnce() -> T) -> Option<T> {
        let state = self.lock();
        (!state.is_out_of(group)).then(handle)
    }

    /// Drops the queued messages of this group.
    pub(crate) fn discard(&self, group: &GroupName) {
        self.lock().discard(group);
    }

    /// Requests a ping of the peer.
    pub(crate) fn ping(&self) {
        let mut state = self.lock();
        state.controls().ping = true;
        self.wake_for_control(state);
    }

    fn wake_for_control(&self, mut state: MutexGuard<'_, State>) {
        self.has_control.store(true, Ordering::Release);
        state.wake();
    }

    /// Takes the next control message.
    pub(crate) fn take_control(&self) -> Option<Control> {
        if !self.has_control.load(Ordering::Acquire) {
            return None;
        }
        let mut state = self.lock();
        let control = state.next_control();
        // A requested close is returned every time.
        if control.is_none() {
            self.has_control.store(false, Ordering::Release);
        }
        control
    }

    /// Waits for a control message, without handling other messages.
    pub(crate) fn poll_control(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if self.has_control.load(Ordering::Acquire) { Poll::Ready(()) } else { state.register(cx) }
    }

    /// Handles the queued messages one by one under the lock, so that nothing is delivered after a
    /// removal or a kick.
    pub(crate) fn poll_next(
        &self,
        cx: &mut Context<'_>,
        handle: impl FnMut(&Delivery) -> Handled,
    ) -> QueuePoll {
        let mut state = self.lock();
        if let Some(overflow) = state.overflow.take() {
            return QueuePoll::Overflow(*overflow);
        }
        // Messages that a publisher is about to write are left to it.
        let handled = if state.writer_pending { Handled::Done } else { state.drain(handle) };
        match handled {
            Handled::Done => {}
            Handled::Stop => return QueuePoll::Blocked,
            Handled::Event => return state.pop().map_or(QueuePoll::Blocked, QueuePoll::Event),
        }
        if self.has_control.load(Ordering::Acquire) {
            return QueuePoll::Control;
        }
        let _: Poll<()> = state.register(cx);
        state.loop_woken = false;
        if state.writer_pending { QueuePoll::WriterBusy } else { QueuePoll::Empty }
    }

    /// Handles the queued messages in place of the event loop, which is not woken. Returns `false`
    /// if the event loop has to handle something itself, which stays in the queue.
    pub(crate) fn drain_frames(&self, handle: impl FnMut(&Delivery) -> Handled) -> bool {
        let mut state = self.lock();
        state.writer_pending = false;
        state.overflow.is_none() && matches!(state.drain(handle), Handled::Done)
    }

    /// Wakes the event loop to handle the queued messages itself.
    pub(crate) fn wake_loop(&self) {
        let mut state = self.lock();
        (state.writer_pending, state.loop_woken) = (false, true);
        state.wake();
    }
}

impl State {
    fn next_control(&mut self) -> Option<Control> {
        let controls = self.controls.as_deref_mut()?;
        if let Some(close) = &controls.close {
            return Some(Control::Close(close.clone()));
        }
        if let Some(group) = controls.removed.pop() {
            return Some(Control::Removed(group));
        }
        if std::mem::take(&mut controls.ping) {
            return Some(Control::Ping);
        }
        self.controls = None;
        None
    }

    fn controls(&mut self) -> &mut Controls {
        self.controls.get_or_insert_default()
    }

    fn close(&self) -> Option<&Close> {
        self.controls.as_ref()?.close.as_ref()
    }

    /// Handles the queued messages one by one, up to the first event for the consumer, which stays
    /// in front.
    fn drain(&mut self, mut handle: impl FnMut(&Delivery) -> Handled) -> Handled {
        while let Some(delivery) = self.messages.front() {
            match handle(delivery) {
                Handled::Done => drop(self.pop()),
                Handled::Stop => {
                    self.pop();
                    return Handled::Stop;
                }
                Handled::Event => return Handled::Event,
            }
        }
        if self.messages.capacity() > KEPT_SLOTS {
            self.messages = VecDeque::new();
        }
        Handled::Done
    }

    fn pop(&mut self) -> Option<Arc<Delivery>> {
        let delivery = self.messages.pop_front()?;
        self.cost = self.cost.minus(delivery.cost);
        Some(delivery)
    }

    fn is_out_of(&self, group: &GroupName) -> bool {
        self.controls
            .as_ref()
            .is_some_and(|controls| controls.close.is_some() || controls.removed.contains(group))
    }

    fn overflow(&mut self, newest: &Delivery) {
        let mut overflow = self.overflow.take().unwrap_or_default();
        self.messages.drain(..).for_each(|delivery| overflow.note(&delivery));
        overflow.note(newest);
        debug_assert!(!overflow.is_empty());
        self.overflow = Some(overflow);
        self.cost = Cost::default();
    }

    fn discard(&mut self, group: &GroupName) {
        self.messages.retain(|delivery| delivery.group != *group);
        self.cost =
            self.messages.iter().fold(Cost::default(), |sum, delivery| sum.plus(delivery.cost));
        if let Some(overflow) = &mut self.overflow {
            overflow.numbered.retain(|numbered| numbered != group);
        }
        self.overflow.take_if(|overflow| overflow.is_empty());
    }

    fn register<T>(&mut self, cx: &Context<'_>) -> Poll<T> {
        match &mut self.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}
