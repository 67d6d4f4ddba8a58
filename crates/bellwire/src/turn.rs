//! What is next for a connection's loop.

use std::task::{Context, Poll, ready};

use crate::frame::Encoded;
use crate::layer::{Channel, Delivery, Lost, Order, Taken};
use crate::outlet::Outlet;
use crate::sync::Arc;
use crate::websocket::{Incoming, Outgoing};
use crate::{Close, GroupName};

/// What is next for this connection.
pub(crate) enum Turn {
    Incoming(Incoming),
    Event(Arc<Delivery>),
    Behind,
    /// An order is there now.
    Ordered,
    /// Nothing but mail, which somebody is about to write. The loop waits then.
    Expected,
    Lost(Lost),
    Expelled(GroupName),
    Close(Close),
}

/// What is next: orders, then what comes in and what members tell, each first every other time.
pub(crate) fn poll_next(
    incoming_first: &mut bool,
    outlet: &mut Outlet,
    channel: &Channel,
    cx: &mut Context<'_>,
) -> Poll<Turn> {
    loop {
        if let Some(turn) = ordered(outlet, channel) {
            return Poll::Ready(turn);
        }
        if outlet.feeds.behind().is_some() {
            return Poll::Ready(Turn::Behind);
        }
        *incoming_first = !*incoming_first;
        let turn = if *incoming_first {
            poll_incoming(outlet, cx).or_then(|| poll_mail(outlet, channel, cx))
        } else {
            match poll_mail(outlet, channel, cx) {
                expected @ Poll::Ready(Turn::Expected) => poll_incoming(outlet, cx).or_then(|| expected),
                mail => mail.or_then(|| poll_incoming(outlet, cx)),
            }
        };
        match turn {
            Poll::Ready(Turn::Ordered) => {}
            turn => return turn,
        }
    }
}

/// What outranks everything else.
fn ordered(outlet: &mut Outlet, channel: &Channel) -> Option<Turn> {
    loop {
        match channel.mailbox.take_order()? {
            Order::Close(close) => return Some(Turn::Close(close)),
            Order::Expelled(group) => return Some(Turn::Expelled(group)),
            // A wire that is gone says so at the flush.
            Order::Ping => drop(outlet.wire.feed(Outgoing::Frame(Encoded::ping()))),
        }
    }
}

/// Nothing is read while nothing can be written: who does not take answers may not ask.
fn poll_incoming(outlet: &mut Outlet, cx: &mut Context<'_>) -> Poll<Turn> {
    if ready!(outlet.wire.poll_ready(cx)).is_err() {
        return Poll::Ready(Turn::Close(Close::lost()));
    }
    let incoming = outlet.wire.poll_receive(cx);
    incoming.map(|incoming| incoming.map_or(Turn::Close(Close::lost()), Turn::Incoming))
}

/// Hands what waits to the wire, and stops at what needs the consumer.
fn poll_mail(outlet: &mut Outlet, channel: &Channel, cx: &mut Context<'_>) -> Poll<Turn> {
    if !matches!(outlet.wire.poll_ready(cx), Poll::Ready(Ok(()))) {
        return channel.mailbox.poll_ordered(cx).map(|()| Turn::Ordered);
    }
    match outlet.poll_mail(channel, cx) {
        Taken::Lost(lost) => Poll::Ready(Turn::Lost(lost)),
        Taken::Event(delivery) => Poll::Ready(Turn::Event(delivery)),
        Taken::Stopped => Poll::Ready(Turn::Behind),
        Taken::Ordered => Poll::Ready(Turn::Ordered),
        Taken::Expected => Poll::Ready(Turn::Expected),
        Taken::Empty => Poll::Pending,
    }
}

/// `or_then` for polls: the first that is ready.
trait OrThen<T> {
    fn or_then(self, next: impl FnOnce() -> Poll<T>) -> Poll<T>;
}

impl<T> OrThen<T> for Poll<T> {
    fn or_then(self, next: impl FnOnce() -> Poll<T>) -> Poll<T> {
        if self.is_ready() { self } else { next() }
    }
}
