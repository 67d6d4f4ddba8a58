//! Origin checks of WebSocket handshakes.

use bellwire::testing::within;
use tokio::io::AsyncReadExt;

use crate::support::{HANDSHAKE, Server, bellwire};

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
