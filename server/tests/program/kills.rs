//! Kills the server (`kill -9`) while people send messages: every acknowledged message is stored,
//! once and in order.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::room_client::{Page, Received, RoomClient, RoomTarget, random_fraction};
use crate::run_size::{Size, report_figure};
use crate::store::Store;
use crate::support::{
    HttpClient, PROGRAM, Server, TEST_TIMEOUT, folder, wait_until, with_settings,
};

/// People who send messages concurrently, without pauses: half by forms, half over sockets.
const PEOPLE: usize = 4;

/// Exceeds the number of messages in one catch-up.
const MOST_MISSED: usize = 600;

/// Time limit and minimum number of kills of a run for which the environment requests no number.
const TIME_LIMIT: Duration = Duration::from_secs(45);
const MIN_KILLS: usize = 2;

/// The longest that a server runs after it has acknowledged a message.
const MAX_LIFETIME: Duration = Duration::from_millis(120);

#[tokio::test(flavor = "multi_thread")]
async fn after_kills_every_acknowledged_message_is_stored_once_and_in_order_on_sqlite() {
    let folder = folder("kills");
    let store = Store::sqlite(&folder);
    send_through_kills(&store, &folder, Size::new(10, TIME_LIMIT, "BELLWIRE_TEST_KILLS")).await;
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL, which bin/test provides"]
async fn after_kills_every_acknowledged_message_is_stored_once_and_in_order_on_postgresql() {
    let folder = folder("kills-postgres");
    let store = Store::postgres("kills").await;
    send_through_kills(&store, &folder, Size::new(3, TIME_LIMIT, "BELLWIRE_TEST_KILLS_POSTGRESQL"))
        .await;
    store.remove().await;
    std::fs::remove_dir_all(&folder).unwrap();
}

/// State shared by all senders.
#[derive(Default)]
struct Progress {
    acknowledged: AtomicU64,
    /// Messages that were sent again, because no reply came.
    resent: AtomicU64,
    /// When messages without a reply were sent, and when the failure was noticed.
    unanswered: Mutex<Vec<(Instant, Instant)>>,
    finished: AtomicBool,
}

/// The record of one sender.
#[derive(Default)]
struct Log {
    /// When each acknowledged message was first sent, and when it was acknowledged.
    acked: Vec<(Instant, Instant)>,
    /// All messages that the sender's socket received. `None` for senders by form.
    page: Option<Page>,
}

async fn send_through_kills(store: &Store, folder: &Path, size: Size) {
    let start = |address: &str| {
        let mut command = with_settings(Command::new(PROGRAM), folder);
        command
            .env("DATABASE_URL", store.url())
            .env("BELLWIRE_BIND", address)
            .env("BELLWIRE_LOG", "warn");
        command.env("BELLWIRE_ACTIONS_PER_SECOND", "0");
        Server::start(command)
    };
    let mut server = start("127.0.0.1:0");
    let address = server.address.clone();
    let mut client = HttpClient::connect(&address, "").unwrap();
    let cookie = client.sign_up("Ada");
    assert_eq!(client.post("/chat/", "name=kills").unwrap().status, 303);
    let (progress, target) =
        (Arc::new(Progress::default()), RoomTarget { address, cookie, room: "kills".to_owned() });
    let page = Page::load(&target);
    let people: Vec<_> = (0..PEOPLE)
        .map(|person| {
            let (progress, target, page) = (progress.clone(), target.clone(), page.clone());
            match person % 2 {
                0 => tokio::task::spawn_blocking(move || progress.send_by_form(person, &target)),
                _ => tokio::spawn(
                    async move { progress.send_over_socket(person, &target, page).await },
                ),
            }
        })
        .collect();
    let mut kills_at = Vec::with_capacity(size.number);
    while kills_at.len() < size.number && !(size.is_used_up() && kills_at.len() >= MIN_KILLS) {
        let acknowledged = progress.acknowledged.load(Ordering::SeqCst);
        wait_until("a message is acknowledged", || {
            progress.acknowledged.load(Ordering::SeqCst) > acknowledged
        });
        std::thread::sleep(MAX_LIFETIME.mul_f64(random_fraction()));
        let before = Instant::now();
        server.kill();
        kills_at.push((before, Instant::now()));
        server = start(&target.address);
    }
    progress.finished.store(true, Ordering::SeqCst);
    let mut logs = Vec::new();
    for person in people {
        logs.push(person.await.unwrap());
    }
    server.kill();
    let stored: Vec<_> = store.messages().await;
    let seqs: Vec<i64> = stored.iter().map(|(seq, _)| *seq).collect();
    assert_eq!(
        seqs,
        (1..=stored.len() as i64).collect::<Vec<_>>(),
        "every sequence number is used once"
    );
    let stored: Vec<String> = stored.into_iter().map(|(_, text)| text).collect();
    let already_stored =
        logs.iter().filter_map(|log| log.page.as_ref()).map(|page| page.duplicates).sum::<usize>();
    assert_acknowledged_are_stored_once_in_order(&logs, &stored);
    assert_displayed_are_stored(&logs, &stored);
    report_figure(&format!("kills on {}", store.name()), kills_at.len(), size.number);
    progress.report(&kills_at, stored.len(), already_stored);
}

/// Every acknowledged message is stored once. A message that was acknowledged before another one
/// was sent is stored before it.
fn assert_acknowledged_are_stored_once_in_order(logs: &[Log], stored: &[String]) {
    let mut acked = HashMap::new();
    for (person, log) in logs.iter().enumerate() {
        let of_person = format!("{person}:");
        let there = stored.iter().filter_map(|text| text.strip_prefix(&of_person));
        let there: Vec<usize> = there.map(|number| number.parse().unwrap()).collect();
        assert_eq!(there, (1..=log.acked.len()).collect::<Vec<_>>(), "of person {person}");
        acked.extend(
            log.acked.iter().zip(1..).map(|(times, number)| (format!("{person}:{number}"), *times)),
        );
    }
    let mut latest = None;
    for text in stored {
        let (started, acknowledged) = acked[text];
        assert!(
            latest.is_none_or(|latest| acknowledged >= latest),
            "{text} is stored after a later message"
        );
        latest = latest.max(Some(started));
    }
}

/// The messages that a socket displayed are stored in the same order, without gaps.
fn assert_displayed_are_stored(logs: &[Log], stored: &[String]) {
    for Page { shown, .. } in logs.iter().filter_map(|log| log.page.as_ref()) {
        let first = stored.iter().position(|text| *text == shown[0]).unwrap();
        assert!(
            stored[first..].starts_with(shown),
            "the displayed order differs from the stored order"
        );
    }
}

impl Progress {
    /// Sends messages 1, 2, 3 … by form; repeats each with the same `client_id` until it is
    /// acknowledged.
    fn send_by_form(&self, person: usize, target: &RoomTarget) -> Log {
        let (mut client, mut acked) = (None, Vec::new());
        while !self.finished.load(Ordering::SeqCst) {
            let number = acked.len() + 1;
            let form = format!("message={person}:{number}&client_id={person}-{number}");
            let started = Instant::now();
            let mut tries = 0;
            wait_until("a message is acknowledged", || {
                let open = client
                    .take()
                    .map_or_else(|| HttpClient::connect(&target.address, &target.cookie), Ok);
                let Ok(mut open) = open else { return false };
                let sent_at = self.next_attempt(&mut tries);
                match open.post("/chat/kills/", &form) {
                    Ok(answer) => client = (answer.status == 303).then_some(open),
                    Err(_) => self.no_reply(sent_at),
                }
                client.is_some()
            });
            acked.push(self.acknowledge(started));
        }
        Log { acked, page: None }
    }

    /// Sends the same messages over a socket, and records every received message.
    async fn send_over_socket(&self, person: usize, target: &RoomTarget, page: Page) -> Log {
        let (mut socket, mut acked, mut page) = (None, Vec::new(), page);
        while !self.finished.load(Ordering::SeqCst) {
            let number = acked.len() + 1;
            let (text, id) = (format!("{person}:{number}"), format!("{person}-{number}"));
            let started = Instant::now();
            let mut tries = 0;
            loop {
                assert!(
                    started.elapsed() < TEST_TIMEOUT,
                    "timed out while waiting until a message is acknowledged"
                );
                let open = match socket.take() {
                    Some(socket) => Ok(socket),
                    None => RoomClient::open(target, &page).await,
                };
                let Ok(mut open) = open else {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    continue;
                };
                let sent_at = self.next_attempt(&mut tries);
                let sent = open.send_message(&text, &id).await.is_ok();
                if sent
                    && open.receive_until(&mut page, |page| shows(page, &text)).await
                        == Received::Frame
                {
                    socket = Some(open);
                    break;
                }
                self.no_reply(sent_at);
            }
            acked.push(self.acknowledge(started));
        }
        Log { acked, page: Some(page) }
    }

    fn next_attempt(&self, tries: &mut u64) -> Instant {
        self.resent.fetch_add(u64::from(*tries > 0), Ordering::SeqCst);
        *tries += 1;
        Instant::now()
    }

    fn no_reply(&self, sent_at: Instant) {
        self.unanswered.lock().unwrap().push((sent_at, Instant::now()));
    }

    fn acknowledge(&self, started: Instant) -> (Instant, Instant) {
        self.acknowledged.fetch_add(1, Ordering::SeqCst);
        (started, Instant::now())
    }

    /// Prints the figures, and checks that enough kills interrupted posts.
    fn report(&self, kills_at: &[(Instant, Instant)], stored: usize, already_stored: usize) {
        let [acknowledged, resent] =
            [&self.acknowledged, &self.resent].map(|n| n.load(Ordering::SeqCst));
        let unanswered = self.unanswered.lock().unwrap();
        // A kill takes time: a post may be sent, or lost, after the kill has started.
        let open_at = |(before, after): &(Instant, Instant)| {
            unanswered.iter().any(|(sent, noticed)| sent < after && noticed > before)
        };
        let interrupting = kills_at.iter().filter(|kill| open_at(kill)).count();
        let kills = kills_at.len();
        eprintln!(
            "{kills} kills, {interrupting} of them during posts ({} posts without a reply): \
             {acknowledged} messages acknowledged, {stored} stored; {resent} sent again, at least \
             {already_stored} of which were already stored; all stored once and in order",
            unanswered.len()
        );
        assert!(
            interrupting * 2 >= kills,
            "only {interrupting} of {kills} kills happened during posts"
        );
    }
}

/// Whether the page displays this text among the most recent messages.
fn shows(page: &Page, text: &str) -> bool {
    page.shown.iter().rev().take(MOST_MISSED).any(|shown| shown == text)
}
