//! [`Upgrade`] and [`EventStream`]: the extractors of one transport alone.

use axum::extract::{FromRef, FromRequestParts};
use http::request::Parts;

use crate::request::live::Live;
use crate::{Bellwire, UpgradeRejection};

/// An extractor of a WebSocket handshake that comes from one of the site's own pages. Any other
/// request is refused. Most routes use [`Live`], which serves event streams as well.
#[derive(Debug)]
pub struct Upgrade(Live);

impl Upgrade {
    /// The connection to open.
    pub fn live(self) -> Live {
        self.0
    }
}

impl<S> FromRequestParts<S> for Upgrade
where
    Bellwire: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = UpgradeRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        Live::socket(parts, Bellwire::from_ref(state)).map(Self)
    }
}

/// An extractor of a request for server-sent events that comes from one of the site's own pages. Any
/// other request is refused. Most routes use [`Live`], which serves WebSockets as well.
#[cfg(feature = "sse")]
#[derive(Debug)]
pub struct EventStream(Live);

#[cfg(feature = "sse")]
impl EventStream {
    /// The connection to open.
    pub fn live(self) -> Live {
        self.0
    }
}

#[cfg(feature = "sse")]
impl<S> FromRequestParts<S> for EventStream
where
    Bellwire: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = UpgradeRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        Live::stream(parts, Bellwire::from_ref(state)).map(Self)
    }
}
