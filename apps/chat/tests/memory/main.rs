//! Memory of connections whose peers never read: it is freed to the byte.
//!
//! The test does not measure the memory pages of the process: glibc retains freed memory in several
//! arenas, and the amount varies between runs by more than a leak. Instead the whole site runs in
//! this process, behind real sockets, with an allocator that counts live memory. SQLite's own
//! allocations are not counted; its caches are bounded. This binary has one test, because anything
//! that ran in parallel would be counted as well.
#![cfg(target_os = "linux")]

use std::time::Duration;

use bellwire_testkit::{Client, PATIENCE, TestDatabase, TestSite};
use peak_alloc::PeakAlloc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, sleep};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// The number of readers in one wave; `BELLWIRE_TEST_SLOW_READERS` overrides it.
const READERS: usize = 200;
/// The number of waves. Memory that the first wave fills for good (pools, tables, prepared
/// statements) is not a leak; a leak grows with every wave.
const WAVES: usize = 4;
/// The maximum number of bytes that remain per reader: less than any allocation for a reader. A
/// wave leaves a few kilobytes, regardless of the number of readers.
const LEFT: usize = 128;
/// The maximum number of bytes per blocked reader, and for all of them together, as in
/// `server/tests/program/slow_readers.rs`.
const EACH: usize = 16 * 1024;
const SHARED: usize = 8 * 1024 * 1024;

/// The messages of a wave: more than the socket buffers, the write buffer and the queue hold
/// together.
const MESSAGES: usize = 220;
const LENGTH: usize = 7_000;
const RECEIVE_BUFFER: u32 = 8 * 1024;

/// The write timeout, and the timeout for the peer's half of the close handshake.
const WRITE: Duration = Duration::from_secs(2);
const CLOSE: Duration = Duration::from_secs(1);

/// How long no memory must be freed before the live memory is measured.
const QUIET: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn memory_of_readers_that_never_read_is_freed_to_the_byte() {
    let setting = std::env::var("BELLWIRE_TEST_SLOW_READERS").ok();
    let readers = setting.map_or(READERS, |number| number.parse().unwrap());
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

/// Opens readers at this position, sends all messages, and waits until the readers are closed.
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

/// Opens a socket whose response headers are read, and nothing more.
async fn open(site: &TestSite, person: &Client, had: usize) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(RECEIVE_BUFFER).unwrap();
    let mut stream = socket.connect(site.address()).await.unwrap();
    let (address, cookies) = (site.address(), person.cookies());
    let epoch = site.state().bellwire().layer().epoch();
    let request = format!(
        "GET /ws/chat/slow/?dialect=htmx&since=chat.room.1:{epoch}.{had} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nCookie: {cookies}\r\n\
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

/// Returns the live memory after nothing more is freed.
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
