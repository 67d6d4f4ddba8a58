//! `kill -9` while people talk: what was acknowledged is there, once and in order.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::size::{Size, tell};
use crate::store::Store;
use crate::support::{PATIENCE, PROGRAM, Server, Visit, folder, until, with_settings};
use crate::window::{Door, Heard, Page, Window, chance};

/// People who talk at once, each without a pause: half of them by forms, half over sockets.
const PEOPLE: usize = 4;

/// More than a window is brought up to date by at once.
const MOST_MISSED: usize = 600;

/// The longest that people talk when nobody has asked for a number of kills, and the least kills of
/// such a run.
const TIME: Duration = Duration::from_secs(45);
const LEAST: usize = 2;

/// The longest a server may live after it has acknowledged something.
const LIFE: Duration = Duration::from_millis(120);

#[tokio::test(flavor = "multi_thread")]
async fn after_kills_everything_acknowledged_is_there_once_and_in_order_on_sqlite() {
    let folder = folder("kills");
    let store = Store::sqlite(&folder);
    talk_through_kills(&store, &folder, Size::of(10, TIME, "BELLWIRE_TEST_KILLS")).await;
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL, which bin/test provides"]
async fn after_kills_everything_acknowledged_is_there_once_and_in_order_on_postgresql() {
    let folder = folder("kills-postgres");
    let store = Store::postgres("kills").await;
    talk_through_kills(&store, &folder, Size::of(3, TIME, "BELLWIRE_TEST_KILLS_POSTGRESQL")).await;
    store.remove().await;
    std::fs::remove_dir_all(&folder).unwrap();
}

/// What all who talk know.
#[derive(Default)]
struct Talk {
    acknowledged: AtomicU64,
    /// Messages that had to be sent again, because nobody said whether they were heard.
    again: AtomicU64,
    /// When those were sent that nobody answered, and when that was known.
    unanswered: Mutex<Vec<(Instant, Instant)>>,
    over: AtomicBool,
}

/// What one person wrote down.
#[derive(Default)]
struct Log {
    /// When each message was begun, and when it was acknowledged. Nothing is written here before
    /// the answer.
    said: Vec<(Instant, Instant)>,
    /// What the window showed of everybody, for those who have one.
    page: Option<Page>,
}

async fn talk_through_kills(store: &Store, folder: &Path, size: Size) {
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
    let mut visit = Visit::to(&address, "").unwrap();
    let cookie = visit.sign_up("Ada");
    assert_eq!(visit.post("/chat/", "name=kills").unwrap().status, 303);
    let (talk, door) =
        (Arc::new(Talk::default()), Door { address, cookie, room: "kills".to_owned() });
    let people: Vec<_> = (0..PEOPLE)
        .map(|person| {
            let (talk, door) = (talk.clone(), door.clone());
            match person % 2 {
                0 => tokio::task::spawn_blocking(move || talk.by_form(person, &door)),
                _ => tokio::spawn(async move { talk.over_a_socket(person, &door).await }),
            }
        })
        .collect();
    let mut killed = Vec::with_capacity(size.number);
    while killed.len() < size.number && !(size.is_used_up() && killed.len() >= LEAST) {
        let heard = talk.acknowledged.load(Ordering::SeqCst);
        until("something is acknowledged", || talk.acknowledged.load(Ordering::SeqCst) > heard);
        std::thread::sleep(LIFE.mul_f64(chance()));
        let before = Instant::now();
        server.kill();
        killed.push((before, Instant::now()));
        server = start(&door.address);
    }
    talk.over.store(true, Ordering::SeqCst);
    let mut logs = Vec::new();
    for person in people {
        logs.push(person.await.unwrap());
    }
    server.kill();
    let stored: Vec<_> = store.messages().await;
    let places: Vec<i64> = stored.iter().map(|(place, _)| *place).collect();
    assert_eq!(places, (1..=stored.len() as i64).collect::<Vec<_>>(), "every place is taken once");
    let stored: Vec<String> = stored.into_iter().map(|(_, text)| text).collect();
    let known =
        logs.iter().filter_map(|log| log.page.as_ref()).map(|page| page.again).sum::<usize>();
    everything_said_is_there_once_and_in_order(&logs, &stored);
    everything_shown_is_there(&logs, &stored);
    tell(&format!("kills on {}", store.name()), killed.len(), size.number);
    talk.report(&killed, stored.len(), known);
}

/// What was acknowledged is stored, each once; and what was acknowledged before another was begun
/// stands before it.
fn everything_said_is_there_once_and_in_order(logs: &[Log], stored: &[String]) {
    let mut said = HashMap::new();
    for (person, log) in logs.iter().enumerate() {
        let of_person = format!("{person}:");
        let there = stored.iter().filter_map(|text| text.strip_prefix(&of_person));
        let there: Vec<usize> = there.map(|number| number.parse().unwrap()).collect();
        assert_eq!(there, (1..=log.said.len()).collect::<Vec<_>>(), "of person {person}");
        said.extend(
            log.said.iter().zip(1..).map(|(times, number)| (format!("{person}:{number}"), *times)),
        );
    }
    let mut latest = None;
    for text in stored {
        let (begun, acknowledged) = said[text];
        assert!(
            latest.is_none_or(|latest| acknowledged >= latest),
            "{text} stands after what came later"
        );
        latest = latest.max(Some(begun));
    }
}

/// What a window showed, of anybody, is stored in just this order: nothing in between is missing,
/// nothing was shown in vain.
fn everything_shown_is_there(logs: &[Log], stored: &[String]) {
    for Page { shown, .. } in logs.iter().filter_map(|log| log.page.as_ref()) {
        let first = stored.iter().position(|text| *text == shown[0]).unwrap();
        assert!(stored[first..].starts_with(shown), "another order was shown than is stored");
    }
}

impl Talk {
    /// Says 1, 2, 3 … and each again, under the same id, until it is acknowledged.
    fn by_form(&self, person: usize, door: &Door) -> Log {
        let (mut visit, mut said) = (None, Vec::new());
        while !self.over.load(Ordering::SeqCst) {
            let number = said.len() + 1;
            let form = format!("message={person}:{number}&client_id={person}-{number}");
            let begun = Instant::now();
            let mut tries = 0;
            until("a message is acknowledged", || {
                let open = visit.take().map_or_else(|| Visit::to(&door.address, &door.cookie), Ok);
                let Ok(mut open) = open else { return false };
                let asked = self.ask(&mut tries);
                match open.post("/chat/kills/", &form) {
                    Ok(answer) => visit = (answer.status == 303).then_some(open),
                    Err(_) => self.nobody_answered(asked),
                }
                visit.is_some()
            });
            said.push(self.answered(begun));
        }
        Log { said, page: None }
    }

    /// The same over a socket, with a window that shows what everybody says.
    async fn over_a_socket(&self, person: usize, door: &Door) -> Log {
        let (mut window, mut said, mut page) = (None, Vec::new(), Page::default());
        while !self.over.load(Ordering::SeqCst) {
            let number = said.len() + 1;
            let (text, id) = (format!("{person}:{number}"), format!("{person}-{number}"));
            let begun = Instant::now();
            let mut tries = 0;
            loop {
                assert!(begun.elapsed() < PATIENCE, "waited in vain: a message is acknowledged");
                let open = match window.take() {
                    Some(window) => Ok(window),
                    None => Window::open(door, page.seq).await,
                };
                let Ok(mut open) = open else {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    continue;
                };
                let asked = self.ask(&mut tries);
                let sent = open.say(&text, &id).await.is_ok();
                if sent
                    && open.hear_until(&mut page, |page| shows(page, &text)).await == Heard::Frame
                {
                    window = Some(open);
                    break;
                }
                self.nobody_answered(asked);
            }
            said.push(self.answered(begun));
        }
        Log { said, page: Some(page) }
    }

    fn ask(&self, tries: &mut u64) -> Instant {
        self.again.fetch_add(u64::from(*tries > 0), Ordering::SeqCst);
        *tries += 1;
        Instant::now()
    }

    fn nobody_answered(&self, asked: Instant) {
        self.unanswered.lock().unwrap().push((asked, Instant::now()));
    }

    fn answered(&self, begun: Instant) -> (Instant, Instant) {
        self.acknowledged.fetch_add(1, Ordering::SeqCst);
        (begun, Instant::now())
    }

    /// Says what happened, and makes sure that the kills came when they had to.
    fn report(&self, killed: &[(Instant, Instant)], stored: usize, known: usize) {
        let [acknowledged, again] =
            [&self.acknowledged, &self.again].map(|n| n.load(Ordering::SeqCst));
        let unanswered = self.unanswered.lock().unwrap();
        // A kill takes its time: a post may be sent, or lost, after it was begun.
        let open_at = |(before, after): &(Instant, Instant)| {
            unanswered.iter().any(|(asked, known)| asked < after && known > before)
        };
        let amidst = killed.iter().filter(|kill| open_at(kill)).count();
        let kills = killed.len();
        eprintln!(
            "{kills} kills, {amidst} of them with posts under way ({} posts were never answered): {acknowledged} messages acknowledged, \
             {stored} stored; {again} sent again, at least {known} of which were stored before; all there once and in order",
            unanswered.len()
        );
        assert!(
            amidst * 2 >= kills,
            "only {amidst} of {kills} kills came while posts were under way"
        );
    }
}

/// Whether the page shows this text, among the last that came.
fn shows(page: &Page, text: &str) -> bool {
    page.shown.iter().rev().take(MOST_MISSED).any(|shown| shown == text)
}
