//! A room that is open in a window: its socket, what it shows, and where it is in its feed.

use std::collections::HashSet;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http::{HeaderValue, header};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_websockets::{ClientBuilder, Message, WebSocketStream};

use crate::support::PATIENCE;

/// How long a handshake may take, as bellwire.js has it.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The only room of a fresh database.
const FEED: &str = "chat.room.1";

/// What a window shows. It believes nothing: a number that came before, or a message that is there,
/// fails the test.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// The number it is at.
    pub(crate) seq: u64,
    /// The texts it shows, in their order.
    pub(crate) shown: Vec<String>,
    /// How many frames brought several messages at once: what was missed.
    pub(crate) caught_up: usize,
    /// How often the list came anew, because too much was missed.
    pub(crate) renewed: usize,
    /// How often a message that was sent again was there before.
    pub(crate) again: usize,
    ids: HashSet<u64>,
}

impl Page {
    pub(crate) fn take(&mut self, frame: &str) {
        assert!(!frame.contains("data-error"), "refused: {frame}");
        if frame.contains("\"innerHTML:#messages-list\"") {
            (self.ids, self.shown) = Default::default();
            self.renewed += 1;
        }
        let messages: Vec<_> = frame.split(" id=\"message--").skip(1).map(message).collect();
        let Some(seq) = number_after(frame, " data-seq=\"") else {
            // The answer to a send that was there before: what was missed came first.
            assert!(
                messages.iter().all(|(id, _)| self.ids.contains(id)),
                "not shown before: {frame}"
            );
            self.again += messages.len();
            return;
        };
        assert!(seq > self.seq, "{seq} after {}: {frame}", self.seq);
        self.seq = seq;
        self.caught_up += usize::from(messages.len() > 1);
        for (id, text) in messages {
            assert!(self.ids.insert(id), "twice: {frame}");
            self.shown.push(text);
        }
    }
}

/// A message in a frame, from its id on.
fn message(html: &str) -> (u64, String) {
    let id = html.split('"').next().and_then(|id| id.parse().ok());
    // Plain words are one paragraph.
    let text = html.split_once(" dir=\"auto\"><p>").and_then(|(_, rest)| rest.split_once("</p>"));
    (id.expect("an id"), text.expect("a text").0.to_owned())
}

fn number_after(html: &str, mark: &str) -> Option<u64> {
    html.split_once(mark)?.1.split('"').next()?.parse().ok()
}

/// Where a room is, and who looks at it.
#[derive(Debug, Clone)]
pub(crate) struct Door {
    pub(crate) address: String,
    pub(crate) cookie: String,
    /// The room's name in its address.
    pub(crate) room: String,
}

/// What came to a window.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Frame,
    Close(u16),
    Lost,
}

pub(crate) struct Window(WebSocketStream<TcpStream>);

impl Window {
    /// Opens a window that is at this number.
    pub(crate) async fn open(door: &Door, since: u64) -> io::Result<Self> {
        Self::narrow(door, since, None).await
    }

    /// The same, for one whose kernel keeps no more than so many bytes for it.
    pub(crate) async fn narrow(door: &Door, since: u64, keeps: Option<u32>) -> io::Result<Self> {
        let Door { address, cookie, room } = door;
        let uri = format!("ws://{address}/ws/chat/{room}/?dialect=htmx&since={FEED}:{since}");
        let headers =
            [(header::ORIGIN, format!("http://{address}")), (header::COOKIE, cookie.clone())];
        let mut builder = ClientBuilder::from_uri(uri.parse().map_err(io::Error::other)?);
        for (name, value) in headers {
            let value = HeaderValue::from_str(&value).map_err(io::Error::other)?;
            builder = builder.add_header(name, value).map_err(io::Error::other)?;
        }
        let socket = TcpSocket::new_v4()?;
        if let Some(keeps) = keeps {
            socket.set_recv_buffer_size(keeps)?;
        }
        let address: SocketAddr = address.parse().map_err(io::Error::other)?;
        let open = async {
            let stream = socket.connect(address).await?;
            stream.set_nodelay(true)?;
            builder.connect_on(stream).await.map_err(io::Error::other)
        };
        let (socket, _) = timeout(HANDSHAKE, open).await??;
        Ok(Self(socket))
    }

    /// Asks for a new message.
    pub(crate) async fn say(&mut self, text: &str, client_id: &str) -> io::Result<()> {
        let ask = format!(
            r#"{{"action":"New message","data":{{"message":"{text}","client_id":"{client_id}"}}}}"#
        );
        timeout(PATIENCE, self.0.send(Message::text(ask))).await?.map_err(io::Error::other)
    }

    /// Waits for what comes next, and shows it.
    pub(crate) async fn hear(&mut self, page: &mut Page) -> Heard {
        loop {
            let Some(Ok(message)) = self.0.next().await else { return Heard::Lost };
            if let Some((code, _)) = message.as_close() {
                let code = code.into();
                // Our half of the handshake leaves with the next look.
                let _ = timeout(PATIENCE, self.0.next()).await;
                return Heard::Close(code);
            }
            if let Some(text) = message.as_text() {
                page.take(text);
                return Heard::Frame;
            }
        }
    }

    /// Waits until the page shows so much.
    pub(crate) async fn hear_until(
        &mut self,
        page: &mut Page,
        mut shows: impl FnMut(&Page) -> bool,
    ) -> Heard {
        let heard = async {
            while !shows(page) {
                match self.hear(page).await {
                    Heard::Frame => {}
                    end => return end,
                }
            }
            Heard::Frame
        };
        timeout(PATIENCE, heard).await.expect("a frame in time")
    }
}

/// Lets this process, and the servers it starts, open so many sockets.
pub(crate) fn room_for(sockets: u64) {
    let files = rlimit::increase_nofile_limit(u64::MAX).unwrap();
    assert!(
        files >= sockets + 500,
        "this test needs {} open files and may have {files}: ulimit -Hn",
        sockets + 500
    );
}

/// A share of one that nobody can foretell: no two hashers are alike.
pub(crate) fn chance() -> f64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0) as f64 / u64::MAX as f64
}
