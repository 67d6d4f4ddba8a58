//! Test support: a small chat consumer, a server, and a raw WebSocket client that can violate the
//! protocol.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::FromRef;
use axum::response::Response;
use axum::routing::get;
use bellwire::testing::{PATIENCE, within};
use bellwire::{
    Action, Bellwire, CatchUp, Close, Consumer, Epochs, Error, Feed, FeedSource, Group, GroupName,
    Html, Layer, Limits, Live, Patch, Seq, Socket,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

pub(crate) const URL: &str = "http://127.0.0.1:8000";

pub(crate) fn bellwire() -> Bellwire {
    Bellwire::builder(URL).native_clients().build().unwrap()
}

pub(crate) fn with_limits(limits: Limits) -> Bellwire {
    Bellwire::builder(URL).native_clients().limits(limits).build().unwrap()
}

pub(crate) fn with_layer(layer: Layer) -> Bellwire {
    Bellwire::builder(URL).native_clients().layer(layer).build().unwrap()
}

/// The actions of the chat.
#[derive(Debug, Action)]
pub(crate) enum MemberAction {
    /// Returns the message to its sender.
    #[action(form)]
    Say { message: String },
    /// Sends the message to all other members.
    Tell { message: String },
    /// Returns a validation error of this field.
    Complain { field: String },
    /// Fails with an internal error.
    Fail {},
    /// Panics.
    Panic {},
    /// Closes the connection.
    Leave {},
}

/// The event between members.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct Notice(pub(crate) String);

/// The source of a feed: numbered lines, and the reads of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lines {
    lines: Arc<Mutex<Vec<String>>>,
    reads: Arc<Mutex<Vec<Option<Seq>>>>,
    pub(crate) epochs: Arc<Mutex<Epochs>>,
}

impl Lines {
    /// Writes a line and returns its number.
    pub(crate) fn write(&self, line: &str) -> Seq {
        let mut lines = self.lines.lock().unwrap();
        lines.push(line.to_owned());
        lines.len() as Seq
    }

    /// Removes all lines after this number, as a restored backup does.
    pub(crate) fn restore(&self, seq: Seq) {
        self.lines.lock().unwrap().truncate(usize::try_from(seq).unwrap());
    }

    pub(crate) fn feed(&self, layer: &Layer) -> Feed<Notice, Self> {
        layer.feed(room(), self.clone())
    }

    /// Writes a line and publishes it.
    pub(crate) fn publish(&self, layer: &Layer, line: &str) {
        self.feed(layer).publish(self.write(line), Self::patch(line));
    }

    /// The numbers from which the lines were read, in order.
    pub(crate) fn reads(&self) -> Vec<Option<Seq>> {
        self.reads.lock().unwrap().clone()
    }

    pub(crate) fn patch(line: &str) -> Patch {
        Patch::append("#lines", Html::text(line))
    }
}

impl FeedSource for Lines {
    async fn catch_up(&self, since: Option<Seq>, _: &str) -> Result<CatchUp, Error> {
        self.reads.lock().unwrap().push(since);
        let lines = self.lines.lock().unwrap();
        let since = usize::try_from(since.unwrap_or(0)).unwrap_or(usize::MAX);
        Ok(CatchUp {
            patches: lines.iter().skip(since).map(|line| Self::patch(line)).collect(),
            seq: lines.len() as Seq,
        })
    }

    async fn epochs(&self) -> Result<Epochs, Error> {
        Ok(self.epochs.lock().unwrap().clone())
    }
}

/// A member of the group `room`. It follows the group's feed if there are lines.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) lines: Option<Lines>,
    /// Receives a text for each handler call.
    pub(crate) calls: mpsc::UnboundedSender<String>,
}

pub(crate) fn room() -> Group<Notice> {
    Group::new(GroupName::new("room").unwrap())
}

impl Member {
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<String>) {
        let (calls, receiver) = mpsc::unbounded_channel();
        (Self { lines: None, calls }, receiver)
    }

    pub(crate) fn silent() -> Self {
        Self::new().0
    }

    pub(crate) fn follower(lines: &Lines) -> Self {
        Self { lines: Some(lines.clone()), ..Self::silent() }
    }

    fn record(&self, call: impl Into<String>) {
        let _ = self.calls.send(call.into());
    }
}

impl Consumer for Member {
    type Action = MemberAction;
    type Event = Notice;
    type Error = Error;

    async fn connect(&mut self, socket: &mut Socket<Self>) -> Result<(), Error> {
        self.record("connect");
        match &self.lines {
            Some(lines) => socket.follow(&lines.feed(socket.layer())),
            None => socket.join(room()),
        }
        if socket.scope().query("greet").next().is_some() {
            socket.send_text("Hello").await?;
        }
        if socket.scope().query("refuse").next().is_some() {
            return Err(Error::refused("not today"));
        }
        Ok(())
    }

    async fn receive(
        &mut self,
        socket: &mut Socket<Self>,
        action: MemberAction,
    ) -> Result<(), Error> {
        match action {
            MemberAction::Say { message } => socket.send_text(message).await,
            MemberAction::Tell { message } => {
                let group = socket.layer().group(room());
                group.send_except(socket.channel(), Notice(message))
            }
            MemberAction::Complain { field } => Err(Error::refuse(field, "Invalid message.")),
            MemberAction::Fail {} => Err("x".parse::<u8>().unwrap_err().into()),
            MemberAction::Panic {} => panic!("a test's panic"),
            MemberAction::Leave {} => {
                socket.close(Close::new(4001, "you asked for it"));
                Ok(())
            }
        }
    }

