//! An HTTP client that acts as a browser without scripts. It keeps cookies and sends forms, but
//! does not follow redirects, so that a test sees them.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, header};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;

use crate::password::PASSWORD;
use crate::waiting::within;

/// The browser of one person.
#[derive(Debug, Clone)]
pub struct Client {
    address: SocketAddr,
    origin: String,
    cookies: BTreeMap<String, String>,
}

/// The response of a site.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code, such as 200.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as text.
    pub text: String,
}

impl Answer {
    /// Returns the value of a header, or an empty string.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Returns the target of a redirect, or an empty string.
    pub fn location(&self) -> &str {
        self.header("location")
    }
}

impl Client {
    /// Creates a client without cookies for the site at `address`, whose pages have this origin
    /// (`http://127.0.0.1:8000`).
    pub fn new(address: SocketAddr, origin: &str) -> Self {
        Self { address, origin: origin.to_owned(), cookies: BTreeMap::new() }
    }

    /// Returns the same browser, with its cookies, for a site at another address.
    pub(crate) fn moved_to(&self, address: SocketAddr, origin: &str) -> Self {
        Self { cookies: self.cookies.clone(), ..Self::new(address, origin) }
    }

    /// The address of the site.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The origin of the site's pages.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// Requests a page.
    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], String::new()).await
    }

    /// Requests a page with additional headers.
    pub async fn get_with(&mut self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(Method::GET, path, headers, String::new()).await
    }

    /// Sends a form, with the `Origin` of the site.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let origin = self.origin.clone();
        self.post_with(path, &[("origin", &origin)], fields).await
    }

    /// Sends a form with these headers; no `Origin` is added.
    pub async fn post_with(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
        fields: &[(&str, &str)],
    ) -> Answer {
        let form =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let headers = [&[("content-type", "application/x-www-form-urlencoded")], headers].concat();
        self.send(Method::POST, path, &headers, form).await
    }

    /// Signs up through the form, which also signs in.
    pub async fn sign_up(&mut self, name: &str) -> Answer {
        let fields = [("username", name), ("password", PASSWORD), ("password_confirm", PASSWORD)];
        self.post("/accounts/signup/", &fields).await
    }

    /// Signs in through the form.
    pub async fn sign_in(&mut self, name: &str, password: &str) -> Answer {
        self.post("/accounts/login/", &[("username", name), ("password", password)]).await
    }

    /// Returns the value for a `Cookie` header, for sockets and other clients.
    pub fn cookies(&self) -> String {
        self.cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .join("; ")
    }

    /// Stores or removes a cookie as a `Set-Cookie` header says.
    pub fn take_cookie(&mut self, set_cookie: &HeaderValue) {
        let line = set_cookie.to_str().expect("a cookie should be text");
        let (name, value) =
            line.split(';').next().and_then(|pair| pair.split_once('=')).expect("name=value");
        match value {
            "" => self.cookies.remove(name),
            value => self.cookies.insert(name.to_owned(), value.to_owned()),
        };
    }

    /// Sends any request. `Host`, `Accept` and the cookies are as a browser sends them, unless
    /// `headers` overrides them.
    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Answer {
        let mut request = Request::new(Full::new(bytes::Bytes::from(body)));
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().expect("a path should be an address");
        let host = self.origin.split_once("://").map_or("", |(_, host)| host).to_owned();
        let defaults = [
            ("host", host),
            ("accept", "text/html,*/*;q=0.8".to_owned()),
            ("cookie", self.cookies()),
        ];
        for (name, value) in defaults.iter().filter(|(_, value)| !value.is_empty()) {
            request.headers_mut().insert(*name, value.parse().expect("a header should be text"));
        }
        for (name, value) in headers.iter().map(parsed) {
            request.headers_mut().insert(name, value);
        }
        let answer = within("an answer", self.exchange(request)).await;
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            self.take_cookie(cookie);
        }
        answer
    }

    async fn exchange(&self, request: Request<Full<bytes::Bytes>>) -> Answer {
        let stream =
            tokio::net::TcpStream::connect(self.address).await.expect("the site should listen");
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .expect("the site should speak HTTP");
        let connection = tokio::spawn(connection);
        let response = sender.send_request(request).await.expect("the site should answer");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("the answer should be whole").to_bytes();
        connection.abort();
        let text = String::from_utf8_lossy(&body).into_owned();
        Answer { status: parts.status.as_u16(), headers: parts.headers, text }
    }
}

fn parsed((name, value): &(&str, &str)) -> (HeaderName, HeaderValue) {
    (name.parse().expect("a header's name"), value.parse().expect("a header's value"))
}
