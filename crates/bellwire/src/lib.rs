#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

// In the order in which a frame travels.
mod bellwire;
mod limits;
pub mod rate;
mod serve;
mod client_address;
mod identity;
mod headers;
mod origin;
mod upgrade;
mod sse;
mod place;
mod websocket;
mod stream;
mod frame;
mod gathered;
mod scope;
mod short;
mod connection;
mod turn;
mod handler;
mod erased;
mod feeds;
mod outlet;
mod socket;
mod consumer;
mod action;
mod client_id;
mod error;
mod close;
mod patch;
mod dialect;
mod group;
mod layer;
mod ticker;
mod debounce;
mod keeper;
mod sync;
#[cfg(feature = "js")]
pub mod assets;
#[cfg(test)]
mod woken;
#[cfg(feature = "testing")]
pub mod testing;

pub use crate::action::{Action, Frame, Json, Receive, number, number_or_none};
pub use crate::bellwire::{Bellwire, Builder};
pub use crate::client_address::{ClientAddress, TrustedProxies, client_address};
pub use crate::client_id::ClientId;
pub use crate::close::Close;
pub use crate::consumer::{CatchUp, Consumer};
pub use crate::debounce::Debouncer;
pub use crate::dialect::{Dialect, UnknownDialect};
pub use crate::error::{Error, Invalid};
pub use crate::group::{BadGroupName, Event, Group, GroupName, Seq};
pub use crate::headers::{accepts, header_items};
pub use crate::identity::Identity;
pub use crate::layer::{
    Backplane, Change, Changes, ChannelName, Counters, Counts, Garbled, Layer, Presence, in_one_go,
};
pub use crate::limits::{Limits, ServeLimits};
pub use crate::origin::{BadOrigin, OriginRefused, Origins};
pub use crate::patch::{How, Html, Patch};
pub use crate::scope::{AddressTooLong, Scope};
pub use crate::serve::{Serve, raise_file_limit, serve, shutdown_signal};
pub use crate::socket::Socket;
pub use crate::sse::EventStream;
pub use crate::ticker::Ticker;
pub use crate::upgrade::{Upgrade, UpgradeRefused};
