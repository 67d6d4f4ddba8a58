//! [`Browser`]: a test client that drives a whole router without a network, as a browser does.
//!
//! Requests pass through everything that a real one passes: middleware, extractors, cookies, the
//! check of the origin, the upgrade or the stream. Every wait has a timeout
//! ([`PATIENCE`](super::PATIENCE)).

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use bytes::Bytes;
use http::header::{
    ACCEPT, CONNECTION, CONTENT_TYPE, COOKIE, HOST, LOCATION, ORIGIN, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_VERSION, SET_COOKIE, UPGRADE,
};
use http::{HeaderMap, HeaderName, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1 as client;
use hyper::server::conn::http1 as server;
use hyper_util::rt::TokioIo;
use tower::ServiceExt;

use super::browser_connection::Connection;
use super::within;

/// The size of the pipe in place of a network, in bytes.
const PIPE: usize = 64 * 1024;
/// The number of redirects that are followed.
const REDIRECTS: usize = 10;
/// The key of every handshake, from RFC 6455 §1.2.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// A browser of one person: it keeps cookies, sends the origin of its pages, and opens connections.
///
/// ```
/// use axum::{Router, response::Response, routing::get};
/// use bellwire::testing::Browser;
/// use bellwire::{Bellwire, Consumer, Error, Frame, Live, Socket};
///
/// struct Echo;
///
/// impl Consumer for Echo {
///     type Action = Frame;
///     type Event = ();
///     type Error = Error;
///
///     async fn receive(&mut self, socket: &mut Socket<Self>, frame: Frame) -> Result<(), Error> {
///         socket.send(frame).await
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let bellwire = Bellwire::builder("https://chat.example").build()?;
/// let live = async |live: Live| live.run(Echo);
/// let app = Router::new().route("/live/", get(live)).with_state(bellwire);
///
/// let browser = Browser::new(app.clone(), "https://chat.example");
/// let mut connection = browser.connect("/live/").await.expect("it may");
/// connection.send_text("Hello").await;
/// assert_eq!(connection.receive().await, "Hello");
///
/// let foreign = Browser::new(app, "https://evil.example");
/// assert_eq!(foreign.connect("/live/").await.expect_err("it may not").status, 403);
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Browser {
    router: Router,
    origin: String,
    address: SocketAddr,
    cookies: BTreeMap<String, String>,
}

/// A response.
#[derive(Debug)]
#[non_exhaustive]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as text.
    pub text: String,
    /// The path and query of the last request, after redirects.
    pub url: String,
}

