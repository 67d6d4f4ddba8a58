//! `kill -9` while people talk: what was acknowledged is there, once and in order.

use std::hash::{BuildHasher, RandomState};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::store::Store;
use crate::support::{PROGRAM, Server, Visit, folder, until, with_settings};

/// People who talk at once, each without a pause.
const PEOPLE: usize = 4;

/// The longest a server may live after it has acknowledged something.
const LIFE: u64 = 120;

#[tokio::test]
async fn after_kills_everything_acknowledged_is_there_once_and_in_order_on_sqlite() {
    let folder = folder("kills");
    let store = Store::sqlite(&folder);
    talk_through_kills(&store, &folder, kills(10)).await;
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn after_kills_everything_acknowledged_is_there_once_and_in_order_on_postgresql() {
    let folder = folder("kills-postgres");
    let store = Store::postgres("kills").await;
    talk_through_kills(&store, &folder, kills(3)).await;
    store.remove().await;
    std::fs::remove_dir_all(&folder).unwrap();
}

/// `BELLWIRE_TEST_KILLS` asks for more than `usual`.
fn kills(usual: u64) -> u64 {
    std::env::var("BELLWIRE_TEST_KILLS").ok().map_or(usual, |kills| kills.parse().unwrap())
}

/// What all who talk know.
#[derive(Default)]
struct Talk {
    acknowledged: AtomicU64,
    /// Messages that had to be sent again, because nobody said whether they were heard.
    again: AtomicU64,
    over: AtomicBool,
}

async fn talk_through_kills(store: &Store, folder: &std::path::Path, kills: u64) {
    let start = |address: &str| {
        let mut command = with_settings(Command::new(PROGRAM), folder);
        command.env("DATABASE_URL", store.url()).env("BELLWIRE_BIND", address).env("BELLWIRE_LOG", "warn");
        Server::start(command)
    };
    let mut server = start("127.0.0.1:0");
    let address = server.address.clone();
    let mut visit = Visit::to(&address, "").unwrap();
    let cookie = visit.sign_up("Ada");
    assert_eq!(visit.post("/chat/", "name=kills").unwrap().status, 303);
    let talk = Arc::new(Talk::default());
    let people: Vec<_> = (0..PEOPLE)
        .map(|person| {
            let (talk, address, cookie) = (talk.clone(), address.clone(), cookie.clone());
            std::thread::spawn(move || talk.person(person, &address, &cookie))
        })
        .collect();
    for _ in 0..kills {
        let heard = talk.acknowledged.load(Ordering::SeqCst);
        until("something is acknowledged", || talk.acknowledged.load(Ordering::SeqCst) > heard);
        let random = RandomState::new().hash_one(heard);
        std::thread::sleep(Duration::from_millis(random % LIFE));
        server.kill();
        server = start(&address);
    }
    talk.over.store(true, Ordering::SeqCst);
    let acknowledged: Vec<u64> = people.into_iter().map(|person| person.join().unwrap()).collect();
    server.kill();
    let messages = store.messages().await;
    for (person, &acknowledged) in acknowledged.iter().enumerate() {
        let of_person = format!("{person}:");
        let heard = messages.iter().filter_map(|(_, text)| text.strip_prefix(&of_person));
        let heard: Vec<u64> = heard.map(|number| number.parse().unwrap()).collect();
        assert_eq!(heard, (1..=acknowledged).collect::<Vec<_>>(), "of person {person}");
    }
    let places: Vec<i64> = messages.iter().map(|(place, _)| *place).collect();
    assert_eq!(places, (1..=messages.len() as i64).collect::<Vec<_>>(), "every place is taken once");
    let (kept, again) = (messages.len(), talk.again.load(Ordering::SeqCst));
    eprintln!("{kills} kills, {kept} messages kept, {again} sent again, all there once and in order");
}

impl Talk {
    /// Says 1, 2, 3 … and each again, under the same id, until it is acknowledged. Returns the last number.
    fn person(&self, person: usize, address: &str, cookie: &str) -> u64 {
        let mut visit = None;
        for number in 1.. {
            let form = format!("message={person}:{number}&client_id={person}-{number}");
            let mut first = true;
            until("a message is acknowledged", || {
                if !std::mem::take(&mut first) {
                    self.again.fetch_add(1, Ordering::SeqCst);
                }
                let said = match visit.take() {
                    Some(visit) => Ok(visit),
                    None => Visit::to(address, cookie),
                };
                let said = said
                    .and_then(|mut visit| visit.post("/chat/kills/", &form).map(|answer| (visit, answer)));
                let Ok((again, answer)) = said else { return false };
                visit = Some(again);
                answer.status == 303
            });
            self.acknowledged.fetch_add(1, Ordering::SeqCst);
            if self.over.load(Ordering::SeqCst) {
                return number;
            }
        }
        unreachable!("there is always another number")
    }
}
