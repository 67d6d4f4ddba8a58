//! The outbound side of a connection: its transport, its queue, and its position in each feed.
//!
//! Publishers write to idle sockets directly; otherwise the connection's event loop writes. The
//! side that holds the lock may write. This saves waking the event loop, which costs 10 % of the
//! write of a 100-byte frame, or 25 % with 10,000 connections.

mod connection_channel;
mod cost;
#[cfg(test)]
mod counting_waker;
mod shared_delivery;
mod flush_list;
mod queue;
mod feed_subscriptions;

use std::task::{Context, Poll, Waker};

use crate::Dialect;
use crate::sync::Arc;
use crate::transport::{Closed, Transport};

pub use connection_channel::ChannelName;

pub(crate) use connection_channel::Channel;
#[cfg(test)]
pub(crate) use counting_waker::CountingWaker;
pub(crate) use feed_subscriptions::{Behind, Subscriptions};
pub(crate) use flush_list::FlushList;
pub(crate) use queue::{Control, Handled, Overflow, QueuePoll};
pub(crate) use shared_delivery::{AnyEvent, Body, Delivery, EncodedPatches, Render, Send};

/// A transport, and the state that is needed to write to it.
pub(crate) struct Outbound {
    pub(crate) transport: Box<dyn Transport>,
    pub(crate) subscriptions: Subscriptions,
    pub(crate) reader: Reader,
    /// Whether the event loop waits, or is about to be polled, and has nothing left to write. Only
    /// then may publishers use the transport.
    pub(crate) loop_idle: bool,
}

/// The form in which a page receives patches.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reader {
    pub(crate) dialect: Dialect,
    /// The audience for which changes are rendered; `None` for everyone's.
    pub(crate) audience: Option<Arc<str>>,
}

impl Outbound {
    pub(crate) fn new(transport: Box<dyn Transport>, reader: Reader) -> Self {
        Self { transport, subscriptions: Subscriptions::default(), reader, loop_idle: false }
    }

    /// Writes queued messages to the transport, up to the first that needs the event loop.
    pub(crate) fn poll_queue(&mut self, channel: &Channel, cx: &mut Context<'_>) -> QueuePoll {
        let Self { transport, subscriptions, reader, .. } = self;
        channel
            .queue
            .poll_next(cx, |delivery| subscriptions.handle(delivery, transport.as_mut(), reader))
    }

    /// Whether the event loop is idle and the transport has capacity.
    pub(crate) fn can_write(&mut self) -> bool {
        self.loop_idle = self.loop_idle
            && matches!(
                self.transport.poll_ready(&mut Context::from_waker(Waker::noop())),
                Poll::Ready(Ok(()))
            );
        self.loop_idle
    }

    /// Writes the queued messages in place of an idle event loop. Returns whether nothing is left
    /// for the loop to do.
    pub(crate) fn write_queued(&mut self, channel: &Channel) -> bool {
        let Self { transport, subscriptions, reader, loop_idle } = self;
        let handle =
            |delivery: &Delivery| subscriptions.handle(delivery, transport.as_mut(), reader);
        // A full or lost transport wakes nobody here; the event loop then counts as busy, is woken,
        // and polls the transport again.
        *loop_idle = *loop_idle
            && channel.queue.drain_frames(handle)
            && matches!(
                transport.poll_flush(&mut Context::from_waker(Waker::noop())),
                Poll::Ready(Ok(()))
            );
        if *loop_idle {
            // Progress of these writes must not count for a handler that waits for capacity.
            transport.made_progress();
        }
        *loop_idle
    }
}

/// The state before the transport is opened, and after it is closed.
impl Default for Outbound {
    fn default() -> Self {
        Self::new(Box::new(Closed), Reader::default())
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use tokio::task::yield_now;

    use super::*;
    use crate::outbound::CountingWaker;
    use crate::sync::Mutex;
    use crate::transport::{Incoming, Outgoing};
    use crate::{Close, Group, GroupName, Html, Layer, Limits, Patch, Scope, Topic};

    /// Records the frames written, and whether the transport is full.
    #[derive(Clone, Default)]
    struct Recorder(Arc<Mutex<(Vec<String>, bool)>>);

    impl Transport for Recorder {
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
        transport: Recorder,
        woken: Arc<CountingWaker>,
    }

    impl Case {
        /// A member of the group `room` whose event loop is idle.
        fn idle() -> Self {
            let layer = Layer::memory();
            let channel = layer.connect(&Scope::new("/", ""), &Limits::default(), 0);
            let (transport, woken) = (Recorder::default(), Arc::<CountingWaker>::default());
            layer.join(&room(), &channel);
            *channel.outbound() = Outbound::new(Box::new(transport.clone()), Reader::default());
            let waker = Waker::from(woken.clone());
            let polled = channel.outbound().poll_queue(&channel, &mut Context::from_waker(&waker));
            assert!(matches!(polled, QueuePoll::Empty));
            channel.outbound().loop_idle = true;
            Self { layer, channel, transport, woken }
        }

        async fn send(&self, text: &str) {
            self.patch(text);
            self.settle().await;
        }

        fn patch(&self, text: &str) {
            self.layer
                .group(Group::<()>::new(room()))
                .patch(Patch::inner("#a", Html::text(text)).json_text(text));
        }

        /// Waits for the flush, which takes a few scheduler ticks.
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
        Topic::<u8>::new("room").of(1).name().clone()
    }

    #[tokio::test]
    async fn messages_are_written_to_an_idle_socket_without_waking_its_event_loop() {
        let case = Case::idle();
        case.send("one").await;
        case.send("two").await;
        assert_eq!((case.written(), case.woken()), (vec!["one".to_owned(), "two".to_owned()], 0));
    }

    #[tokio::test]
    async fn a_busy_event_loop_is_woken_to_write_its_messages_itself() {
        for late in [false, true] {
            let case = Case::idle();
            case.patch("one");
            // It may have woken before the publisher checks it, or between the check and the write.
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
    async fn the_event_loop_takes_over_a_full_transport() {
        let case = Case::idle();
        case.transport.0.lock().unwrap().1 = true;
        case.send("one").await;
        assert_eq!(
            (case.written(), case.woken()),
            (vec!["one".to_owned()], 1),
            "written, and not flushed"
        );
        case.send("two").await;
        assert_eq!(
            (case.written(), case.woken()),
            (vec!["one".to_owned()], 1),
            "it is no longer idle"
        );
    }

    #[tokio::test]
    async fn queued_messages_do_not_overtake_a_control_message() {
        let case = Case::idle();
        case.channel.queue.close(Close::policy("out"));
        case.send("one").await;
        assert_eq!(case.written(), Vec::<String>::new());
    }
}
