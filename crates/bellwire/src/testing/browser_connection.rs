//! [`Connection`]: the page's end of a connection that a test browser opened.

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio_websockets::{ClientBuilder, Message, WebSocketStream};

use super::within;
use crate::Close;

/// An open connection, as its page sees it: a WebSocket or a stream of server-sent events.
#[derive(Debug)]
pub struct Connection(Transport);

#[derive(Debug)]
enum Transport {
    Socket(Box<WebSocketStream<TokioIo<Upgraded>>>),
    Stream { body: Incoming, rest: String },
}

/// What a page receives.
enum Received {
    Text(String),
    Binary(Bytes),
    Close(Close),
}

impl Connection {
    pub(super) fn socket(stream: TokioIo<Upgraded>) -> Self {
        let socket = ClientBuilder::new().take_over(stream);
        Self(Transport::Socket(Box::new(socket)))
    }

    pub(super) fn stream(body: Incoming) -> Self {
        Self(Transport::Stream { body, rest: String::new() })
    }

    /// Sends an action.
    ///
    /// # Panics
    /// If it is a stream, which cannot send, or if the data cannot be serialized.
    pub async fn send(&mut self, action: &str, data: &impl Serialize) {
        let frame = serde_json::json!({
            "action": action,
            "data": serde_json::to_value(data)
                .unwrap_or_else(|error| panic!("not serializable as JSON: {error}")),
        });
        self.send_text(frame.to_string()).await;
    }

    /// Sends text.
    ///
    /// # Panics
    /// If it is a stream, which cannot send.
    pub async fn send_text(&mut self, text: impl Into<String>) {
        let Transport::Socket(socket) = &mut self.0 else { panic!("a stream cannot send") };
        // Fails if the server has closed. The test notices that when it receives.
        let _ = socket.send(Message::text(text.into())).await;
    }

    /// Receives the next frame, which must be text.
    ///
    /// # Panics
    /// If no frame arrives in time, or something else.
    pub async fn receive(&mut self) -> String {
        match within("a frame", self.next()).await {
            Received::Text(text) => text,
            Received::Binary(bytes) => panic!("expected text, got {bytes:?}"),
            Received::Close(close) => panic!("expected text, got {close:?}"),
        }
    }

    /// Receives frames until one contains this text, and returns that one.
    ///
    /// # Panics
    /// If none arrives in time.
    pub async fn receive_containing(&mut self, text: &str) -> String {
        let find = async {
            loop {
                let frame = self.receive().await;
                if frame.contains(text) {
                    return frame;
                }
            }
        };
        within(&format!("a frame with {text:?}"), find).await
    }

    /// Waits for the server's close, and discards all frames before it.
    ///
    /// # Panics
    /// If the server does not close in time.
    pub async fn closed(mut self) -> Close {
        let closed = async {
            loop {
                if let Received::Close(close) = self.next().await {
                    return close;
                }
            }
        };
        within("a close", closed).await
    }

    /// Closes the connection from the page's side.
    pub async fn close(self) {
        if let Transport::Socket(mut socket) = self.0 {
            let _ = socket.close().await;
        }
    }

    async fn next(&mut self) -> Received {
        match &mut self.0 {
            Transport::Socket(socket) => next_message(socket).await,
            Transport::Stream { body, rest } => loop {
                while let Some((event, others)) = rest.split_once("\n\n") {
                    let received = read_event(event);
                    *rest = others.to_owned();
                    if let Some(received) = received {
                        return received;
                    }
                }
                match body.frame().await.and_then(Result::ok).map(|frame| frame.into_data()) {
                    Some(Ok(bytes)) => rest.push_str(&String::from_utf8_lossy(&bytes)),
                    Some(Err(_)) => {}
                    None => return Received::Close(Close::lost()),
                }
            },
        }
    }
}

async fn next_message(socket: &mut WebSocketStream<TokioIo<Upgraded>>) -> Received {
    loop {
        let Some(Ok(message)) = socket.next().await else {
            return Received::Close(Close::lost());
        };
        if let Some(text) = message.as_text() {
            return Received::Text(text.to_owned());
        }
        if let Some((code, reason)) = message.as_close() {
            return Received::Close(Close::received(code.into(), reason));
        }
        if message.is_binary() {
            return Received::Binary(Bytes::copy_from_slice(message.as_payload()));
        }
    }
}

/// Reads an event; `None` for one that a page does not see.
fn read_event(event: &str) -> Option<Received> {
    let lines =
        |prefix: &'static str| event.lines().filter_map(move |line| line.strip_prefix(prefix));
    let data = lines("data: ").collect::<Vec<_>>();
    if data.is_empty() {
        return None;
    }
    let data = data.join("\n");
    match lines("event: ").next() {
        None => Some(Received::Text(data)),
        Some("close") => serde_json::from_str(&data).ok().map(Received::Close),
        // Such as a notice for the developer.
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_as_a_page_does() {
        let text = |event| match read_event(event) {
            Some(Received::Text(text)) => Some(text),
            _ => None,
        };
        assert_eq!(text("data: a\ndata: b\nid: x").as_deref(), Some("a\nb"));
        assert_eq!(text("retry: 1000"), None);
        assert_eq!(text(":"), None);
        assert_eq!(text("event: notice\ndata: {}"), None);
        let close = read_event("event: close\ndata: {\"code\":1008,\"reason\":\"out\"}");
        assert!(matches!(close, Some(Received::Close(close)) if close == Close::policy("out")));
    }
}
