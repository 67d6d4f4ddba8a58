//! What waits for one socket: mail, and orders that outrank it.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

use crate::outbound::Delivery;
use crate::outbound::cost::Cost;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Arc, Mutex, MutexGuard, PoisonError};
use crate::{Close, GroupName};

/// A queue that was longer than this once gives its memory back when it is empty.
const KEPT_SLOTS: usize = 32;

/// What was dropped when the queue overflowed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Overflow {
    /// Groups whose numbered changes were dropped: who follows them catches up by their numbers.
    pub(crate) numbered: Vec<GroupName>,
    /// Whether anything without a number was dropped, too: only the consumer can say what to do.
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

    fn is_nothing(&self) -> bool {
        self.numbered.is_empty() && !self.unnumbered
    }
}

/// What comes before any mail.
pub(crate) enum Control {
    /// The socket is to close.
    Close(Close),
    /// It was taken out of this group.
    Removed(GroupName),
    /// Ask the other side whether it lives.
    Ping,
}

/// What a socket's loop finds.
pub(crate) enum QueuePoll {
    /// Everything was dealt with.
    Empty,
    /// Somebody is about to write what waits.
    WriterBusy,
    /// The loop stopped, because it has to do something else first.
    Blocked,
    /// An order came first.
    Control,
    /// This one is for the consumer.
    Event(Arc<Delivery>),
    /// The queue had overflowed and was dropped.
    Overflow(Overflow),
}

/// What becomes of a delivery.
pub(crate) enum Handled {
    /// It is done with.
    Done,
    /// It is done with, but nothing else can be for now.
    Stop,
    /// The consumer has to see it.
    Event,
}

/// What came of one more message for a socket.
pub(crate) struct Pushed {
    /// Whether there was room; otherwise the queue was dropped.
    pub(crate) fits: bool,
    /// Whether it is the first since somebody wrote, and somebody has to come.
    pub(crate) first: bool,
}

/// A queue bounded in messages and bytes. When it overflows it is dropped as a whole: whoever is
/// that far behind is quicker to bring up to date from the source of truth. The reader notices by
/// [`QueuePoll::Overflow`].
pub(crate) struct Queue {
    state: Mutex<State>,
    /// Whether an order may be waiting: looked at without the lock, and looked at again under it
    /// before anybody sleeps.
    has_control: AtomicBool,
    most: Cost,
}

#[derive(Default)]
struct State {
    messages: VecDeque<Arc<Delivery>>,
    /// What the queue weighs.
    cost: Cost,
    overflow: Option<Box<Overflow>>,
    /// Boxed, as most sockets are hardly ever ordered to do anything.
    controls: Option<Box<Controls>>,
    /// Whether somebody is about to write what waits, or to rouse the loop.
    writer_pending: bool,
    /// Whether the loop is about to look at what waits itself. Then nobody else has to come.
    loop_woken: bool,
    /// The loop, or a handler of it, if it waits.
    waker: Option<Waker>,
}

#[derive(Default)]
struct Controls {
    /// The order to close. It stays once it is given, and nothing is delivered any more.
    close: Option<Close>,
    removed: Vec<GroupName>,
    ping: bool,
}

impl Queue {
    pub(crate) fn new(messages: usize, bytes: usize) -> Self {
        Self {
            state: Mutex::default(),
            has_control: AtomicBool::new(false),
            most: Cost::new(messages, bytes),
        }
    }

