//! [`UpgradeRejection`]: the refusal of a WebSocket or an event stream.

use axum::response::{IntoResponse, Response};
use http::header::{CONNECTION, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{HeaderValue, StatusCode};

use crate::{OriginRejection, UnknownDialect, UriTooLong};

/// The reason why a request cannot become a WebSocket or an event stream. It responds with the
/// status of its variant and its text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpgradeRejection {
    /// 403: a page of another origin, or a browser that does not send the origin.
    #[error(transparent)]
    Origin(#[from] OriginRejection),
    /// 426: not a WebSocket handshake. Open this address with `new WebSocket(…)`.
    #[error("This address expects a WebSocket (version 13). Open it with `new WebSocket(…)`.")]
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
    /// 429: this person or address has too many open sockets.
    #[error("Too many open connections: at most {0} are allowed. Close a tab and try again.")]
    TooMany(usize),
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
