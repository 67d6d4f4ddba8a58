//! A restart with many open sockets: every socket is closed with 1012, every `disconnect` runs, and
//! every client reconnects by itself.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::room_client::{
    Page, Received, RoomClient, RoomTarget, raise_file_limit, random_fraction,
};
use crate::run_size::number_in;
use crate::store::Store;
use crate::support::{
    HttpClient, PROGRAM, Server, TEST_TIMEOUT, folder, wait_until, wait_until_all, with_settings,
};

/// Open sockets, which belong to four people.
const WINDOWS: usize = 2_000;
const PEOPLE: usize = 4;

/// Clients that connect at the same time before the stop. They are in no hurry, and the machine may
/// be busy.
const CONNECTING: usize = 32;

/// Messages before the stop, during the outage, and during the reconnects.
const BEFORE: usize = 10;
const AWAY: usize = 20;
const BACK: usize = 20;

/// The limits of the longest wait of bellwire.js before a further attempt to reconnect: this at
/// first, then the duration of the outage.
const SHORTEST_WAIT: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_secs(15);

/// Progress of all clients.
struct Progress {
    /// Permits for the first connections.
    connecting: Semaphore,
    /// Open sockets.
    open: AtomicUsize,
    /// Clients that have received every message from before the stop.
    saw_before: AtomicUsize,
    /// Sockets that were closed.
    closed: AtomicUsize,
    /// Clients that have reconnected.
    back: AtomicUsize,
    /// Failed attempts to connect.
    failed_attempts: AtomicUsize,
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
            failed_attempts: zero(),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_closes_every_socket_with_1012_runs_every_disconnect_and_all_clients_reconnect_to_the_same_list()
 {
    let windows = number_in("BELLWIRE_TEST_WINDOWS").unwrap_or(WINDOWS);
    raise_file_limit(windows as u64);
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
    let targets: Vec<RoomTarget> = (0..PEOPLE).map(|person| sign_up(&address, person)).collect();
    assert_eq!(http_client(&targets[0]).post("/chat/", "name=restart").unwrap().status, 303);
    let (page, progress) = (Page::load(&targets[0]), Arc::new(Progress::new()));
    let follow = |client: usize| {
        let target = targets[client % PEOPLE].clone();
        tokio::spawn(follow_room(target, page.clone(), progress.clone()))
    };
    let clients: Vec<_> = (0..windows).map(follow).collect();
    wait_until_all("all sockets are open", windows, || progress.open.load(Ordering::SeqCst));
    send_messages(&targets[0], 0..BEFORE);
    wait_until_all("all have received the messages", windows, || {
        progress.saw_before.load(Ordering::SeqCst)
    });

    let (status, log) = server.stop();
    assert!(status.success(), "{status}");
    let disconnected =
        log.lines().filter(|line| line.contains("Disconnected") && line.contains("code=1012"));
    assert_eq!(disconnected.count(), windows, "every `disconnect` has run");
    assert!(!log.contains(" WARN ") && !log.contains("ERROR"), "{log}");
    wait_until_all("all sockets are closed", windows, || progress.closed.load(Ordering::SeqCst));

    // Another server on the same database receives messages in the meantime.
    let elsewhere = start("127.0.0.1:0");
    send_messages(
        &RoomTarget { address: elsewhere.address.clone(), ..targets[0].clone() },
        BEFORE..BEFORE + AWAY,
    );
    assert!(elsewhere.stop().0.success());
    assert_eq!(progress.back.load(Ordering::SeqCst), 0);

    let _server = start(&address);
    for number in 0..BACK {
        wait_until_all("clients reconnect", windows * number / BACK, || {
            progress.back.load(Ordering::SeqCst)
        });
        send_messages(&targets[0], BEFORE + AWAY + number..BEFORE + AWAY + number + 1);
    }
    let stored: Vec<_> = store.messages().await.into_iter().map(|(_, text)| text).collect();
    assert_eq!(
        stored,
        (0..BEFORE + AWAY + BACK).map(|number| number.to_string()).collect::<Vec<_>>()
    );
    for client in clients {
        let (codes, page) =
            timeout(2 * TEST_TIMEOUT, client).await.expect("every client reconnects").unwrap();
        // On a busy machine a reconnecting client may be told to try again later (1013).
        assert!(codes[0] == 1012 && codes[1..].iter().all(|code| *code == 1013), "{codes:?}");
        assert_eq!(page.list_resets, 0);
        assert_eq!(page.shown, stored);
    }
    let failed_attempts = progress.failed_attempts.load(Ordering::SeqCst);
    eprintln!(
        "{windows} sockets closed with 1012 and reconnected, after {failed_attempts} failed attempts"
    );
    std::fs::remove_dir_all(&folder).unwrap();
}

fn sign_up(address: &str, person: usize) -> RoomTarget {
    let cookie = HttpClient::connect(address, "").unwrap().sign_up(&format!("Person{person}"));
    RoomTarget { address: address.to_owned(), cookie, room: "restart".to_owned() }
}

fn http_client(target: &RoomTarget) -> HttpClient {
    HttpClient::connect(&target.address, &target.cookie).unwrap()
}

/// Sends numbered messages. Each is sent again, with the same `client_id`, while the server is busy
/// with the clients that reconnect.
fn send_messages(target: &RoomTarget, numbers: std::ops::Range<usize>) {
    let mut client = http_client(target);
    for number in numbers {
        let form = format!("message={number}&client_id=restart-{number}");
        wait_until("a message is accepted", || {
            let status = client.post("/chat/restart/", &form).unwrap().status;
            assert!(matches!(status, 303 | 503), "{status}");
            status == 303
        });
    }
}

/// Receives messages until all have arrived, and reconnects as bellwire.js does. Returns the close
/// codes and the page.
async fn follow_room(
    target: RoomTarget,
    mut page: Page,
    progress: Arc<Progress>,
) -> (Vec<u16>, Page) {
    let (mut codes, mut lost) = (Vec::new(), Instant::now());
    let mut permit = Some(progress.connecting.acquire().await.unwrap());
    loop {
        let opened = RoomClient::open(&target, &page).await;
        permit.take();
        let mut wait = None;
        match opened {
            Ok(mut socket) => {
                progress.open.fetch_add(1, Ordering::SeqCst);
                progress.back.fetch_add(codes.len(), Ordering::SeqCst);
                let end = receive_all(&mut socket, &mut page, &progress).await;
                lost = Instant::now();
                codes.push(match end {
                    Received::Frame => return (codes, page),
                    Received::Restart(delay) => {
                        wait = Some(delay);
                        1012
                    }
                    Received::Close(code) => code,
                    Received::Lost => 1006,
                });
                progress.closed.fetch_add(1, Ordering::SeqCst);
            }
            Err(_) => drop(progress.failed_attempts.fetch_add(1, Ordering::SeqCst)),
        }
        let longest = lost.elapsed().clamp(SHORTEST_WAIT, LONGEST_WAIT);
        let wait = wait.unwrap_or_else(|| longest.mul_f64(random_fraction()));
        tokio::time::sleep(wait).await;
    }
}

/// Returns the end of the connection, or a frame once all messages have arrived.
async fn receive_all(socket: &mut RoomClient, page: &mut Page, progress: &Progress) -> Received {
    while page.shown.len() < BEFORE + AWAY + BACK {
        let before = page.shown.len();
        match timeout(2 * TEST_TIMEOUT, socket.receive(page)).await.expect("a frame in time") {
            Received::Frame => {
                let saw = before < BEFORE && page.shown.len() >= BEFORE;
                progress.saw_before.fetch_add(usize::from(saw), Ordering::SeqCst);
            }
            end => return end,
        }
    }
    Received::Frame
}
