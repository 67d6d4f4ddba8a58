//! Every queue has a size and every wait an end.

use std::time::Duration;

use bellwire::testing::Communicator;
use bellwire::{CatchUp, Close, Consumer, Error, Frame, Group, GroupName, Html, Limits, Patch, Seq, Socket};

use crate::support::{Member, Told, room, with_limits};

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
    bellwire.layer().group::<Told>(room()).patch(Patch::inner("#x", Html::text(&"x".repeat(4_000))));
    assert!(page.receive_text().await.len() > 4_000);
    page.receive_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn who_is_silent_for_too_long_is_let_go_and_may_come_back() {
    let limits = Limits { ping: Duration::from_secs(2), idle: Duration::from_secs(5), ..Limits::default() };
    let bellwire = with_limits(limits);
    let lost = Communicator::connect(&bellwire, Member::silent()).await;
    assert_eq!(lost.closed().await, Close::new(Close::TRY_AGAIN, "nothing heard for too long"));
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

    async fn catch_up(&mut self, _: &mut Socket, _: &GroupName, _: Option<Seq>) -> Result<CatchUp, Error> {
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

#[tokio::test]
async fn who_cannot_be_brought_up_to_date_is_told_to_come_back() {
    let bellwire = with_limits(Limits::default());
    let browser = Communicator::to(&bellwire, "/feed/").connect(Slow).await;
    assert_eq!(browser.closed().await, Close::new(Close::TRY_AGAIN, "could not catch up"));
}
