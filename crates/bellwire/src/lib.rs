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
mod handler_future;
mod consumer;
mod coalescer;
mod error;
mod lenient_integers;
mod html;
mod topic;
mod group_name;
mod position;
mod feed;
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

/// What an app needs in most of its files.
pub mod prelude {
    pub use crate::{
        Action, Bellwire, CatchUp, Consumer, Error, Feed, FeedSource, Group, Html, Live, Patch,
        Refusal, Seq, Socket, Topic,
    };
}

/// For the derives.
#[doc(hidden)]
pub mod __private {
    pub use ::serde;

    /// The status with this number, which the derive has checked.
    pub fn status(number: u16) -> http::StatusCode {
        http::StatusCode::from_u16(number).unwrap_or(http::StatusCode::UNPROCESSABLE_ENTITY)
    }
}

pub use bellwire_macros::{Action, ActionData, Refusal};

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
pub use crate::server::{Serve, raise_file_limit, serve, shutdown_signal};
pub use crate::topic::{
    Event, Group, GroupId, InvalidTextId, Joinable, Named, NoEvents, TextId, Topic,
};
pub use crate::transport::{Close, Frame};
