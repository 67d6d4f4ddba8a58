//! [`Live`]: the extractor that opens a connection to a page, whichever transport the page asks for.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use axum::response::{IntoResponse, Response};
use http::header::SEC_WEBSOCKET_PROTOCOL;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};
use hyper_util::rt::TokioIo;
use tracing::{Instrument, Span};

use crate::connection::Connection;
use crate::consumer::{ConsumerDriver, Driver, HandlerLayer, Layered, RawSocket};
use crate::outbound::Reader;
#[cfg(feature = "sse")]
use crate::request::event_source::{self, is_event_source};
use crate::request::handshake::Handshake;
use crate::request::reservation::Reservation;
use crate::request::scope::Scope;
use crate::request::upgrade_rejection::UpgradeRejection;
use crate::transport::WebSocket;
#[cfg(feature = "sse")]
use crate::transport::sse;
use crate::{Bellwire, Consumer, Dialect};

/// An extractor of a request that opens a connection, from one of the site's own pages: a WebSocket,
/// or a stream of server-sent events where WebSockets are blocked. One route serves both.
///
/// Put the extractors that authenticate and authorize before it, so that a client they refuse gets
/// an ordinary HTTP response. A request that opens no connection is refused with
/// [`UpgradeRejection`], and each refusal is one line of the log.
///
/// ```
/// use axum::{Router, http::StatusCode, response::{IntoResponse, Response}, routing::get};
/// use bellwire::{Bellwire, Live};
/// # struct Echo;
/// # impl bellwire::Consumer for Echo {
/// #     type Action = bellwire::Frame;
/// #     type Event = ();
/// #     type Error = bellwire::Error;
/// #     async fn receive(
/// #         &mut self,
/// #         socket: &mut bellwire::Socket<Self>,
/// #         frame: bellwire::Frame,
/// #     ) -> Result<(), bellwire::Error> {
/// #         socket.send(frame).await
/// #     }
/// # }
///
/// async fn echo(live: Live) -> Response {
///     if live.scope().query("room").next().is_none() {
///         return (StatusCode::NOT_FOUND, "Unknown room").into_response();
///     }
///     live.person("user.5").run(Echo)
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let bellwire = Bellwire::builder("http://127.0.0.1:8000").build()?;
/// let app: Router = Router::new().route("/live/", get(echo)).with_state(bellwire);
/// # let _ = app; Ok(()) }
/// ```
///
/// # Streams
/// A stream is the same connection in one direction: the same [`Consumer`], groups, feeds, limits
/// and kicks, but [`receive`](Consumer::receive) never runs. The page sends its actions as forms,
/// which [`Answer`](crate::Answer) answers.
///
/// - A text frame, such as a patch, is a `message` event. A numbered frame carries an `id` with the
///   position of every followed feed, in the format of `?since=`. A browser sends it back as
///   `Last-Event-ID`, which overrides `since`. An invalid id counts as no position: the content of
///   the page is then replaced.
/// - A binary frame is a `binary` event in base64, because events are text.
/// - A close that a page must handle (1000, 1008, 1012 and an app's own codes from 3000 on) is a
///   `close` event with `{"code", "reason"}`. The page's script must then close the `EventSource`.
///   After any other close the stream ends, and the browser reconnects.
/// - A `notice` event with `{"message"}` is for the developer: bellwire.js writes it to the console.
///
/// An `EventSource` does not reconnect after a status other than 200, so a refusal is final for a
/// page without a script of its own. A server that is shutting down therefore responds with an
/// empty stream.
///
/// A client that reads nothing is disconnected after [`Limits::write`](crate::Limits::write): the
/// consumer ends and queued messages are dropped. The connection itself belongs to the HTTP server,
/// which holds some 100 KB for it until it closes it. Serve with a timeout for writes, as
/// [`serve`](crate::serve()) does.
pub struct Live {
    bellwire: Bellwire,
    scope: Scope,
    reader: Reader,
    /// Whether the request selected its dialect.
    has_dialect: bool,
    headers: HeaderMap,
    layers: Vec<Wrap>,
    transport: Transport,
    /// The span of the request, of which the connection's span is a child.
    span: Span,
}

type Wrap = Box<dyn FnOnce(Box<dyn Driver>) -> Box<dyn Driver> + Send>;

