//! Feeds: groups whose changes are numbered, so that a page that was away receives what it missed.

mod catch_ups;
mod handle;
mod journal;
mod source;

pub use handle::{Change, Feed};
pub use journal::Journal;
pub use source::{CatchUp, FeedSource};

pub(crate) use catch_ups::{CatchUps, Request};
pub(crate) use source::{ErasedSource, erase};
