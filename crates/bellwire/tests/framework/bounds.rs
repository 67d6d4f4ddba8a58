//! Every queue has a size and every wait an end.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRequestParts;
use bellwire::testing::{Communicator, PATIENCE, within};
use bellwire::{
    CatchUp, Close, Consumer, Error, Frame, Group, GroupName, Html, Limits, Patch, Seq, Socket,
    Upgrade,
};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::sync::{Notify, mpsc};

use crate::support::{HANDSHAKE, Member, Told, note, room, with_limits};

#[tokio::test]
async fn a_queue_is_bounded_in_bytes_as_well() {
    let bellwire = with_limits(Limits { queue_bytes: 10_000, ..Limits::default() });
    let slow = Communicator::connect(&bellwire, Member::silent()).await;
    let group = bellwire.layer().group::<Told>(room());
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
    bellwire
        .layer()
        .group::<Told>(room())
        .patch(Patch::inner("#x", Html::text(&"x".repeat(4_000))));
    assert!(page.receive_text().await.len() > 4_000);
    page.receive_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn who_is_silent_for_too_long_is_let_go_and_may_come_back() {
    let limits =
        Limits { ping: Duration::from_secs(2), idle: Duration::from_secs(5), ..Limits::default() };
    let bellwire = with_limits(limits);
    let lost = Communicator::connect(&bellwire, Member::silent()).await;
    assert_eq!(lost.closed().await, Close::new(Close::TRY_AGAIN, "nothing heard for too long"));
}

#[tokio::test(start_paused = true)]
async fn who_only_listens_answers_pings_and_hears_what_comes_at_last() {
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
        bellwire.layer().group::<Told>(room()).text("at last");
    };
    assert_eq!(tokio::join!(listener.receive_text(), late).0, "at last");
}

/// Takes its time, and fails at catching up.
struct Slow;

fn feed(socket: &Socket) -> Group<()> {
    socket.layer().group(GroupName::of("slow", 1))
}

impl Consumer for Slow {
    type Action = Frame;
    type Event = ();

    async fn connect(&mut self, socket: &mut Socket) -> Result<(), Error> {
        if socket.scope().path() == "/feed/" {
            let feed = feed(socket);
            socket.follow(&feed);
        }
        Ok(())
    }

    async fn receive(&mut self, _: &mut Socket, _: Frame) -> Result<(), Error> {
        std::future::pending().await
    }

    async fn catch_up(
        &mut self,
        _: &mut Socket,
        _: &GroupName,
        _: Option<Seq>,
    ) -> Result<CatchUp, Error> {
        Err("no number".parse::<u64>().unwrap_err().into())
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_takes_too_long_ends_its_connection() {
    let bellwire = with_limits(Limits { handler: Duration::from_secs(1), ..Limits::default() });
    let mut browser = Communicator::connect(&bellwire, Slow).await;
    browser.send_text("anything").await;
    assert_eq!(browser.closed().await.code(), Close::ERROR);
}

/// Never ends and never waits, as far as the runtime lets it.
#[derive(Default)]
struct Busy(Arc<Notify>);

impl Consumer for Busy {
    type Action = Frame;
    type Event = ();

    async fn receive(&mut self, _: &mut Socket, _: Frame) -> Result<(), Error> {
        self.0.notify_one();
        loop {
            tokio::task::consume_budget().await;
        }
    }
}

#[tokio::test]
async fn a_handler_that_is_never_idle_ends_its_connection_as_well() {
    let bellwire = with_limits(Limits { handler: Duration::from_millis(50), ..Limits::default() });
    let mut browser = Communicator::connect(&bellwire, Busy::default()).await;
    browser.send_text("anything").await;
    assert_eq!(browser.closed().await.code(), Close::ERROR);
}

#[tokio::test]
async fn a_handler_that_is_never_idle_does_not_keep_a_kicked_socket_open() {
    let (bellwire, busy) = (with_limits(Limits::default()), Busy::default());
    let begun = busy.0.clone();
    let mut browser = Communicator::to(&bellwire, "/").person("eve").connect(busy).await;
    browser.send_text("anything").await;
    within("the handler to begin", begun.notified()).await;
    bellwire.layer().kick_person("eve", Close::policy("out"));
    assert_eq!(browser.closed().await, Close::policy("out"));
}

/// A request on a connection that never switches protocols: whoever serves it never answers.
async fn unanswered_handshake() -> (http::request::Parts, tokio::io::DuplexStream) {
    let (io, mut browser) = tokio::io::duplex(1024);
    let (asked, mut requests) = mpsc::unbounded_channel();
    let service = hyper::service::service_fn(move |request| {
        let _ = asked.send(request);
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
async fn a_promised_socket_that_never_comes_is_given_up_with_its_place() {
    let bellwire = with_limits(Limits { sockets_per_person: 1, ..Limits::default() });
    let (mut parts, _browser) = unanswered_handshake().await;
    let upgrade = Upgrade::from_request_parts(&mut parts, &bellwire).await.unwrap();
    let (member, mut diary) = Member::new();
    assert_eq!(upgrade.person("ada").run(member).status(), 101);
    assert_eq!(bellwire.layer().local_sockets(), 1, "the promise holds a place");
    // Ends with the last task of a socket, which is the one that waits for the switch.
    assert!(bellwire.shutdown(2 * PATIENCE).await, "still waiting");
    assert_eq!(bellwire.layer().local_sockets(), 0);
    assert_eq!(note(&mut diary).await, None, "no consumer ever ran");
}

/// Never finishes what it does at the end.
struct Lingering(mpsc::UnboundedSender<&'static str>);

impl Consumer for Lingering {
    type Action = Frame;
    type Event = ();

    async fn receive(&mut self, _: &mut Socket, _: Frame) -> Result<(), Error> {
        Ok(())
    }

    async fn disconnect(&mut self, _: &mut Socket, _: Close) {
        let _ = self.0.send("disconnect");
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_disconnect_that_takes_too_long_is_given_up_and_keeps_neither_its_socket_nor_a_stop() {
    let bellwire = with_limits(Limits::default());
    let (begun, mut heard) = mpsc::unbounded_channel();
    let gone = Communicator::connect(&bellwire, Lingering(begun.clone())).await;
    assert_eq!(gone.close(Close::normal()).await, Close::normal());
    assert_eq!(within("its end", heard.recv()).await, Some("disconnect"));
    let told = Communicator::connect(&bellwire, Lingering(begun)).await;
    let (stopped, close) = tokio::join!(bellwire.shutdown(PATIENCE), told.closed());
    assert!(stopped && close.code() == Close::RESTART, "{close:?}");
    assert_eq!(within("its end", heard.recv()).await, Some("disconnect"));
    assert_eq!(bellwire.layer().local_sockets(), 0);
}

#[tokio::test]
async fn who_cannot_be_brought_up_to_date_is_told_to_come_back() {
    let bellwire = with_limits(Limits::default());
    let browser = Communicator::to(&bellwire, "/feed/").connect(Slow).await;
    assert_eq!(browser.closed().await, Close::new(Close::TRY_AGAIN, "could not catch up"));
}
