//! [`Communicator`]: a test client that drives a consumer without a network.
//!
//! It takes the part of the browser. While it receives, it answers pings as browsers do, and does
//! not return them. Every wait has a timeout: the test fails after [`PATIENCE`].

use std::future::Future;
use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::connection::Connection;
use crate::consumer::ConsumerDriver;
use crate::outbound::{Channel, Reader};
use crate::request::reservation::Reservation;
use crate::transport::{EncodedFrame, Incoming, Outgoing, Transport};
use crate::{Bellwire, ChannelName, Close, Consumer, Dialect, Frame, Scope};

/// The timeout of each wait in a test. The awaited event is expected immediately.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// The browser's side of a connection to a consumer, as the communicators of Channels.
#[derive(Debug)]
pub struct Communicator {
    to: mpsc::UnboundedSender<Incoming>,
    from: mpsc::UnboundedReceiver<Outgoing>,
    idle: watch::Receiver<u64>,
    channel: DebugChannel,
    task: JoinHandle<Close>,
}

/// The settings of a connection before it is opened; see [`Communicator::to`].
#[derive(Debug)]
pub struct CommunicatorBuilder {
    bellwire: Bellwire,
    scope: Scope,
    reader: Reader,
}

/// A channel that has a `Debug` form.
struct DebugChannel(std::sync::Arc<Channel>);

impl std::fmt::Debug for DebugChannel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.name)
    }
}

impl CommunicatorBuilder {
    /// Sets the key of the person.
    #[must_use]
    pub fn person(mut self, key: impl Into<Box<str>>) -> Self {
        self.scope.identity.person = Some(key.into());
        self
    }

    /// Sets the key of the session.
    #[must_use]
    pub fn session(mut self, key: impl Into<Box<str>>) -> Self {
        self.scope.identity.session = Some(key.into());
        self
    }

    /// Sets the dialect.
    #[must_use]
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.reader.dialect = dialect;
        self
    }

    /// Sets the audience.
    #[must_use]
    pub fn audience(mut self, key: &str) -> Self {
        self.reader.audience = Some(key.into());
        self
    }

    /// Connects, and returns when `connect` has run and the feeds that it follows have caught up.
    ///
    /// # Panics
    /// If a limit refuses the connection.
    pub async fn connect<C: Consumer>(self, consumer: C) -> Communicator {
        let (to, incoming) = mpsc::unbounded_channel();
        let (outgoing, from) = mpsc::unbounded_channel();
        let (idle_sender, idle) = watch::channel(0);
        let transport = TestTransport { incoming, outgoing, idle: idle_sender };
        let reservation = Reservation::take(self.bellwire, self.scope)
            .unwrap_or_else(|rejection| panic!("{rejection}"));
        let (channel, token) =
            (DebugChannel(reservation.channel.clone()), reservation.bellwire.tasks().token());
        let socket = reservation.socket(Box::new(transport), self.reader);
        let connection = Connection::open(Box::new(ConsumerDriver::new(consumer, socket)));
        let task = tokio::spawn(async move {
            let close = connection.run().await;
            drop(token);
            close
        });
        let mut communicator = Communicator { to, from, idle, channel, task };
        communicator.settle().await;
        communicator
    }
}

impl Communicator {
    /// Connects as an anonymous client, in the `json` dialect.
    pub async fn connect<C: Consumer>(bellwire: &Bellwire, consumer: C) -> Self {
        Self::to(bellwire, "/").connect(consumer).await
    }

    /// Prepares a connection to a path such as `/ws/chat/hi/?since=chat.room.1:42`.
    pub fn to(bellwire: &Bellwire, path: &str) -> CommunicatorBuilder {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        CommunicatorBuilder {
            bellwire: bellwire.clone(),
            scope: Scope::new(path, query),
            reader: Reader::default(),
        }
    }

    /// The name of this connection's channel.
    pub fn channel(&self) -> ChannelName {
        self.channel.0.name
    }

    /// Sends text.
    pub async fn send_text(&mut self, text: impl Into<String>) {
        self.send(Incoming::Message(Frame::Text(text.into())));
    }

    /// Sends bytes.
    pub async fn send_bytes(&mut self, bytes: impl Into<Bytes>) {
        self.send(Incoming::Message(Frame::Binary(bytes.into())));
    }

    /// Sends a value as JSON.
    ///
    /// # Panics
    /// If the value cannot be serialized as JSON.
    pub async fn send_json(&mut self, value: &impl Serialize) {
        let json = serde_json::to_string(value)
            .unwrap_or_else(|error| panic!("not serializable as JSON: {error}"));
        self.send_text(json).await;
    }

    /// Receives the next frame, which must be text.
    ///
    /// # Panics
    /// If no frame arrives in time, or if it is not text.
    pub async fn receive_text(&mut self) -> String {
        match self.next().await {
            Some(Outgoing::Frame(frame)) if frame.is_text() => text_of(&frame),
            other => panic!("expected text, got {other:?}"),
        }
    }

