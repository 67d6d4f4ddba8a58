//! [`UpgradeRejection`]: the refusal of a WebSocket or an event stream.

use axum::response::{IntoResponse, Response};
use http::header::{CONNECTION, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::request::Parts;
use http::{HeaderValue, StatusCode};

use crate::request::origin::OriginRejection;
use crate::request::scope::UriTooLong;
use crate::{Bellwire, UnknownDialect};

/// The reason why a request cannot become a WebSocket or an event stream. It responds with the
/// status of its variant and its text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpgradeRejection {
    /// 403: a page of another origin, or a browser that does not send the origin.
    #[error(transparent)]
    Origin(#[from] OriginRejection),
    /// 426: not a WebSocket handshake. Open this address with `new WebSocket(…)`.
    #[error(
        "This address expects a WebSocket (version 13), opened with `new WebSocket(…)`, or a request \
         that accepts text/event-stream."
    )]
    NotWebSocket,
    /// 406: the request does not accept `text/event-stream`. Open this address with
    /// `new EventSource(…)`.
    #[error("This address sends server-sent events. Open it with `new EventSource(…)`.")]
    NotEventStream,
    /// 400: an invalid handshake.
    #[error("Invalid WebSocket handshake: {0}.")]
    Malformed(&'static str),
    /// 400: an unknown dialect.
    #[error(transparent)]
    Dialect(#[from] UnknownDialect),
    /// 414: the path and query are longer than [`Limits::uri_bytes`](crate::Limits::uri_bytes).
    #[error(transparent)]
    TooLong(#[from] UriTooLong),
    /// 503: the server is shutting down.
    #[error("The server is restarting. Try again in a moment.")]
    Stopping,
    /// 429: this person or address has too many open connections; see
    /// [`Limits::sockets_per_person`](crate::Limits::sockets_per_person).
    #[error("Too many open connections: at most {0} are allowed. Close a tab and try again.")]
    TooMany(usize),
}

impl UpgradeRejection {
    /// Logs the refusal with its reason and remedy, and counts it.
    pub(crate) fn log(&self, bellwire: &Bellwire, parts: &Parts) {
        bellwire.layer().counters().refused();
        let path = parts.uri.path();
        match self {
            // What an operator has to know: pages do not work, or somebody tries.
            Self::Origin(_) | Self::TooLong(_) | Self::TooMany(_) => {
                tracing::warn!(path, reason = %self, "A connection was refused");
            }
            Self::NotWebSocket
            | Self::NotEventStream
            | Self::Malformed(_)
            | Self::Dialect(_)
            | Self::Stopping => tracing::info!(path, reason = %self, "A connection was refused"),
        }
    }
}

impl IntoResponse for UpgradeRejection {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::Origin(_) => StatusCode::FORBIDDEN,
            Self::NotWebSocket => StatusCode::UPGRADE_REQUIRED,
            Self::NotEventStream => StatusCode::NOT_ACCEPTABLE,
            Self::Malformed(_) | Self::Dialect(_) => StatusCode::BAD_REQUEST,
            Self::TooLong(_) => StatusCode::URI_TOO_LONG,
            Self::Stopping => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
        };
        let mut response = (status, format!("{self}\n")).into_response();
        if status == StatusCode::UPGRADE_REQUIRED {
            let headers = response.headers_mut();
            headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
            headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
            headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        }
        response
    }
}
