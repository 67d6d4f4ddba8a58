//! The socket's door: who may come in, and how a session's end ends its sockets.

use bellwire::Close;
use bellwire_testkit::{TestDatabase, apply, on_databases};

use crate::support::{chat, enter, open};

/// A handshake as a browser sends it, but for what a test changes.
const HANDSHAKE: &[(&str, &str)] = &[
    ("connection", "upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

#[apply(on_databases)]
#[tokio::test]
async fn the_socket_is_for_people_of_this_site_in_a_room_that_is_there(database: TestDatabase) {
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
    assert_eq!(ada.get_with("/ws/chat/old/", &own).await.status, 101, "an address that it had");
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
        "no Origin, but a cookie"
    );
    assert_eq!(ada.get("/ws/chat/hi/").await.status, 426, "a page is no socket");
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