/// A [`HandlerLayer`] around the consumers of all connections that a request opens. Middleware puts
/// it into the request's extensions: one that authenticates can bind each connection to its session.
///
/// ```
/// use axum::{extract::Request, middleware::Next, response::Response};
/// use bellwire::{ConnectionLayer, Error, Handler, HandlerLayer, Scope};
///
/// struct Log;
///
/// impl HandlerLayer for Log {
///     fn after(&mut self, handler: Handler, scope: &Scope, result: &Result<(), Error>) {
///         println!("{handler} of {scope}: {}", result.is_ok());
///     }
/// }
///
/// async fn log(mut request: Request, next: Next) -> Response {
///     request.extensions_mut().insert(ConnectionLayer::new(|| Log));
///     next.run(request).await
/// }
/// # let _ = axum::middleware::from_fn::<_, (Request,)>(log);
/// ```
#[derive(Clone)]
pub struct ConnectionLayer(Arc<dyn Fn() -> Wrap + Send + Sync>);

impl ConnectionLayer {
    /// A layer that `make` makes for each connection.
    pub fn new<L: HandlerLayer>(make: impl Fn() -> L + Send + Sync + 'static) -> Self {
        Self(Arc::new(move || wrap(make())))
    }

    fn wrap(&self) -> Wrap {
        (self.0)()
    }
}

impl fmt::Debug for ConnectionLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConnectionLayer")
    }
}

fn wrap(layer: impl HandlerLayer) -> Wrap {
    Box::new(|driver| Box::new(Layered::new(layer, driver)))
}

enum Transport {
    Socket(Handshake),
    #[cfg(feature = "sse")]
    Stream {
        /// A text for the developer of the page.
        notice: Option<String>,
    },
}

impl<S> FromRequestParts<S> for Live
where
    Bellwire: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = UpgradeRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let bellwire = Bellwire::from_ref(state);
        #[cfg(feature = "sse")]
        if is_event_source(parts) && !Handshake::is_in(parts) {
            return Self::stream(parts, bellwire);
        }
        Self::socket(parts, bellwire)
    }
}

impl Live {
    pub(super) fn socket(parts: &mut Parts, bellwire: Bellwire) -> Result<Self, UpgradeRejection> {
        let open = |parts: &mut Parts| {
            let handshake = Handshake::take(parts)?;
            bellwire.origins().permits(&parts.headers)?;
            Self::new(parts, &bellwire, Transport::Socket(handshake))
        };
        let opened = open(parts);
        opened.inspect_err(|rejection| rejection.log(&bellwire, parts))
    }

    #[cfg(feature = "sse")]
    pub(super) fn stream(parts: &mut Parts, bellwire: Bellwire) -> Result<Self, UpgradeRejection> {
        let open = |parts: &mut Parts| {
            if !is_event_source(parts) {
                return Err(UpgradeRejection::NotEventStream);
            }
            bellwire.origins().permits_stream(&parts.headers)?;
            let mut live = Self::new(parts, &bellwire, Transport::Stream { notice: None })?;
            event_source::resume(&mut live.scope, &parts.headers);
            live.transport = Transport::Stream { notice: live.refused_origin() };
            Ok(live)
        };
        let opened = open(parts);
        opened.inspect_err(|rejection| rejection.log(&bellwire, parts))
    }

    fn new(
        parts: &Parts,
        bellwire: &Bellwire,
        transport: Transport,
    ) -> Result<Self, UpgradeRejection> {
        let scope = Scope::of(parts, bellwire.limits().uri_bytes)?;
        let layers = parts.extensions.get::<ConnectionLayer>().map(ConnectionLayer::wrap);
        let dialect = scope.query("dialect").next().map(|name| name.parse()).transpose()?;
        Ok(Self {
            bellwire: bellwire.clone(),
            scope,
            has_dialect: dialect.is_some(),
            reader: Reader { dialect: dialect.unwrap_or_default(), audience: None },
            headers: HeaderMap::new(),
            layers: layers.into_iter().collect(),
            transport,
            span: Span::current(),
        })
    }

    /// The reason why a page that uses a stream cannot open a WebSocket, if it is its origin. Such a
    /// page sends its origin, because a stream of its own site carries none.
    #[cfg(feature = "sse")]
    fn refused_origin(&self) -> Option<String> {
        let origin = self.scope.query("origin").next()?;
        let rejection = self.bellwire.origins().permits_origin(origin.as_bytes()).err()?;
        tracing::warn!(
            path = self.scope.path(),
            %rejection,
            "A page uses an event stream, because its WebSocket is refused"
        );
        Some(rejection.to_string())
    }

    /// The scope of the connection.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Whether it is a stream, which cannot receive actions.
    pub fn is_stream(&self) -> bool {
        !matches!(self.transport, Transport::Socket(_))
    }

    /// Sets the person behind the connection: a key for
    /// [`Layer::person`](crate::Layer::person) and for the limit of connections per person.
    #[must_use]
    pub fn person(mut self, key: impl Into<Box<str>>) -> Self {
        self.scope.identity.person = Some(key.into());
        self
    }

