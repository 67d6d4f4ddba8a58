//! WebSocket client of one chat room: keeps the displayed messages and the position in the feed.

use std::collections::HashSet;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http::{HeaderValue, header};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_websockets::{ClientBuilder, Message, WebSocketStream};

use crate::support::{HttpClient, TEST_TIMEOUT};

/// The handshake timeout of bellwire.js.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The feed of the only room in a fresh database.
const FEED: &str = "chat.room.1";

/// The content of a room's page. A feed number that does not increase, or a message that is already
/// displayed, fails the test.
#[derive(Debug, Clone, Default)]
pub(crate) struct Page {
    /// The position in the feed: `<epoch>.<number>`.
    position: String,
    /// The displayed texts, in order.
    pub(crate) shown: Vec<String>,
    /// The number of catch-ups: frames with several missed messages.
    pub(crate) catch_ups: usize,
    /// How often the whole list was replaced, because too many messages were missed.
    pub(crate) list_resets: usize,
    /// How often a message that was sent again had been stored before.
    pub(crate) duplicates: usize,
    ids: HashSet<u64>,
}

impl Page {
    /// The page as it comes by HTTP.
    pub(crate) fn load(target: &RoomTarget) -> Self {
        let RoomTarget { address, cookie, room } = target;
        let mut client = HttpClient::connect(address, cookie).unwrap();
        let html = client.get(&format!("/chat/{room}/")).unwrap().text;
        let list = format!(" data-feed=\"{FEED}\" data-seq=\"");
        let (_, list) = html.split_once(&list).expect("a list of messages");
        let (position, list) = list.split_once('"').unwrap();
        let mut page = Self { position: position.to_owned(), ..Self::default() };
        messages(list).into_iter().for_each(|message| page.show(message));
        page
    }

    pub(crate) fn apply(&mut self, frame: &str) {
        assert!(!frame.contains("data-error"), "refused: {frame}");
        if frame.contains("\"innerHTML:#messages-list\"") {
            (self.ids, self.shown) = Default::default();
            self.list_resets += 1;
        }
        let messages = messages(frame);
        let Some(position) = text_after(frame, " data-seq=\"") else {
            // The reply to a message that was already stored; the catch-up was sent before it.
            assert!(
                messages.iter().all(|(id, _)| self.ids.contains(id)),
                "not shown before: {frame}"
            );
            self.duplicates += messages.len();
            return;
        };
        let is_later = number(position) > number(&self.position);
        assert!(is_later, "{position} after {}: {frame}", self.position);
        self.position = position.to_owned();
        self.catch_ups += usize::from(messages.len() > 1);
        messages.into_iter().for_each(|message| self.show(message));
    }

    fn show(&mut self, (id, text): (u64, String)) {
        assert!(self.ids.insert(id), "twice: {text}");
        self.shown.push(text);
    }
}

/// The number in a position; `None` if the page has none.
fn number(position: &str) -> Option<u64> {
    position.split_once('.').map(|(_, number)| number.parse().expect("a number"))
}

/// The messages in a page or a frame.
fn messages(html: &str) -> Vec<(u64, String)> {
    html.split(" id=\"message--").skip(1).map(message).collect()
}

/// Parses a message in a frame, from its id on.
fn message(html: &str) -> (u64, String) {
    let id = html.split('"').next().and_then(|id| id.parse().ok());
    // Plain text is one paragraph.
    let text = html.split_once(" dir=\"auto\"><p>").and_then(|(_, rest)| rest.split_once("</p>"));
    (id.expect("an id"), text.expect("a text").0.to_owned())
}

fn text_after<'a>(html: &'a str, mark: &str) -> Option<&'a str> {
    html.split_once(mark)?.1.split('"').next()
}

/// The address of a room, and the session that opens it.
#[derive(Debug, Clone)]
pub(crate) struct RoomTarget {
    pub(crate) address: String,
    pub(crate) cookie: String,
    /// The room's slug.
    pub(crate) room: String,
}

/// The result of waiting for a frame.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Received {
    Frame,
    Close(u16),
    /// The server restarts, and tells the client to return after this time.
    Restart(Duration),
    Lost,
}

pub(crate) struct RoomClient(WebSocketStream<TcpStream>);

impl RoomClient {
    /// Opens the socket of a page.
    pub(crate) async fn open(target: &RoomTarget, page: &Page) -> io::Result<Self> {
        Self::open_with_receive_buffer(target, page, None).await
    }

    /// The same as [`open`](Self::open), with a kernel receive buffer of `receive_buffer` bytes.
    pub(crate) async fn open_with_receive_buffer(
        target: &RoomTarget,
        page: &Page,
        receive_buffer: Option<u32>,
    ) -> io::Result<Self> {
        let (RoomTarget { address, cookie, room }, since) = (target, &page.position);
        let uri = format!("ws://{address}/ws/chat/{room}/?dialect=htmx&since={FEED}:{since}");
        let headers =
            [(header::ORIGIN, format!("http://{address}")), (header::COOKIE, cookie.clone())];
        let mut builder = ClientBuilder::from_uri(uri.parse().map_err(io::Error::other)?);
        for (name, value) in headers {
            let value = HeaderValue::from_str(&value).map_err(io::Error::other)?;
            builder = builder.add_header(name, value).map_err(io::Error::other)?;
        }
        let socket = TcpSocket::new_v4()?;
        if let Some(bytes) = receive_buffer {
            socket.set_recv_buffer_size(bytes)?;
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

    /// Sends a message.
    pub(crate) async fn send_message(&mut self, text: &str, client_id: &str) -> io::Result<()> {
        let action = format!(
            r#"{{"action":"New message","data":{{"message":"{text}","client_id":"{client_id}"}}}}"#
        );
        timeout(TEST_TIMEOUT, self.0.send(Message::text(action))).await?.map_err(io::Error::other)
    }

    /// Waits for the next frame, and applies it to the page.
    pub(crate) async fn receive(&mut self, page: &mut Page) -> Received {
        loop {
            let Some(Ok(message)) = self.0.next().await else { return Received::Lost };
            if let Some((code, reason)) = message.as_close() {
                let end = match reason.strip_prefix("retry=") {
                    Some(delay) => Received::Restart(Duration::from_millis(delay.parse().unwrap())),
                    None => Received::Close(code.into()),
                };
                // Polling once more sends our half of the closing handshake.
                let _ = timeout(TEST_TIMEOUT, self.0.next()).await;
                return end;
            }
            if let Some(text) = message.as_text() {
                page.apply(text);
                return Received::Frame;
            }
        }
    }

    /// Receives frames until `shows` holds. Returns early if the connection ends.
    pub(crate) async fn receive_until(
        &mut self,
        page: &mut Page,
        mut shows: impl FnMut(&Page) -> bool,
    ) -> Received {
        let received = async {
            while !shows(page) {
                match self.receive(page).await {
                    Received::Frame => {}
                    end => return end,
                }
            }
            Received::Frame
        };
        timeout(TEST_TIMEOUT, received).await.expect("a frame in time")
    }
}

/// Raises the open-file limit of this process, and of the servers it starts, for this many sockets.
pub(crate) fn raise_file_limit(sockets: u64) {
    let files = rlimit::increase_nofile_limit(u64::MAX).unwrap();
    assert!(
        files >= sockets + 500,
        "this test needs {} open files, and the limit is {files}. Raise it with ulimit -Hn",
        sockets + 500
    );
}

/// A random number from 0 to 1: each [`RandomState`](std::hash::RandomState) has its own seed.
pub(crate) fn random_fraction() -> f64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0) as f64 / u64::MAX as f64
}
