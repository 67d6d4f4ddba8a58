//! Bellwire's own files once more, with locks that try out who comes first (`sync`), and the ground for tests (`stage`).
//!
//! They are read rather than depended on, so that no feature and no flag of the build can ever put these locks into a site.
//! The list is that of `bellwire`'s `lib.rs` without `sse`, another door to the same connections, and without what stands before a
//! connection (`serve`, `client_address`, `assets`); whatever else is missing here does not compile.
#![allow(missing_docs, dead_code, unreachable_pub, reason = "as in `bellwire`, where they are looked at")]

pub mod stage;
mod sync;

#[path = "../../src/bellwire.rs"]
mod bellwire;
#[path = "../../src/limits.rs"]
mod limits;
#[path = "../../src/rate/mod.rs"]
pub mod rate;
#[path = "../../src/headers.rs"]
mod headers;
#[path = "../../src/identity.rs"]
mod identity;
#[path = "../../src/origin.rs"]
mod origin;
#[path = "../../src/upgrade.rs"]
mod upgrade;
#[path = "../../src/place.rs"]
mod place;
#[path = "../../src/websocket.rs"]
mod websocket;
#[path = "../../src/stream.rs"]
mod stream;
#[path = "../../src/frame.rs"]
mod frame;
#[path = "../../src/gathered.rs"]
mod gathered;
#[path = "../../src/scope.rs"]
mod scope;
#[path = "../../src/short.rs"]
mod short;
#[path = "../../src/connection.rs"]
mod connection;
#[path = "../../src/turn.rs"]
mod turn;
#[path = "../../src/handler.rs"]
mod handler;
#[path = "../../src/erased.rs"]
mod erased;
#[path = "../../src/feeds.rs"]
mod feeds;
#[path = "../../src/outlet.rs"]
mod outlet;
#[path = "../../src/socket.rs"]
mod socket;
#[path = "../../src/consumer.rs"]
mod consumer;
#[path = "../../src/action.rs"]
mod action;
#[path = "../../src/error.rs"]
mod error;
#[path = "../../src/close.rs"]
mod close;
#[path = "../../src/patch.rs"]
mod patch;
#[path = "../../src/dialect.rs"]
mod dialect;
#[path = "../../src/group.rs"]
mod group;
#[path = "../../src/layer/mod.rs"]
mod layer;
#[path = "../../src/ticker.rs"]
mod ticker;
#[path = "../../src/keeper.rs"]
mod keeper;
#[cfg(test)]
#[path = "../../src/woken.rs"]
mod woken;

pub use crate::action::{Action, Frame, Json, Receive, number, number_or_none};
pub use crate::bellwire::{Bellwire, Builder};
pub use crate::close::Close;
pub use crate::consumer::{CatchUp, Consumer};
pub use crate::dialect::{Dialect, UnknownDialect};
pub use crate::error::{Error, Invalid};
pub use crate::group::{BadGroupName, Event, Group, GroupName, Seq};
pub use crate::identity::Identity;
pub use crate::layer::{
    Backplane, Change, Changes, ChannelName, Counters, Counts, Garbled, Layer, Presence, in_one_go,
};
pub use crate::limits::{Limits, ServeLimits};
pub use crate::origin::{BadOrigin, OriginRefused, Origins};
pub use crate::patch::{How, Html, Patch};
pub use crate::scope::{AddressTooLong, Scope};
pub use crate::socket::Socket;
pub use crate::ticker::Ticker;
pub use crate::upgrade::{Upgrade, UpgradeRefused};
