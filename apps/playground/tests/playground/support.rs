//! A site with the playground, and plain clients of its sockets.

use bellwire_site::testing::{Client, PATIENCE, TestDatabase, TestSite};
use futures_util::{SinkExt, StreamExt};
use http::HeaderValue;
use http::header::{COOKIE, ORIGIN};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_websockets::{ClientBuilder, MaybeTlsStream, Message, WebSocketStream};

/// A site with nothing but the playground.
pub(crate) async fn playground() -> TestSite {
    playground_on(&TestDatabase::Sqlite).await
}

pub(crate) async fn playground_on(database: &TestDatabase) -> TestSite {
    TestSite::start(database, vec![bellwire_playground::app()]).await
}

/// The words that no page and no frame may repeat unescaped.
pub(crate) const NASTY: &str = "<script>alert(1)</script>\u{202e}👋🏽";

/// A client of its own making: a socket and what it says, nothing of ours.
pub(crate) struct Plain {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Plain {
    /// Connects with the cookies of this browser.
    pub(crate) async fn connect(site: &TestSite, browser: &Client, path: &str) -> Self {
        let uri = site.url(path).replacen("http", "ws", 1).parse().expect("an address");
        let header = |value: &str| HeaderValue::from_str(value).expect("a header");
        let origin = header(site.url("").trim_end_matches('/'));
        let mut builder = ClientBuilder::from_uri(uri).add_header(ORIGIN, origin).expect("a header");
        if !browser.cookies().is_empty() {
            builder = builder.add_header(COOKIE, header(&browser.cookies())).expect("a header");
        }
        Self { stream: builder.connect().await.expect("the socket should open").0 }
    }

    pub(crate) async fn say(&mut self, text: impl Into<String>) {
        self.stream.send(Message::text(text.into())).await.expect("the socket should take it");
    }

    pub(crate) async fn ask(&mut self, json: &Value) {
        self.say(json.to_string()).await;
    }

    /// The next frame.
    pub(crate) async fn text(&mut self) -> String {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.stream.next()).await.expect("a frame in time");
            let message = next.expect("the socket should be open").expect("the socket should work");
            assert!(!message.is_close(), "the socket was closed: {message:?}");
            if let Some(text) = message.as_text() {
                return text.to_owned();
            }
        }
    }

    /// The next frame as JSON.
    pub(crate) async fn json(&mut self) -> Value {
        let text = self.text().await;
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// Asks, and returns the answer.
    pub(crate) async fn answer(&mut self, json: &Value) -> Value {
        self.ask(json).await;
        self.json().await
    }

    /// The code it was closed with.
    pub(crate) async fn closed(&mut self) -> u16 {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.stream.next()).await.expect("an end in time");
            match next {
                Some(Ok(message)) => {
                    if let Some((code, _)) = message.as_close() {
                        return code.into();
                    }
                }
                _ => return 1006,
            }
        }
    }
}

/// Asserts that an answer is an error that a person can read, about this field if any.
pub(crate) fn assert_refused(answer: &Value, field: Option<&str>) {
    let error = answer["error"].as_str().unwrap_or_else(|| panic!("no error: {answer}"));
    assert!(!error.contains("went wrong"), "our own fault: {answer}");
    assert_eq!(answer["field"].as_str(), field, "{answer}");
}
