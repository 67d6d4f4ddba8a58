//! Input with U+0000, which PostgreSQL rejects and SQLite would store.

use bellwire_testkit::{Client, TestDatabase, apply, on_databases};
use serde_json::{Value, json};

use crate::support::{chat, enter, open, page_texts, receive_until, window};

/// Every URL with a text that is looked up, with the expected status.
const LOOKUPS: &[(&str, u16)] = &[
    ("/chat/%00/", 404),
    ("/chat/hi%00/", 303),
    ("/chat/hi/?before=%00", 400),
    ("/chat/-/search/?q=%00", 200),
    ("/chat/-/search/?q=lun%00ch", 200),
    ("/chat/-/names/?q=%00", 200),
    ("/chat/-/names/?q=A%00", 200),
    ("/chat/-/messages/%00/", 400),
    ("/ws/chat/%00/", 404),
];

/// Headers of a handshake, which would open a socket if the room existed.
const HANDSHAKE: &[(&str, &str)] = &[
    ("connection", "upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

/// Requests a page, or a socket for paths of sockets.
async fn look_up(person: &mut Client, origin: &str, path: &str) -> bellwire_testkit::Answer {
    match path.starts_with("/ws/") {
        true => person.get_with(path, &[HANDSHAKE, &[("origin", origin)]].concat()).await,
        false => person.get(path).await,
    }
}

#[apply(on_databases)]
#[tokio::test]
async fn a_nul_character_in_a_url_is_not_found_and_is_no_server_error(database: TestDatabase) {
    let site = chat(&database).await;
    let mut ada = site.person("Ada").await;
    let room = open(&site, &mut ada, "hi").await;
    ada.post(&room.path(), &[("message", "lunch?")]).await;
    let origin = site.state().public_url().as_str().to_owned();
    for (path, status) in LOOKUPS {
        let answer = look_up(&mut ada, &origin, path).await;
        assert_eq!(answer.status, *status, "{database:?} {path}: {}", answer.text);
        assert!(!answer.text.contains("lunch?") && !answer.text.contains("[\"Ada\"]"), "{path}");
    }
    assert_eq!(ada.post("/chat/hi%00/", &[("message", "hello")]).await.status, 404, "{database:?}");
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_nul_character_in_a_form_is_removed_or_rejected(database: TestDatabase) {
    let site = chat(&database).await;
    let mut ada = site.person("Ada").await;
    let room = open(&site, &mut ada, "h\0i").await;
    assert_eq!((room.name.as_str(), room.slug.as_str()), ("hi", "hi"));
    let fields = [("message", "lun\0ch, @Ada\0 and `\0`?"), ("client_id", "")];
    assert_eq!(ada.post(&room.path(), &fields).await.status, 303, "{database:?}");
    assert!(page_texts(&mut ada, &room).await[0].contains("lunch"));
    for (path, fields, status) in [
        (room.path(), [("message", "again"), ("client_id", "c\0")], 422),
        (room.path(), [("message", "\0"), ("client_id", "")], 422),
        ("/chat/".to_owned(), [("name", "\0"), ("closed", "")], 422),
        (format!("/chat/-/rooms/{}/", room.id), [("name", "\0"), ("closed", "\0")], 422),
        ("/chat/-/messages/1/".to_owned(), [("message", "\0"), ("id", "\0")], 422),
    ] {
        let answer = ada.post(&path, &fields).await;
        assert_eq!(answer.status, status, "{database:?} {path} {fields:?}: {}", answer.text);
    }
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_nul_character_over_a_socket_is_answered_and_the_socket_stays_open(
    database: TestDatabase,
) {
    let site = chat(&database).await;
    let mut ada = site.person("Ada").await;
    let room = open(&site, &mut ada, "hi").await;
    // She is online already, so that no later page receives that.
    let mut first = window(&site, &ada, "/chat/").await;
    receive_until(&mut first, "here--").await;
    // A page at a path that no room can have is a page without a room.
    for at in ["/chat/%2500/", "/chat/hi%2500/"] {
        let mut lost = window(&site, &ada, at).await;
        receive_until(&mut lost, "sidebar-rooms").await;
        lost.receive_nothing().await;
    }
    let mut socket = enter(&site, &ada, &room, "since=chat.room.%00:1&since=%00").await;
    let frame = |action: &str, data: Value| json!({"action": action, "data": data});
    for request in [
        frame("Change group", json!({"groupName": "\0", "isGroup": true})),
        frame("Change group", json!({"groupName": "\0", "isGroup": false})),
        frame("Change group", json!({"groupName": "A\0da", "isGroup": false})),
        frame("New message", json!({"message": "\0", "client_id": "c-1"})),
        frame("New message", json!({"message": "hello", "client_id": "c\0"})),
        frame("New message", json!({"message": "hello", "room": "\0"})),
        frame("Edit message", json!({"id": "\0", "message": "\0"})),
        frame("\0", json!({"\0": "\0"})),
    ] {
        socket.send_json(&request).await;
        let answer: Value = socket.receive_json().await;
        let error = answer["error"].as_str().unwrap_or_else(|| panic!("{request}: {answer}"));
        assert!(!error.contains("went wrong"), "{database:?} {request}: {error}");
    }
    socket.send_json(&frame("Change group", json!({"groupName": "h\0i", "isGroup": true}))).await;
    assert_eq!(socket.receive_json::<Value>().await["html"], "#hi", "as with the form");
    site.stop().await;
}
