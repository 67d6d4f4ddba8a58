//! Connections that mean no good: each is closed in time, and others are served meanwhile.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use bellwire_site::{App, Settings, SiteState};
use bellwire_testkit::{TestDatabase, TestSite, Window, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Every wait of the server in these tests.
const SHORT: Duration = Duration::from_secs(1);

/// More than fits into all buffers between us and a reader.
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

struct Enemy {
    stream: TcpStream,
}

impl Enemy {
    async fn connect(site: &TestSite) -> Self {
        Self { stream: TcpStream::connect(site.address()).await.unwrap() }
    }

    /// Sends something; that the server does not listen any more is no matter.
    async fn send(&mut self, text: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(text.as_ref()).await.is_ok()
    }

    async fn ask(site: &TestSite, request: &str) -> Self {
        let mut enemy = Self::connect(site).await;
        let host = site.address();
        let request = request.replace("{host}", &host.to_string()).replace('\n', "\r\n");
        assert!(enemy.send(request).await);
        enemy
    }

    /// A letter every now and then, until the server has enough. Returns what it said.
    async fn trickle(mut self, letters: &str) -> String {
        let mut said = Vec::new();
        for letter in letters.bytes().cycle() {
            if !self.send([letter]).await {
                break;
            }
            let more = tokio::time::timeout(
                Duration::from_millis(100),
                self.stream.read_to_end(&mut said),
            );
            if more.await.is_ok() {
                break;
            }
        }
        String::from_utf8_lossy(&said).into_owned()
    }

    /// Says nothing more, and waits for the end.
    async fn wait(mut self) -> String {
        let mut said = Vec::new();
        let _ = self.stream.read_to_end(&mut said).await; // a reset is an end too
        String::from_utf8_lossy(&said).into_owned()
    }
}

/// Waits until the server has ended it; meanwhile it serves others.
async fn ended<T>(site: &TestSite, enemy: impl Future<Output = T>) -> T {
    let mut others = site.client();
    let served = async {
        loop {
            assert_eq!(others.get("/").await.status, 200);
            tokio::time::sleep(SHORT / 20).await;
        }
    };
    tokio::select! {
        ended = within("the end of it", enemy) => ended,
        () = served => unreachable!("it serves for ever"),
    }
}

const HANDSHAKE: &str = "GET /ws/ HTTP/1.1\nHost: {host}\nOrigin: http://{host}\nConnection: Upgrade\nUpgrade: websocket\n\
                         Sec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n\n";

#[tokio::test]
async fn a_header_byte_now_and_then_does_not_keep_a_connection_open() {
    let site = start().await;
    let enemy = Enemy::ask(&site, "GET / HTTP/1.1\nHost: {host}\nX-Slow: ").await;
    ended(&site, enemy.trickle("loris")).await;
    site.stop().await;
}

#[tokio::test]
async fn who_connects_and_says_nothing_is_closed() {
    let site = start().await;
    assert_eq!(ended(&site, Enemy::connect(&site).await.wait()).await, "");
    site.stop().await;
}

#[tokio::test]
async fn who_asks_once_and_then_says_nothing_is_closed() {
    let site = start().await;
    let enemy = Enemy::ask(&site, "GET / HTTP/1.1\nHost: {host}\n\n").await;
    assert!(ended(&site, enemy.wait()).await.starts_with("HTTP/1.1 200"));
    site.stop().await;
}

#[tokio::test]
async fn endless_headers_end_at_once() {
    let site = start().await;
    for line in ["X-More: and more\r\n".to_owned(), "x".repeat(1000)] {
        let mut enemy = Enemy::ask(&site, "GET / HTTP/1.1\nHost: {host}\nX-More: ").await;
        let sent = ended(&site, async {
            let mut sent = 0;
            while enemy.send(&line).await && sent < LARGE {
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
async fn a_body_that_comes_byte_by_byte_is_answered_with_503() {
    let site = start().await;
    let head = "POST /accounts/login/ HTTP/1.1\nHost: {host}\nOrigin: http://{host}\nContent-Length: 1000\n\
                Content-Type: application/x-www-form-urlencoded\n\n";
    let said = ended(&site, Enemy::ask(&site, head).await.trickle("username")).await;
    assert!(said.starts_with("HTTP/1.1 503"), "{said:.200}");
    site.stop().await;
}

#[tokio::test]
async fn an_answer_that_nobody_takes_is_given_up() {
    let site = start().await;
    let mut enemy = Enemy::ask(&site, "GET /large/ HTTP/1.1\nHost: {host}\n\n").await;
    ended(&site, tokio::time::sleep(3 * SHORT)).await;
    let mut taken = Vec::new();
    let _ = within("the end of it", enemy.stream.read_to_end(&mut taken)).await;
    assert!(taken.len() < LARGE / 2, "{} bytes were on their way", taken.len());
    site.stop().await;
}

#[tokio::test]
async fn a_reader_that_takes_its_time_gets_everything() {
    let site = start().await;
    let mut slow =
        Enemy::ask(&site, "GET /large/ HTTP/1.1\nHost: {host}\nConnection: close\n\n").await;
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
async fn a_socket_that_never_says_anything_or_half_of_it_is_closed() {
    let site = start().await;
    // The head of a masked text frame of five bytes, and two of them.
    for part in [&[][..], &[0x81], &[0x81, 0x85, 1, 2, 3, 4, 5, 6]] {
        let mut enemy = Enemy::ask(&site, HANDSHAKE).await;
        assert!(enemy.send(part).await);
        let said = ended(&site, enemy.wait()).await;
        assert!(said.starts_with("HTTP/1.1 101"), "{said:.200}");
    }
    site.stop().await;
}

#[tokio::test]
async fn whoever_holds_places_without_using_them_gives_them_back() {
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
            0 => Enemy::connect(&site).await,
            _ => Enemy::ask(&site, HANDSHAKE).await,
        });
    }
    assert_eq!(site.client().get("/").await.status, 200);
    drop(enemies);
    site.stop().await;
}

#[tokio::test]
async fn an_address_has_a_bounded_number_of_sockets_and_another_has_its_own() {
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
    let refused = Enemy::ask(&site, &HANDSHAKE.replace("\n\n", "\nConnection: close\n\n")).await;
    let said = within("a refusal", refused.first()).await;
    assert!(said.starts_with("HTTP/1.1 429"), "{said:.200}");
    let elsewhere = HANDSHAKE.replace("\n\n", "\nX-Forwarded-For: 203.0.113.9\n\n");
    let said = within("an answer", Enemy::ask(&site, &elsewhere).await.first()).await;
    assert!(said.starts_with("HTTP/1.1 101"), "{said:.200}");
    drop(windows);
    site.stop().await;
}

impl Enemy {
    /// The beginning of the answer.
    async fn first(mut self) -> String {
        let mut buffer = vec![0; 1024];
        let some = self.stream.read(&mut buffer).await.unwrap();
        String::from_utf8_lossy(&buffer[..some]).into_owned()
    }
}
