//! From an HTTP request to a stream of events, for networks that let no socket through.

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

/// What a browser asks for when it opens an `EventSource`.
const EVENT_STREAM: &str = "text/event-stream";
/// Where an `EventSource` that comes back says how far it got.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Neither a cache nor a proxy may keep events back.
const HEADERS: [(HeaderName, &str); 3] = [
    (CONTENT_TYPE, EVENT_STREAM),
    (CACHE_CONTROL, "no-cache, no-store"),
    (HeaderName::from_static("x-accel-buffering"), "no"),
];

/// When a browser comes back after the end of a stream, in milliseconds: once to three times as
/// long, so that a restart does not bring all of them at once.
const RETRY: u64 = 1_000;

/// An extractor: this request asks for server-sent events, and one of our own pages does so.
///
/// It is [`Upgrade`](crate::Upgrade) for networks that block WebSockets, one way only: the same
/// [`Consumer`], groups, feeds, limits and kicks, but [`receive`](Consumer::receive) never runs.
/// What a browser asks goes over ordinary requests. With `Option` around it, one address serves
/// both:
///
/// ```
/// use axum::{Router, response::{IntoResponse, Response}, routing::get};
/// use bellwire::{Bellwire, Consumer, EventStream, Upgrade, UpgradeRejection};
/// # struct News;
/// # impl Consumer for News {
/// #     type Action = bellwire::Frame;
/// #     type Event = ();
/// #     async fn receive(&mut self, s: &mut bellwire::Socket, f: bellwire::Frame) -> Result<(), bellwire::Error> { s.send(f).await }
/// # }
///
/// async fn news(stream: Option<EventStream>, upgrade: Result<Upgrade, UpgradeRejection>) -> Response {
///     match (stream, upgrade) {
///         (Some(stream), _) => stream.person("user.5").run(News),
///         (None, Ok(upgrade)) => upgrade.person("user.5").run(News),
///         (None, Err(refused)) => refused.into_response(),
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let bellwire = Bellwire::builder("http://127.0.0.1:8000").build()?;
/// let app: Router = Router::new().route("/news/", get(news)).with_state(bellwire);
///
/// # use tower::ServiceExt;
/// let request = http::Request::get("/news/").header("accept", "text/event-stream").body(axum::body::Body::empty())?;
/// let response = app.oneshot(request).await?;
/// assert_eq!(response.headers()["content-type"], "text/event-stream");
/// # Ok(()) }
/// ```
///
/// # What goes over the stream
/// - A text frame, such as a patch, is a `message` event. A numbered one carries an `id` with the
///   position of every feed that is followed, in the words of `?since=`. A browser sends it back as
///   `Last-Event-ID`, which outranks `since`, and every feed is resumed. One that cannot be read is
///   as good as none: what the page shows is replaced.
/// - A binary frame is a `binary` event, in base64: events are text.
/// - A close that a page has to know of (1000, 1008 and an app's own codes from 3000 on) is a
///   `close` event with `{"code", "reason"}`; the page's script has to close the `EventSource`.
///   After every other close the stream just ends, and the browser comes back.
///
/// An `EventSource` gives up upon every status but 200, so a refusal is final for a page without a
/// script of its own. A server that stops therefore answers with an empty stream.
///
/// # What a server has to do
/// A reader who takes nothing is told to go after [`Limits::write`](crate::Limits::write): the
/// consumer ends, and what waited is dropped. The connection itself is the HTTP server's, which
/// holds some 100 KB for it until it gives up on it: serve with a time limit for writes.
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
        if !asks_for_events(parts) {
            return Err(UpgradeRejection::NotEventStream);
        }
        Self::of(parts, Bellwire::from_ref(state))
    }
}

/// `None` for every request that does not ask for events.
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
        if !asks_for_events(parts) {
            return Ok(None);
        }
        Self::of(parts, Bellwire::from_ref(state)).map(Some)
    }
}

impl EventStream {
    fn of(parts: &Parts, bellwire: Bellwire) -> Result<Self, UpgradeRejection> {
        bellwire.origins().permits_stream(&parts.headers)?;
        let mut scope = Scope::of(parts, bellwire.limits().uri_bytes)?;
        if let Some(last) = parts.headers.get(LAST_EVENT_ID).filter(|last| !last.is_empty()) {
            scope.resume(last.as_bytes());
        }
        let dialect = scope.query("dialect").next().map(|name| name.parse()).transpose()?;
        Ok(Self { bellwire, scope, dialect, headers: HeaderMap::new() })
    }

    /// What is known of the connection so far.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Whose stream this is; as [`Upgrade::person`](crate::Upgrade::person).
    #[must_use]
    pub fn person(mut self, key: impl Into<Box<str>>) -> Self {
        self.scope.identity.person = Some(key.into());
        self
    }

    /// Which session opened it; as [`Upgrade::session`](crate::Upgrade::session).
    #[must_use]
    pub fn session(mut self, key: impl Into<Box<str>>) -> Self {
        self.scope.identity.session = Some(key.into());
        self
    }

    /// Which address it comes from; as [`Upgrade::address`](crate::Upgrade::address).
    #[must_use]
    pub fn address(mut self, address: IpAddr) -> Self {
        self.scope.identity.address = Some(address);
        self
    }

    /// The dialect for pages that do not ask for one; as
    /// [`Upgrade::dialect`](crate::Upgrade::dialect).
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

    /// Answers with the stream and lets the consumer run.
    pub fn run<C: Consumer>(self, consumer: C) -> Response {
        self.start(Box::new(consumer))
    }

    fn start(self, consumer: Box<dyn ErasedConsumer>) -> Response {
        let Self { bellwire, scope, dialect, headers } = self;
        // Taken before the look, so that a stop that begins now waits for this stream.
        let token = bellwire.tasks().token();
        if bellwire.stopping() {
            return empty_stream();
        }
        // Taken before the response leaves: a stream can be kicked as soon as it is promised.
        let reservation = match Reservation::take(bellwire, scope) {
            Ok(reservation) => reservation,
            Err(refused) => return refused.into_response(),
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

/// A stream with nothing but the wish to be asked again: any status but 200 would be the last word.
fn empty_stream() -> Response {
    (HEADERS, Body::from(sse::retry(retry()))).into_response()
}

fn retry() -> u64 {
    let random = RandomState::new().hash_one(());
    RETRY + random % (2 * RETRY)
}

/// Whether an `EventSource`, or what passes for one, is behind this request.
fn asks_for_events(parts: &Parts) -> bool {
    parts.method == Method::GET && accepts(&parts.headers, EVENT_STREAM)
}
