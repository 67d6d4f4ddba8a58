//! Access to sockets, and their close at the end of a session.

use bellwire::Close;
use bellwire_testkit::{TestDatabase, apply, on_databases};

use crate::support::{chat, enter, open};

/// The headers of a browser's handshake, except those that a test varies.
const HANDSHAKE: &[(&str, &str)] = &[
    ("connection", "upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

#[apply(on_databases)]
#[tokio::test]
async fn a_socket_requires_a_user_of_this_site_and_an_existing_room(database: TestDatabase) {
    let site = chat(&database).await;
    let (mut ada, mut stranger) = (site.person("Ada").await, site.client());
    open(&site, &mut ada, "hi").await;
    let ours = site.url("");
    let ours = ours.trim_end_matches('/');
    let with = |origin: &'static str| [HANDSHAKE, &[("origin", origin)]].concat();
    let own = [HANDSHAKE, &[("origin", ours)]].concat();
    assert_eq!(ada.get_with("/ws/chat/hi/", &own).await.status, 101);
    assert_eq!(stranger.get_with("/ws/chat/hi/", &own).await.status, 401);
    assert_eq!(ada.get_with("/ws/chat/nowhere/", &own).await.status, 404);
    let old = open(&site, &mut ada, "old").await;
    assert_eq!(
        ada.post(&format!("/chat/-/rooms/{}/", old.id), &[("name", "new")]).await.status,
        303
    );
    assert_eq!(ada.get_with("/ws/chat/old/", &own).await.status, 101, "a former path");
    for origin in [
        "https://evil.example",
        "null",
        "http://127.0.0.1",
        "http://127.0.0.1:1",
        "https://127.0.0.1",
    ] {
        assert_eq!(ada.get_with("/ws/chat/hi/", &with(origin)).await.status, 403, "{origin}");
    }
    assert_eq!(
        ada.get_with("/ws/chat/hi/", HANDSHAKE).await.status,
        403,
        "a cookie without an Origin"
    );
    assert_eq!(ada.get("/ws/chat/hi/").await.status, 426, "a request without an upgrade");
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn signing_out_closes_that_sessions_sockets_and_no_others(database: TestDatabase) {
    let site = chat(&database).await;
    let (mut ada, ben) = (site.person("Ada").await, site.person("Ben").await);
    let room = open(&site, &mut ada, "hi").await;
    let (leaving, mut staying) =
        (enter(&site, &ada, &room, "").await, enter(&site, &ben, &room, "").await);
    assert_eq!(ada.post("/accounts/logout/", &[]).await.status, 303);
    assert_eq!(leaving.closed().await.code(), Close::POLICY);
    staying.receive_nothing().await;
    site.stop().await;
}
