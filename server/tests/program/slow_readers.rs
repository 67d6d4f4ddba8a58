//! Many who never read, in a room where much is said: nobody else notices, and memory stays
//! bounded.
#![cfg(target_os = "linux")]

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::size::{asked, tell};
use crate::store::Store;
use crate::support::{PATIENCE, PROGRAM, Server, Visit, folder, until, with_settings};
use crate::window::{Door, Heard, Page, Window, room_for};

/// Windows that never read; `BELLWIRE_TEST_SLOW_READERS` asks for more.
const STUCK: usize = 300;
/// Windows that read all that comes.
const HEALTHY: usize = 20;
/// Windows that stay far behind, but read a little now and then.
const SLOW: usize = 10;

/// Who talks, and how often each: a hundred messages a second all together.
const TALKING: usize = 4;
const EVERY: Duration = Duration::from_millis(40);
/// How much is said; `BELLWIRE_TEST_SLOW_MESSAGES` asks for more.
const MESSAGES: usize = 1_200;
/// How long a message is.
const LENGTH: usize = 450;

/// How many messages the slow ones stay behind: more than the kernel, what is gathered and the
/// mailbox hold together (some 640), and so little more that the database still knows all of it
/// (500 and what the kernel holds, some 280).
const BEHIND: usize = 700;
/// How long they read nothing, and how much then, so that the kernel takes something again.
const PAUSE: Duration = Duration::from_secs(8);
const LITTLE: usize = 120;

/// The longest that a reader may take nothing, and the longest wait for its half of the close. In
/// seconds.
const WRITE: u64 = 20;
const CLOSE: u64 = 10;
/// How many of those that are stuck read in the end.
const WOKEN: usize = 10;

/// What the kernel keeps for a socket of the server: what it is asked for, twice (socket(7)).
const SEND_BUFFER: u64 = 2 * 128 * 1024;
/// What the kernel is asked to keep at the reader's end.
const RECEIVE_BUFFER: u32 = 8 * 1024;

