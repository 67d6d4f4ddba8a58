//! Where a request comes from.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use ipnet::IpNet;

use crate::SiteState;

const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// How often it is logged at most that a proxy cannot be understood.
const COMPLAIN_EVERY: Duration = Duration::from_secs(600);

/// The other end of the connection; left on each request by the accept loop.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// The address a person's browser has, as far as we can know it. An extractor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(IpAddr);

impl ClientAddress {
    /// The key of a limit: the address, or of IPv6 the /64 network, which is one household's.
    pub fn network(self) -> IpAddr {
        network(self.0)
    }

    pub(crate) fn of(extensions: &Extensions) -> IpAddr {
        extensions.get::<Self>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| address.0)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self(Self::of(&parts.extensions)))
    }
}

/// Finds the address behind the proxies we trust.
pub(crate) async fn locate(State(site): State<SiteState>, mut request: Request, next: Next) -> Response {
    if let Some(Peer(peer)) = request.extensions().get().copied() {
        let address = behind(&site.settings().trusted_proxies, peer, request.headers());
        request.extensions_mut().insert(ClientAddress(address));
    }
    next.run(request).await
}

/// The last address in the chain that no trusted proxy vouches against. What a stranger wrote into it counts for nothing.
fn behind(trusted: &[IpNet], peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let lines: Vec<_> = headers.get_all(X_FORWARDED_FOR).iter().map(HeaderValue::as_bytes).collect();
    let hops = lines.iter().rev().flat_map(|line| line.rsplit(|byte| *byte == b','));
    let mut address = peer.to_canonical();
    for hop in hops {
        if !trusted.iter().any(|net| net.contains(&address)) {
            break;
        }
        match parsed(hop) {
            Some(hop) => address = hop.to_canonical(),
            None => {
                complain(address, hop);
                break;
            }
        }
    }
    address
}

/// An address as proxies write it: by itself, or with a port.
fn parsed(hop: &[u8]) -> Option<IpAddr> {
    let hop = std::str::from_utf8(hop).ok()?.trim();
    let bracketed = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']'));
    bracketed.unwrap_or(hop).parse().or_else(|_| hop.parse::<SocketAddr>().map(|socket| socket.ip())).ok()
}

/// Says now and then that a proxy writes what we cannot read, so that everybody behind it counts as one.
fn complain(proxy: IpAddr, hop: &[u8]) {
    static LAST: Mutex<Option<Instant>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if last.is_none_or(|last| last.elapsed() >= COMPLAIN_EVERY) {
        *last = Some(Instant::now());
        let hop = String::from_utf8_lossy(&hop[..hop.len().min(100)]).into_owned();
        tracing::warn!(%proxy, hop, "A trusted proxy sends an X-Forwarded-For that cannot be read");
    }
}

/// What counts as one address in limits: of IPv6 a household has a whole network.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !0 << 64)),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, forwarded: &[&str]) -> String {
        let lines: Vec<_> = forwarded.iter().map(|line| line.as_bytes()).collect();
        seen_bytes(peer, &lines)
    }

    fn seen_bytes(peer: &str, forwarded: &[&[u8]]) -> String {
        let trusted: Vec<IpNet> = ["127.0.0.1/32", "10.0.0.0/8"].map(|net| net.parse().unwrap()).into();
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_bytes(line).unwrap());
        }
        behind(&trusted, peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn a_stranger_cannot_choose_an_address() {
        assert_eq!(seen("203.0.113.9", &["1.1.1.1"]), "203.0.113.9");
        assert_eq!(seen("127.0.0.1", &["1.1.1.1, 203.0.113.9"]), "203.0.113.9");
        assert_eq!(seen("127.0.0.1", &["1.1.1.1", "203.0.113.9, 10.1.1.1"]), "203.0.113.9");
        assert_eq!(seen("127.0.0.1", &["nonsense"]), "127.0.0.1");
        assert_eq!(seen("127.0.0.1", &[]), "127.0.0.1");
        assert_eq!(seen("::ffff:127.0.0.1", &["203.0.113.9"]), "203.0.113.9");
    }

    #[test]
    fn what_a_stranger_made_unreadable_hides_nobody() {
        for junk in [&b"\xff"[..], b"\xc3(", b"nonsense", b"", b"1.1.1.1:x", b"[::1"] {
            let line = [junk, b", 203.0.113.9"].concat();
            assert_eq!(seen_bytes("127.0.0.1", &[&line]), "203.0.113.9", "{junk:?}");
            assert_eq!(seen_bytes("127.0.0.1", &[junk, b"203.0.113.9"]), "203.0.113.9", "{junk:?}");
            let line = [b"203.0.113.9, ", junk, b", 10.1.1.1"].concat();
            assert_eq!(seen_bytes("127.0.0.1", &[&line]), "10.1.1.1", "{junk:?}: the proxy that wrote it");
        }
    }

    #[test]
    fn a_port_is_no_part_of_the_address() {
        for hop in ["203.0.113.9:50123", " 203.0.113.9:1 ", "[::ffff:203.0.113.9]:443"] {
            assert_eq!(seen("127.0.0.1", &[hop]), "203.0.113.9", "{hop}");
        }
        for hop in ["2001:db8::9", "[2001:db8::9]", "[2001:db8::9]:50123"] {
            assert_eq!(seen("127.0.0.1", &[&format!("1.1.1.1, {hop}")]), "2001:db8::9", "{hop}");
        }
    }

    #[test]
    fn a_household_counts_once() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }
}
