//! The address of the client, with or without trusted proxies in front.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderValue};
use ipnet::IpNet;

use crate::rate::network;

const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// The shortest time between two log lines about an invalid `X-Forwarded-For`.
const WARN_EVERY: Duration = Duration::from_secs(600);

/// Extracts the client's IP address. Behind proxies, add the middleware [`client_address`].
///
/// It is the address that the middleware [`client_address`] found; without the middleware, the peer
/// of the connection, which [`serve`](crate::serve()) records as axum's `ConnectInfo<SocketAddr>`;
/// without that, `0.0.0.0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(IpAddr);

impl ClientAddress {
    /// The client address of a request with these extensions.
    pub fn of(extensions: &Extensions) -> Self {
        let known = extensions.get::<Self>().copied();
        known
            .or_else(|| peer(extensions).map(Self))
            .unwrap_or(Self(IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
    }

    /// The IP address.
    pub fn ip(self) -> IpAddr {
        self.0
    }

    /// The key under which limits count this address; see [`network`].
    pub fn network(self) -> IpAddr {
        network(self.0)
    }
}

fn peer(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip().to_canonical())
}

impl<S: Send + Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.extensions))
    }
}

/// The proxies whose `X-Forwarded-For` is trusted: the state of the middleware [`client_address`].
///
/// ```
/// use axum::{Router, middleware::from_fn_with_state, routing::get};
/// use bellwire::{ClientAddress, TrustedProxies, client_address};
///
/// async fn whoami(address: ClientAddress) -> String {
///     address.ip().to_string()
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let proxies = TrustedProxies::new(["127.0.0.1/32".parse()?, "10.0.0.0/8".parse()?]);
/// let app: Router = Router::new().route("/", get(whoami));
/// let app = app.layer(from_fn_with_state(proxies, client_address));
/// # let _ = app; Ok(()) }
/// ```
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Arc<[IpNet]>);

impl TrustedProxies {
    /// Trusts the proxies of these networks.
    pub fn new(networks: impl IntoIterator<Item = IpNet>) -> Self {
        Self(networks.into_iter().collect())
    }

    /// The client behind the trusted proxies: the first address, from the right, that is not a
    /// trusted proxy. Entries to its left were written by the client and are ignored. An invalid
    /// entry ends the search at the proxy that reported it.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let lines: Vec<_> =
            headers.get_all(X_FORWARDED_FOR).iter().map(HeaderValue::as_bytes).collect();
        let hops = lines.iter().rev().flat_map(|line| line.rsplit(|byte| *byte == b','));
        let mut address = peer.to_canonical();
        for hop in hops {
            if !self.0.iter().any(|net| net.contains(&address)) {
                break;
            }
            match parsed(hop) {
                Some(hop) => address = hop.to_canonical(),
                None => {
                    warn_of_invalid(address, hop);
                    break;
                }
            }
        }
        address
    }
}

/// Middleware that finds the client behind [`TrustedProxies`]; [`ClientAddress`] extracts it.
pub async fn client_address(
    State(proxies): State<TrustedProxies>,
    mut request: Request,
    next: Next,
) -> Response {
    if let Some(peer) = peer(request.extensions()) {
        let address = proxies.client(peer, request.headers());
        request.extensions_mut().insert(ClientAddress(address));
    }
    next.run(request).await
}

/// Parses an address as proxies write it: alone or with a port.
fn parsed(hop: &[u8]) -> Option<IpAddr> {
    let hop = std::str::from_utf8(hop).ok()?.trim();
    let bracketed = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']'));
    bracketed
        .unwrap_or(hop)
        .parse()
        .or_else(|_| hop.parse::<SocketAddr>().map(|socket| socket.ip()))
        .ok()
}

/// Logs that a proxy sends an invalid header, at most once every [`WARN_EVERY`]. Limits then count
/// all clients behind that proxy as one.
fn warn_of_invalid(proxy: IpAddr, hop: &[u8]) {
    static LAST: Mutex<Option<Instant>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if last.is_none_or(|last| last.elapsed() >= WARN_EVERY) {
        *last = Some(Instant::now());
        let hop = String::from_utf8_lossy(&hop[..hop.len().min(100)]).into_owned();
        tracing::warn!(
            %proxy,
            hop,
            "A trusted proxy sends an invalid X-Forwarded-For. Its clients share one address until \
             its configuration is fixed"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let lines: Vec<_> = forwarded.iter().map(|line| line.as_bytes()).collect();
        client_from_bytes(peer, &lines)
    }

    fn client_from_bytes(peer: &str, forwarded: &[&[u8]]) -> String {
        let trusted =
            TrustedProxies::new(["127.0.0.1/32", "10.0.0.0/8"].map(|net| net.parse().unwrap()));
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_bytes(line).unwrap());
        }
        trusted.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn a_client_cannot_forge_its_address() {
        assert_eq!(client("203.0.113.9", &["1.1.1.1"]), "203.0.113.9");
        assert_eq!(client("127.0.0.1", &["1.1.1.1, 203.0.113.9"]), "203.0.113.9");
        assert_eq!(client("127.0.0.1", &["1.1.1.1", "203.0.113.9, 10.1.1.1"]), "203.0.113.9");
        assert_eq!(client("127.0.0.1", &["nonsense"]), "127.0.0.1");
        assert_eq!(client("127.0.0.1", &[]), "127.0.0.1");
        assert_eq!(client("::ffff:127.0.0.1", &["203.0.113.9"]), "203.0.113.9");
    }

    #[test]
    fn resolution_stops_at_an_invalid_hop() {
        for junk in [&b"\xff"[..], b"\xc3(", b"nonsense", b"", b"1.1.1.1:x", b"[::1"] {
            let line = [junk, b", 203.0.113.9"].concat();
            assert_eq!(client_from_bytes("127.0.0.1", &[&line]), "203.0.113.9", "{junk:?}");
            let lines = [junk, b"203.0.113.9"];
            assert_eq!(client_from_bytes("127.0.0.1", &lines), "203.0.113.9", "{junk:?}");
            let line = [b"203.0.113.9, ", junk, b", 10.1.1.1"].concat();
            assert_eq!(
                client_from_bytes("127.0.0.1", &[&line]),
                "10.1.1.1",
                "{junk:?}: the proxy that sent it"
            );
        }
    }

    #[test]
    fn a_port_is_not_part_of_the_address() {
        for hop in ["203.0.113.9:50123", " 203.0.113.9:1 ", "[::ffff:203.0.113.9]:443"] {
            assert_eq!(client("127.0.0.1", &[hop]), "203.0.113.9", "{hop}");
        }
        for hop in ["2001:db8::9", "[2001:db8::9]", "[2001:db8::9]:50123"] {
            assert_eq!(client("127.0.0.1", &[&format!("1.1.1.1, {hop}")]), "2001:db8::9", "{hop}");
        }
    }
}
