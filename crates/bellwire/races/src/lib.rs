//! Concurrency tests: Bellwire's own source files compiled with shuttle's locks (`sync`), and a
//! test harness (`harness`).
//!
//! The files are included instead of depended on, so that no feature or build flag can ever put
//! these locks into a site. The modules are those of `bellwire`'s `lib.rs` without `server`,
//! `assets`, `testing` and the derives. If another one is missing, this crate does not compile.
#![allow(
    missing_docs,
    dead_code,
    unreachable_pub,
    reason = "these lints are checked in `bellwire`"
)]
#![allow(clippy::large_enum_variant, reason = "shuttle's locks are larger than the others")]

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
#[path = "../../src/handler_future.rs"]
mod handler_future;
#[path = "../../src/consumer/mod.rs"]
mod consumer;
#[path = "../../src/coalescer.rs"]
mod coalescer;
#[path = "../../src/error.rs"]
mod error;
#[path = "../../src/lenient_integers.rs"]
mod lenient_integers;
#[path = "../../src/html/mod.rs"]
mod html;
#[path = "../../src/topic.rs"]
mod topic;
#[path = "../../src/group_name.rs"]
mod group_name;
#[path = "../../src/position.rs"]
mod position;
#[path = "../../src/feed/mod.rs"]
mod feed;
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

pub use crate::coalescer::Coalescer;
pub use crate::consumer::{
    Action, ActionData, ActionSpec, Consumer, FromFrame, Handler, HandlerLayer, IdempotencyKey,
    JsonFrame, Socket, Ticker,
};
pub use crate::error::{Error, Refusal, WrapError};
pub use crate::feed::{CatchUp, Change, Feed, FeedSource, Journal};
pub use crate::group_name::{GroupName, InvalidGroupName};
pub use crate::handle::{Bellwire, Builder};
pub use crate::html::{Dialect, Html, Patch, Swap, UnknownDialect};
pub use crate::layer::{
    Backplane, GroupHandle, Layer, MalformedMessage, Message, Presence, PresenceChange,
    PresenceChanges, PresenceDifference, Present, Subscription, batch,
};
pub use crate::layer_counters::{Counters, Counts};
pub use crate::limits::{Limits, ServeLimits};
pub use crate::outbound::ChannelName;
pub use crate::position::{Epoch, Epochs, FeedPosition, InvalidPosition, KEPT_EPOCHS, Seq};
#[cfg(feature = "sse")]
pub use crate::request::EventStream;
pub use crate::request::{
    ActionForm, Answer, ClientAddress, ConnectionLayer, Identity, InvalidOrigin, Live,
    OriginRejection, Origins, Scope, TrustedProxies, Upgrade, UpgradeRejection, UriTooLong,
    accepts, client_address, header_items,
};
pub use crate::topic::{
    Event, Group, GroupId, InvalidTextId, Joinable, Named, NoEvents, TextId, Topic,
};
pub use crate::transport::{Close, Frame};
