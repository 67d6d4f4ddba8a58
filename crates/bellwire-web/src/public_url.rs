//! The public address and what follows from it.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, Uri, header};
use url::{Host, Url};

/// The address people know this site by. Links, allowed `Host` names, origins and cookies follow
/// from it.
#[derive(Debug, Clone)]
pub struct PublicUrl {
    url: Url,
    /// The addresses that are as good as the public one: on one's own machine, all its names for
    /// itself.
    same: Vec<Url>,
}

impl PublicUrl {
    /// The public address of a site that listens on `local`.
    ///
    /// `url` is the address that the operator set, if any.
    pub fn new(url: Option<&Url>, local: SocketAddr) -> Self {
        let url = url.cloned().unwrap_or_else(|| from_bind(local));
        let same = if is_loopback(&url) { names_of_this_machine(&url) } else { Vec::new() };
        Self { url, same }
    }

    /// Without the slash at the end: `https://chat.example`.
    pub fn as_str(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }

    /// A path on this site as an address for elsewhere: `https://chat.example/blog/`.
    pub fn absolute(&self, path: &str) -> String {
        format!("{}{path}", self.as_str())
    }

    /// Whether browsers reach us over TLS, so that cookies may be `Secure`.
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether it leads to one's own machine, and so nobody else here.
    pub fn is_local(&self) -> bool {
        is_loopback(&self.url)
    }

    /// What browsers send as `Host`.
    pub fn host(&self) -> &str {
        self.as_str().split_once("://").map_or("", |(_, host)| host)
    }

    /// All addresses whose pages are ours, the public one first.
    pub fn origins(&self) -> impl Iterator<Item = String> {
        std::iter::once(&self.url).chain(&self.same).map(|url| url.origin().ascii_serialization())
    }

    /// Whether a request is meant for us: its `Host` (or the host in the request line) is one of
    /// our addresses.
    pub fn is_meant(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let mut hosts = headers.get_all(header::HOST).iter();
        let header = match (hosts.next(), hosts.next()) {
            (Some(host), None) => str::from_utf8(host.as_bytes()).ok(),
            _ => None,
        };
        let line = uri.authority().map(|authority| authority.as_str());
        header.is_some_and(|host| self.is_ours(host)) && line.is_none_or(|host| self.is_ours(host))
    }

    /// Compared as text, as browsers write it: other spellings of an address (`127.1`, `%31`) are
    /// nobody's who means us.
    fn is_ours(&self, host: &str) -> bool {
        std::iter::once(&self.url)
            .chain(&self.same)
            .any(|url| is_written(url, &host.to_ascii_lowercase()))
    }
}

/// Whether this is the host of the address, with its port; without, where the port goes without
/// saying.
fn is_written(url: &Url, host: &str) -> bool {
    let Some(rest) = url.host_str().and_then(|name| host.strip_prefix(name)) else { return false };
    match rest.strip_prefix(':') {
        Some(port) => url.port_or_known_default().is_some_and(|own| own.to_string() == port),
        None => rest.is_empty() && url.port().is_none(),
    }
}

/// An address that listens on this machine alone, or on everything, is best reached from this
/// machine.
fn from_bind(local: SocketAddr) -> Url {
    let host = match local.ip() {
        ip if ip.is_unspecified() || (ip.is_ipv4() && ip.is_loopback()) => "127.0.0.1".to_owned(),
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    };
    let url = format!("http://{host}:{}/", local.port());
    Url::parse(&url).unwrap_or_else(|_| unreachable!("an IP address and a port make a URL"))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn names_of_this_machine(url: &Url) -> Vec<Url> {
    let named = |host| {
        let mut other = url.clone();
        other.set_host(Some(host)).ok().map(|()| other)
    };
    ["localhost", "127.0.0.1", "[::1]"]
        .into_iter()
        .filter_map(named)
        .filter(|other| other != url)
        .collect()
}
