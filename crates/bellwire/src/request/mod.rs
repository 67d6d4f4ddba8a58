//! Requests: client address, identity and origin, and the extractors that open connections and
//! answer forms.

mod action_form;
mod answer;
mod client_address;
#[cfg(feature = "sse")]
mod event_source;
mod handshake;
mod headers;
mod identity;
mod live;
mod origin;
pub(crate) mod reservation;
mod scope;
mod upgrade;
mod upgrade_rejection;

pub use action_form::ActionForm;
pub use answer::Answer;
pub use client_address::{ClientAddress, TrustedProxies, client_address};
pub use headers::{accepts, header_items};
pub use identity::Identity;
pub use live::{ConnectionLayer, Live};
pub use origin::{InvalidOrigin, OriginRejection, Origins};
pub use scope::{Scope, UriTooLong};
#[cfg(feature = "sse")]
pub use upgrade::EventStream;
pub use upgrade::Upgrade;
pub use upgrade_rejection::UpgradeRejection;
