//! The public URL of a site, and the hosts and origins derived from it.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, Uri, header};
use url::{Host, Url};

/// The public URL of a site. Links, allowed values of `Host`, origins and cookies are derived from
/// it.
#[derive(Debug, Clone)]
pub struct PublicUrl {
    url: Url,
    /// Equivalent URLs: for a loopback address, the other names of the local machine.
    equivalent: Vec<Url>,
}

impl PublicUrl {
    /// Returns the public URL of a site that listens on `local`.
    ///
    /// `url` is the URL that the operator configured, if any.
    pub fn new(url: Option<&Url>, local: SocketAddr) -> Self {
        let url = url.cloned().unwrap_or_else(|| from_bind(local));
        let equivalent = if is_loopback(&url) { other_loopback_urls(&url) } else { Vec::new() };
        Self { url, equivalent }
    }

    /// Returns the URL without a trailing slash: `https://chat.example`.
    pub fn as_str(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }

    /// Returns the absolute URL of a path: `https://chat.example/blog/`.
    pub fn absolute(&self, path: &str) -> String {
        format!("{}{path}", self.as_str())
    }

    /// Whether browsers use TLS, so that cookies can be `Secure`.
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether the URL is a loopback address, which only the local machine can reach.
    pub fn is_local(&self) -> bool {
        is_loopback(&self.url)
    }

    /// Returns the value that browsers send as `Host`.
    pub fn host(&self) -> &str {
        self.as_str().split_once("://").map_or("", |(_, host)| host)
    }

    /// Returns all origins of this site, the public one first.
    pub fn origins(&self) -> impl Iterator<Item = String> {
        let urls = std::iter::once(&self.url).chain(&self.equivalent);
        urls.map(|url| url.origin().ascii_serialization())
    }

    /// Whether a request is for this site: its `Host`, and the host in the request line if there is
    /// one, are hosts of this site.
    pub fn accepts_host(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let mut hosts = headers.get_all(header::HOST).iter();
        let header = match (hosts.next(), hosts.next()) {
            (Some(host), None) => str::from_utf8(host.as_bytes()).ok(),
            _ => None,
        };
        let line = uri.authority().map(|authority| authority.as_str());
        header.is_some_and(|host| self.is_own(host)) && line.is_none_or(|host| self.is_own(host))
    }

    /// Compares a host as text in the form that browsers send. Other spellings of an address
    /// (`127.1`, `%31`) are refused.
    fn is_own(&self, host: &str) -> bool {
        std::iter::once(&self.url)
            .chain(&self.equivalent)
            .any(|url| is_host_of(url, &host.to_ascii_lowercase()))
    }
}

/// Whether `host` is the host of the URL, with its port; the default port may be omitted.
fn is_host_of(url: &Url, host: &str) -> bool {
    let Some(rest) = url.host_str().and_then(|name| host.strip_prefix(name)) else { return false };
    match rest.strip_prefix(':') {
        Some(port) => url.port_or_known_default().is_some_and(|own| own.to_string() == port),
        None => rest.is_empty() && url.port().is_none(),
    }
}

/// Derives the URL from the address to listen on. For a loopback or unspecified address it is a
/// loopback URL.
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

fn other_loopback_urls(url: &Url) -> Vec<Url> {
    let with_host = |host| {
        let mut other = url.clone();
        other.set_host(Some(host)).ok().map(|()| other)
    };
    ["localhost", "127.0.0.1", "[::1]"]
        .into_iter()
        .filter_map(with_host)
        .filter(|other| other != url)
        .collect()
}
