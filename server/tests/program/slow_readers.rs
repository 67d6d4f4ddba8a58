//! Many sockets that never read, in a busy room: nobody else is affected, and memory stays bounded.
#![cfg(target_os = "linux")]

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::room_client::{Page, Received, RoomClient, RoomTarget, raise_file_limit};
use crate::run_size::{number_in, report_figure};
use crate::store::Store;
use crate::support::{
    HttpClient, PROGRAM, Server, TEST_TIMEOUT, folder, wait_until, with_settings,
};

/// Sockets that never read; `BELLWIRE_TEST_SLOW_READERS` requests more.
const STUCK: usize = 300;
/// Sockets that read everything.
const HEALTHY: usize = 20;
/// Sockets that stay far behind, but read a little now and then.
const SLOW: usize = 10;

/// Senders and their interval: 100 messages per second in total.
const SENDERS: usize = 4;
const INTERVAL: Duration = Duration::from_millis(40);
/// Number of messages; `BELLWIRE_TEST_SLOW_MESSAGES` requests more.
const MESSAGES: usize = 1_200;
/// Length of a message in bytes.
const LENGTH: usize = 450;

/// How many messages the slow sockets stay behind: more than the kernel, the write buffer and the
/// queue hold together (about 640), and few enough for a catch-up from the database (500, plus
/// about 280 in the kernel).
const BEHIND: usize = 700;
/// How long the slow sockets pause, and how many frames they read then, so that the kernel accepts
/// data again.
const PAUSE: Duration = Duration::from_secs(8);
const FRAMES_PER_PAUSE: usize = 120;

/// Timeouts of a write without progress and of the closing handshake, in seconds.
const WRITE_TIMEOUT: u64 = 20;
const CLOSE_TIMEOUT: u64 = 10;
/// How many of the stuck sockets read in the end.
const LATE_READERS: usize = 10;

/// Bytes that the kernel buffers for a socket of the server: twice the requested size (socket(7)).
const SEND_BUFFER: u64 = 2 * 128 * 1024;
/// The requested receive buffer of a reader, in bytes.
const RECEIVE_BUFFER: u32 = 8 * 1024;

