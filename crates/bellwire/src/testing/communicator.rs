//! Drives a consumer without a network.
//!
//! A [`Communicator`] is the browser's end. While it receives it answers pings, as browsers do, and
//! shows none. Every wait has an end: what does not come within [`PATIENCE`] fails the test.

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
use crate::outbound::Channel;
use crate::request::reservation::Reservation;
use crate::transport::{EncodedFrame, Incoming, Outgoing, Transport};
use crate::{Bellwire, ChannelName, Close, Consumer, Dialect, Frame, Scope};

/// How long a test waits for what should come at once.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// The browser's end of a connection whose server end is a consumer.
#[derive(Debug)]
pub struct Communicator {
    to: mpsc::UnboundedSender<Incoming>,
    from: mpsc::UnboundedReceiver<Outgoing>,
    idle: watch::Receiver<u64>,
    channel: ChannelEnd,
    task: JoinHandle<Close>,
}

/// Who connects, and how; see [`Communicator::to`].
#[derive(Debug)]
pub struct Dial {
    bellwire: Bellwire,
    scope: Scope,
    dialect: Dialect,
}

struct ChannelEnd(std::sync::Arc<Channel>);

impl std::fmt::Debug for ChannelEnd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.name)
    }
}

impl Dial {
    /// As this person.
    #[must_use]
    pub fn person(mut self, key: impl Into<Box<str>>) -> Self {
        self.scope.identity.person = Some(key.into());
        self
    }

    /// With this session.
    #[must_use]
    pub fn session(mut self, key: impl Into<Box<str>>) -> Self {
        self.scope.identity.session = Some(key.into());
        self
    }

    /// Speaking this dialect.
    #[must_use]
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = dialect;
        self
    }

    /// Connects, and returns when `connect` and the first catching up are done.
    pub async fn connect<C: Consumer>(self, consumer: C) -> Communicator {
        let (to, incoming) = mpsc::unbounded_channel();
        let (outgoing, from) = mpsc::unbounded_channel();
        let (idle_sender, idle) = watch::channel(0);
        let transport = TestTransport { incoming, outgoing, idle: idle_sender };
        let reservation = Reservation::take(self.bellwire, self.scope)
            .unwrap_or_else(|refused| panic!("{refused}"));
        let (channel, token) =
            (ChannelEnd(reservation.channel.clone()), reservation.bellwire.tasks().token());
        let connection = Connection::open(
            Box::new(consumer),
            reservation.socket(Box::new(transport), self.dialect),
        );
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
    /// Connects as nobody in particular, in the `json` dialect.
    pub async fn connect<C: Consumer>(bellwire: &Bellwire, consumer: C) -> Self {
        Self::to(bellwire, "/").connect(consumer).await
    }

    /// Prepares a connection to an address such as `/ws/chat/hi/?since=chat.room.1:42`.
    pub fn to(bellwire: &Bellwire, address: &str) -> Dial {
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        Dial {
            bellwire: bellwire.clone(),
            scope: Scope::new(path, query),
            dialect: Dialect::default(),
        }
    }

    /// This connection's address.
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
    /// When the value has no JSON form.
    pub async fn send_json(&mut self, value: &impl Serialize) {
        let json = serde_json::to_string(value).unwrap_or_else(|error| panic!("no JSON: {error}"));
        self.send_text(json).await;
    }

    /// The next frame, which is text.
    ///
    /// # Panics
    /// When none comes, or another kind.
    pub async fn receive_text(&mut self) -> String {
        match self.next().await {
            Some(Outgoing::Frame(frame)) if frame.is_text() => words(&frame),
            other => panic!("expected text, got {other:?}"),
        }
    }

    /// The next frame, which is binary.
    ///
    /// # Panics
    /// When none comes, or another kind.
    pub async fn receive_bytes(&mut self) -> Bytes {
        match self.next().await {
            Some(Outgoing::Frame(frame)) if !frame.is_text() => frame.payload(),
            other => panic!("expected bytes, got {other:?}"),
        }
    }

    /// The next frame, read as JSON.
    ///
    /// # Panics
    /// When none comes, or it cannot be read so.
    pub async fn receive_json<T: DeserializeOwned>(&mut self) -> T {
        let text = self.receive_text().await;
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"))
    }

    /// Nothing is there to receive once everything that is under way has been dealt with.
    ///
    /// # Panics
    /// When something is.
    pub async fn receive_nothing(&mut self) {
        self.settle().await;
        while let Ok(out) = self.from.try_recv() {
            assert!(self.answers(&out), "expected nothing, got {out:?}");
        }
    }

    /// The close that the server sent, whatever came before it. Pings are not answered meanwhile:
    /// who only waits for the end is silent.
    ///
    /// # Panics
    /// When it does not close.
    pub async fn closed(self) -> Close {
        self.heard_until_closed().await.1
    }

    /// The close that the server sent, and every text that came before it.
    ///
    /// # Panics
    /// When it does not close.
    pub async fn heard_until_closed(mut self) -> (Vec<String>, Close) {
        let listen = async {
            let mut heard = Vec::new();
            loop {
                match self.from.recv().await {
                    Some(Outgoing::Close(close)) => return (heard, close),
                    Some(Outgoing::Frame(frame)) if frame.is_text() => heard.push(words(&frame)),
                    Some(Outgoing::Frame(_)) => {}
                    None => panic!("the connection ended without a close"),
                }
            }
        };
        within("a close", listen).await
    }

    /// Closes, and returns how the connection ended when `disconnect` has run.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn close(mut self, close: Close) -> Close {
        self.send(Incoming::Close(close));
        ended(&mut self.task).await
    }

    /// Breaks the connection without a word, as a pulled cable does, and waits until `disconnect`
    /// has run.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn cut(self) -> Close {
        let Self { to, from, mut task, .. } = self;
        drop((to, from));
        ended(&mut task).await
    }

    /// Waits until the connection has dealt with everything that was sent to it, by the browser or
    /// through a group.
    pub async fn settle(&mut self) {
        // The first idle moment may belong to a turn that began before the latest send; the second
        // cannot.
        for _ in 0..2 {
            self.idle.mark_unchanged();
            self.channel.0.queue.wake_loop();
            if within("the connection to settle", self.idle.changed()).await.is_err() {
                return;
            }
        }
    }

    fn send(&self, incoming: Incoming) {
        // A connection that is over hears nothing; the test will see that by what it receives.
        let _ = self.to.send(incoming);
    }

    async fn next(&mut self) -> Option<Outgoing> {
        let listen = async {
            loop {
                match self.from.recv().await {
                    Some(out) if self.answers(&out) => {}
                    next => return next,
                }
            }
        };
        within("a frame", listen).await
    }

    /// Whether this is a ping, which is answered then.
    fn answers(&self, out: &Outgoing) -> bool {
        let pinged = matches!(out, Outgoing::Frame(frame) if frame.is_ping());
        if pinged {
            self.send(Incoming::Heartbeat);
        }
        pinged
    }
}

fn words(frame: &EncodedFrame) -> String {
    String::from_utf8_lossy(&frame.payload()).into_owned()
}

async fn ended(task: &mut JoinHandle<Close>) -> Close {
    within("the connection to end", task)
        .await
        .unwrap_or_else(|error| panic!("the connection broke: {error}"))
}

/// Waits for `what`, which should come at once.
///
/// # Panics
/// When it does not come within [`PATIENCE`].
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
        self.idle.send_modify(|turns| *turns += 1);
    }
}