    /// Sets the session of the connection: a key for
    /// [`Layer::kick_session`](crate::Layer::kick_session).
    #[must_use]
    pub fn session(mut self, key: impl Into<Box<str>>) -> Self {
        self.scope.identity.session = Some(key.into());
        self
    }

    /// Sets the client's address, for the limit of connections per address.
    #[must_use]
    pub fn address(mut self, address: IpAddr) -> Self {
        self.scope.identity.address = Some(address);
        self
    }

    /// Sets the audience: the connections of one audience, such as a language or a role, receive the
    /// same rendering of a change; see [`Feed::publish_by`](crate::Feed::publish_by).
    #[must_use]
    pub fn audience(mut self, key: impl Into<Arc<str>>) -> Self {
        self.reader.audience = Some(key.into());
        self
    }

    /// Sets the dialect for pages that do not select one with `?dialect=`. The default is
    /// [`Dialect::Json`].
    #[must_use]
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        if !std::mem::replace(&mut self.has_dialect, true) {
            self.reader.dialect = dialect;
        }
        self
    }

    /// Selects a subprotocol: the first of these that the browser offers. Streams have none.
    #[must_use]
    pub fn protocols<'a>(mut self, known: impl IntoIterator<Item = &'a str>) -> Self {
        if let Transport::Socket(handshake) = &self.transport
            && let Some(selected) = known.into_iter().find(|known| handshake.offers(known))
            && let Ok(value) = HeaderValue::from_str(selected)
        {
            self.headers.insert(SEC_WEBSOCKET_PROTOCOL, value);
        }
        self
    }

    /// The selected subprotocol.
    pub fn protocol(&self) -> Option<&str> {
        self.headers
            .get(SEC_WEBSOCKET_PROTOCOL)
            .and_then(|value| str::from_utf8(value.as_bytes()).ok())
    }

    /// Adds a header to the response that switches protocols or begins the stream.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// Adds a layer around the consumer. The one that is added last runs first.
    #[must_use]
    pub fn layer(mut self, layer: impl HandlerLayer) -> Self {
        self.layers.push(wrap(layer));
        self
    }

    /// Opens the connection and runs the consumer on it.
    pub fn run<C: Consumer>(self, consumer: C) -> Response {
        self.start(Box::new(|socket| Box::new(ConsumerDriver::new(consumer, socket))))
    }

    fn start(self, driver: Box<dyn FnOnce(RawSocket) -> Box<dyn Driver> + Send>) -> Response {
        let Self { bellwire, scope, reader, headers, layers, transport, span, .. } = self;
        let driver =
            move |socket| layers.into_iter().fold(driver(socket), |driver, wrap| wrap(driver));
        // Taken before the check, so that a shutdown that starts now waits for this connection.
        let token = bellwire.tasks().token();
        if bellwire.stopping() {
            return match transport {
                Transport::Socket(_) => UpgradeRejection::Stopping.into_response(),
                #[cfg(feature = "sse")]
                Transport::Stream { .. } => event_source::empty_stream(),
            };
        }
        // Reserved before the response is sent, so that a kick also reaches a connection whose
        // handshake is in progress.
        let reservation = match Reservation::take(bellwire, scope) {
            Ok(reservation) => reservation,
            Err(rejection) => return rejection.into_response(),
        };
        let span = tracing::info_span!(
            parent: &span,
            "connection",
            path = reservation.scope.path(),
            person = reservation.scope.person(),
        );
        match transport {
            Transport::Socket(handshake) => {
                let (response, switched) = handshake.accept(headers);
                let connection = async move {
                    if let Some(stream) = switched.await {
                        let counters = reservation.bellwire.layer().counters().clone();
                        let limits = reservation.bellwire.limits();
                        let transport = WebSocket::new(TokioIo::new(stream), limits, counters);
                        let socket = reservation.socket(Box::new(transport), reader);
                        Connection::open(driver(socket)).run().await;
                    }
                    drop(token);
                };
                tokio::spawn(connection.instrument(span));
                response
            }
            #[cfg(feature = "sse")]
            Transport::Stream { notice } => {
                let since = &reservation.scope.since;
                let (transport, events) =
                    sse::open(event_source::retry(), since, notice.as_deref());
                let socket = reservation.socket(Box::new(transport), reader);
                let connection = Connection::open(driver(socket));
                let connection = async move {
                    connection.run().await;
                    drop(token);
                };
                tokio::spawn(connection.instrument(span));
                event_source::response(headers, events)
            }
        }
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live")
            .field("scope", &self.scope)
            .field("is_stream", &self.is_stream())
            .finish_non_exhaustive()
    }
}