/// Bytes of server memory that a stuck reader may use: its entries in two queues. The queued
/// messages are shared by all readers.
const EACH_STUCK: u64 = 16 * 1024;
/// Bytes that a slow reader may use: a catch-up is not shared (256 KiB of text, plus its HTML). It
/// is held while it is rendered and while it is written.
const EACH_SLOW: u64 = 2 * 1024 * 1024;
/// Bytes of the page caches of the database connections, 9 × 2 MiB. A filled cache stays allocated.
const CACHES: u64 = 9 * 2 * 1024 * 1024;
/// Bytes shared by all readers, including memory that the allocator does not return.
const SHARED: u64 = 8 * 1024 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn stuck_readers_delay_nobody_use_little_memory_and_are_closed_with_1013() {
    let stuck = number_in("BELLWIRE_TEST_SLOW_READERS").unwrap_or(STUCK);
    let messages = number_in("BELLWIRE_TEST_SLOW_MESSAGES").unwrap_or(MESSAGES);
    raise_file_limit(stuck as u64);
    let folder = folder("slow");
    let mut command = with_settings(Command::new(PROGRAM), &folder);
    for bound in ["BELLWIRE_SOCKETS_PER_PERSON", "BELLWIRE_SOCKETS_PER_ADDRESS"] {
        command.env(bound, "100000");
    }
    command
        .env("BELLWIRE_WRITE_SECONDS", WRITE_TIMEOUT.to_string())
        .env("BELLWIRE_CLOSE_SECONDS", CLOSE_TIMEOUT.to_string());
    // Exceeds the duration of this test, so that this timeout drops no connection.
    command.env("BELLWIRE_RESPONSE_SECONDS", "120");
    command.env("BELLWIRE_LOG", "warn,bellwire=debug,sqlx=error");
    let server = Server::start(command);
    let mut client = HttpClient::connect(&server.address, "").unwrap();
    let cookie = client.sign_up("Ada");
    assert_eq!(client.post("/chat/", "name=slow").unwrap().status, 303);
    let target = RoomTarget { address: server.address.clone(), cookie, room: "slow".to_owned() };

    let empty = Page::load(&target);
    let with_small_buffer =
        || RoomClient::open_with_receive_buffer(&target, &empty, Some(RECEIVE_BUFFER));
    let mut unread = Vec::new();
    for _ in 0..stuck {
        unread.push(with_small_buffer().await.unwrap());
    }
    let mut sockets = Vec::new();
    for _ in 0..HEALTHY {
        sockets.push(RoomClient::open(&target, &empty).await.unwrap());
    }
    // A socket that has received this first message has joined the group and misses no later one.
    assert_eq!(client.post("/chat/slow/", "message=first").unwrap().status, 303);
    let (sent, all) = (Arc::new(AtomicUsize::new(1)), 1 + messages);
    let (mut healthy, mut slow) = (Vec::new(), Vec::new());
    for mut socket in sockets {
        let mut page = empty.clone();
        assert_eq!(
            socket.receive_until(&mut page, |page| !page.shown.is_empty()).await,
            Received::Frame
        );
        healthy.push(tokio::spawn(read(socket, page, all)));
    }
    for _ in 0..SLOW {
        let socket = with_small_buffer().await.unwrap();
        slow.push(tokio::spawn(read_slowly(socket, empty.clone(), all, sent.clone())));
    }
    let mut memory = Memory::watch(&server);
    let start = Instant::now();
    let senders: Vec<_> = (0..SENDERS)
        .map(|person| tokio::spawn(send(person, target.clone(), messages / SENDERS, sent.clone())))
        .collect();
    while !senders.iter().all(tokio::task::JoinHandle::is_finished) {
        memory.sample();
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let took = start.elapsed();
    let mut times = Vec::new();
    for person in senders {
        times.extend(person.await.unwrap());
    }
    let stored: Vec<_> =
        Store::sqlite(&folder).messages().await.into_iter().map(|(_, text)| text).collect();
    assert_eq!(stored.len(), all);
    let mut delays = Vec::new();
    for reader in healthy {
        let (page, received) = reader.await.unwrap();
        assert_eq!(page.shown, stored, "every message once and in order");
        assert_eq!((page.catch_ups, page.list_resets), (0, 0), "and each without a catch-up");
        delays.extend(
            times.iter().map(|(text, at)| received[text.as_str()].saturating_duration_since(*at)),
        );
    }
    let mut catch_ups = 0;
    for reader in slow {
        let page = timeout(4 * TEST_TIMEOUT, reader)
            .await
            .expect("the slow sockets read everything in time")
            .unwrap();
        assert_eq!(page.shown, stored, "a slow reader loses nothing");
        assert!(
            page.catch_ups > 0 && page.list_resets == 0,
            "{} {}",
            page.catch_ups,
            page.list_resets
        );
        catch_ups += page.catch_ups;
    }
    let closed = || server.log().lines().filter(|line| line.contains("code=1013")).count();
    wait_until("all stuck sockets are closed", || {
        memory.sample();
        closed() == stuck
    });
    // A stuck socket that finally reads receives the close code; the others are dropped without it.
    let late_readers: Vec<_> = unread
        .drain(..LATE_READERS)
        .map(|socket| tokio::spawn(read_to_end(socket, empty.clone())))
        .collect();
    for reader in late_readers {
        let (page, end) = reader.await.unwrap();
        assert_eq!(end, Received::Close(1013));
        assert_eq!(page.shown, stored[..page.shown.len()]);
    }
    wait_until("all sockets are gone", || memory.sockets() == 0);
    memory.assert_bounded(stuck as u64);
    memory.sample_afterwards();
    report_figure("stuck readers that were closed", closed(), stuck);
    report_figure("messages while readers are stuck", stored.len(), all);
    delays.sort();
    let [half, most, all] =
        [delays.len() / 2, delays.len() * 99 / 100, delays.len() - 1].map(|at| delays[at]);
    eprintln!(
        "{stuck} stuck, {SLOW} slow, {HEALTHY} healthy: {messages} messages in {took:.1?}; delay of the \
         healthy {half:.1?} (p50), {most:.1?} (p99), {all:.1?} (max); {catch_ups} catch-ups of the \
         slow; {memory}"
    );
    drop(server);
    std::fs::remove_dir_all(&folder).unwrap();
}

/// Sends `messages` messages one after another. Returns each with the time at which it was sent.
async fn send(
    person: usize,
    target: RoomTarget,
    messages: usize,
    sent: Arc<AtomicUsize>,
) -> Vec<(String, Instant)> {
    let mut page = Page::load(&target);
    let mut socket = RoomClient::open(&target, &page).await.unwrap();
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut times = Vec::with_capacity(messages);
    for number in 0..messages {
        ticks.tick().await;
        let text = format!("{person}:{number} {}", "x".repeat(LENGTH));
        times.push((text.clone(), Instant::now()));
        socket.send_message(&text, &format!("{person}-{number}")).await.unwrap();
        let received = socket.receive_until(&mut page, |page| {
            page.shown.iter().rev().take(100).any(|shown| *shown == text)
        });
        assert_eq!(received.await, Received::Frame);
        sent.fetch_add(1, Ordering::SeqCst);
    }
    times
}

/// The kernel's numbers for the states of a socket.
const OPEN: &str = "01";
const LISTEN: &str = "0A";

type Times = std::collections::HashMap<String, Instant>;

/// Reads everything. Returns the page, and the time at which each message arrived.
async fn read(mut socket: RoomClient, mut page: Page, messages: usize) -> (Page, Times) {
    let mut times = Times::new();
    while page.shown.len() < messages {
        let before = page.shown.len();
        assert_eq!(
            socket.receive_until(&mut page, |page| page.shown.len() > before).await,
            Received::Frame
        );
        let now = Instant::now();
        times.extend(page.shown[before..].iter().map(|text| (text.clone(), now)));
    }
    (page, times)
}

/// Reads until the connection ends.
async fn read_to_end(mut socket: RoomClient, mut page: Page) -> (Page, Received) {
    let end = socket.receive_until(&mut page, |_| false).await;
    (page, end)
}

/// Stays behind until all messages are sent, then reads the rest.
async fn read_slowly(
    mut socket: RoomClient,
    mut page: Page,
    messages: usize,
    sent: Arc<AtomicUsize>,
) -> Page {
    let mut last = Instant::now();
    while page.shown.len() < messages {
        assert_eq!(page.list_resets, 0, "so far behind that the list was replaced");
        let sent = sent.load(Ordering::SeqCst);
        let is_far_behind = page.shown.len() + BEHIND < sent || sent == messages;
        let most = match (is_far_behind, last.elapsed() > PAUSE) {
            (true, _) => 1,
            (false, true) => FRAMES_PER_PAUSE,
            (false, false) => {
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            }
        };
        for _ in 0..most {
            // Fewer frames may be available.
            match timeout(Duration::from_millis(200), socket.receive(&mut page)).await {
                Ok(received) => {
                    assert_eq!(
                        received,
                        Received::Frame,
                        "a reader that makes progress stays open"
                    );
                }
                Err(_) => break,
            }
        }
        last = Instant::now();
    }
    page
}

/// Memory of the server, and of the kernel for its sockets, in bytes.
struct Memory {
    status: String,
    port: String,
    quiet: u64,
    most: u64,
    after: u64,
    /// The most bytes that waited in the kernel: for all sockets of the server, and for one socket.
    kernel: u64,
    kernel_of_one: u64,
    /// Memory pages of all TCP sockets of this machine: before, at most, and now. Other processes
    /// contribute to it, so it is only printed.
    pages: [u64; 3],
}

impl Memory {
    fn watch(server: &Server) -> Self {
        let status = format!("/proc/{}/status", server.id());
        let port = server.address.rsplit(':').next().unwrap().parse::<u16>().unwrap();
        let quiet = anonymous(&status);
        let port = format!(":{port:04X}");
        Self {
            status,
            port,
            quiet,
            most: quiet,
            after: quiet,
            kernel: 0,
            kernel_of_one: 0,
            pages: [pages(), 0, 0],
        }
    }

    fn sample(&mut self) {
        self.most = self.most.max(anonymous(&self.status));
        let waiting = self.waiting();
        self.kernel = self.kernel.max(waiting.iter().sum());
        self.kernel_of_one = self.kernel_of_one.max(waiting.into_iter().max().unwrap_or_default());
        self.pages[1] = self.pages[1].max(pages());
    }

    /// The unsent bytes of each socket of the server (proc_net_tcp(5)): of open sockets, and of
    /// closed ones for which the kernel still holds data.
    fn waiting(&self) -> Vec<u64> {
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let rows = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
        let ours = rows.filter(|row| row[1].ends_with(&self.port) && row[3] != LISTEN);
        let waits = |row: Vec<&str>| {
            let waits = u64::from_str_radix(row[4].split(':').next().unwrap(), 16).unwrap();
            (row[3] == OPEN || waits > 0).then_some(waits)
        };
        ours.filter_map(waits).collect()
    }

    fn sockets(&self) -> usize {
        // The connection of the HTTP client is not a WebSocket.
        self.waiting().len().saturating_sub(1)
    }

    fn assert_bounded(&self, stuck: u64) {
        let grown = self.most - self.quiet;
        let bound = stuck * EACH_STUCK + SLOW as u64 * EACH_SLOW + CACHES + SHARED;
        assert!(grown <= bound, "grew by {grown} bytes, expected at most {bound}: {self}");
        assert!(self.kernel_of_one <= SEND_BUFFER, "{self}");
        // This buffer fills first, which proves that the readers were stuck.
        assert!(self.kernel_of_one > SEND_BUFFER / 2, "no reader was stuck: {self}");
    }

    /// Samples the memory at the end, which is only printed: glibc keeps freed memory, so the
    /// figure says nothing about live allocations. `apps/chat/tests/memory/main.rs` checks with a
    /// counting allocator that everything is freed.
    fn sample_afterwards(&mut self) {
        (self.after, self.pages[2]) = (anonymous(&self.status), pages());
    }
}

impl std::fmt::Display for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [quiet, most, after, kernel] =
            [self.quiet, self.most, self.after, self.kernel].map(|bytes| bytes / 1024);
        let [before, peak, now] = self.pages.map(|pages| pages * 4);
        write!(
            f,
            "server {quiet} KiB, at most {most} KiB, afterwards {after} KiB; unsent in the kernel at \
             most {kernel} KiB, {} KiB for one socket; all sockets of the machine {before} KiB, at \
             most {peak} KiB, afterwards {now} KiB",
            self.kernel_of_one / 1024
        )
    }
}

fn anonymous(status: &str) -> u64 {
    let text = std::fs::read_to_string(status).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

fn pages() -> u64 {
    let text = std::fs::read_to_string("/proc/net/sockstat").unwrap();
    let tcp = text.lines().find(|line| line.starts_with("TCP:")).unwrap();
    tcp.rsplit(' ').next().unwrap().parse().unwrap()
}
