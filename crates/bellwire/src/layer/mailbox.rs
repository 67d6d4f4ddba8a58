//! What waits for one socket: mail, and orders that outrank it.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

use super::delivery::Delivery;
use super::weight::Weight;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Arc, Mutex, MutexGuard, PoisonError};
use crate::{Close, GroupName};

/// A queue that was longer than this once gives its memory back when it is empty.
const KEPT_SLOTS: usize = 32;

/// What was dropped when the queue overflowed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Lost {
    /// Groups whose numbered changes were dropped: who follows them catches up by their numbers.
    pub(crate) numbered: Vec<GroupName>,
    /// Whether anything without a number was dropped, too: only the consumer can say what to do.
    pub(crate) unnumbered: bool,
}

impl Lost {
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
pub(crate) enum Order {
    /// The socket is to close.
    Close(Close),
    /// It was taken out of this group.
    Expelled(GroupName),
    /// Ask the other side whether it lives.
    Ping,
}

/// What a socket's loop finds.
pub(crate) enum Taken {
    /// Everything was dealt with.
    Empty,
    /// Somebody is about to write what waits.
    Expected,
    /// The loop stopped, because it has to do something else first.
    Stopped,
    /// An order came first.
    Ordered,
    /// This one is for the consumer.
    Event(Arc<Delivery>),
    /// The queue had overflowed and was dropped.
    Lost(Lost),
}

/// What becomes of a delivery.
pub(crate) enum Dealt {
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

/// A queue bounded in messages and bytes. When it overflows it is dropped as a whole: whoever is that far behind is
/// quicker to bring up to date from the source of truth. The reader notices by [`Taken::Lost`].
pub(crate) struct Mailbox {
    state: Mutex<State>,
    /// Whether an order may be waiting: looked at without the lock, and looked at again under it before anybody sleeps.
    ordered: AtomicBool,
    most: Weight,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Arc<Delivery>>,
    /// What the queue weighs.
    weight: Weight,
    lost: Option<Box<Lost>>,
    /// Boxed, as most sockets are hardly ever ordered to do anything.
    orders: Option<Box<Orders>>,
    /// Whether somebody is about to write what waits, or to rouse the loop.
    listed: bool,
    /// Whether the loop is about to look at what waits itself. Then nobody else has to come.
    roused: bool,
    /// The loop, or a handler of it, if it waits.
    waker: Option<Waker>,
}

#[derive(Default)]
struct Orders {
    /// The order to close. It stays once it is given, and nothing is delivered any more.
    close: Option<Close>,
    expelled: Vec<GroupName>,
    ping: bool,
}

impl Mailbox {
    pub(crate) fn new(messages: usize, bytes: usize) -> Self {
        Self { state: Mutex::default(), ordered: AtomicBool::new(false), most: Weight::new(messages, bytes) }
    }

    // A panic while the lock is held leaves a queue that is still a queue.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds one more. The loop is not woken, and leaves the mail alone until somebody [writes](Self::take_frames) or
    /// [rouses](Self::rouse) it: what is said at once leaves at once.
    pub(crate) fn push(&self, delivery: &Arc<Delivery>) -> Pushed {
        let mut state = self.lock();
        // Who joins before the loop has learned of an expulsion is not in: that join is undone when it does.
        if state.is_out_of(&delivery.group) {
            return Pushed { fits: true, first: false };
        }
        let weight = state.weight.plus(delivery.weight);
        // A single message larger than the bound passes through an empty queue: it exists already and is shared.
        let alone = state.queue.is_empty() && weight.messages() == 1;
        let fits = alone || weight.is_within(self.most);
        if fits {
            state.weight = weight;
            state.queue.push_back(delivery.clone());
        } else {
            state.overflow(delivery);
        }
        Pushed { fits, first: !state.roused && !std::mem::replace(&mut state.listed, true) }
    }

    /// The socket is to close, and nothing that waits or comes later is delivered. The first reason stays.
    pub(crate) fn close(&self, close: Close) {
        let mut state = self.lock();
        if state.close().is_none() {
            let waker = state.waker.take();
            let orders = Some(Box::new(Orders { close: Some(close), ..Orders::default() }));
            *state = State { orders, waker, ..State::default() };
        }
        self.order(state);
    }

    /// The order to close, if it was given.
    pub(crate) fn closed(&self) -> Option<Close> {
        self.lock().close().cloned()
    }

    /// Waits for the order to close.
    pub(crate) fn poll_closed(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.close().is_some() { Poll::Ready(()) } else { state.sleep(cx) }
    }

    /// Drops what waits from this group, and lets the loop know that it is out of it.
    pub(crate) fn expel(&self, group: &GroupName) {
        let mut state = self.lock();
        state.forget(group);
        if !state.is_out_of(group) {
            state.orders().expelled.push(group.clone());
        }
        self.order(state);
    }

    /// Hands on what members of this group may see, under the lock, unless they were taken out of it or told to close meanwhile.
    pub(crate) fn unless_out_of<T>(&self, group: &GroupName, deal: impl FnOnce() -> T) -> Option<T> {
        let state = self.lock();
        (!state.is_out_of(group)).then(deal)
    }

