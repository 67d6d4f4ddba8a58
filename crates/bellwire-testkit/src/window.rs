//! A WebSocket client over the network, independent of the framework.

use std::fmt::Debug;

use axum::http::HeaderValue;
use axum::http::header::{COOKIE, ORIGIN};
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_websockets::{ClientBuilder, MaybeTlsStream, Message, WebSocketStream};

use crate::browser::Client;
use crate::waiting::within;

/// An open WebSocket of a [`Client`].
///
/// Every wait times out after [`PATIENCE`](crate::PATIENCE) in total: pings and other messages do
/// not extend it.
#[derive(Debug)]
pub struct Window {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// The close frame of a window, and the messages before it.
#[derive(Debug)]
pub struct Ending {
    /// The close code, such as 1008.
    pub code: u16,
    /// The close reason.
    pub reason: String,
    /// The text messages before the close.
    pub heard: Vec<String>,
}

impl Window {
    /// Connects to a path, with the cookies and the origin of this client.
    pub async fn open(client: &Client, path: &str) -> Self {
        Self::try_open(client, path, client.origin()).await.expect("the socket should open")
    }

    /// Connects as a page of this origin, which the site may refuse.
    ///
    /// # Errors
    /// The error of the handshake.
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

    /// Sends a text message.
    pub async fn say(&mut self, text: impl Into<String>) {
        let message = Message::text(text.into());
        let sent = within("a message to be sent", self.stream.send(message)).await;
        sent.expect("the socket should accept a message");
    }

    /// Sends JSON.
    pub async fn ask(&mut self, json: &Value) {
        self.say(json.to_string()).await;
    }

    /// Sends JSON, and returns the next message, parsed as JSON.
    pub async fn answer(&mut self, json: &Value) -> Value {
        self.ask(json).await;
        self.json().await
    }

    /// Returns the next text message.
    pub async fn text(&mut self) -> String {
        self.until("a text", |_| true).await
    }

    /// Returns the next text message, parsed as JSON.
    pub async fn json(&mut self) -> Value {
        let text = self.text().await;
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// Waits for a text message that contains all of `parts`, and returns it.
    pub async fn hear(&mut self, parts: &[&str]) -> String {
        self.until(&format!("{parts:?}"), |text| parts.iter().all(|part| text.contains(part))).await
    }

    /// Waits for a text message that matches, and returns it; `what` names it in panic messages.
    pub async fn until(&mut self, what: &str, mut matches: impl FnMut(&str) -> bool) -> String {
        let listen = async {
            loop {
                let message = self.next().await;
                assert!(!message.is_close(), "closed while waiting for {what}: {message:?}");
                if let Some(text) = message.as_text().filter(|text| matches(text)) {
                    return text.to_owned();
                }
            }
        };
        within(what, listen).await
    }

    /// Waits until the socket is closed, and returns the close code.
    pub async fn closed(&mut self) -> u16 {
        self.ending().await.code
    }

    /// Waits until the socket is closed, and returns all messages before it.
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
