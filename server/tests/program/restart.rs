//! A restart under many sockets: everybody is told, everything ends in order, and everybody is back by themselves.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::size::asked;
use crate::store::Store;
use crate::support::{PATIENCE, PROGRAM, Server, Visit, folder, until_all, with_settings};
use crate::window::{Door, Heard, Page, Window, chance, room_for};

/// Windows that are open, those of four people.
const WINDOWS: usize = 2_000;
const PEOPLE: usize = 4;

/// Windows that connect at the same moment before the stop: there is no reason to hurry, and the
/// machine may have much else to do.
const CONNECTING: usize = 32;

/// Messages before the stop, while everybody is away, and while they come back.
const BEFORE: usize = 10;
const AWAY: usize = 20;
const BACK: usize = 20;

/// How long bellwire.js waits at most before it tries again: this at first, then as long as it has been away.
const SHORTEST_WAIT: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_secs(15);

/// How far they are, all together.
struct Progress {
    /// Permits to connect before the stop.
    connecting: Semaphore,
    /// Windows that are open.
    open: AtomicUsize,
    /// Windows that have seen all that was said before the stop.
    saw_before: AtomicUsize,
    /// Windows that have been closed.
    closed: AtomicUsize,
    /// Windows that were open a second time.
    back: AtomicUsize,
    /// Tries that came to nothing.
    in_vain: AtomicUsize,
}

impl Progress {
    fn new() -> Self {
        let zero = AtomicUsize::default;
        Self {
            connecting: Semaphore::new(CONNECTING),
            open: zero(),
            saw_before: zero(),
            closed: zero(),
            back: zero(),
            in_vain: zero(),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_closes_every_socket_with_1012_runs_every_disconnect_and_all_come_back_to_the_same_list() {
    let windows = asked("BELLWIRE_TEST_WINDOWS").unwrap_or(WINDOWS);
    room_for(windows as u64);
    let folder = folder("restart");
    let store = Store::sqlite(&folder);
    let start = |address: &str| {
        let mut command = with_settings(Command::new(PROGRAM), &folder);
        command.env("DATABASE_URL", store.url()).env("BELLWIRE_BIND", address);
        command.env("BELLWIRE_LOG", "info,bellwire=debug,bellwire_site::log=warn,sqlx=error");
        for bound in ["BELLWIRE_SOCKETS_PER_PERSON", "BELLWIRE_SOCKETS_PER_ADDRESS"] {
            command.env(bound, windows.to_string());
        }
        Server::start(command)
    };
    let server = start("127.0.0.1:0");
    let address = server.address.clone();
    let doors: Vec<Door> = (0..PEOPLE).map(|person| door(&address, person)).collect();
    assert_eq!(visit(&doors[0]).post("/chat/", "name=restart").unwrap().status, 303);
    let progress = Arc::new(Progress::new());
    let windows_open: Vec<_> = (0..windows)
        .map(|window| tokio::spawn(look(doors[window % PEOPLE].clone(), progress.clone())))
        .collect();
    until_all("all are there", windows, || progress.open.load(Ordering::SeqCst));
    say(&doors[0], 0..BEFORE);
    until_all("all have heard what was said", windows, || progress.saw_before.load(Ordering::SeqCst));

    let (status, log) = server.stop();
    assert!(status.success(), "{status}");
    let disconnected = log.lines().filter(|line| line.contains("Disconnected") && line.contains("code=1012"));
    assert_eq!(disconnected.count(), windows, "every `disconnect` has run");
    assert!(!log.contains(" WARN ") && !log.contains("ERROR"), "{log}");
    until_all("all know it", windows, || progress.closed.load(Ordering::SeqCst));

    // Somebody has another way in meanwhile.
    let elsewhere = start("127.0.0.1:0");
    say(&Door { address: elsewhere.address.clone(), ..doors[0].clone() }, BEFORE..BEFORE + AWAY);
    assert!(elsewhere.stop().0.success());
    assert_eq!(progress.back.load(Ordering::SeqCst), 0);

    let _server = start(&address);
    for number in 0..BACK {
        until_all("they come back", windows * number / BACK, || progress.back.load(Ordering::SeqCst));
        say(&doors[0], BEFORE + AWAY + number..BEFORE + AWAY + number + 1);
    }
    let stored: Vec<_> = store.messages().await.into_iter().map(|(_, text)| text).collect();
    assert_eq!(stored, (0..BEFORE + AWAY + BACK).map(|number| number.to_string()).collect::<Vec<_>>());
    for window in windows_open {
        let (codes, page) = timeout(2 * PATIENCE, window).await.expect("every window is back").unwrap();
        // Where the machine has much else to do, who comes back may be told to try again (1013).
        assert!(codes[0] == 1012 && codes[1..].iter().all(|code| *code == 1013), "{codes:?}");
        assert_eq!(page.renewed, 0);
        assert_eq!(page.shown, stored);
    }
    let in_vain = progress.in_vain.load(Ordering::SeqCst);
    eprintln!("{windows} windows closed with 1012 and back by themselves, after {in_vain} tries in vain");
    std::fs::remove_dir_all(&folder).unwrap();
}

fn door(address: &str, person: usize) -> Door {
    let cookie = Visit::to(address, "").unwrap().sign_up(&format!("Person{person}"));
    Door { address: address.to_owned(), cookie, room: "restart".to_owned() }
}

fn visit(door: &Door) -> Visit {
    Visit::to(&door.address, &door.cookie).unwrap()
}

fn say(door: &Door, numbers: std::ops::Range<usize>) {
    let mut visit = visit(door);
    for number in numbers {
        assert_eq!(visit.post("/chat/restart/", &format!("message={number}")).unwrap().status, 303);
    }
}

/// Looks at the room until everything was said, and comes back as bellwire.js does. Returns how it was closed, and what it showed.
async fn look(door: Door, progress: Arc<Progress>) -> (Vec<u16>, Page) {
    let (mut codes, mut page, mut lost) = (Vec::new(), Page::default(), Instant::now());
    let mut permit = Some(progress.connecting.acquire().await.unwrap());
    loop {
        let opened = Window::open(&door, page.seq).await;
        permit.take();
        match opened {
            Ok(mut window) => {
                progress.open.fetch_add(1, Ordering::SeqCst);
                progress.back.fetch_add(codes.len(), Ordering::SeqCst);
                let Some(code) = watch(&mut window, &mut page, &progress).await else { return (codes, page) };
                lost = Instant::now();
                codes.push(code);
                progress.closed.fetch_add(1, Ordering::SeqCst);
            }
            Err(_) => drop(progress.in_vain.fetch_add(1, Ordering::SeqCst)),
        }
        let longest = lost.elapsed().clamp(SHORTEST_WAIT, LONGEST_WAIT);
        tokio::time::sleep(longest.mul_f64(chance())).await;
    }
}

/// `None` when everything was said, else how it was closed.
async fn watch(window: &mut Window, page: &mut Page, progress: &Progress) -> Option<u16> {
    while page.shown.len() < BEFORE + AWAY + BACK {
        let before = page.shown.len();
        match timeout(2 * PATIENCE, window.hear(page)).await.expect("a frame in time") {
            Heard::Frame => {
                let saw = before < BEFORE && page.shown.len() >= BEFORE;
                progress.saw_before.fetch_add(usize::from(saw), Ordering::SeqCst);
            }
            Heard::Close(code) => return Some(code),
            Heard::Lost => return Some(1006),
        }
    }
    None
}