    // A panic while the lock is held leaves a queue that is still a queue.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds one more. The loop is not woken, and leaves the mail alone until somebody
    /// [writes](Self::drain_frames) or [rouses](Self::wake_loop) it: what is said at once leaves at
    /// once.
    pub(crate) fn push(&self, delivery: &Arc<Delivery>) -> Pushed {
        let mut state = self.lock();
        // Who joins before the loop has learned of an expulsion is not in: that join is undone when
        // it does.
        if state.is_out_of(&delivery.group) {
            return Pushed { fits: true, first: false };
        }
        let cost = state.cost.plus(delivery.cost);
        // A single message larger than the bound passes through an empty queue: it exists already
        // and is shared.
        let alone = state.messages.is_empty() && cost.messages() == 1;
        let fits = alone || cost.is_within(self.most);
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

    /// The socket is to close, and nothing that waits or comes later is delivered. The first reason
    /// stays.
    pub(crate) fn close(&self, close: Close) {
        let mut state = self.lock();
        if state.close().is_none() {
            let waker = state.waker.take();
            let controls = Some(Box::new(Controls { close: Some(close), ..Controls::default() }));
            *state = State { controls, waker, ..State::default() };
        }
        self.control(state);
    }

    /// The order to close, if it was given.
    pub(crate) fn closed(&self) -> Option<Close> {
        self.lock().close().cloned()
    }

    /// Waits for the order to close.
    pub(crate) fn poll_closed(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.close().is_some() { Poll::Ready(()) } else { state.register(cx) }
    }

    /// Drops what waits from this group, and lets the loop know that it is out of it.
    pub(crate) fn remove_from(&self, group: &GroupName) {
        let mut state = self.lock();
        state.discard(group);
        if !state.is_out_of(group) {
            state.controls().removed.push(group.clone());
        }
        self.control(state);
    }

    /// Hands on what members of this group may see, under the lock, unless they were taken out of
    /// it or told to close meanwhile.
    pub(crate) fn if_member<T>(&self, group: &GroupName, handle: impl FnOnce() -> T) -> Option<T> {
        let state = self.lock();
        (!state.is_out_of(group)).then(handle)
    }

    /// Drops what waits from this group.
    pub(crate) fn discard(&self, group: &GroupName) {
        self.lock().discard(group);
    }

    /// The other side is to be asked whether it lives.
    pub(crate) fn ping(&self) {
        let mut state = self.lock();
        state.controls().ping = true;
        self.control(state);
    }

    fn control(&self, mut state: MutexGuard<'_, State>) {
        self.has_control.store(true, Ordering::Release);
        state.wake();
    }

    /// What outranks all mail.
    pub(crate) fn take_control(&self) -> Option<Control> {
        if !self.has_control.load(Ordering::Acquire) {
            return None;
        }
        let mut state = self.lock();
        let control = state.next_control();
        // The order to close stays.
        if control.is_none() {
            self.has_control.store(false, Ordering::Release);
        }
        control
    }

    /// Waits for an order, and leaves mail alone.
    pub(crate) fn poll_control(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if self.has_control.load(Ordering::Acquire) { Poll::Ready(()) } else { state.register(cx) }
    }

    /// Hands on what waits, one by one and under the lock, so that nothing is delivered after an
    /// expulsion or a kick.
    pub(crate) fn poll_next(
        &self,
        cx: &mut Context<'_>,
        handle: impl FnMut(&Delivery) -> Handled,
    ) -> QueuePoll {
        let mut state = self.lock();
        if let Some(overflow) = state.overflow.take() {
            return QueuePoll::Overflow(*overflow);
        }
        // What somebody is about to write is left to them.
        let dealt = if state.writer_pending { Handled::Done } else { state.drain(handle) };
        match dealt {
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

    /// The same for one who writes in place of the loop, which sleeps on. Returns whether it may:
    /// what it has to see itself stays.
    pub(crate) fn drain_frames(&self, handle: impl FnMut(&Delivery) -> Handled) -> bool {
        let mut state = self.lock();
        state.writer_pending = false;
        state.overflow.is_none() && matches!(state.drain(handle), Handled::Done)
    }

    /// Wakes the loop to look at what waits itself, if anything does.
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

    /// Hands on what waits, one by one, up to what the consumer has to see: that stays in front.
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
        debug_assert!(!overflow.is_nothing());
        self.overflow = Some(overflow);
        self.cost = Cost::default();
    }

    fn discard(&mut self, group: &GroupName) {
        self.messages.retain(|delivery| delivery.group != *group);
        self.cost =
            self.messages.iter().fold(Cost::default(), |sum, delivery| sum.plus(delivery.cost));
        if let Some(overflow) = &mut self.overflow {
            overflow.numbered.retain(|overflow| overflow != group);
        }
        self.overflow.take_if(|overflow| overflow.is_nothing());
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