    /// Receives the next frame, which must be binary.
    ///
    /// # Panics
    /// If no frame arrives in time, or if it is not binary.
    pub async fn receive_bytes(&mut self) -> Bytes {
        match self.next().await {
            Some(Outgoing::Frame(frame)) if !frame.is_text() => frame.payload(),
            other => panic!("expected bytes, got {other:?}"),
        }
    }

    /// Receives the next frame and parses it as JSON.
    ///
    /// # Panics
    /// If no text frame arrives in time, or if it is not such JSON.
    pub async fn receive_json<T: DeserializeOwned>(&mut self) -> T {
        let text = self.receive_text().await;
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"))
    }

    /// Asserts that there is nothing to receive once all pending work is done.
    ///
    /// # Panics
    /// If there is a frame or a close.
    pub async fn receive_nothing(&mut self) {
        self.settle().await;
        while let Ok(out) = self.from.try_recv() {
            assert!(self.answer_ping(&out), "expected nothing, got {out:?}");
        }
    }

    /// Waits for the server's close and discards all frames before it. Pings are not answered
    /// meanwhile, so the client counts as silent.
    ///
    /// # Panics
    /// If the server does not close in time.
    pub async fn closed(self) -> Close {
        self.receive_until_closed().await.1
    }

    /// Waits for the server's close. Returns every text frame before it, and the close. Pings are
    /// not answered meanwhile.
    ///
    /// # Panics
    /// If the server does not close in time.
    pub async fn receive_until_closed(mut self) -> (Vec<String>, Close) {
        let receive = async {
            let mut texts = Vec::new();
            loop {
                match self.from.recv().await {
                    Some(Outgoing::Close(close)) => return (texts, close),
                    Some(Outgoing::Frame(frame)) if frame.is_text() => texts.push(text_of(&frame)),
                    Some(Outgoing::Frame(_)) => {}
                    None => panic!("the connection ended without a close"),
                }
            }
        };
        within("a close", receive).await
    }

    /// Closes the connection and waits until `disconnect` has run. Returns the close with which the
    /// connection ended.
    ///
    /// # Panics
    /// If the connection does not end in time.
    pub async fn close(mut self, close: Close) -> Close {
        self.send(Incoming::Close(close));
        ended(&mut self.task).await
    }

    /// Cuts the connection without a close, as a pulled cable does, and waits until `disconnect`
    /// has run.
    ///
    /// # Panics
    /// If the connection does not end in time.
    pub async fn cut(self) -> Close {
        let Self { to, from, mut task, .. } = self;
        drop((to, from));
        ended(&mut task).await
    }

    /// Waits until the connection has processed everything that was sent to it, by the browser or
    /// through a group.
    pub async fn settle(&mut self) {
        // The first idle moment may belong to an iteration of the event loop that began before the
        // latest send; the second cannot.
        for _ in 0..2 {
            self.idle.mark_unchanged();
            self.channel.0.queue.wake_loop();
            if within("the connection to settle", self.idle.changed()).await.is_err() {
                return;
            }
        }
    }

    fn send(&self, incoming: Incoming) {
        // Fails if the connection has ended. The test notices that when it receives.
        let _ = self.to.send(incoming);
    }

    async fn next(&mut self) -> Option<Outgoing> {
        let receive = async {
            loop {
                match self.from.recv().await {
                    Some(out) if self.answer_ping(&out) => {}
                    next => return next,
                }
            }
        };
        within("a frame", receive).await
    }

    /// Answers `out` if it is a ping. Returns whether it is one.
    fn answer_ping(&self, out: &Outgoing) -> bool {
        let is_ping = matches!(out, Outgoing::Frame(frame) if frame.is_ping());
        if is_ping {
            self.send(Incoming::Heartbeat);
        }
        is_ping
    }
}

fn text_of(frame: &EncodedFrame) -> String {
    String::from_utf8_lossy(&frame.payload()).into_owned()
}

async fn ended(task: &mut JoinHandle<Close>) -> Close {
    within("the connection to end", task)
        .await
        .unwrap_or_else(|error| panic!("the connection's task failed: {error}"))
}

/// Waits for `what`, which is expected immediately. `what` describes it in the panic message.
///
/// # Panics
/// If `wait` does not complete within [`PATIENCE`].
pub async fn within<T>(what: &str, wait: impl Future<Output = T>) -> T {
    let Ok(value) = tokio::time::timeout(PATIENCE, wait).await else {
        panic!("waited {PATIENCE:?} for {what}");
    };
    value
}

struct TestTransport {
    incoming: mpsc::UnboundedReceiver<Incoming>,
    outgoing: mpsc::UnboundedSender<Outgoing>,
    idle: watch::Sender<u64>,
}

impl Transport for TestTransport {
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn write(&mut self, out: Outgoing) -> io::Result<()> {
        self.outgoing.send(out).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Option<Incoming>> {
        self.incoming.poll_recv(cx)
    }

    fn idle(&mut self) {
        self.idle.send_modify(|count| *count += 1);
    }
}