    /// Drops what waits from this group.
    pub(crate) fn forget(&self, group: &GroupName) {
        self.lock().forget(group);
    }

    /// The other side is to be asked whether it lives.
    pub(crate) fn ping(&self) {
        let mut state = self.lock();
        state.orders().ping = true;
        self.order(state);
    }

    fn order(&self, mut state: MutexGuard<'_, State>) {
        self.ordered.store(true, Ordering::Release);
        state.wake();
    }

    /// What outranks all mail.
    pub(crate) fn take_order(&self) -> Option<Order> {
        if !self.ordered.load(Ordering::Acquire) {
            return None;
        }
        let mut state = self.lock();
        let order = state.next_order();
        // The order to close stays.
        if order.is_none() {
            self.ordered.store(false, Ordering::Release);
        }
        order
    }

    /// Waits for an order, and leaves mail alone.
    pub(crate) fn poll_ordered(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if self.ordered.load(Ordering::Acquire) { Poll::Ready(()) } else { state.sleep(cx) }
    }

    /// Hands on what waits, one by one and under the lock, so that nothing is delivered after an expulsion or a kick.
    pub(crate) fn poll_take(&self, cx: &mut Context<'_>, deal: impl FnMut(&Delivery) -> Dealt) -> Taken {
        let mut state = self.lock();
        if let Some(lost) = state.lost.take() {
            return Taken::Lost(*lost);
        }
        // What somebody is about to write is left to them.
        let dealt = if state.listed { Dealt::Done } else { state.hand_on(deal) };
        match dealt {
            Dealt::Done => {}
            Dealt::Stop => return Taken::Stopped,
            Dealt::Event => return state.pop().map_or(Taken::Stopped, Taken::Event),
        }
        if self.ordered.load(Ordering::Acquire) {
            return Taken::Ordered;
        }
        let _: Poll<()> = state.sleep(cx);
        state.roused = false;
        if state.listed { Taken::Expected } else { Taken::Empty }
    }

    /// The same for one who writes in place of the loop, which sleeps on. Returns whether it may: what it has to see itself stays.
    pub(crate) fn take_frames(&self, deal: impl FnMut(&Delivery) -> Dealt) -> bool {
        let mut state = self.lock();
        state.listed = false;
        state.lost.is_none() && matches!(state.hand_on(deal), Dealt::Done)
    }

    /// Wakes the loop to look at what waits itself, if anything does.
    pub(crate) fn rouse(&self) {
        let mut state = self.lock();
        (state.listed, state.roused) = (false, true);
        state.wake();
    }
}

impl State {
    fn next_order(&mut self) -> Option<Order> {
        let orders = self.orders.as_deref_mut()?;
        if let Some(close) = &orders.close {
            return Some(Order::Close(close.clone()));
        }
        if let Some(group) = orders.expelled.pop() {
            return Some(Order::Expelled(group));
        }
        if std::mem::take(&mut orders.ping) {
            return Some(Order::Ping);
        }
        self.orders = None;
        None
    }

    fn orders(&mut self) -> &mut Orders {
        self.orders.get_or_insert_default()
    }

    fn close(&self) -> Option<&Close> {
        self.orders.as_ref()?.close.as_ref()
    }

    /// Hands on what waits, one by one, up to what the consumer has to see: that stays in front.
    fn hand_on(&mut self, mut deal: impl FnMut(&Delivery) -> Dealt) -> Dealt {
        while let Some(delivery) = self.queue.front() {
            match deal(delivery) {
                Dealt::Done => drop(self.pop()),
                Dealt::Stop => {
                    self.pop();
                    return Dealt::Stop;
                }
                Dealt::Event => return Dealt::Event,
            }
        }
        if self.queue.capacity() > KEPT_SLOTS {
            self.queue = VecDeque::new();
        }
        Dealt::Done
    }

    fn pop(&mut self) -> Option<Arc<Delivery>> {
        let delivery = self.queue.pop_front()?;
        self.weight = self.weight.minus(delivery.weight);
        Some(delivery)
    }

    fn is_out_of(&self, group: &GroupName) -> bool {
        self.orders.as_ref().is_some_and(|orders| orders.close.is_some() || orders.expelled.contains(group))
    }

    fn overflow(&mut self, newest: &Delivery) {
        let mut lost = self.lost.take().unwrap_or_default();
        self.queue.drain(..).for_each(|delivery| lost.note(&delivery));
        lost.note(newest);
        debug_assert!(!lost.is_nothing());
        self.lost = Some(lost);
        self.weight = Weight::default();
    }

    fn forget(&mut self, group: &GroupName) {
        self.queue.retain(|delivery| delivery.group != *group);
        self.weight = self.queue.iter().fold(Weight::default(), |sum, delivery| sum.plus(delivery.weight));
        if let Some(lost) = &mut self.lost {
            lost.numbered.retain(|lost| lost != group);
        }
        self.lost.take_if(|lost| lost.is_nothing());
    }

    fn sleep<T>(&mut self, cx: &Context<'_>) -> Poll<T> {
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
