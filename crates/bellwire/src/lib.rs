#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

// In the order of the message flow.
mod handle;
mod limits;
pub mod rate;
mod server;
mod request;
mod transport;
mod connection;
mod consumer;
mod error;
mod lenient_integers;
mod html;
mod group_name;
mod layer;
mod outbound;
mod layer_counters;
mod sync;
#[cfg(feature = "js")]
pub mod assets;
#[cfg(feature = "testing")]
pub mod testing;

/// Deserializers for `#[serde(deserialize_with = "…")]`.
pub mod serde {
    pub use crate::lenient_integers::{lenient_int, lenient_option_int};
}

pub use crate::consumer::{
    Action, CatchUp, Coalescer, Consumer, FromFrame, IdempotencyKey, JsonFrame, Socket, Ticker,
};
pub use crate::error::{Error, Invalid};
pub use crate::group_name::{GroupName, InvalidGroupName, Seq};
pub use crate::handle::{Bellwire, Builder};
pub use crate::html::{Dialect, Html, Patch, Swap, UnknownDialect};
pub use crate::layer::{
    Backplane, Event, Group, Layer, MalformedMessage, Presence, PresenceChange, PresenceChanges,
    batch,
};
pub use crate::layer_counters::{Counters, Counts};
pub use crate::limits::{Limits, ServeLimits};
pub use crate::outbound::ChannelName;
pub use crate::request::{
    ClientAddress, EventStream, Identity, InvalidOrigin, OriginRejection, Origins, Scope,
    TrustedProxies, Upgrade, UpgradeRejection, UriTooLong, accepts, client_address, header_items,
};
pub use crate::server::{Serve, raise_file_limit, serve, shutdown_signal};
pub use crate::transport::{Close, Frame};
