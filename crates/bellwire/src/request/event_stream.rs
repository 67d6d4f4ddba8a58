//! [`EventStream`]: the extractor that turns an HTTP request into a stream of server-sent events,
//! for networks that block WebSockets.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;

use axum::body::Body;
use axum::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::connection::Connection;
use crate::consumer::ErasedConsumer;
use crate::request::reservation::Reservation;
use crate::transport::sse;
use crate::{Bellwire, Consumer, Dialect, Scope, UpgradeRejection, accepts};

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

/// An extractor of a request for server-sent events that comes from one of the site's own pages.
///
/// It is the counterpart of [`Upgrade`](crate::Upgrade) for networks that block WebSockets, in one
/// direction: the same [`Consumer`], groups, feeds, limits and kicks, but
/// [`receive`](Consumer::receive) never runs. The page sends its actions as ordinary requests. With
/// `Option` around the extractor, one path serves both:
///
/// ```
/// use axum::{Router, response::{IntoResponse, Response}, routing::get};
/// use bellwire::{Bellwire, Consumer, EventStream, Upgrade, UpgradeRejection};
/// # struct News;
/// # impl Consumer for News {
/// #     type Action = bellwire::Frame;
/// #     type Event = ();
/// #     async fn receive(
/// #         &mut self,
/// #         socket: &mut bellwire::Socket,
/// #         frame: bellwire::Frame,
/// #     ) -> Result<(), bellwire::Error> {
/// #         socket.send(frame).await
/// #     }
/// # }
///
/// async fn news(
///     stream: Option<EventStream>,
///     upgrade: Result<Upgrade, UpgradeRejection>,
/// ) -> Response {
///     match (stream, upgrade) {
///         (Some(stream), _) => stream.person("user.5").run(News),
///         (None, Ok(upgrade)) => upgrade.person("user.5").run(News),
///         (None, Err(rejection)) => rejection.into_response(),
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let bellwire = Bellwire::builder("http://127.0.0.1:8000").build()?;
/// let app: Router = Router::new().route("/news/", get(news)).with_state(bellwire);
///
/// # use tower::ServiceExt;
/// let request = http::Request::get("/news/")
///     .header("accept", "text/event-stream")
///     .body(axum::body::Body::empty())?;
/// let response = app.oneshot(request).await?;
/// assert_eq!(response.headers()["content-type"], "text/event-stream");
/// # Ok(()) }
/// ```
///
/// # Format of the stream
/// - A text frame, such as a patch, is a `message` event. A numbered frame carries an `id` with the
///   position of every followed feed, in the format of `?since=`. A browser sends it back as
///   `Last-Event-ID`, which overrides `since`, and every feed is resumed. An invalid id counts as
///   no position: the content of the page is then replaced.
/// - A binary frame is a `binary` event in base64, because events are text.
/// - A close that a page must handle (1000, 1008 and an app's own codes from 3000 on) is a `close`
///   event with `{"code", "reason"}`. The page's script must then close the `EventSource`. After
///   any other close the stream ends, and the browser reconnects.
///
/// An `EventSource` does not reconnect after a status other than 200, so a refusal is final for a
/// page without a script of its own. A server that is shutting down therefore responds with an
/// empty stream.
///
/// # Requirements on the server
/// A client that reads nothing is disconnected after [`Limits::write`](crate::Limits::write): the
/// consumer ends and queued messages are dropped. The connection itself belongs to the HTTP server,
/// which holds some 100 KB for it until it closes it. Serve with a timeout for writes, as
/// [`serve`](crate::serve()) does.
#[derive(Debug)]
pub struct EventStream {
    bellwire: Bellwire,
    scope: Scope,
    dialect: Option<Dialect>,
    headers: HeaderMap,
}

impl<S> FromRequestParts<S> for EventStream
where
    Bellwire: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = UpgradeRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        if !accepts_event_stream(parts) {
            return Err(UpgradeRejection::NotEventStream);
        }
        Self::of(parts, Bellwire::from_ref(state))
    }
}

/// Extracts `None` from a request that does not accept `text/event-stream`.
impl<S> OptionalFromRequestParts<S> for EventStream
where
    Bellwire: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = UpgradeRejection;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &S,
    ) -> Result<Option<Self>, Self::Rejection> {
        if !accepts_event_stream(parts) {
            return Ok(None);
        }
        Self::of(parts, Bellwire::from_ref(state)).map(Some)
    }
}

impl EventStream {
    fn of(parts: &Parts, bellwire: Bellwire) -> Result<Self, UpgradeRejection> {
        bellwire.origins().permits_stream(&parts.headers)?;
        let mut scope = Scope::of(parts, bellwire.limits().uri_bytes)?;
        if let Some(id) = parts.headers.get(LAST_EVENT_ID).filter(|id| !id.is_empty()) {
            scope.resume(id.as_bytes());
        }
        let dialect = scope.query("dialect").next().map(|name| name.parse()).transpose()?;
        Ok(Self { bellwire, scope, dialect, headers: HeaderMap::new() })
    }

    /// The scope of the connection.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Sets the person, as [`Upgrade::person`](crate::Upgrade::person) does.
    #[must_use]
    pub fn person(mut self, key: impl Into<Box<str>>) -> Self {
        self.scope.identity.person = Some(key.into());
        self
    }

    /// Sets the session, as [`Upgrade::session`](crate::Upgrade::session) does.
    #[must_use]
    pub fn session(mut self, key: impl Into<Box<str>>) -> Self {
        self.scope.identity.session = Some(key.into());
        self
    }

    /// Sets the client's address, as [`Upgrade::address`](crate::Upgrade::address) does.
    #[must_use]
    pub fn address(mut self, address: IpAddr) -> Self {
        self.scope.identity.address = Some(address);
        self
    }

    /// Sets the dialect for pages that do not select one, as
    /// [`Upgrade::dialect`](crate::Upgrade::dialect) does.
    #[must_use]
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.dialect.get_or_insert(dialect);
        self
    }

    /// Adds a header to the response.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// Responds with the stream and runs the consumer on it.
    pub fn run<C: Consumer>(self, consumer: C) -> Response {
        self.start(Box::new(consumer))
    }

    fn start(self, consumer: Box<dyn ErasedConsumer>) -> Response {
        let Self { bellwire, scope, dialect, headers } = self;
        // Taken before the check, so that a shutdown that starts now waits for this stream.
        let token = bellwire.tasks().token();
        if bellwire.stopping() {
            return empty_stream();
        }
        // Reserved before the response is sent, so that a kick also reaches a stream that has not
        // started yet.
        let reservation = match Reservation::take(bellwire, scope) {
            Ok(reservation) => reservation,
            Err(rejection) => return rejection.into_response(),
        };
        let (transport, events) = sse::open(retry(), &reservation.scope.since);
        let connection = Connection::open(
            consumer,
            reservation.socket(Box::new(transport), dialect.unwrap_or_default()),
        );
        tokio::spawn(async move {
            connection.run().await;
            drop(token);
        });
        (HEADERS, headers, Body::from_stream(events)).into_response()
    }
}

/// A stream with nothing but the delay for a reconnect. After a status other than 200 the browser
/// would not reconnect.
fn empty_stream() -> Response {
    (HEADERS, Body::from(sse::retry(retry()))).into_response()
}

fn retry() -> u64 {
    let random = RandomState::new().hash_one(());
    RETRY + random % (2 * RETRY)
}

/// Returns whether the request is one of an `EventSource` or an equivalent client.
fn accepts_event_stream(parts: &Parts) -> bool {
    parts.method == Method::GET && accepts(&parts.headers, EVENT_STREAM)
}