impl Browser {
    /// A browser without cookies, whose pages have this origin: the public address of the site, or
    /// another one to see what the site refuses.
    pub fn new(router: Router, origin: impl Into<String>) -> Self {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 50_000));
        Self { router, origin: origin.into(), address, cookies: BTreeMap::new() }
    }

    /// Sets the address that the router sees as the peer's.
    #[must_use]
    pub fn address(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Sets a cookie.
    pub fn set_cookie(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.to_owned(), value.to_owned());
    }

    /// The value of a cookie.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    /// Loads a page, and follows redirects.
    ///
    /// # Panics
    /// If the router does not answer in time.
    pub async fn get(&mut self, url: &str) -> Response {
        let response = self.send(self.request(Method::GET, url), Bytes::new()).await;
        self.follow(url, response).await
    }

    /// Submits a form of one of the browser's pages, and follows redirects.
    ///
    /// # Panics
    /// If the router does not answer in time.
    pub async fn submit(&mut self, url: &str, fields: &[(&str, &str)]) -> Response {
        let response = self.send(self.form(url), encode(fields)).await;
        self.follow(url, response).await
    }

    /// Submits a form as bellwire.js does in place of the browser: without following redirects, for
    /// the person of the page if it names one.
    ///
    /// # Panics
    /// If the router does not answer in time.
    pub async fn post_by_script(
        &mut self,
        url: &str,
        person: Option<&str>,
        fields: &[(&str, &str)],
    ) -> Response {
        let mut request = self.form(url).header("bellwire-request", "1");
        if let Some(person) = person {
            request = request.header("bellwire-person", person);
        }
        let response = self.send(request, encode(fields)).await;
        self.read(url, response).await
    }

    /// Opens a WebSocket from one of the browser's pages.
    ///
    /// # Errors
    /// The response, if it is refused.
    ///
    /// # Panics
    /// If the router does not answer in time.
    pub async fn connect(&self, url: &str) -> Result<Connection, Response> {
        let request = self
            .request(Method::GET, url)
            .header(ORIGIN, &self.origin)
            .header(CONNECTION, "Upgrade")
            .header(UPGRADE, "websocket")
            .header(SEC_WEBSOCKET_VERSION, "13")
            .header(SEC_WEBSOCKET_KEY, KEY);
        let response = self.exchange(request, Bytes::new()).await;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Err(collect(url, response).await);
        }
        let upgraded = within("the switch of protocols", hyper::upgrade::on(response)).await;
        let upgraded = upgraded.unwrap_or_else(|error| panic!("no switch of protocols: {error}"));
        Ok(Connection::socket(TokioIo::new(upgraded)))
    }

    /// Opens a stream of server-sent events from one of the browser's pages.
    ///
    /// # Errors
    /// The response, if it is refused.
    ///
    /// # Panics
    /// If the router does not answer in time.
    pub async fn stream(&self, url: &str) -> Result<Connection, Response> {
        let request = self
            .request(Method::GET, url)
            .header(ACCEPT, "text/event-stream")
            .header("sec-fetch-site", "same-origin");
        let response = self.exchange(request, Bytes::new()).await;
        match response.status() {
            StatusCode::OK => Ok(Connection::stream(response.into_body())),
            _ => Err(collect(url, response).await),
        }
    }

    fn request(&self, method: Method, url: &str) -> http::request::Builder {
        let host = self.origin.split("://").last().unwrap_or_default();
        let request = Request::builder().method(method).uri(url).header(HOST, host);
        let cookies: Vec<_> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        match cookies.is_empty() {
            true => request,
            false => request.header(COOKIE, cookies.join("; ")),
        }
    }

    fn form(&self, url: &str) -> http::request::Builder {
        self.request(Method::POST, url)
            .header(ORIGIN, &self.origin)
            .header("sec-fetch-site", "same-origin")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
    }

    async fn follow(&mut self, url: &str, response: http::Response<Incoming>) -> Response {
        let (mut url, mut response) = (url.to_owned(), response);
        for _ in 0..REDIRECTS {
            let target =
                response.headers().get(LOCATION).filter(|_| response.status().is_redirection());
            let Some(target) = target.and_then(|target| target.to_str().ok()) else { break };
            url = target.to_owned();
            response = self.send(self.request(Method::GET, &url), Bytes::new()).await;
        }
        self.read(&url, response).await
    }

    async fn read(&mut self, url: &str, response: http::Response<Incoming>) -> Response {
        collect(url, response).await
    }

    /// Sends a request and keeps the cookies of its response.
    async fn send(
        &mut self,
        request: http::request::Builder,
        body: Bytes,
    ) -> http::Response<Incoming> {
        let response = self.exchange(request, body).await;
        for cookie in response.headers().get_all(SET_COOKIE) {
            let text = String::from_utf8_lossy(cookie.as_bytes()).into_owned();
            self.keep(&text);
        }
        response
    }

    /// Keeps a cookie, or removes one that has expired.
    fn keep(&mut self, cookie: &str) {
        let mut parts = cookie.split(';').map(str::trim);
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
            return;
        };
        let has_ended = parts.any(|part| part.eq_ignore_ascii_case("max-age=0"));
        match has_ended {
            true => drop(self.cookies.remove(name)),
            false => drop(self.cookies.insert(name.to_owned(), value.to_owned())),
        }
    }

    /// Sends a request to the router over a pipe, as over a network.
    async fn exchange(
        &self,
        request: http::request::Builder,
        body: Bytes,
    ) -> http::Response<Incoming> {
        let request = request
            .body(Full::new(body))
            .unwrap_or_else(|error| panic!("an invalid request: {error}"));
        let (near, far) = tokio::io::duplex(PIPE);
        let (router, peer) = (self.router.clone(), self.address);
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            let router = router.clone();
            async move {
                Ok::<_, Infallible>(
                    router.oneshot(request).await.unwrap_or_else(|never| match never {}),
                )
            }
        });
        let serving =
            server::Builder::new().serve_connection(TokioIo::new(far), service).with_upgrades();
        tokio::spawn(serving);
        within("a response", async {
            let (mut sender, connection) = client::handshake(TokioIo::new(near)).await?;
            tokio::spawn(connection.with_upgrades());
            sender.send_request(request).await
        })
        .await
        .unwrap_or_else(|error| panic!("no response: {error}"))
    }
}

async fn collect(url: &str, response: http::Response<Incoming>) -> Response {
    let (parts, body) = response.into_parts();
    let body = within("the body of a response", body.collect()).await;
    let bytes = body.map(|body| body.to_bytes()).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Response { status: parts.status, headers: parts.headers, text, url: url.to_owned() }
}

fn encode(fields: &[(&str, &str)]) -> Bytes {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields);
    form.finish().into()
}

impl Response {
    /// The value of a header, if it is text.
    pub fn header(&self, name: impl TryInto<HeaderName>) -> Option<&str> {
        let name = name.try_into().ok()?;
        self.headers.get(name)?.to_str().ok()
    }
}
