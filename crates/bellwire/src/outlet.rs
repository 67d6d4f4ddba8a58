//! The way out of one connection: its wire, and how far it is in each feed.
//!
//! Whoever holds its lock writes: the connection's loop, or, while that rests, whoever brings mail. A loop that is woken for a frame of a hundred
//! bytes costs a tenth of the write, and a quarter among ten thousand.

use std::task::{Context, Poll, Waker};

use crate::Dialect;
use crate::feeds::Feeds;
use crate::layer::{Channel, Delivery, Taken};
use crate::websocket::{Nowhere, Wire};

/// A wire and what is to be known to write to it.
pub(crate) struct Outlet {
    pub(crate) wire: Box<dyn Wire>,
    pub(crate) feeds: Feeds,
    pub(crate) dialect: Dialect,
    /// Whether the loop waits, or is about to be polled, and has nothing left to write. Only then does anybody else touch the wire.
    pub(crate) resting: bool,
}

impl Outlet {
    pub(crate) fn new(wire: Box<dyn Wire>, dialect: Dialect) -> Self {
        Self { wire, feeds: Feeds::default(), dialect, resting: false }
    }

    /// Hands mail to the wire as far as that needs nobody else.
    pub(crate) fn poll_mail(&mut self, channel: &Channel, cx: &mut Context<'_>) -> Taken {
        let Self { wire, feeds, dialect, .. } = self;
        channel.mailbox.poll_take(cx, |delivery| feeds.deal(delivery, wire.as_mut(), *dialect))
    }

    /// Whether the loop rests, and the wire has room.
    pub(crate) fn has_room(&mut self) -> bool {
        self.resting = self.resting
            && matches!(self.wire.poll_ready(&mut Context::from_waker(Waker::noop())), Poll::Ready(Ok(())));
        self.resting
    }

    /// Writes the mail that waits, in place of a loop that rests. Returns whether nothing is left to do for the loop.
    pub(crate) fn write_mail(&mut self, channel: &Channel) -> bool {
        let Self { wire, feeds, dialect, resting } = self;
        let deal = |delivery: &Delivery| feeds.deal(delivery, wire.as_mut(), *dialect);
        // A wire that is full or gone wakes nobody for this; the loop, which does not rest then and is woken, asks it anew.
        *resting = *resting
            && channel.mailbox.take_frames(deal)
            && matches!(wire.poll_flush(&mut Context::from_waker(Waker::noop())), Poll::Ready(Ok(())));
        if *resting {
            // What others wrote is no sign of life that a handler may count on.
            wire.flowed();
        }
        *resting
    }
}

/// Before there is a wire, and when there is none any more.
impl Default for Outlet {
    fn default() -> Self {
        Self::new(Box::new(Nowhere), Dialect::default())
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use tokio::task::yield_now;

    use super::*;
    use crate::layer::Layer;
    use crate::sync::{Arc, Mutex};
    use crate::websocket::{Incoming, Outgoing};
    use crate::woken::Woken;
    use crate::{Close, GroupName, Html, Limits, Patch, Scope};

    /// What was written, and whether there is room for more.
    #[derive(Clone, Default)]
    struct Noted(Arc<Mutex<(Vec<String>, bool)>>);

    impl Wire for Noted {
        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn feed(&mut self, out: Outgoing) -> io::Result<()> {
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
        wire: Noted,
        woken: Arc<Woken>,
    }

    impl Case {
        /// A member of the group `room` whose loop has just fallen asleep.
        fn asleep() -> Self {
            let layer = Layer::memory();
            let channel = layer.connect(&Scope::new("/", ""), &Limits::default(), 0);
            let (wire, woken) = (Noted::default(), Arc::<Woken>::default());
            layer.join(&room(), &channel);
            *channel.outlet() = Outlet::new(Box::new(wire.clone()), Dialect::Json);
            let waker = Waker::from(woken.clone());
            let taken = channel.outlet().poll_mail(&channel, &mut Context::from_waker(&waker));
            assert!(matches!(taken, Taken::Empty));
            channel.outlet().resting = true;
            Self { layer, channel, wire, woken }
        }

        async fn tell(&self, words: &str) {
            self.patch(words);
            self.settle().await;
        }

        fn patch(&self, words: &str) {
            self.layer.group::<()>(room()).patch(Patch::inner("#a", Html::text(words)).plain(words));
        }

        /// Waits until somebody has come to write: that takes the runtime a few turns.
        async fn settle(&self) {
            for _ in 0..10 {
                yield_now().await;
            }
        }

        fn written(&self) -> Vec<String> {
            self.wire.0.lock().unwrap().0.clone()
        }

        fn woken(&self) -> usize {
            self.woken.times()
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
            case.channel.outlet().resting = false;
            if late {
                case.channel.write_mail();
            } else {
                assert!(!case.channel.rests_or_rouse());
            }
            assert_eq!((case.written(), case.woken()), (Vec::new(), 1), "late: {late}");
        }
    }

    #[tokio::test]
    async fn a_wire_that_takes_no_more_is_the_loops_affair() {
        let case = Case::asleep();
        case.wire.0.lock().unwrap().1 = true;
        case.tell("one").await;
        assert_eq!((case.written(), case.woken()), (vec!["one".to_owned()], 1), "fed, and not flushed");
        case.tell("two").await;
        assert_eq!((case.written(), case.woken()), (vec!["one".to_owned()], 1), "it no longer rests");
    }

    #[tokio::test]
    async fn what_outranks_mail_is_not_overtaken_by_it() {
        let case = Case::asleep();
        case.channel.mailbox.close(Close::policy("out"));
        case.tell("one").await;
        assert_eq!(case.written(), Vec::<String>::new());
    }
}
