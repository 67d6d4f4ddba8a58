//! Origin checks of WebSocket handshakes.

use bellwire::Bellwire;
use bellwire::testing::within;
use tokio::io::AsyncReadExt;

use crate::support::{HANDSHAKE, Server, URL, bellwire};

async fn status(server: &Server, extra: &[(&str, &str)]) -> u16 {
    let headers = [HANDSHAKE, extra].concat();
    let (_, head) = server.handshake("/ws/", &headers).await;
    head[9..12].parse().unwrap()
}

#[tokio::test]
async fn every_hostile_origin_is_refused_before_the_upgrade() {
    let server = Server::start(bellwire()).await;
    for origin in [
        "https://evil.example",
        "http://127.0.0.1:8001",
        "https://127.0.0.1:8000",
        "http://sub.127.0.0.1:8000",
        "http://127.0.0.1:8000.evil.example",
        "http://127.0.0.10:8000",
        "http://localhost:8000",
        "null",
        "NULL",
    ] {
        assert_eq!(status(&server, &[("Origin", origin)]).await, 403, "{origin}");
        assert_eq!(
            status(&server, &[("Origin", origin), ("Cookie", "session=1")]).await,
            403,
            "{origin} with a cookie"
        );
    }
    assert_eq!(status(&server, &[("Cookie", "session=1")]).await, 403, "missing with a cookie");
    assert_eq!(
        status(&server, &[("Origin", "http://127.0.0.1:8000"), ("Cookie", "session=1")]).await,
        101
    );
    assert_eq!(status(&server, &[]).await, 101, "a program without a cookie");
    assert_eq!(server.bellwire.layer().counts().deliveries, 0);
}

#[tokio::test]
async fn a_program_is_refused_unless_native_clients_are_allowed() {
    let server = Server::start(Bellwire::builder(URL).build().unwrap()).await;
    assert_eq!(status(&server, &[]).await, 403, "a program");
    assert_eq!(status(&server, &[("Origin", URL)]).await, 101, "a page");
    for (site, expected) in [(None, "403"), (Some("same-origin"), "200")] {
        let site = site.map(|site| ("Sec-Fetch-Site", site));
        let headers: Vec<_> = [("Accept", "text/event-stream")].into_iter().chain(site).collect();
        let (_, head) = server.handshake("/ws/", &headers).await;
        assert_eq!(&head[9..12], expected, "a stream with {site:?}");
    }
}

#[tokio::test]
async fn the_refusal_names_the_setting_that_allows_more_origins() {
    let server = Server::start(bellwire()).await;
    let headers =
        [HANDSHAKE, &[("Origin", "https://evil.example"), ("Connection", "close")]].concat();
    let (stream, head) = server.handshake("/ws/", &headers).await;
    assert!(head.starts_with("HTTP/1.1 403"), "{head}");
    let mut body = String::new();
    within("the refusal", stream.take(4096).read_to_string(&mut body)).await.unwrap();
    assert!(
        body.contains("https://evil.example") && body.contains("Bellwire::builder(…).origin(…)"),
        "{body}"
    );
}
