//! What readers that never read took is given back, to the byte.
//!
//! Not measured as pages of the process: glibc keeps what was freed, in several arenas, and how
//! much of it differs from run to run by more than a leak would. So the whole site runs in this
//! process, behind real sockets, on an allocator that counts what is alive. SQLite allocates for
//! itself and is not counted; its caches have a bound of their own. This binary has one test, since
//! whatever else ran beside it would be counted as well.
#![cfg(target_os = "linux")]

use std::time::Duration;

use bellwire_testkit::{Client, PATIENCE, TestDatabase, TestSite};
use peak_alloc::PeakAlloc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, sleep};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Readers of one wave; `BELLWIRE_TEST_SLOW_READERS` asks for more.
const READERS: usize = 200;
/// What is filled by the first and stays (pools, tables, prepared statements) is no leak; a leak
/// grows with every wave.
const WAVES: usize = 4;
/// What a reader may leave behind: less than anything that is kept for one. A wave leaves a few
/// kilobytes, however many readers it has.
const LEFT: usize = 128;
/// What one may cost while it is stuck, and all of them together: as in
/// `server/tests/program/slow_readers.rs`.
const EACH: usize = 16 * 1024;
const SHARED: usize = 8 * 1024 * 1024;

/// What is said in a wave: more than the kernel, what is gathered and the mailbox hold together.
const MESSAGES: usize = 220;
const LENGTH: usize = 7_000;
const RECEIVE_BUFFER: u32 = 8 * 1024;

/// The longest that a reader may take nothing, and the longest wait for its half of the close.
const WRITE: Duration = Duration::from_secs(2);
const CLOSE: Duration = Duration::from_secs(1);

/// How long nothing more has to be freed until what is alive counts as the rest.
const QUIET: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn what_readers_that_never_read_took_is_given_back_to_the_byte() {
    let asked = std::env::var("BELLWIRE_TEST_SLOW_READERS").ok();
    let readers = asked.map_or(READERS, |number| number.parse().unwrap());
    let files = rlimit::increase_nofile_limit(u64::MAX).unwrap();
    assert!(files > 2 * readers as u64 + 200, "this test may have {files} open files: ulimit -Hn");
    let site =
        TestSite::start_with(&TestDatabase::Sqlite, vec![bellwire_chat::app()], |settings| {
            let limits = &mut settings.limits;
            (limits.sockets_per_person, limits.sockets_per_address) = (100_000, 100_000);
            (limits.write, limits.close) = (WRITE, CLOSE);
            limits.presence_grace = Duration::ZERO;
        })
        .await;
    let mut ada = site.person("Ada").await;
    assert_eq!(ada.post("/chat/", &[("name", "slow")]).await.status, 303);
    let mut rests = Vec::with_capacity(WAVES);
    for number in 0..WAVES {
        let quiet = MEMORY.current_usage();
        MEMORY.reset_peak_usage();
        wave(&site, &mut ada, readers, number * MESSAGES).await;
        let grown = MEMORY.peak_usage().saturating_sub(quiet);
        assert!(grown <= readers * EACH + SHARED, "{readers} readers took {grown} bytes");
        rests.push(rest().await);
        eprintln!(
            "{readers} readers took at most {grown} bytes; {} are alive afterwards",
            rests.last().unwrap()
        );
    }
    let least = rests.windows(2).map(|two| two[1].saturating_sub(two[0])).min().unwrap();
    assert!(
        least <= readers * LEFT,
        "each wave of {readers} readers leaves {least} bytes at least: {rests:?}"
    );
    site.stop().await;
}

/// Readers come who have had so many messages, everything is said, and they go when they were
/// closed.
async fn wave(site: &TestSite, ada: &mut Client, readers: usize, had: usize) {
    let mut unread = Vec::with_capacity(readers);
    for _ in 0..readers {
        let opened = tokio::time::timeout(PATIENCE, open(site, ada, had)).await;
        unread.push(opened.expect("an answer to the handshake"));
    }
    let layer = site.state().bellwire().layer();
    assert_eq!(layer.local_sockets(), readers);
    let text = "x".repeat(LENGTH);
    for _ in 0..MESSAGES {
        assert_eq!(ada.post("/chat/slow/", &[("message", &text)]).await.status, 303);
    }
    let deadline = Instant::now() + PATIENCE;
    while layer.local_sockets() > 0 {
        assert!(Instant::now() < deadline, "{} are still open", layer.local_sockets());
        sleep(Duration::from_millis(20)).await;
    }
}

/// A window whose first bytes are read, and no more.
async fn open(site: &TestSite, person: &Client, had: usize) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(RECEIVE_BUFFER).unwrap();
    let mut stream = socket.connect(site.address()).await.unwrap();
    let (address, cookies) = (site.address(), person.cookies());
    let request = format!(
        "GET /ws/chat/slow/?dialect=htmx&since=chat.room.1:{had} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nCookie: {cookies}\r\n\
         Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    stream
}

/// What is alive when nothing more is freed.
async fn rest() -> usize {
    let (mut least, mut since) = (MEMORY.current_usage(), Instant::now());
    while since.elapsed() < QUIET {
        sleep(Duration::from_millis(20)).await;
        let alive = MEMORY.current_usage();
        if alive < least {
            (least, since) = (alive, Instant::now());
        }
    }
    least
}
