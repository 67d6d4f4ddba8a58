//! [`Upgrade`]: the extractor that turns an HTTP request into a WebSocket.

use std::net::IpAddr;
use std::time::Duration;

use axum::extract::{FromRef, FromRequestParts};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;

use crate::connection::Connection;
use crate::consumer::ErasedConsumer;
use crate::request::reservation::Reservation;
use crate::transport::WebSocket;
use crate::{Bellwire, Consumer, Dialect, Scope, UpgradeRejection, header_items};

/// The GUID that RFC 6455 §1.3 appends to the key before hashing it.
const KEY_SUFFIX: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// The time for the switch of protocols after the response was returned.
const SWITCH_TIMEOUT: Duration = Duration::from_secs(10);

/// An extractor of a WebSocket handshake that comes from one of the site's own pages.
///
/// Put the extractors that authenticate and authorize before it, so that a client they refuse gets
/// an ordinary HTTP response. A request that is not such a handshake is refused with
/// [`UpgradeRejection`].
///
/// ```
/// use axum::{Router, http::StatusCode, response::{IntoResponse, Response}, routing::get};
/// use bellwire::{Bellwire, Consumer, Upgrade};
/// # struct Echo;
/// # impl Consumer for Echo {
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
/// async fn socket(upgrade: Upgrade) -> Response {
///     if upgrade.scope().query("room").next().is_none() {
///         return (StatusCode::NOT_FOUND, "Unknown room").into_response();
///     }
///     upgrade.person("user.5").protocols(["chat.v2"]).run(Echo)
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let bellwire = Bellwire::builder("http://127.0.0.1:8000").build()?;
/// let app: Router = Router::new().route("/ws/", get(socket)).with_state(bellwire);
/// # let _ = app; Ok(()) }
/// ```
#[derive(Debug)]
pub struct Upgrade {
    bellwire: Bellwire,
    scope: Scope,
    dialect: Option<Dialect>,
    offered: Vec<String>,
    headers: HeaderMap,
    accept: HeaderValue,
    upgrade: OnUpgrade,
}

impl<S> FromRequestParts<S> for Upgrade
where
    Bellwire: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = UpgradeRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let bellwire = Bellwire::from_ref(state);
        if !is_handshake(parts) {
            return Err(UpgradeRejection::NotWebSocket);
        }
        bellwire.origins().permits(&parts.headers)?;
        let accept = accept(&parts.headers)?;
        let scope = Scope::of(parts, bellwire.limits().uri_bytes)?;
        let dialect = scope.query("dialect").next().map(|name| name.parse()).transpose()?;
        let offered = header_items(&parts.headers, SEC_WEBSOCKET_PROTOCOL, b',');
        let offered =
            offered.filter_map(|item| str::from_utf8(item).ok()).map(str::to_owned).collect();
        let upgrade = parts.extensions.remove::<OnUpgrade>();
        let upgrade = upgrade
            .ok_or(UpgradeRejection::Malformed("this connection cannot switch protocols"))?;
        Ok(Self { bellwire, scope, dialect, offered, headers: HeaderMap::new(), accept, upgrade })
    }
}

impl Upgrade {
    /// The scope of the connection.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Sets the person behind the socket: a key for
    /// [`Layer::kick_person`](crate::Layer::kick_person) and for the limit of sockets per person.
    #[must_use]
    pub fn person(mut self, key: impl Into<Box<str>>) -> Self {
        self.scope.identity.person = Some(key.into());
        self
    }

    /// Sets the session of the socket: a key for
    /// [`Layer::kick_session`](crate::Layer::kick_session).
    #[must_use]
    pub fn session(mut self, key: impl Into<Box<str>>) -> Self {
        self.scope.identity.session = Some(key.into());
        self
    }

    /// Sets the client's address, for the limit of sockets per address.
    #[must_use]
    pub fn address(mut self, address: IpAddr) -> Self {
        self.scope.identity.address = Some(address);
        self
    }

