//! The request of an `EventSource`, and the response that begins the stream.

use std::hash::{BuildHasher, RandomState};

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method};

use crate::request::headers::accepts;
use crate::request::scope::Scope;
use crate::transport::sse;

/// The media type that a browser requests when it opens an `EventSource`.
const EVENT_STREAM: &str = "text/event-stream";
/// The header in which a reconnecting `EventSource` sends its last position.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The response headers. They keep caches from storing events and proxies from buffering them.
const HEADERS: [(HeaderName, &str); 3] = [
    (CONTENT_TYPE, EVENT_STREAM),
    (CACHE_CONTROL, "no-cache, no-store"),
    (HeaderName::from_static("x-accel-buffering"), "no"),
];

/// The shortest delay, in milliseconds, before a browser reconnects after the end of a stream. The
/// delay is random, one to three times as long, so that after a restart not all browsers reconnect
/// at once.
const RETRY: u64 = 1_000;

/// Returns whether the request is one of an `EventSource` or an equivalent client.
pub(crate) fn is_event_source(parts: &Parts) -> bool {
    parts.method == Method::GET && accepts(&parts.headers, EVENT_STREAM)
}

/// Takes the positions of a reconnecting `EventSource`, if any.
pub(crate) fn resume(scope: &mut Scope, headers: &HeaderMap) {
    if let Some(id) = headers.get(LAST_EVENT_ID).filter(|id| !id.is_empty()) {
        scope.resume(id.as_bytes());
    }
}

/// The response that begins a stream.
pub(crate) fn response(headers: HeaderMap, events: sse::SseBody) -> Response {
    (HEADERS, headers, Body::from_stream(events)).into_response()
}

/// A stream with nothing but the delay for a reconnect. After a status other than 200 the browser
/// would not reconnect.
pub(crate) fn empty_stream() -> Response {
    (HEADERS, Body::from(sse::retry(retry()))).into_response()
}

/// A random delay before a reconnect, in milliseconds.
pub(crate) fn retry() -> u64 {
    let random = RandomState::new().hash_one(());
    RETRY + random % (2 * RETRY)
}
