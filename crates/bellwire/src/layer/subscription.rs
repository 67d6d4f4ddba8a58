//! [`Subscription`]: a group's messages for a task or a test, without a connection.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::task::Poll;

use crate::outbound::{Body, Channel, Delivery, EncodedPatches, Handled, QueuePoll};
use crate::position::Seq;
use crate::sync::Arc;
use crate::topic::{Event, Group};
use crate::{Layer, Patch};

/// The messages of a group from the moment of [`Layer::subscribe`] on, until it is dropped.
///
/// ```
/// use bellwire::{Layer, Message, Topic};
///
/// const ROOM: Topic<u32, String> = Topic::new("room");
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), bellwire::Error> {
/// let layer = Layer::memory();
/// let mut messages = layer.subscribe(ROOM.of(7));
/// layer.group(ROOM.of(7)).send("hello".to_owned())?;
/// assert!(matches!(messages.next().await, Message::Event(text) if *text == "hello"));
/// # Ok(()) }
/// ```
pub struct Subscription<E> {
    layer: Layer,
    group: Group<E>,
    channel: Arc<Channel>,
    /// The messages of a delivery that are not yet returned.
    rest: VecDeque<Message<E>>,
}

/// A message of a group.
#[derive(Debug)]
#[non_exhaustive]
pub enum Message<E> {
    /// An event.
    Event(std::sync::Arc<E>),
    /// Patches. A change of a feed has a number.
    Patches(Vec<Patch>, Option<Seq>),
    /// A text.
    Text(String),
    /// A change of a feed whose content is only in its source.
    Change(Seq),
    /// Messages were dropped, because this subscription was read too slowly.
    Missed,
}

impl<E: Event> Subscription<E> {
    pub(super) fn new(layer: Layer, group: Group<E>) -> Self {
        let channel = layer.open_channel();
        layer.join(group.name(), &channel);
        Self { layer, group, channel, rest: VecDeque::new() }
    }

    /// Waits for the next message.
    pub async fn next(&mut self) -> Message<E> {
        loop {
            if let Some(message) = self.rest.pop_front() {
                return message;
            }
            let polled = poll_fn(|cx| match self.channel.queue.poll_next(cx, |_| Handled::Event) {
                QueuePoll::Event(delivery) => Poll::Ready(Some(delivery)),
                QueuePoll::Overflow(_) => Poll::Ready(None),
                QueuePoll::Empty | QueuePoll::WriterBusy | QueuePoll::Blocked => Poll::Pending,
                // Nobody kicks it or removes it from a group.
                QueuePoll::Control => Poll::Pending,
            });
            match polled.await {
                Some(delivery) => self.rest.extend(messages(&delivery)),
                None => return Message::Missed,
            }
        }
    }
}

fn messages<E: Event>(delivery: &Delivery) -> Vec<Message<E>> {
    match &delivery.body {
        Body::Event(event) => event.get().map(Message::Event).into_iter().collect(),
        Body::Frames(all) => all.iter().map(message).collect(),
    }
}

fn message<E>(frames: &EncodedPatches) -> Message<E> {
    match (frames.text_of(), frames.seq()) {
        (Some(text), _) => Message::Text(text),
        (None, Some(seq)) if frames.is_hint() => Message::Change(seq),
        (None, seq) => Message::Patches(frames.patches().to_vec(), seq),
    }
}

impl<E> Drop for Subscription<E> {
    fn drop(&mut self) {
        self.layer.leave(self.group.name(), &self.channel);
    }
}

impl<E> fmt::Debug for Subscription<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subscription({})", self.group.name())
    }
}