    /// Sets the dialect for pages that do not select one with `?dialect=`. The default is
    /// [`Dialect::Json`].
    #[must_use]
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.dialect.get_or_insert(dialect);
        self
    }

    /// Selects a subprotocol: the first of these that the browser offers.
    #[must_use]
    pub fn protocols<'a>(mut self, known: impl IntoIterator<Item = &'a str>) -> Self {
        let selected =
            known.into_iter().find(|known| self.offered.iter().any(|offered| offered == known));
        if let Some(value) = selected.and_then(|selected| HeaderValue::from_str(selected).ok()) {
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

    /// Adds a header to the response that switches protocols.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// Switches protocols and runs the consumer on the socket.
    pub fn run<C: Consumer>(self, consumer: C) -> Response {
        self.start(Box::new(consumer))
    }

    fn start(self, consumer: Box<dyn ErasedConsumer>) -> Response {
        let Self { bellwire, scope, dialect, mut headers, accept, upgrade, .. } = self;
        // Taken before the check, so that a shutdown that starts now waits for this socket.
        let token = bellwire.tasks().token();
        if bellwire.stopping() {
            return UpgradeRejection::Stopping.into_response();
        }
        // Reserved before the response is sent, so that a kick also reaches a socket whose
        // handshake is in progress.
        let reservation = match Reservation::take(bellwire, scope) {
            Ok(reservation) => reservation,
            Err(rejection) => return rejection.into_response(),
        };
        let dialect = dialect.unwrap_or_default();
        tokio::spawn(async move {
            if let Some(stream) = switched(upgrade, &reservation).await {
                let counters = reservation.bellwire.layer().counters().clone();
                let transport =
                    WebSocket::new(TokioIo::new(stream), reservation.bellwire.limits(), counters);
                Connection::open(consumer, reservation.socket(Box::new(transport), dialect))
                    .run()
                    .await;
            }
            drop(token);
        });
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
        (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
    }
}

/// Waits for the protocol to switch. Returns `None` if the browser disconnects or takes too long.
async fn switched(upgrade: OnUpgrade, Reservation { scope, .. }: &Reservation) -> Option<Upgraded> {
    match tokio::time::timeout(SWITCH_TIMEOUT, upgrade).await {
        Ok(Ok(stream)) => return Some(stream),
        Ok(Err(error)) => {
            tracing::debug!(%scope, %error, "The browser disconnected during the handshake");
        }
        Err(_) => tracing::debug!(%scope, "The handshake took too long"),
    }
    None
}

/// Returns whether the request is a WebSocket handshake as in RFC 6455 §4.2.1.
fn is_handshake(parts: &Parts) -> bool {
    let headers = &parts.headers;
    parts.method == Method::GET
        && has_token(headers, CONNECTION, b"upgrade")
        && has_token(headers, UPGRADE, b"websocket")
        && headers.get(SEC_WEBSOCKET_VERSION).is_some_and(|version| version == "13")
}

fn has_token(headers: &HeaderMap, name: HeaderName, token: &[u8]) -> bool {
    header_items(headers, name, b',').any(|item| item.eq_ignore_ascii_case(token))
}

/// The value of `Sec-WebSocket-Accept` for the handshake's key.
fn accept(headers: &HeaderMap) -> Result<HeaderValue, UpgradeRejection> {
    let key = headers
        .get(SEC_WEBSOCKET_KEY)
        .ok_or(UpgradeRejection::Malformed("Sec-WebSocket-Key is missing"))?;
    match BASE64.decode(key) {
        Ok(bytes) if bytes.len() == 16 => {}
        _ => {
            return Err(UpgradeRejection::Malformed("Sec-WebSocket-Key is not 16 bytes in base64"));
        }
    }
    let mut hash = sha1_smol::Sha1::new();
    hash.update(key.as_bytes());
    hash.update(KEY_SUFFIX);
    HeaderValue::from_str(&BASE64.encode(hash.digest().bytes()))
        .map_err(|_| UpgradeRejection::Malformed("Sec-WebSocket-Key is invalid"))
}