/// What a stuck reader may cost the server: its places in two queues, for what waits in them is
/// shared by all.
const EACH_STUCK: u64 = 16 * 1024;
/// What a slow one may: a catch-up is its own (256 KiB of text, and the HTML around it), while it
/// is made and while it is written.
const EACH_SLOW: u64 = 2 * 1024 * 1024;
/// What the database's connections may keep in their caches, nine times 2 MiB, and from then on do.
const CACHES: u64 = 9 * 2 * 1024 * 1024;
/// What may be shared by all readers, and what the allocator may keep of it.
const SHARED: u64 = 8 * 1024 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn readers_that_never_read_hold_up_nobody_cost_little_and_are_closed_with_1013() {
    let stuck = asked("BELLWIRE_TEST_SLOW_READERS").unwrap_or(STUCK);
    let messages = asked("BELLWIRE_TEST_SLOW_MESSAGES").unwrap_or(MESSAGES);
    room_for(stuck as u64);
    let folder = folder("slow");
    let mut command = with_settings(Command::new(PROGRAM), &folder);
    for bound in ["BELLWIRE_SOCKETS_PER_PERSON", "BELLWIRE_SOCKETS_PER_ADDRESS"] {
        command.env(bound, "100000");
    }
    command
        .env("BELLWIRE_WRITE_SECONDS", WRITE.to_string())
        .env("BELLWIRE_CLOSE_SECONDS", CLOSE.to_string());
    // Later than this test waits: what the kernel lets go of before, it was told to.
    command.env("BELLWIRE_RESPONSE_SECONDS", "120");
    command.env("BELLWIRE_LOG", "warn,bellwire=debug,sqlx=error");
    let server = Server::start(command);
    let mut visit = Visit::to(&server.address, "").unwrap();
    let cookie = visit.sign_up("Ada");
    assert_eq!(visit.post("/chat/", "name=slow").unwrap().status, 303);
    let door = Door { address: server.address.clone(), cookie, room: "slow".to_owned() };

    let mut unread = Vec::new();
    for _ in 0..stuck {
        unread.push(Window::narrow(&door, 0, Some(RECEIVE_BUFFER)).await.unwrap());
    }
    let mut windows = Vec::new();
    for _ in 0..HEALTHY {
        windows.push(Window::open(&door, 0).await.unwrap());
    }
    // A first message: whoever has heard it is in the room, and misses nothing of what comes.
    assert_eq!(visit.post("/chat/slow/", "message=first").unwrap().status, 303);
    let (said, all) = (Arc::new(AtomicUsize::new(1)), 1 + messages);
    let (mut healthy, mut slow) = (Vec::new(), Vec::new());
    for mut window in windows {
        let mut page = Page::default();
        assert_eq!(window.hear_until(&mut page, |page| !page.shown.is_empty()).await, Heard::Frame);
        healthy.push(tokio::spawn(read(window, page, all)));
    }
    for _ in 0..SLOW {
        let window = Window::narrow(&door, 0, Some(RECEIVE_BUFFER)).await.unwrap();
        slow.push(tokio::spawn(read_slowly(window, all, said.clone())));
    }
    let mut memory = Memory::watch(&server);
    let begun = Instant::now();
    let talking: Vec<_> = (0..TALKING)
        .map(|person| tokio::spawn(talk(person, door.clone(), messages / TALKING, said.clone())))
        .collect();
    while !talking.iter().all(tokio::task::JoinHandle::is_finished) {
        memory.look();
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let took = begun.elapsed();
    let mut times = Vec::new();
    for person in talking {
        times.extend(person.await.unwrap());
    }
    let stored: Vec<_> =
        Store::sqlite(&folder).messages().await.into_iter().map(|(_, text)| text).collect();
    assert_eq!(stored.len(), all);
    let mut delays = Vec::new();
    for reader in healthy {
        let (page, heard) = reader.await.unwrap();
        assert_eq!(page.shown, stored, "every message once and in order");
        assert_eq!((page.caught_up, page.renewed), (0, 0), "and each when it was said");
        delays.extend(
            times.iter().map(|(text, at)| heard[text.as_str()].saturating_duration_since(*at)),
        );
    }
    let mut caught_up = 0;
    for reader in slow {
        let page =
            timeout(4 * PATIENCE, reader).await.expect("the slow read all of it, in time").unwrap();
        assert_eq!(page.shown, stored, "whoever reads loses nothing");
        assert!(page.caught_up > 0 && page.renewed == 0, "{} {}", page.caught_up, page.renewed);
        caught_up += page.caught_up;
    }
    let closed = || server.log().lines().filter(|line| line.contains("code=1013")).count();
    until("all that are stuck are closed", || {
        memory.look();
        closed() == stuck
    });
    // Who reads at last finds out why it was closed; whoever does not is let go all the same.
    let woken: Vec<_> =
        unread.drain(..WOKEN).map(|window| tokio::spawn(read_at_last(window))).collect();
    for reader in woken {
        let (page, heard) = reader.await.unwrap();
        assert_eq!(heard, Heard::Close(1013));
        assert_eq!(page.shown, stored[..page.shown.len()]);
    }
    until("they are gone", || memory.sockets() == 0);
    memory.is_bounded(stuck as u64);
    memory.look_afterwards();
    tell("readers that never read, closed", closed(), stuck);
    tell("messages beside readers that never read", stored.len(), all);
    delays.sort();
    let [half, most, all] =
        [delays.len() / 2, delays.len() * 99 / 100, delays.len() - 1].map(|at| delays[at]);
    eprintln!(
        "{stuck} stuck, {SLOW} slow, {HEALTHY} healthy: {messages} messages in {took:.1?}; healthy after {half:.1?} (half), {most:.1?} (99 %), \
         {all:.1?} (all); the slow caught up {caught_up} times; {memory}"
    );
    drop(server);
    std::fs::remove_dir_all(&folder).unwrap();
}

/// Says so many, one after another. Returns each with the moment at which it was said.
async fn talk(
    person: usize,
    door: Door,
    messages: usize,
    said: Arc<AtomicUsize>,
) -> Vec<(String, Instant)> {
    let (mut window, mut page) = (Window::open(&door, 0).await.unwrap(), Page::default());
    let mut turns = interval(EVERY);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut times = Vec::with_capacity(messages);
    for number in 0..messages {
        turns.tick().await;
        let text = format!("{person}:{number} {}", "x".repeat(LENGTH));
        times.push((text.clone(), Instant::now()));
        window.say(&text, &format!("{person}-{number}")).await.unwrap();
        let told = window.hear_until(&mut page, |page| {
            page.shown.iter().rev().take(100).any(|shown| *shown == text)
        });
        assert_eq!(told.await, Heard::Frame);
        said.fetch_add(1, Ordering::SeqCst);
    }
    times
}

/// States of a socket, as the kernel numbers them.
const OPEN: &str = "01";
const LISTEN: &str = "0A";

type Times = std::collections::HashMap<String, Instant>;

/// Reads all that comes. Returns it, and when each message came.
async fn read(mut window: Window, mut page: Page, messages: usize) -> (Page, Times) {
    let mut times = Times::new();
    while page.shown.len() < messages {
        let before = page.shown.len();
        assert_eq!(
            window.hear_until(&mut page, |page| page.shown.len() > before).await,
            Heard::Frame
        );
        let now = Instant::now();
        times.extend(page.shown[before..].iter().map(|text| (text.clone(), now)));
    }
    (page, times)
}

/// Reads what there is, to the end.
async fn read_at_last(mut window: Window) -> (Page, Heard) {
    let mut page = Page::default();
    let heard = window.hear_until(&mut page, |_| false).await;
    (page, heard)
}

/// Stays behind until all was said, and reads the rest then.
async fn read_slowly(mut window: Window, messages: usize, said: Arc<AtomicUsize>) -> Page {
    let (mut page, mut last) = (Page::default(), Instant::now());
    while page.shown.len() < messages {
        assert_eq!(page.renewed, 0, "so far behind that the list came anew");
        let said = said.load(Ordering::SeqCst);
        let is_far_behind = page.shown.len() + BEHIND < said || said == messages;
        let most = match (is_far_behind, last.elapsed() > PAUSE) {
            (true, _) => 1,
            (false, true) => LITTLE,
            (false, false) => {
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            }
        };
        for _ in 0..most {
            // There may be less than a little.
            match timeout(Duration::from_millis(200), window.hear(&mut page)).await {
                Ok(heard) => assert_eq!(heard, Heard::Frame, "whoever reads a little stays"),
                Err(_) => break,
            }
        }
        last = Instant::now();
    }
    page
}

/// What the server and the kernel keep for its sockets, in bytes.
struct Memory {
    status: String,
    port: String,
    quiet: u64,
    most: u64,
    after: u64,
    /// The most that waited in the kernel, for all sockets of the server and for one of them.
    kernel: u64,
    kernel_of_one: u64,
    /// Pages that all sockets of this machine's network took: before, at most, and now. Others
    /// share it, so it is only told.
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

    fn look(&mut self) {
        self.most = self.most.max(anonymous(&self.status));
        let waiting = self.waiting();
        self.kernel = self.kernel.max(waiting.iter().sum());
        self.kernel_of_one = self.kernel_of_one.max(waiting.into_iter().max().unwrap_or_default());
        self.pages[1] = self.pages[1].max(pages());
    }

    /// What waits to be taken from each socket of the server (proc_net_tcp(5)): from those that are
    /// open, and from those that it has closed and of which the kernel still keeps something.
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
        // The connection over which the account was made is no socket of a window.
        self.waiting().len().saturating_sub(1)
    }

    fn is_bounded(&self, stuck: u64) {
        let grown = self.most - self.quiet;
        let bound = stuck * EACH_STUCK + SLOW as u64 * EACH_SLOW + CACHES + SHARED;
        assert!(grown <= bound, "grown by {grown}, at most {bound} expected: {self}");
        assert!(self.kernel_of_one <= SEND_BUFFER, "{self}");
        // It is what fills first: so it shows that they were stuck.
        assert!(self.kernel_of_one > SEND_BUFFER / 2, "nobody was stuck: {self}");
    }

    /// What the process has now is only told: glibc keeps what was freed, and how much of it says
    /// nothing of what is alive. That nothing is left of what readers took is shown on an allocator
    /// that counts, by `apps/chat/tests/memory/main.rs`.
    fn look_afterwards(&mut self) {
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
            "server {quiet} KiB, at most {most} KiB, afterwards {after} KiB; waiting in the kernel at most {kernel} KiB, {} KiB for one; \
             all sockets of the machine {before} KiB, at most {peak} KiB, afterwards {now} KiB",
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
