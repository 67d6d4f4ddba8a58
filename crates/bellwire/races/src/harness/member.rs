//! [`Member`]: a channel with its queue, without an event loop.

use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

use crate::outbound::{Body, Channel, Control, EncodedPatches, Handled, QueuePoll};
use crate::sync::Arc;
use crate::{Close, GroupName, Layer, Limits, Patch, Scope, Seq};

/// A channel whose queue the test reads.
#[derive(Clone)]
pub struct Member {
    layer: Layer,
    channel: Arc<Channel>,
}

/// The messages and control messages that were taken from a queue.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Received {
    pub events: Vec<u64>,
    pub numbers: Vec<Seq>,
    /// The patches without a number.
    pub patches: Vec<Patch>,
    /// The groups whose numbers were lost.
    pub lost: Vec<GroupName>,
    pub lost_events: bool,
    pub removed: Vec<GroupName>,
    pub pings: usize,
    /// The close, once for each time it was taken.
    pub closes: Vec<Close>,
}

impl Received {
    fn len(&self) -> usize {
        let lost = self.lost.len() + usize::from(self.lost_events);
        self.events.len()
            + self.numbers.len()
            + self.patches.len()
            + lost
            + self.removed.len()
            + self.pings
            + self.closes.len()
    }
}

impl Member {
    /// Connects a channel of this person.
    pub fn connect(layer: &Layer, person: &str) -> Self {
        Self::with_queue_size(layer, person, Limits::default().queue_messages)
    }

    /// Connects a channel whose queue holds `queue_messages` messages.
    pub fn with_queue_size(layer: &Layer, person: &str, queue_messages: usize) -> Self {
        let mut scope = Scope::new("/", "");
        scope.identity.person = Some(person.into());
        let limits = Limits { queue_messages, ..Limits::default() };
        Self { layer: layer.clone(), channel: layer.connect(&scope, &limits, 0) }
    }

    pub fn join(&self, group: &GroupName) {
        self.layer.join(group, &self.channel);
    }

    /// Leaves as a socket does: first the group is left, then its queued messages are dropped.
    pub fn leave(&self, group: &GroupName) {
        self.layer.leave(group, &self.channel);
        self.channel.queue.discard(group);
    }

    pub fn disconnect(&self, groups: &[GroupName]) {
        self.layer.disconnect(&self.channel, groups);
    }

    pub fn ping(&self) {
        self.channel.queue.ping();
    }

    pub fn close(&self, close: Close) {
        self.channel.queue.close(close);
    }

    /// Waits only for the close, as a running handler does.
    pub async fn closed(&self) {
        poll_fn(|cx| self.channel.queue.poll_closed(cx)).await;
    }

    /// Takes everything that is queued now, also messages that another thread is about to write.
    pub fn received(&self) -> Received {
        let mut received = Received::default();
        let _: Poll<()> = self.poll(&mut Context::from_waker(Waker::noop()), &mut received, false);
        received
    }

    /// Receives, in the order of an event loop, until `done` returns true. If this member is never
    /// woken, the test deadlocks.
    pub async fn receive_until(&self, done: impl Fn(&Received) -> bool) -> Received {
        let mut received = Received::default();
        while !done(&received) {
            poll_fn(|cx| self.poll(cx, &mut received, true)).await;
        }
        received
    }

    fn poll(&self, cx: &mut Context<'_>, received: &mut Received, wait: bool) -> Poll<()> {
        let before = received.len();
        while self.take_control(received) && self.take_messages(cx, received, wait) {}
        if received.len() > before { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Takes the control messages. Returns `false` after a close, which is the last one.
    fn take_control(&self, received: &mut Received) -> bool {
        while let Some(control) = self.channel.queue.take_control() {
            match control {
                Control::Removed(group) => received.removed.push(group),
                Control::Ping => received.pings += 1,
                Control::Close(close) => {
                    received.closes.push(close);
                    return false;
                }
            }
        }
        true
    }

    /// Takes messages. Returns `true` if a control message comes first. With `wait`, messages that
    /// another thread is about to write are left to it.
    fn take_messages(&self, cx: &mut Context<'_>, received: &mut Received, wait: bool) -> bool {
        loop {
            let taken = self.channel.queue.poll_next(cx, |delivery| match &delivery.body {
                Body::Event(event) => {
                    received.events.extend(event.get::<u64>().as_deref());
                    Handled::Done
                }
                Body::Frames(frames) => {
                    received.numbers.extend(frames.iter().filter_map(EncodedPatches::seq));
                    let unnumbered = frames.iter().filter(|frames| frames.seq().is_none());
                    received.patches.extend(unnumbered.flat_map(EncodedPatches::patches).cloned());
                    Handled::Done
                }
            });
            match taken {
                QueuePoll::Empty => return false,
                QueuePoll::WriterBusy if wait => return false,
                QueuePoll::WriterBusy => self.channel.queue.wake_loop(),
                QueuePoll::Control => return true,
                QueuePoll::Overflow(lost) => {
                    received.lost.extend(lost.numbered);
                    received.lost_events |= lost.unnumbered;
                }
                QueuePoll::Event(_) | QueuePoll::Blocked => {
                    unreachable!("every message is handled")
                }
            }
        }
    }
}

impl std::fmt::Debug for Member {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Member({})", self.channel.name)
    }
}
