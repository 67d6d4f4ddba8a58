//! What a connection publishes in one go is handed on in one go: a member of the group is touched once for it and not once for each change.
//!
//! The changes are held back with the group itself, under its lock, so the order in it is the order of the publishing, whoever else
//! sends there meanwhile. A burst remembers which group it is, and hands its changes on before it sends anything elsewhere, and when
//! it ends: so the order among the sends of one sender stays as well.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::Layer;
use crate::GroupName;
use crate::sync::thread_local;

thread_local! {
    static BURST: Cell<State> = const { Cell::new(State::None) };
}

/// What this thread's burst holds back.
#[derive(Default)]
enum State {
    #[default]
    None,
    Nothing,
    Changes(Layer, GroupName),
}

impl State {
    fn hand_on(self) {
        if let Self::Changes(layer, group) = self {
            layer.hand_on_held(&group);
        }
    }
}

pin_project! {
    /// A future whose each poll is a burst.
    pub(crate) struct InBursts<F> {
        #[pin]
        future: F,
    }
}

impl<F> InBursts<F> {
    pub(crate) fn new(future: F) -> Self {
        Self { future }
    }
}

impl<F: Future> Future for InBursts<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let _burst = Burst::begin();
        self.project().future.poll(cx)
    }
}

/// Ends with the poll, however that ends.
struct Burst;

impl Burst {
    /// `None` within another burst, whose part this one is.
    fn begin() -> Option<Self> {
        BURST.with(|burst| match burst.replace(State::Nothing) {
            State::None => Some(Self),
            within => {
                burst.set(within);
                None
            }
        })
    }
}

impl Drop for Burst {
    fn drop(&mut self) {
        BURST.with(Cell::take).hand_on();
    }
}

/// Told before a send to this group: what is held back elsewhere goes first. Returns whether changes of the group may be held back, which is
/// remembered if they are.
pub(super) fn turn_to(layer: &Layer, group: &GroupName, holds: bool) -> bool {
    // Without a place for it, when a thread ends, there is no burst either.
    let state = BURST.try_with(Cell::take).unwrap_or_default();
    let (earlier, next) = match state {
        State::None => return false,
        State::Changes(other, name) if other.is(layer) && name == *group => {
            (State::Nothing, State::Changes(other, name))
        }
        earlier if holds => (earlier, State::Changes(layer.clone(), group.clone())),
        earlier => (earlier, State::Nothing),
    };
    earlier.hand_on();
    let _ = BURST.try_with(|burst| burst.set(next));
    holds
}
