//! Batches of numbered publishes: each member of the group is notified once per batch, instead of
//! once per change.
//!
//! The changes are buffered in the group itself, under its lock, so that they keep the order of
//! publishing, also with sends of others. A batch knows its current group, and flushes the buffer
//! before it sends anything else, and when it ends: so the sends of one sender keep their order as
//! well.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::sync::thread_local;
use crate::{GroupName, Layer};

thread_local! {
    static BATCH: Cell<State> = const { Cell::new(State::Inactive) };
}

/// The state of this thread's batch.
#[derive(Default)]
enum State {
    /// There is no batch.
    #[default]
    Inactive,
    /// Nothing is buffered.
    Empty,
    /// Changes of this group are buffered.
    Buffering(Layer, GroupName),
}

impl State {
    fn flush(self) {
        if let Self::Buffering(layer, group) = self {
            layer.flush_buffered(&group);
        }
    }
}

/// Batches numbered publishes made inside `f`; each member is notified once per batch.
///
/// Use it for code that publishes outside of a connection, such as after a commit. Handlers run in
/// a batch already, so within a handler it changes nothing: changes are flushed with all others
/// that the connection publishes before it waits.
///
/// Only numbered changes ([`Feed::publish`](crate::Feed::publish)) are buffered, of one group at
/// a time. Other sends to groups and channels, and joins, keep their order relative to them.
///
/// ```
/// use bellwire::{Html, Layer, Patch, Topic, batch};
///
/// const ROOM: Topic<u32> = Topic::new("chat.room");
///
/// let room = Layer::memory().journal(ROOM.of(7), 100);
/// batch(|| {
///     for text in ["Hi", "Lunch?"] {
///         room.append(Patch::append("#messages-list", Html::text(text)));
///     }
/// });
/// ```
pub fn batch<T>(f: impl FnOnce() -> T) -> T {
    let _batch = Batch::begin();
    f()
}

pin_project! {
    /// A future that runs each of its polls in a batch.
    pub(crate) struct Batched<F> {
        #[pin]
        future: F,
    }
}

impl<F> Batched<F> {
    pub(crate) fn new(future: F) -> Self {
        Self { future }
    }
}

impl<F: Future> Future for Batched<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let _batch = Batch::begin();
        self.project().future.poll(cx)
    }
}

/// The guard of a batch: dropping it flushes, also after a panic.
struct Batch;

impl Batch {
    /// Begins a batch; `None` within another batch, of which this one becomes a part.
    fn begin() -> Option<Self> {
        let begun = BATCH.try_with(|batch| match batch.replace(State::Empty) {
            State::Inactive => Some(Self),
            outer => {
                batch.set(outer);
                None
            }
        });
        // While a thread ends, its thread-locals are gone and there is no batch.
        begun.ok().flatten()
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        BATCH.try_with(Cell::take).unwrap_or_default().flush();
    }
}

/// Flushes buffered changes; called before any other send.
pub(super) fn flush_buffered() {
    switch_to(None);
}

/// Flushes buffered changes of other groups; called before a numbered change of this group. Returns
/// whether the change may be buffered, which requires a batch.
pub(super) fn try_buffer(layer: &Layer, group: &GroupName) -> bool {
    switch_to(Some((layer, group)))
}

fn switch_to(next: Option<(&Layer, &GroupName)>) -> bool {
    let earlier = match (BATCH.try_with(Cell::take).unwrap_or_default(), next) {
        (State::Inactive, _) => return false,
        (State::Buffering(layer, group), Some(next)) if layer.is(next.0) && group == *next.1 => {
            let _ = BATCH.try_with(|batch| batch.set(State::Buffering(layer, group)));
            return true;
        }
        (earlier, _) => earlier,
    };
    // The state is empty during the flush, so that sends made by it are not buffered.
    earlier.flush();
    let state =
        next.map_or(State::Empty, |(layer, group)| State::Buffering(layer.clone(), group.clone()));
    let _ = BATCH.try_with(|batch| batch.set(state));
    next.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbound::Send;
    use crate::outbound::{Delivery, Handled};
    use crate::topic::{Group, Topic};
    use crate::{Html, Limits, Patch, Scope};

    const ROOM: Topic<u8> = Topic::new("room");

    fn room() -> GroupName {
        ROOM.of(1).name().clone()
    }

    /// The number of messages in each delivery that is queued for the only member after `send`.
    fn deliveries(send: impl FnOnce(&Layer)) -> Vec<u32> {
        let layer = Layer::memory();
        let member = layer.connect(&Scope::new("/", ""), &Limits::default(), 0);
        layer.join(&room(), &member);
        send(&layer);
        let mut deliveries = Vec::new();
        member.queue.drain_frames(|delivery: &Delivery| {
            deliveries.push(delivery.cost.messages());
            Handled::Done
        });
        deliveries
    }

    fn publish(layer: &Layer, numbers: &[i64]) {
        for number in numbers {
            let patches = vec![Patch::append("#list", Html::text("x"))];
            layer.group(ROOM.of(1)).send_raw(Send::Patches(patches, Some(*number)), None);
        }
    }

    #[test]
    fn changes_published_in_a_batch_are_delivered_together_and_others_one_by_one() {
        assert_eq!(deliveries(|layer| publish(layer, &[1, 2, 3])), [1, 1, 1]);
        assert_eq!(deliveries(|layer| batch(|| publish(layer, &[1, 2, 3]))), [3]);
    }

    #[test]
    fn a_nested_batch_ends_with_the_outer_one() {
        let nested = |layer: &Layer| {
            batch(|| {
                batch(|| publish(layer, &[1, 2]));
                publish(layer, &[3]);
            });
        };
        assert_eq!(deliveries(nested), [3]);
    }

    #[test]
    fn at_most_64_changes_are_buffered() {
        let many = (1..=65).collect::<Vec<_>>();
        assert_eq!(deliveries(|layer| batch(|| publish(layer, &many))), [64, 1]);
    }

    #[test]
    fn other_sends_keep_their_order_relative_to_a_batch() {
        let elsewhere = GroupName::new("elsewhere").unwrap();
        let mixed = |layer: &Layer| {
            batch(|| {
                publish(layer, &[1, 2]);
                layer.group(ROOM.of(1)).text("unnumbered");
                publish(layer, &[3, 4]);
                layer.group(Group::<()>::new(elsewhere.clone())).text("elsewhere");
                publish(layer, &[5, 6]);
            });
        };
        assert_eq!(deliveries(mixed), [2, 1, 2, 2]);
    }
}
