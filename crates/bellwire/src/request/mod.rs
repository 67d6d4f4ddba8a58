//! Requests: client address, identity and origin, and the extractors that open connections.

mod client_address;
mod event_stream;
mod headers;
mod identity;
mod origin;
pub(crate) mod reservation;
mod scope;
mod upgrade;
mod upgrade_rejection;

pub use client_address::{ClientAddress, TrustedProxies, client_address};
pub use event_stream::EventStream;
pub use headers::{accepts, header_items};
pub use identity::Identity;
pub use origin::{InvalidOrigin, OriginRejection, Origins};
pub use scope::{Scope, UriTooLong};
pub use upgrade::Upgrade;
pub use upgrade_rejection::UpgradeRejection;
