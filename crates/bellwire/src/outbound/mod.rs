//! The way out of one connection: its wire, and how far it is in each feed.
//!
//! Whoever holds its lock writes: the connection's loop, or, while that rests, whoever brings mail.
//! A loop that is woken for a frame of a hundred bytes costs a tenth of the write, and a quarter
//! among ten thousand.

mod channel;
mod cost;
#[cfg(test)]
mod counting_waker;
mod delivery;
mod flush_list;
mod queue;
mod subscriptions;

use std::task::{Context, Poll, Waker};

use crate::Dialect;
use crate::transport::{Closed, Transport};

pub use channel::ChannelName;

pub(crate) use channel::Channel;
#[cfg(test)]
pub(crate) use counting_waker::CountingWaker;
pub(crate) use delivery::{AnyEvent, Body, Delivery, EncodedPatches, Send};
pub(crate) use flush_list::FlushList;
pub(crate) use queue::{Control, Handled, Overflow, QueuePoll};
pub(crate) use subscriptions::Subscriptions;

/// A wire and what is to be known to write to it.
pub(crate) struct Outbound {
    pub(crate) transport: Box<dyn Transport>,
    pub(crate) subscriptions: Subscriptions,
    pub(crate) dialect: Dialect,
    /// Whether the loop waits, or is about to be polled, and has nothing left to write. Only then
    /// does anybody else touch the wire.
    pub(crate) loop_idle: bool,
}

impl Outbound {
    pub(crate) fn new(transport: Box<dyn Transport>, dialect: Dialect) -> Self {
        Self { transport, subscriptions: Subscriptions::default(), dialect, loop_idle: false }
    }

    /// Hands mail to the wire as far as that needs nobody else.
    pub(crate) fn poll_queue(&mut self, channel: &Channel, cx: &mut Context<'_>) -> QueuePoll {
        let Self { transport, subscriptions, dialect, .. } = self;
        channel
            .queue
            .poll_next(cx, |delivery| subscriptions.handle(delivery, transport.as_mut(), *dialect))
    }

    /// Whether the loop rests, and the wire has room.
    pub(crate) fn can_write(&mut self) -> bool {
        self.loop_idle = self.loop_idle
            && matches!(
                self.transport.poll_ready(&mut Context::from_waker(Waker::noop())),
                Poll::Ready(Ok(()))
            );
        self.loop_idle
    }

    /// Writes the mail that waits, in place of a loop that rests. Returns whether nothing is left
    /// to do for the loop.
    pub(crate) fn write_queued(&mut self, channel: &Channel) -> bool {
        let Self { transport, subscriptions, dialect, loop_idle } = self;
        let handle =
            |delivery: &Delivery| subscriptions.handle(delivery, transport.as_mut(), *dialect);
        // A wire that is full or gone wakes nobody for this; the loop, which does not rest then and
        // is woken, asks it anew.
        *loop_idle = *loop_idle
            && channel.queue.drain_frames(handle)
            && matches!(
                transport.poll_flush(&mut Context::from_waker(Waker::noop())),
                Poll::Ready(Ok(()))
            );
        if *loop_idle {
            // What others wrote is no sign of life that a handler may count on.
            transport.made_progress();
        }
        *loop_idle
    }
}

/// Before there is a wire, and when there is none any more.
impl Default for Outbound {
    fn default() -> Self {
        Self::new(Box::new(Closed), Dialect::default())
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use tokio::task::yield_now;

    use super::*;
    use crate::outbound::CountingWaker;
    use crate::sync::{Arc, Mutex};
    use crate::transport::{Incoming, Outgoing};
    use crate::{Close, GroupName, Html, Layer, Limits, Patch, Scope};

    /// What was written, and whether there is room for more.
    #[derive(Clone, Default)]
    struct Noted(Arc<Mutex<(Vec<String>, bool)>>);

    impl Transport for Noted {
        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn write(&mut self, out: Outgoing) -> io::Result<()> {
            let Outgoing::Frame(frame) = out else { return Ok(()) };
            self.0.lock().unwrap().0.push(String::from_utf8(frame.payload().to_vec()).unwrap());
            Ok(())
        }

        fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            if self.0.lock().unwrap().1 { Poll::Pending } else { Poll::Ready(Ok(())) }
        }

        fn poll_receive(&mut self, _: &mut Context<'_>) -> Poll<Option<Incoming>> {
            Poll::Pending
        }
    }

    struct Case {
        layer: Layer,
        channel: Arc<Channel>,
        transport: Noted,
        woken: Arc<CountingWaker>,
    }

    impl Case {
        /// A member of the group `room` whose loop has just fallen asleep.
        fn asleep() -> Self {
            let layer = Layer::memory();
            let channel = layer.connect(&Scope::new("/", ""), &Limits::default(), 0);
            let (transport, woken) = (Noted::default(), Arc::<CountingWaker>::default());
            layer.join(&room(), &channel);
            *channel.outbound() = Outbound::new(Box::new(transport.clone()), Dialect::Json);
            let waker = Waker::from(woken.clone());
            let taken = channel.outbound().poll_queue(&channel, &mut Context::from_waker(&waker));
            assert!(matches!(taken, QueuePoll::Empty));
            channel.outbound().loop_idle = true;
            Self { layer, channel, transport, woken }
        }

        async fn tell(&self, words: &str) {
            self.patch(words);
            self.settle().await;
        }

        fn patch(&self, words: &str) {
            self.layer
                .group::<()>(room())
                .patch(Patch::inner("#a", Html::text(words)).json_text(words));
        }

        /// Waits until somebody has come to write: that takes the runtime a few turns.
        async fn settle(&self) {
            for _ in 0..10 {
                yield_now().await;
            }
        }

        fn written(&self) -> Vec<String> {
            self.transport.0.lock().unwrap().0.clone()
        }

        fn woken(&self) -> usize {
            self.woken.count()
        }
    }

    fn room() -> GroupName {
        GroupName::of("room", 1)
    }

    #[tokio::test]
    async fn mail_is_written_in_place_of_a_loop_that_rests_and_sleeps_on() {
        let case = Case::asleep();
        case.tell("one").await;
        case.tell("two").await;
        assert_eq!((case.written(), case.woken()), (vec!["one".to_owned(), "two".to_owned()], 0));
    }

    #[tokio::test]
    async fn a_loop_that_is_busy_is_left_its_mail_and_woken() {
        for late in [false, true] {
            let case = Case::asleep();
            case.patch("one");
            // It may have woken before somebody comes to look, or between that and the write.
            case.channel.outbound().loop_idle = false;
            if late {
                case.channel.write_queued();
            } else {
                assert!(!case.channel.can_write_or_wake());
            }
            assert_eq!((case.written(), case.woken()), (Vec::new(), 1), "late: {late}");
        }
    }

    #[tokio::test]
    async fn a_wire_that_takes_no_more_is_the_loops_affair() {
        let case = Case::asleep();
        case.transport.0.lock().unwrap().1 = true;
        case.tell("one").await;
        assert_eq!(
            (case.written(), case.woken()),
            (vec!["one".to_owned()], 1),
            "fed, and not flushed"
        );
        case.tell("two").await;
        assert_eq!(
            (case.written(), case.woken()),
            (vec!["one".to_owned()], 1),
            "it no longer rests"
        );
    }

    #[tokio::test]
    async fn what_outranks_mail_is_not_overtaken_by_it() {
        let case = Case::asleep();
        case.channel.queue.close(Close::policy("out"));
        case.tell("one").await;
        assert_eq!(case.written(), Vec::<String>::new());
    }
}
