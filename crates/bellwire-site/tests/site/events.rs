//! Tests of event streams, the fallback for networks that block WebSockets.

use std::time::Duration;

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use bellwire::{Consumer, Error, Frame, Html, Patch, Socket};
use bellwire_site::{App, Live, User};
use bellwire_testkit::{Client, TestDatabase, TestSite, apply, on_databases, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

struct Greeter;

impl Consumer for Greeter {
    type Action = Frame;
    type Event = ();
    type Error = Error;

    async fn connect(&mut self, socket: &mut Socket<Self>) -> Result<(), Error> {
        socket.patch(Patch::inner("#secret", Html::text("welcome"))).await
    }

    async fn receive(&mut self, socket: &mut Socket<Self>, frame: Frame) -> Result<(), Error> {
        socket.send(frame).await
    }
}

async fn greet(_: User, live: Live) -> Response {
    live.run(Greeter)
}

fn apps() -> Vec<App> {
    let greet = App::new("greet").router(Router::new().route("/ws/greet/", get(greet)));
    vec![bellwire_home::app(), greet]
}

const OURS: &[(&str, &str)] = &[("Sec-Fetch-Site", "same-origin")];

/// A raw client for server-sent events.
struct Stream {
    tcp: TcpStream,
    received: String,
}

impl Stream {
    async fn open(site: &TestSite, client: &Client, path: &str, headers: &[(&str, &str)]) -> Self {
        let mut tcp = TcpStream::connect(site.address()).await.unwrap();
        let mut request = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nAccept: text/event-stream\r\n",
            site.address()
        );
        let cookies = client.cookies();
        let cookie = Some(("Cookie", cookies.as_str())).filter(|(_, cookies)| !cookies.is_empty());
        for (name, value) in headers.iter().copied().chain(cookie) {
            request += &format!("{name}: {value}\r\n");
        }
        tcp.write_all(format!("{request}\r\n").as_bytes()).await.unwrap();
        let mut stream = Self { tcp, received: String::new() };
        stream.wait_for("\r\n\r\n").await;
        stream
    }

    fn status(&self) -> &str {
        &self.received[9..12]
    }

    /// Waits until the received text contains `expected`.
    async fn wait_for(&mut self, expected: &str) {
        self.wait_for_times(expected, 1).await;
    }

    async fn wait_for_times(&mut self, expected: &str, times: usize) {
        let listen = async {
            while self.received.matches(expected).count() < times {
                assert!(self.read().await, "ended before {expected:?}: {}", self.received);
            }
        };
        within(expected, listen).await;
    }

    async fn read(&mut self) -> bool {
        let mut buffer = [0; 4096];
        let read = self.tcp.read(&mut buffer).await.unwrap_or(0);
        self.received += std::str::from_utf8(&buffer[..read]).unwrap();
        read > 0
    }

    /// Reads until the body has ended properly, and returns everything.
    async fn ending(mut self) -> String {
        self.wait_for("\r\n0\r\n\r\n").await;
        self.received
    }
}

#[apply(on_databases)]
#[tokio::test]
async fn a_stream_ends_with_its_session_and_no_other_does(database: TestDatabase) {
    let site = TestSite::start(&database, apps()).await;
    let (mut ada, grace) = (site.person("Ada").await, site.person("Grace").await);
    let mut hers = Stream::open(&site, &ada, "/ws/greet/", OURS).await;
    let mut other = Stream::open(&site, &grace, "/ws/greet/", OURS).await;
    for stream in [&mut hers, &mut other] {
        stream.wait_for("welcome").await;
    }
    let cookies = ada.clone();
    assert_eq!(ada.post("/accounts/logout/", &[]).await.status, 303);
    let received = hers.ending().await;
    assert!(received.contains("event: close\ndata: {\"code\":1008,"), "{received}");
    // An `EventSource` reconnects automatically and gets a final status.
    assert_eq!(Stream::open(&site, &cookies, "/ws/greet/", OURS).await.status(), "401");
    let stopping = tokio::spawn(site.stop());
    let received = other.ending().await;
    let restart = "event: close\ndata: {\"code\":1012,\"reason\":\"retry=";
    assert!(received.contains(restart), "pages return when told: {received}");
    stopping.await.unwrap();
}

#[tokio::test]
async fn a_stream_requested_by_another_site_is_refused() {
    let site = TestSite::start(&TestDatabase::Sqlite, apps()).await;
    let (ada, origin) = (site.person("Ada").await, site.url(""));
    for (headers, status) in [
        (OURS, "200"),
        (&[("Origin", origin.as_str())], "200"),
        (&[], "403"),
        (&[("Sec-Fetch-Site", "cross-site")], "403"),
        (&[("Sec-Fetch-Site", "same-site")], "403"),
        (&[("Origin", "https://evil.example"), ("Sec-Fetch-Site", "same-origin")], "403"),
        (&[("Origin", "null")], "403"),
    ] {
        for path in ["/ws/greet/", "/ws/"] {
            let stream = Stream::open(&site, &ada, path, headers).await;
            assert_eq!(stream.status(), status, "{path} {headers:?}");
        }
    }
}

#[tokio::test]
async fn a_healthy_stream_outlives_all_timeouts() {
    let short = Duration::from_secs(1);
    let site =
        TestSite::start_with(&TestDatabase::Sqlite, vec![bellwire_home::app()], |settings| {
            (settings.serve.headers, settings.request, settings.serve.response) =
                (short, short, short);
            (settings.limits.write, settings.limits.ping) = (short, short / 2);
            settings.limits.idle = 3 * short;
        })
        .await;
    let mut stream = Stream::open(&site, &site.client(), "/ws/", &[]).await;
    // The heartbeat interval is a second, so five heartbeats take longer than any of these
    // timeouts.
    stream.wait_for_times("\n:\n\n", 5).await;
    stream.received.clear();
    let mut client = site.client();
    assert_eq!(client.post("/ring/", &[]).await.status, 303);
    stream.wait_for("#rings").await;
}
