//! A connection without its loop: what reaches its mailbox, and nothing else.

use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

use crate::outbound::{Body, Channel, Control, EncodedPatches, Handled, QueuePoll};
use crate::sync::Arc;
use crate::{Close, GroupName, Layer, Limits, Scope, Seq};

/// A channel in the hands of a test.
#[derive(Clone)]
pub struct Member {
    layer: Layer,
    channel: Arc<Channel>,
}

/// What came so far.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Heard {
    pub events: Vec<u64>,
    pub numbers: Vec<Seq>,
    /// The groups whose numbers were lost.
    pub lost: Vec<GroupName>,
    pub lost_events: bool,
    pub removed: Vec<GroupName>,
    pub pings: usize,
    /// The order to close, each time it was seen.
    pub closes: Vec<Close>,
}

impl Heard {
    fn len(&self) -> usize {
        let lost = self.lost.len() + usize::from(self.lost_events);
        self.events.len()
            + self.numbers.len()
            + lost
            + self.removed.len()
            + self.pings
            + self.closes.len()
    }
}

impl Member {
    /// Takes a place as this person.
    pub fn connect(layer: &Layer, person: &str) -> Self {
        Self::with_room_for(layer, person, Limits::default().queue_messages)
    }

    /// The same with a mailbox for so many messages.
    pub fn with_room_for(layer: &Layer, person: &str, queue_messages: usize) -> Self {
        let mut scope = Scope::new("/", "");
        scope.identity.person = Some(person.into());
        let limits = Limits { queue_messages, ..Limits::default() };
        Self { layer: layer.clone(), channel: layer.connect(&scope, &limits, 0) }
    }

    pub fn join(&self, group: &GroupName) {
        self.layer.join(group, &self.channel);
    }

    /// As a socket leaves: out of the group first, and then what waited is dropped.
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

    /// Waits for the order to close and for nothing else, as a handler that is running does.
    pub async fn closed(&self) {
        poll_fn(|cx| self.channel.queue.poll_closed(cx)).await;
    }

    /// All that waits now, also what somebody is about to write.
    pub fn heard(&self) -> Heard {
        let mut heard = Heard::default();
        let _: Poll<()> = self.poll(&mut Context::from_waker(Waker::noop()), &mut heard, false);
        heard
    }

    /// All that comes until it is enough, in the order of a connection's loop. Whoever is never
    /// woken is a deadlock.
    pub async fn hears(&self, enough: impl Fn(&Heard) -> bool) -> Heard {
        let mut heard = Heard::default();
        while !enough(&heard) {
            poll_fn(|cx| self.poll(cx, &mut heard, true)).await;
        }
        heard
    }

    fn poll(&self, cx: &mut Context<'_>, heard: &mut Heard, patient: bool) -> Poll<()> {
        let before = heard.len();
        while self.obey(heard) && self.take(cx, heard, patient) {}
        if heard.len() > before { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Takes the orders; `false` when the last of them is to close.
    fn obey(&self, heard: &mut Heard) -> bool {
        while let Some(order) = self.channel.queue.take_control() {
            match order {
                Control::Removed(group) => heard.removed.push(group),
                Control::Ping => heard.pings += 1,
                Control::Close(close) => {
                    heard.closes.push(close);
                    return false;
                }
            }
        }
        true
    }

    /// Takes the mail; `true` when an order came first. Whoever is patient leaves to others what
    /// they are about to write.
    fn take(&self, cx: &mut Context<'_>, heard: &mut Heard, patient: bool) -> bool {
        loop {
            let taken = self.channel.queue.poll_next(cx, |delivery| match &delivery.body {
                Body::Event(event) => {
                    heard.events.extend(event.get::<u64>());
                    Handled::Done
                }
                Body::Frames(frames) => {
                    heard.numbers.extend(frames.iter().filter_map(EncodedPatches::seq));
                    Handled::Done
                }
            });
            match taken {
                QueuePoll::Empty => return false,
                QueuePoll::WriterBusy if patient => return false,
                QueuePoll::WriterBusy => self.channel.queue.wake_loop(),
                QueuePoll::Control => return true,
                QueuePoll::Overflow(lost) => {
                    heard.lost.extend(lost.numbered);
                    heard.lost_events |= lost.unnumbered;
                }
                QueuePoll::Event(_) | QueuePoll::Blocked => {
                    unreachable!("everything was dealt with")
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
