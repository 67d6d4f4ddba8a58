//! The browser's end of a socket, over the network: text in, text out, and nothing of ours.

use std::fmt::Debug;

use axum::http::HeaderValue;
use axum::http::header::{COOKIE, ORIGIN};
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_websockets::{ClientBuilder, MaybeTlsStream, Message, WebSocketStream};

use crate::browser::Client;
use crate::waiting::within;

/// A window of somebody's browser that is connected.
///
/// Every wait is over after [`PATIENCE`](crate::PATIENCE) as a whole: pings and ticks that come
/// meanwhile make it no longer.
#[derive(Debug)]
pub struct Window {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// How a window was closed, and what it heard until then.
#[derive(Debug)]
pub struct Ending {
    /// The code of the close, such as 1008.
    pub code: u16,
    /// The reason beside it.
    pub reason: String,
    /// The texts that came before.
    pub heard: Vec<String>,
}

impl Window {
    /// Connects to a path, with the cookies of this browser.
    pub async fn open(client: &Client, path: &str) -> Self {
        Self::try_open(client, path, client.origin()).await.expect("the socket should open")
    }

    /// The same from a page of this origin, where it may be refused.
    ///
    /// # Errors
    /// Why it was.
    pub async fn try_open(client: &Client, path: &str, origin: &str) -> Result<Self, String> {
        let uri = format!("ws://{}{path}", client.address()).parse().expect("an address");
        let header = |value: &str| HeaderValue::from_str(value).expect("a header");
        let mut builder =
            ClientBuilder::from_uri(uri).add_header(ORIGIN, header(origin)).map_err(in_words)?;
        if !client.cookies().is_empty() {
            builder = builder.add_header(COOKIE, header(&client.cookies())).map_err(in_words)?;
        }
        let (stream, _) =
            within("an answer to the handshake", builder.connect()).await.map_err(in_words)?;
        Ok(Self { stream })
    }

    /// Sends a text.
    pub async fn say(&mut self, text: impl Into<String>) {
        let sent = within("room for a text", self.stream.send(Message::text(text.into()))).await;
        sent.expect("the socket should take it");
    }

    /// Sends JSON.
    pub async fn ask(&mut self, json: &Value) {
        self.say(json.to_string()).await;
    }

    /// Sends JSON, and returns the next JSON that comes.
    pub async fn answer(&mut self, json: &Value) -> Value {
        self.ask(json).await;
        self.json().await
    }

    /// The next text.
    pub async fn text(&mut self) -> String {
        self.until("a text", |_| true).await
    }

    /// The next text, which is JSON.
    pub async fn json(&mut self) -> Value {
        let text = self.text().await;
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// Waits for a text that has all of `parts` in it, and returns it.
    pub async fn hear(&mut self, parts: &[&str]) -> String {
        self.until(&format!("{parts:?}"), |text| parts.iter().all(|part| text.contains(part))).await
    }

    /// Waits for a text that is as it should be, and returns it.
    pub async fn until(&mut self, what: &str, mut is_so: impl FnMut(&str) -> bool) -> String {
        let listen = async {
            loop {
                let message = self.next().await;
                assert!(!message.is_close(), "closed while waiting for {what}: {message:?}");
                if let Some(text) = message.as_text().filter(|text| is_so(text)) {
                    return text.to_owned();
                }
            }
        };
        within(what, listen).await
    }

    /// Waits until it is closed, and says with which code.
    pub async fn closed(&mut self) -> u16 {
        self.ending().await.code
    }

    /// Listens until it is closed.
    pub async fn ending(&mut self) -> Ending {
        let listen = async {
            let mut heard = Vec::new();
            loop {
                let message = self.next().await;
                if let Some((code, reason)) = message.as_close() {
                    return Ending { code: code.into(), reason: reason.to_owned(), heard };
                }
                heard.extend(message.as_text().map(str::to_owned));
            }
        };
        within("a close", listen).await
    }

    async fn next(&mut self) -> Message {
        let next = self.stream.next().await;
        next.expect("the socket should be open").expect("the socket should work")
    }
}

fn in_words(error: impl Debug) -> String {
    format!("{error:?}")
}
