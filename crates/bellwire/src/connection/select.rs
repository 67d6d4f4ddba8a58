//! Selection of the next step of a connection's event loop.

use std::task::{Context, Poll, ready};

use crate::outbound::{Channel, Control, Delivery, Outbound, Overflow, QueuePoll};
use crate::sync::Arc;
use crate::transport::{EncodedFrame, Incoming, Outgoing};
use crate::{Close, GroupName};

/// The next step of the event loop.
pub(crate) enum Step {
    Incoming(Incoming),
    Event(Arc<Delivery>),
    CatchUp,
    /// A control message has arrived.
    Control,
    /// The queue has messages that a publisher is about to write. The loop waits.
    WriterBusy,
    Overflow(Overflow),
    Removed(GroupName),
    Close(Close),
}

/// Selects the next step: control messages first, then socket input and queued messages, which take
/// precedence in alternation.
pub(crate) fn poll_next(
    incoming_first: &mut bool,
    outbound: &mut Outbound,
    channel: &Channel,
    cx: &mut Context<'_>,
) -> Poll<Step> {
    loop {
        if let Some(step) = next_control(outbound, channel) {
            return Poll::Ready(step);
        }
        if outbound.subscriptions.behind().is_some() {
            return Poll::Ready(Step::CatchUp);
        }
        *incoming_first = !*incoming_first;
        let step = if *incoming_first {
            poll_incoming(outbound, cx).or_then(|| poll_queue(outbound, channel, cx))
        } else {
            match poll_queue(outbound, channel, cx) {
                writer_busy @ Poll::Ready(Step::WriterBusy) => {
                    poll_incoming(outbound, cx).or_then(|| writer_busy)
                }
                step => step.or_then(|| poll_incoming(outbound, cx)),
            }
        };
        match step {
            Poll::Ready(Step::Control) => {}
            step => return step,
        }
    }
}

/// The next control message for the loop. Sends pings itself.
fn next_control(outbound: &mut Outbound, channel: &Channel) -> Option<Step> {
    loop {
        match channel.queue.take_control()? {
            Control::Close(close) => return Some(Step::Close(close)),
            Control::Removed(group) => return Some(Step::Removed(group)),
            // A lost transport reports its error at the flush.
            Control::Ping => drop(outbound.transport.write(Outgoing::Frame(EncodedFrame::ping()))),
        }
    }
}

/// Reads from the socket, unless the write buffer is full: a peer that does not accept answers must
/// not send more actions.
fn poll_incoming(outbound: &mut Outbound, cx: &mut Context<'_>) -> Poll<Step> {
    if ready!(outbound.transport.poll_ready(cx)).is_err() {
        return Poll::Ready(Step::Close(Close::lost()));
    }
    let incoming = outbound.transport.poll_receive(cx);
    incoming.map(|incoming| incoming.map_or(Step::Close(Close::lost()), Step::Incoming))
}

/// Writes queued messages to the transport, up to the first that needs the consumer.
fn poll_queue(outbound: &mut Outbound, channel: &Channel, cx: &mut Context<'_>) -> Poll<Step> {
    if !matches!(outbound.transport.poll_ready(cx), Poll::Ready(Ok(()))) {
        return channel.queue.poll_control(cx).map(|()| Step::Control);
    }
    match outbound.poll_queue(channel, cx) {
        QueuePoll::Overflow(lost) => Poll::Ready(Step::Overflow(lost)),
        QueuePoll::Event(delivery) => Poll::Ready(Step::Event(delivery)),
        QueuePoll::Blocked => Poll::Ready(Step::CatchUp),
        QueuePoll::Control => Poll::Ready(Step::Control),
        QueuePoll::WriterBusy => Poll::Ready(Step::WriterBusy),
        QueuePoll::Empty => Poll::Pending,
    }
}

/// `or_then` for polls: the first one that is ready.
trait OrThen<T> {
    fn or_then(self, next: impl FnOnce() -> Poll<T>) -> Poll<T>;
}

impl<T> OrThen<T> for Poll<T> {
    fn or_then(self, next: impl FnOnce() -> Poll<T>) -> Poll<T> {
        if self.is_ready() { self } else { next() }
    }
}