    async fn event(&mut self, socket: &mut Socket<Self>, event: &Notice) -> Result<(), Error> {
        socket.send_text(format!("notice: {}", event.0)).await
    }

    async fn disconnect(&mut self, _: &mut Socket<Self>, close: Close) {
        self.record(format!("disconnect {}", close.code()));
    }
}

/// Waits for an effect of one of the server's limits, of which the longest is a minute. With paused
/// time the wait is short.
pub(crate) async fn eventually<T>(what: &str, wait: impl Future<Output = T>) -> T {
    tokio::time::timeout(9 * PATIENCE, wait)
        .await
        .unwrap_or_else(|_| panic!("waited too long for {what}"))
}

/// The next recorded handler call; `None` after the consumer was dropped.
pub(crate) async fn next_call(calls: &mut mpsc::UnboundedReceiver<String>) -> Option<String> {
    within("a handler call", calls.recv()).await
}

/// Waits until a consumer recorded this handler call.
pub(crate) async fn wait_for_call(calls: &mut mpsc::UnboundedReceiver<String>, what: &str) {
    let recorded = async { while calls.recv().await.expect("the server is running") != what {} };
    eventually(&format!("the call {what:?}"), recorded).await;
}

/// A running server with one socket route, `/ws/`, and the recorded calls of its consumers.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) bellwire: Bellwire,
    pub(crate) calls: mpsc::UnboundedReceiver<String>,
}

#[derive(Clone)]
struct App {
    bellwire: Bellwire,
    calls: mpsc::UnboundedSender<String>,
}

impl FromRef<App> for Bellwire {
    fn from_ref(app: &App) -> Self {
        app.bellwire.clone()
    }
}

async fn socket(app: axum::extract::State<App>, live: Live) -> Response {
    let live = live
        .person("ada")
        .protocols(["chat.v2", "chat.v1"])
        .header("x-served-by".parse().unwrap(), "bellwire".parse().unwrap());
    live.run(Member { lines: None, calls: app.calls.clone() })
}

impl Server {
    pub(crate) async fn start(bellwire: Bellwire) -> Self {
        let (sender, calls) = mpsc::unbounded_channel();
        let app = App { bellwire: bellwire.clone(), calls: sender };
        Self::serve(bellwire, calls, Router::new().route("/ws/", get(socket)).with_state(app)).await
    }

    /// Starts a server with other routes, whose consumers record their calls here.
    pub(crate) async fn serve(
        bellwire: Bellwire,
        calls: mpsc::UnboundedReceiver<String>,
        router: Router,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, bellwire, calls }
    }

    /// Waits until a consumer recorded this call.
    pub(crate) async fn wait_for_call(&mut self, what: &str) {
        wait_for_call(&mut self.calls, what).await;
    }

    /// Sends a handshake with these headers. Returns the stream and the head of the response.
    pub(crate) async fn handshake(
        &self,
        path: &str,
        headers: &[(&str, &str)],
    ) -> (TcpStream, String) {
        within("an answer", self.try_handshake(path, headers)).await
    }

    async fn try_handshake(&self, path: &str, headers: &[(&str, &str)]) -> (TcpStream, String) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let mut request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n", self.address);
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.expect("an answer"));
        }
        (stream, String::from_utf8(head).unwrap())
    }

    /// Opens a socket as a program without cookies does.
    pub(crate) async fn open(&self, path: &str) -> TcpStream {
        let (stream, head) = self.handshake(path, HANDSHAKE).await;
        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
        stream
    }
}

/// The headers of a valid handshake, with the key of RFC 6455 §1.2.
pub(crate) const HANDSHAKE: &[(&str, &str)] = &[
    ("Connection", "keep-alive, Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

/// A masked frame, as browsers send it. The mask is zero, so the payload is unchanged.
pub(crate) fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    match payload.len() {
        short @ 0..126 => frame.push(0x80 | short as u8),
        middle @ 126..65536 => {
            frame.push(0x80 | 126);
            frame.extend((middle as u16).to_be_bytes());
        }
        long => {
            frame.push(0x80 | 127);
            frame.extend((long as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

/// Reads one frame from the server: its opcode and payload.
pub(crate) async fn read_frame(stream: &mut TcpStream) -> (u8, Vec<u8>) {
    within("a frame", next_frame(stream)).await
}

async fn next_frame(stream: &mut TcpStream) -> (u8, Vec<u8>) {
    let opcode = stream.read_u8().await.expect("a frame") & 0x0f;
    let length = match stream.read_u8().await.unwrap() {
        126 => u64::from(stream.read_u16().await.unwrap()),
        127 => stream.read_u64().await.unwrap(),
        short => u64::from(short),
    };
    let mut payload = vec![0; usize::try_from(length).unwrap()];
    stream.read_exact(&mut payload).await.unwrap();
    (opcode, payload)
}

pub(crate) async fn read_text(stream: &mut TcpStream) -> String {
    let (opcode, payload) = read_frame(stream).await;
    assert_eq!(opcode, TEXT, "{payload:?}");
    String::from_utf8(payload).unwrap()
}

/// The code and reason of the next frame, which must be a close.
pub(crate) async fn read_close(stream: &mut TcpStream) -> (u16, String) {
    let (opcode, payload) = read_frame(stream).await;
    assert_eq!(opcode, CLOSE, "{}", String::from_utf8_lossy(&payload));
    (
        u16::from_be_bytes([payload[0], payload[1]]),
        String::from_utf8(payload[2..].to_vec()).unwrap(),
    )
}

pub(crate) fn say(message: &str) -> Vec<u8> {
    frame(
        TEXT,
        serde_json::json!({"action": "Say", "data": {"message": message}}).to_string().as_bytes(),
    )
}
