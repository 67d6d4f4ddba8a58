//! What is told again and again: to those who watch, by one task, made once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bellwire::testing::{Communicator, within};
use bellwire::{Bellwire, Consumer, Dialect, Error, GroupName, Html, Patch, Socket, Ticker};

use crate::support::{Member, Told, bellwire, room};

const PAUSE: Duration = Duration::from_millis(10);

struct Watcher(Ticker);

impl Consumer for Watcher {
    type Action = String;
    type Event = ();

    async fn connect(&mut self, socket: &mut Socket) -> Result<(), Error> {
        self.0.watch(socket);
        Ok(())
    }

    async fn receive(&mut self, socket: &mut Socket, _: String) -> Result<(), Error> {
        self.0.leave(socket);
        socket.send_text("left").await
    }
}

/// A ticker that says how often it was asked.
fn counting(bellwire: &Bellwire) -> (Ticker, Arc<AtomicUsize>) {
    let made = Arc::new(AtomicUsize::new(0));
    let count = made.clone();
    let group = bellwire.layer().group::<()>(GroupName::of("ticks", 1));
    let ticker = Ticker::new(&group, PAUSE, move || {
        let number = count.fetch_add(1, Ordering::SeqCst) + 1;
        assert_ne!(number, 2, "the second tick is a bad one");
        Patch::inner("#tick", Html::text(&number.to_string())).json_text(number.to_string())
    });
    (ticker, made)
}

async fn ended(ticker: &Ticker) {
    let ended = async {
        while ticker.is_running() {
            tokio::time::sleep(PAUSE).await;
        }
    };
    within("the end of a ticker that nobody watches", ended).await;
}

#[tokio::test]
async fn all_who_watch_are_told_the_same_and_it_is_made_once() {
    let bellwire = bellwire();
    let (ticker, made) = counting(&bellwire);
    assert!(!ticker.is_running(), "nobody watches yet");
    let mut outsider = Communicator::connect(&bellwire, Member::silent()).await;
    let mut many = Vec::new();
    for _ in 0..1_000 {
        many.push(Communicator::connect(&bellwire, Watcher(ticker.clone())).await);
    }
    let dial = Communicator::to(&bellwire, "/").dialect(Dialect::Htmx);
    let mut page = dial.connect(Watcher(ticker.clone())).await;
    let first: usize = many[999].receive_text().await.parse().unwrap();
    for watcher in &mut many {
        let hears =
            async { while watcher.receive_text().await.parse::<usize>().unwrap() < first {} };
        within("what the last one heard first", hears).await;
    }
    let told = page.receive_text().await;
    assert!(told.starts_with("<div hx-swap-oob=\"innerHTML:#tick\">"), "{told}");
    let counts = bellwire.layer().counts();
    let made = made.load(Ordering::SeqCst) as u64;
    assert!(counts.sends == 0 && counts.encodings <= 2 * made, "{counts:?} for {made} ticks");
    outsider.receive_nothing().await;
}

#[tokio::test]
async fn nothing_is_made_for_nobody_and_the_next_who_comes_is_told_again() {
    let bellwire = bellwire();
    let (ticker, made) = counting(&bellwire);
    for _ in 0..3 {
        let mut watcher = Communicator::connect(&bellwire, Watcher(ticker.clone())).await;
        watcher.receive_text().await;
        assert!(ticker.is_running());
        watcher.send_text("enough").await;
        within("the last word", async { while watcher.receive_text().await != "left" {} }).await;
        ended(&ticker).await;
        let before = made.load(Ordering::SeqCst);
        tokio::time::sleep(5 * PAUSE).await;
        assert_eq!(made.load(Ordering::SeqCst), before, "nobody watches");
        watcher.receive_nothing().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_those_who_come_and_go_at_once_nobody_is_forgotten_and_there_is_one_task() {
    let bellwire = bellwire();
    let (ticker, made) = counting(&bellwire);
    for round in 0..100 {
        let mut watcher = Communicator::connect(&bellwire, Watcher(ticker.clone())).await;
        // Whoever comes just when the last has left is told as well.
        watcher.receive_text().await;
        watcher.send_text("enough").await;
        // Some come at once, some just when the task looks whether anybody is there.
        tokio::time::sleep(PAUSE / 8 * (round % 10)).await;
        drop(watcher);
    }
    let (before, begun) = (made.load(Ordering::SeqCst), tokio::time::Instant::now());
    let mut last = Vec::new();
    for _ in 0..3 {
        last.push(Communicator::connect(&bellwire, Watcher(ticker.clone())).await);
    }
    for watcher in &mut last {
        for _ in 0..10 {
            watcher.receive_text().await;
        }
    }
    let (ticks, time) = (made.load(Ordering::SeqCst) - before, begun.elapsed());
    let most = time.as_millis() / PAUSE.as_millis() + 2;
    assert!(ticks as u128 <= most, "{ticks} ticks in {time:?}: there is more than one task");
}

#[tokio::test(start_paused = true)] // so that the outsider's ticker makes nothing in between
async fn a_text_for_a_group_is_the_same_frame_for_every_dialect_and_encoded_once() {
    let bellwire = bellwire();
    let mut json = Communicator::connect(&bellwire, Member::silent()).await;
    let dial = Communicator::to(&bellwire, "/").dialect(Dialect::Htmx);
    let mut htmx = dial.connect(Member::silent()).await;
    let (ticker, _) = counting(&bellwire);
    let mut outsider = Communicator::connect(&bellwire, Watcher(ticker)).await;
    let before = bellwire.layer().counts().encodings;
    bellwire.layer().group::<Told>(room()).text("12:00:00");
    assert_eq!(json.receive_text().await, "12:00:00");
    assert_eq!(htmx.receive_text().await, "12:00:00");
    assert_eq!(bellwire.layer().counts().encodings - before, 1);
    assert_ne!(outsider.receive_text().await, "12:00:00");
}
