//! Limits: every queue has a maximum size and every wait a timeout.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRequestParts;
use bellwire::testing::{Communicator, PATIENCE, within};
use bellwire::{
    CatchUp, Close, Consumer, Error, FeedSource, Frame, Html, Limits, Live, Patch, Seq, Socket,
    Topic,
};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::sync::{Notify, mpsc};

use crate::support::{HANDSHAKE, Member, next_call, room, with_limits};

#[tokio::test]
async fn a_queue_is_also_bounded_in_bytes() {
    let bellwire = with_limits(Limits { queue_bytes: 10_000, ..Limits::default() });
    let slow = Communicator::connect(&bellwire, Member::silent()).await;
    let group = bellwire.layer().group(room());
    for _ in 0..3 {
        group.patch(Patch::inner("#x", Html::text(&"x".repeat(4_000))));
    }
    assert!(bellwire.layer().counts().overflows > 0);
    assert_eq!(slow.closed().await.code(), Close::TRY_AGAIN);
}

#[tokio::test]
async fn one_large_patch_passes_through_an_empty_queue() {
    let bellwire = with_limits(Limits { queue_bytes: 1_000, ..Limits::default() });
    let mut page = Communicator::connect(&bellwire, Member::silent()).await;
    bellwire.layer().group(room()).patch(Patch::inner("#x", Html::text(&"x".repeat(4_000))));
    assert!(page.receive_text().await.len() > 4_000);
    page.receive_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_silent_client_is_closed_with_try_again() {
    let limits =
        Limits { ping: Duration::from_secs(2), idle: Duration::from_secs(5), ..Limits::default() };
    let bellwire = with_limits(limits);
    let lost = Communicator::connect(&bellwire, Member::silent()).await;
    assert_eq!(lost.closed().await, Close::new(Close::TRY_AGAIN, "no activity for too long"));
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_answers_pings_receives_a_late_message() {
    let limits =
        Limits { ping: Duration::from_secs(2), idle: Duration::from_secs(5), ..Limits::default() };
    let bellwire = with_limits(limits);
    let mut listener = Communicator::connect(&bellwire, Member::silent()).await;
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        listener.receive_nothing().await;
    }
    let late = async {
        tokio::time::sleep(Duration::from_secs(8)).await;
        bellwire.layer().group(room()).text("at last");
    };
    assert_eq!(tokio::join!(listener.receive_text(), late).0, "at last");
}

const SLOW: Topic<u8> = Topic::new("slow");

/// A source that cannot be read.
struct Broken;

impl FeedSource for Broken {
    async fn catch_up(&self, _: Option<Seq>, _: &str) -> Result<CatchUp, Error> {
        Err("no number".parse::<u64>().unwrap_err().into())
    }
}

/// A consumer whose `receive` never ends, and whose feed cannot be read.
struct Slow;

impl Consumer for Slow {
    type Action = Frame;
    type Event = ();
    type Error = Error;

    async fn connect(&mut self, socket: &mut Socket<Self>) -> Result<(), Error> {
        if socket.scope().path() == "/feed/" {
            let feed = socket.layer().feed(SLOW.of(1), Broken);
            socket.follow(&feed);
        }
        Ok(())
    }

    async fn receive(&mut self, _: &mut Socket<Self>, _: Frame) -> Result<(), Error> {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_takes_too_long_ends_its_connection() {
    let bellwire = with_limits(Limits { handler: Duration::from_secs(1), ..Limits::default() });
    let mut browser = Communicator::connect(&bellwire, Slow).await;
    browser.send_text("anything").await;
    assert_eq!(browser.closed().await.code(), Close::ERROR);
}

/// A consumer whose `receive` loops for ever and yields only to the runtime's budget.
#[derive(Default)]
struct Busy(Arc<Notify>);

impl Consumer for Busy {
    type Action = Frame;
    type Event = ();
    type Error = Error;

    async fn receive(&mut self, _: &mut Socket<Self>, _: Frame) -> Result<(), Error> {
        self.0.notify_one();
        loop {
            tokio::task::consume_budget().await;
        }
    }
}

#[tokio::test]
async fn a_handler_that_never_yields_also_ends_its_connection() {
    let bellwire = with_limits(Limits { handler: Duration::from_millis(50), ..Limits::default() });
    let mut browser = Communicator::connect(&bellwire, Busy::default()).await;
    browser.send_text("anything").await;
    assert_eq!(browser.closed().await.code(), Close::ERROR);
}

#[tokio::test]
async fn a_handler_that_never_yields_does_not_keep_a_kicked_socket_open() {
    let (bellwire, busy) = (with_limits(Limits::default()), Busy::default());
    let started = busy.0.clone();
    let mut browser = Communicator::to(&bellwire, "/").person("eve").connect(busy).await;
    browser.send_text("anything").await;
    within("the handler to start", started.notified()).await;
    bellwire.layer().kick_person("eve", Close::policy("out"));
    assert_eq!(browser.closed().await, Close::policy("out"));
}

/// A request on a connection that never switches protocols, because its service never responds.
async fn unanswered_handshake() -> (http::request::Parts, tokio::io::DuplexStream) {
    let (io, mut browser) = tokio::io::duplex(1024);
    let (sender, mut requests) = mpsc::unbounded_channel();
    let service = hyper::service::service_fn(move |request| {
        let _ = sender.send(request);
        std::future::pending::<Result<http::Response<String>, std::convert::Infallible>>()
    });
    let connection =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(io), service);
    tokio::spawn(connection.with_upgrades());
    let lines: String =
        HANDSHAKE.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    browser.write_all(format!("GET /ws/ HTTP/1.1\r\n{lines}\r\n").as_bytes()).await.unwrap();
    (within("a request", requests.recv()).await.unwrap().into_parts().0, browser)
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_never_completes_releases_its_reservation() {
    let bellwire = with_limits(Limits { sockets_per_person: 1, ..Limits::default() });
    let (mut parts, _browser) = unanswered_handshake().await;
    let live = Live::from_request_parts(&mut parts, &bellwire).await.unwrap();
    let (member, mut calls) = Member::new();
    assert_eq!(live.person("ada").run(member).status(), 101);
    assert_eq!(bellwire.layer().local_sockets(), 1, "the reservation counts");
    // Waits for the last task of a socket, which is the one that waits for the switch.
    assert!(bellwire.shutdown(2 * PATIENCE).await, "the handshake did not time out");
    assert_eq!(bellwire.layer().local_sockets(), 0);
    assert_eq!(next_call(&mut calls).await, None, "no consumer ever ran");
}

/// A consumer whose `disconnect` never ends.
struct Lingering(mpsc::UnboundedSender<&'static str>);

impl Consumer for Lingering {
    type Action = Frame;
    type Event = ();
    type Error = Error;

    async fn receive(&mut self, _: &mut Socket<Self>, _: Frame) -> Result<(), Error> {
        Ok(())
    }

    async fn disconnect(&mut self, _: &mut Socket<Self>, _: Close) {
        let _ = self.0.send("disconnect");
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_disconnect_handler_that_takes_too_long_blocks_neither_its_socket_nor_a_shutdown() {
    let bellwire = with_limits(Limits::default());
    let (sender, mut calls) = mpsc::unbounded_channel();
    let first = Communicator::connect(&bellwire, Lingering(sender.clone())).await;
    assert_eq!(first.close(Close::normal()).await, Close::normal());
    assert_eq!(within("its disconnect", calls.recv()).await, Some("disconnect"));
    let second = Communicator::connect(&bellwire, Lingering(sender)).await;
    let (stopped, close) = tokio::join!(bellwire.shutdown(PATIENCE), second.closed());
    assert!(stopped && close.code() == Close::RESTART, "{close:?}");
    assert_eq!(within("its disconnect", calls.recv()).await, Some("disconnect"));
    assert_eq!(bellwire.layer().local_sockets(), 0);
}

#[tokio::test]
async fn a_page_that_cannot_catch_up_is_closed_with_try_again() {
    let bellwire = with_limits(Limits::default());
    let browser = Communicator::to(&bellwire, "/feed/").connect(Slow).await;
    assert_eq!(browser.closed().await, Close::new(Close::TRY_AGAIN, "could not catch up"));
}
