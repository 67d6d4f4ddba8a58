//! Concurrency tests: Bellwire's own source files compiled with shuttle's locks (`sync`), and a
//! test harness (`harness`).
//!
//! The files are included instead of depended on, so that no feature or build flag can ever put
//! these locks into a site. The modules are those of `bellwire`'s `lib.rs` without `server`,
//! `assets` and `testing`. If another one is missing, this crate does not compile.
#![allow(
    missing_docs,
    dead_code,
    unreachable_pub,
    reason = "these lints are checked in `bellwire`"
)]

pub mod harness;
mod sync;

#[path = "../../src/handle/mod.rs"]
mod handle;
#[path = "../../src/limits.rs"]
mod limits;
#[path = "../../src/rate/mod.rs"]
pub mod rate;
#[path = "../../src/request/mod.rs"]
mod request;
#[path = "../../src/transport/mod.rs"]
mod transport;
#[path = "../../src/connection/mod.rs"]
mod connection;
#[path = "../../src/consumer/mod.rs"]
mod consumer;
#[path = "../../src/error.rs"]
mod error;
#[path = "../../src/lenient_integers.rs"]
mod lenient_integers;
#[path = "../../src/html/mod.rs"]
mod html;
#[path = "../../src/group_name.rs"]
mod group_name;
#[path = "../../src/layer/mod.rs"]
mod layer;
#[path = "../../src/outbound/mod.rs"]
mod outbound;
#[path = "../../src/layer_counters.rs"]
mod layer_counters;

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
pub use crate::transport::{Close, Frame};
