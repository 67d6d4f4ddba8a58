//! Tickers: one task renders each tick once for all watchers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bellwire::testing::{Communicator, within};
use bellwire::{Bellwire, Consumer, Dialect, Error, Html, Patch, Socket, Ticker, Topic};

use crate::support::{Member, bellwire, room};

const TICKS: Topic<u8> = Topic::new("ticks");
const PAUSE: Duration = Duration::from_millis(10);

struct Watcher(Ticker);

impl Consumer for Watcher {
    type Action = String;
    type Event = ();
    type Error = Error;

    async fn connect(&mut self, socket: &mut Socket<Self>) -> Result<(), Error> {
        self.0.watch(socket);
        Ok(())
    }

    async fn receive(&mut self, socket: &mut Socket<Self>, _: String) -> Result<(), Error> {
        self.0.leave(socket);
        socket.send_text("left").await
    }
}

/// A ticker that sends its number of ticks, and a counter of them.
fn counting(bellwire: &Bellwire) -> (Ticker, Arc<AtomicUsize>) {
    let ticks = Arc::new(AtomicUsize::new(0));
    let count = ticks.clone();
    let group = bellwire.layer().group(TICKS.of(1));
    let ticker = Ticker::new(&group, PAUSE, move || {
        let number = count.fetch_add(1, Ordering::SeqCst) + 1;
        assert_ne!(number, 2, "the second tick panics");
        Patch::inner("#tick", Html::text(&number.to_string())).json_text(number.to_string())
    });
    (ticker, ticks)
}

async fn stopped(ticker: &Ticker) {
    let stopped = async {
        while ticker.is_running() {
            tokio::time::sleep(PAUSE).await;
        }
    };
    within("a ticker without watchers to stop", stopped).await;
}

#[tokio::test]
async fn all_watchers_receive_the_same_tick_and_it_is_rendered_once() {
    let bellwire = bellwire();
    let (ticker, ticks) = counting(&bellwire);
    assert!(!ticker.is_running(), "there is no watcher yet");
    let mut outsider = Communicator::connect(&bellwire, Member::silent()).await;
    let mut watchers = Vec::new();
    for _ in 0..1_000 {
        watchers.push(Communicator::connect(&bellwire, Watcher(ticker.clone())).await);
    }
    let builder = Communicator::to(&bellwire, "/").dialect(Dialect::Htmx);
    let mut page = builder.connect(Watcher(ticker.clone())).await;
    let first: usize = watchers[999].receive_text().await.parse().unwrap();
    for watcher in &mut watchers {
        let receive =
            async { while watcher.receive_text().await.parse::<usize>().unwrap() < first {} };
        within("the first tick of the last watcher", receive).await;
    }
    let patch = page.receive_text().await;
    assert!(patch.starts_with("<div hx-swap-oob=\"innerHTML:#tick\">"), "{patch}");
    let counts = bellwire.layer().counts();
    let ticks = ticks.load(Ordering::SeqCst) as u64;
    assert!(counts.sends == 0 && counts.encodings <= 2 * ticks, "{counts:?} for {ticks} ticks");
    outsider.receive_nothing().await;
}

#[tokio::test]
async fn a_ticker_without_watchers_stops_and_restarts_for_the_next_watcher() {
    let bellwire = bellwire();
    let (ticker, ticks) = counting(&bellwire);
    for _ in 0..3 {
        let mut watcher = Communicator::connect(&bellwire, Watcher(ticker.clone())).await;
        watcher.receive_text().await;
        assert!(ticker.is_running());
        watcher.send_text("enough").await;
        within("the last text", async { while watcher.receive_text().await != "left" {} }).await;
        stopped(&ticker).await;
        let before = ticks.load(Ordering::SeqCst);
        tokio::time::sleep(5 * PAUSE).await;
        assert_eq!(ticks.load(Ordering::SeqCst), before, "there is no watcher");
        watcher.receive_nothing().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watchers_that_come_and_go_all_receive_ticks_from_a_single_task() {
    let bellwire = bellwire();
    let (ticker, count) = counting(&bellwire);
    for round in 0..100 {
        let mut watcher = Communicator::connect(&bellwire, Watcher(ticker.clone())).await;
        // A watcher that joins just after the last one left also receives ticks.
        watcher.receive_text().await;
        watcher.send_text("enough").await;
        // Some watchers join at once, some just when the task checks for watchers.
        tokio::time::sleep(PAUSE / 8 * (round % 10)).await;
        drop(watcher);
    }
    let (before, started) = (count.load(Ordering::SeqCst), tokio::time::Instant::now());
    let mut last = Vec::new();
    for _ in 0..3 {
        last.push(Communicator::connect(&bellwire, Watcher(ticker.clone())).await);
    }
    for watcher in &mut last {
        for _ in 0..10 {
            watcher.receive_text().await;
        }
    }
    let (ticks, time) = (count.load(Ordering::SeqCst) - before, started.elapsed());
    let most = time.as_millis() / PAUSE.as_millis() + 2;
    assert!(ticks as u128 <= most, "{ticks} ticks in {time:?}: there is more than one task");
}

// Time is paused, so that the outsider's ticker does not tick meanwhile.
#[tokio::test(start_paused = true)]
async fn a_text_for_a_group_is_the_same_frame_for_every_dialect_and_encoded_once() {
    let bellwire = bellwire();
    let mut json = Communicator::connect(&bellwire, Member::silent()).await;
    let builder = Communicator::to(&bellwire, "/").dialect(Dialect::Htmx);
    let mut htmx = builder.connect(Member::silent()).await;
    let (ticker, _) = counting(&bellwire);
    let mut outsider = Communicator::connect(&bellwire, Watcher(ticker)).await;
    let before = bellwire.layer().counts().encodings;
    bellwire.layer().group(room()).text("12:00:00");
    assert_eq!(json.receive_text().await, "12:00:00");
    assert_eq!(htmx.receive_text().await, "12:00:00");
    assert_eq!(bellwire.layer().counts().encodings - before, 1);
    assert_ne!(outsider.receive_text().await, "12:00:00");
}
