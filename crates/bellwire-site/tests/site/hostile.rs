//! Tests of hostile connections: each is closed in time, while others are served.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use bellwire_site::{App, Settings, SiteState};
use bellwire_testkit::{TestDatabase, TestSite, Window, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Every timeout of the server in these tests.
const SHORT: Duration = Duration::from_secs(1);

/// More than the buffers between server and client can hold.
const LARGE: usize = 32 * 1024 * 1024;

fn routes(_: &SiteState) -> Router<SiteState> {
    Router::new().route("/large/", get(async || "x".repeat(LARGE)))
}

fn short(settings: &mut Settings) {
    (settings.serve.headers, settings.request, settings.serve.response) = (SHORT, SHORT, SHORT);
    (settings.limits.ping, settings.limits.idle) = (SHORT / 2, SHORT);
}

async fn start() -> TestSite {
    TestSite::start_with(
        &TestDatabase::Sqlite,
        vec![bellwire_home::app(), App::new("large").routes(routes)],
        short,
    )
    .await
}

struct Attacker {
    stream: TcpStream,
}

impl Attacker {
    async fn connect(site: &TestSite) -> Self {
        Self { stream: TcpStream::connect(site.address()).await.unwrap() }
    }

    /// Sends text. Returns whether the server still accepts it.
    async fn send(&mut self, text: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(text.as_ref()).await.is_ok()
    }

    async fn ask(site: &TestSite, request: &str) -> Self {
        let mut attacker = Self::connect(site).await;
        let host = site.address();
        let request = request.replace("{host}", &host.to_string()).replace('\n', "\r\n");
        assert!(attacker.send(request).await);
        attacker
    }

    /// Sends one letter after the other until the server closes. Returns the response.
    async fn trickle(mut self, letters: &str) -> String {
        let mut response = Vec::new();
        for letter in letters.bytes().cycle() {
            if !self.send([letter]).await {
                break;
            }
            let more = tokio::time::timeout(
                Duration::from_millis(100),
                self.stream.read_to_end(&mut response),
            );
            if more.await.is_ok() {
                break;
            }
        }
        String::from_utf8_lossy(&response).into_owned()
    }

    /// Sends nothing more, and reads until the server closes.
    async fn wait(mut self) -> String {
        let mut response = Vec::new();
        let _ = self.stream.read_to_end(&mut response).await; // a reset is an end too
        String::from_utf8_lossy(&response).into_owned()
    }
}

/// Waits until the server has closed the connection, and asserts that it serves others meanwhile.
async fn ended<T>(site: &TestSite, attacker: impl Future<Output = T>) -> T {
    let mut others = site.client();
    let served = async {
        loop {
            assert_eq!(others.get("/").await.status, 200);
            tokio::time::sleep(SHORT / 20).await;
        }
    };
    tokio::select! {
        ended = within("the end of the connection", attacker) => ended,
        () = served => unreachable!("the loop is endless"),
    }
}

const HANDSHAKE: &str = "GET /ws/ HTTP/1.1\nHost: {host}\nOrigin: http://{host}\nConnection: Upgrade\nUpgrade: websocket\n\
                         Sec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n\n";

#[tokio::test]
async fn a_slow_header_does_not_keep_a_connection_open() {
    let site = start().await;
    let attacker = Attacker::ask(&site, "GET / HTTP/1.1\nHost: {host}\nX-Slow: ").await;
    ended(&site, attacker.trickle("loris")).await;
    site.stop().await;
}

#[tokio::test]
async fn a_silent_connection_is_closed() {
    let site = start().await;
    assert_eq!(ended(&site, Attacker::connect(&site).await.wait()).await, "");
    site.stop().await;
}

#[tokio::test]
async fn an_idle_keep_alive_connection_is_closed() {
    let site = start().await;
    let attacker = Attacker::ask(&site, "GET / HTTP/1.1\nHost: {host}\n\n").await;
    assert!(ended(&site, attacker.wait()).await.starts_with("HTTP/1.1 200"));
    site.stop().await;
}

#[tokio::test]
async fn endless_headers_are_refused_at_once() {
    let site = start().await;
    for line in ["X-More: and more\r\n".to_owned(), "x".repeat(1000)] {
        let mut attacker = Attacker::ask(&site, "GET / HTTP/1.1\nHost: {host}\nX-More: ").await;
        let sent = ended(&site, async {
            let mut sent = 0;
            while attacker.send(&line).await && sent < LARGE {
                sent += line.len();
            }
            sent
        });
        let sent = sent.await;
        assert!(sent < LARGE, "{sent} bytes");
    }
    site.stop().await;
}

#[tokio::test]
async fn a_slow_body_is_answered_with_503() {
    let site = start().await;
    let head = "POST /accounts/login/ HTTP/1.1\nHost: {host}\nOrigin: http://{host}\nContent-Length: 1000\n\
                Content-Type: application/x-www-form-urlencoded\n\n";
    let response = ended(&site, Attacker::ask(&site, head).await.trickle("username")).await;
    assert!(response.starts_with("HTTP/1.1 503"), "{response:.200}");
    site.stop().await;
}

#[tokio::test]
async fn a_response_that_nobody_reads_is_aborted() {
    let site = start().await;
    let mut attacker = Attacker::ask(&site, "GET /large/ HTTP/1.1\nHost: {host}\n\n").await;
    ended(&site, tokio::time::sleep(3 * SHORT)).await;
    let mut taken = Vec::new();
    let _ = within("the end of the connection", attacker.stream.read_to_end(&mut taken)).await;
    assert!(taken.len() < LARGE / 2, "{} bytes were on their way", taken.len());
    site.stop().await;
}

#[tokio::test]
async fn a_slow_reader_gets_the_whole_response() {
    let site = start().await;
    let mut slow =
        Attacker::ask(&site, "GET /large/ HTTP/1.1\nHost: {host}\nConnection: close\n\n").await;
    let (mut taken, mut buffer) = (0, vec![0; 4 * 1024 * 1024]);
    loop {
        match within("more", slow.stream.read(&mut buffer)).await.unwrap() {
            0 => break,
            some => taken += some,
        }
        if taken < LARGE / 4 {
            tokio::time::sleep(SHORT / 50).await;
        }
    }
    assert!(taken > LARGE, "{taken}");
    site.stop().await;
}

#[tokio::test]
async fn a_silent_socket_and_a_half_sent_frame_are_closed() {
    let site = start().await;
    // The header of a masked text frame of five bytes, and two of the bytes.
    for part in [&[][..], &[0x81], &[0x81, 0x85, 1, 2, 3, 4, 5, 6]] {
        let mut attacker = Attacker::ask(&site, HANDSHAKE).await;
        assert!(attacker.send(part).await);
        let response = ended(&site, attacker.wait()).await;
        assert!(response.starts_with("HTTP/1.1 101"), "{response:.200}");
    }
    site.stop().await;
}

#[tokio::test]
async fn unused_connections_are_released() {
    let places = 8;
    let site =
        TestSite::start_with(&TestDatabase::Sqlite, vec![bellwire_home::app()], |settings| {
            short(settings);
            settings.serve.connections = places;
        })
        .await;
    let mut enemies = Vec::new();
    for n in 0..places {
        enemies.push(match n % 2 {
            0 => Attacker::connect(&site).await,
            _ => Attacker::ask(&site, HANDSHAKE).await,
        });
    }
    assert_eq!(site.client().get("/").await.status, 200);
    drop(enemies);
    site.stop().await;
}

#[tokio::test]
async fn sockets_are_limited_per_address() {
    let site =
        TestSite::start_with(&TestDatabase::Sqlite, vec![bellwire_home::app()], |settings| {
            settings.limits.sockets_per_address = 2;
            settings.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        })
        .await;
    let mut windows = Vec::new();
    for _ in 0..2 {
        let mut window = Window::open(&site.client(), "/ws/").await;
        window.hear(&["#rings"]).await;
        windows.push(window);
    }
    let refused = Attacker::ask(&site, &HANDSHAKE.replace("\n\n", "\nConnection: close\n\n")).await;
    let response = within("a refusal", refused.first()).await;
    assert!(response.starts_with("HTTP/1.1 429"), "{response:.200}");
    let elsewhere = HANDSHAKE.replace("\n\n", "\nX-Forwarded-For: 203.0.113.9\n\n");
    let response = within("an answer", Attacker::ask(&site, &elsewhere).await.first()).await;
    assert!(response.starts_with("HTTP/1.1 101"), "{response:.200}");
    drop(windows);
    site.stop().await;
}

impl Attacker {
    /// The beginning of the response.
    async fn first(mut self) -> String {
        let mut buffer = vec![0; 1024];
        let some = self.stream.read(&mut buffer).await.unwrap();
        String::from_utf8_lossy(&buffer[..some]).into_owned()
    }
}
