//! What is published in one go is handed on in one go: a member of the group is touched once for it
//! and not once for each change.
//!
//! The changes are held back with the group itself, under its lock, so the order in it is the order
//! of the publishing, whoever else sends there meanwhile. A burst remembers which group it is, and
//! hands its changes on before it sends anything else, and when it ends: so the order among the
//! sends of one sender stays as well.

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

/// What this thread's burst holds back.
#[derive(Default)]
enum State {
    /// There is no burst.
    #[default]
    Inactive,
    Empty,
    /// Changes of this group.
    Buffering(Layer, GroupName),
}

impl State {
    fn flush(self) {
        if let Self::Buffering(layer, group) = self {
            layer.flush_buffered(&group);
        }
    }
}

/// Hands on in one go what is published meanwhile: each member of a group is touched once for all
/// its changes. A connection's handlers run so already; this is for who publishes elsewhere, such
/// as after a commit. Within a handler it changes nothing: what is handed on is handed on with all
/// that the connection publishes at that moment.
///
/// Whatever else is sent to groups and channels, and whoever joins, comes in its order: only
/// numbered changes ([`Group::publish`](crate::Group::publish)) wait, and those of one group at a
/// time.
///
/// ```
/// use bellwire::{Bellwire, GroupName, Html, Patch, batch};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let bellwire = Bellwire::builder("http://127.0.0.1:8000").build()?;
/// let room = bellwire.layer().group::<()>(GroupName::of("chat.room", 7));
/// batch(|| {
///     for (seq, text) in [(43, "Hi"), (44, "Lunch?")] {
///         room.publish(seq, Patch::append("#messages-list", Html::text(text)));
///     }
/// });
/// # Ok(()) }
/// ```
pub fn batch<T>(say: impl FnOnce() -> T) -> T {
    let _burst = Batch::begin();
    say()
}

pin_project! {
    /// A future whose each poll is a burst.
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
        let _burst = Batch::begin();
        self.project().future.poll(cx)
    }
}

/// Ends with the poll, however that ends.
struct Batch;

impl Batch {
    /// `None` within another burst, whose part this one is.
    fn begin() -> Option<Self> {
        let begun = BATCH.try_with(|batch| match batch.replace(State::Empty) {
            State::Inactive => Some(Self),
            within => {
                batch.set(within);
                None
            }
        });
        // Without a place for it, when a thread ends, there is no burst.
        begun.ok().flatten()
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        BATCH.try_with(Cell::take).unwrap_or_default().flush();
    }
}

/// Before anything else is sent: what is held back goes first.
pub(super) fn flush_buffered() {
    switch_to(None);
}

/// The same before a numbered change of this group. Returns whether the change may be held back,
/// which is so only within a burst.
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
    // Nothing is held meanwhile: who sends because of it is not kept waiting.
    earlier.flush();
    let state =
        next.map_or(State::Empty, |(layer, group)| State::Buffering(layer.clone(), group.clone()));
    let _ = BATCH.try_with(|batch| batch.set(state));
    next.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbound::{Delivery, Handled};
    use crate::{Html, Limits, Patch, Scope};

    fn room() -> GroupName {
        GroupName::of("room", 1)
    }

    /// How many messages each thing is that waits for the only member after something was said.
    fn handed_on(say: impl FnOnce(&Layer)) -> Vec<u32> {
        let layer = Layer::memory();
        let member = layer.connect(&Scope::new("/", ""), &Limits::default(), 0);
        layer.join(&room(), &member);
        say(&layer);
        let mut handed_on = Vec::new();
        member.queue.drain_frames(|delivery: &Delivery| {
            handed_on.push(delivery.cost.messages());
            Handled::Done
        });
        handed_on
    }

    fn publish(layer: &Layer, numbers: &[u64]) {
        let room = layer.group::<()>(room());
        for number in numbers {
            room.publish(*number, Patch::append("#list", Html::text("x")));
        }
    }

    #[test]
    fn changes_that_are_published_in_one_go_are_handed_on_as_one_and_others_each_by_itself() {
        assert_eq!(handed_on(|layer| publish(layer, &[1, 2, 3])), [1, 1, 1]);
        assert_eq!(handed_on(|layer| batch(|| publish(layer, &[1, 2, 3]))), [3]);
    }

    #[test]
    fn a_part_of_it_that_would_be_one_by_itself_ends_with_the_whole() {
        let whole = |layer: &Layer| {
            batch(|| {
                batch(|| publish(layer, &[1, 2]));
                publish(layer, &[3]);
            });
        };
        assert_eq!(handed_on(whole), [3]);
    }

    #[test]
    fn no_more_than_64_changes_wait_for_the_rest() {
        let many = (1..=65).collect::<Vec<_>>();
        assert_eq!(handed_on(|layer| batch(|| publish(layer, &many))), [64, 1]);
    }

    #[test]
    fn whatever_else_is_sent_comes_in_between() {
        let mixed = |layer: &Layer| {
            batch(|| {
                publish(layer, &[1, 2]);
                layer.group::<()>(room()).text("unnumbered");
                publish(layer, &[3, 4]);
                layer.group::<()>(GroupName::of("elsewhere", 1)).text("elsewhere");
                publish(layer, &[5, 6]);
            });
        };
        assert_eq!(handed_on(mixed), [2, 1, 2, 2]);
    }
}
