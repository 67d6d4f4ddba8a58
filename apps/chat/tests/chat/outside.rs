//! Text from outside that no database can hold: U+0000, which PostgreSQL refuses and SQLite would
//! take.

use bellwire_testkit::{Client, TestDatabase, apply, on_databases};
use serde_json::{Value, json};

use crate::support::{chat, enter, hear, open, page_words, window};

/// Every address that is looked up by its text, with what it answers.
const SOUGHT: &[(&str, u16)] = &[
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

/// What would open a socket, if its room were there.
const HANDSHAKE: &[(&str, &str)] = &[
    ("connection", "upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

/// Looks it up as a page, or as a socket where it is one.
async fn look_up(person: &mut Client, origin: &str, path: &str) -> bellwire_testkit::Answer {
    match path.starts_with("/ws/") {
        true => person.get_with(path, &[HANDSHAKE, &[("origin", origin)]].concat()).await,
        false => person.get(path).await,
    }
}

#[apply(on_databases)]
#[tokio::test]
async fn what_can_never_have_been_stored_is_not_found_and_is_no_fault(database: TestDatabase) {
    let site = chat(&database).await;
    let mut ada = site.person("Ada").await;
    let room = open(&site, &mut ada, "hi").await;
    ada.post(&room.path(), &[("message", "lunch?")]).await;
    let origin = site.state().public_url().as_str().to_owned();
    for (path, status) in SOUGHT {
        let answer = look_up(&mut ada, &origin, path).await;
        assert_eq!(answer.status, *status, "{database:?} {path}: {}", answer.text);
        assert!(!answer.text.contains("lunch?") && !answer.text.contains("[\"Ada\"]"), "{path}");
    }
    assert_eq!(ada.post("/chat/hi%00/", &[("message", "hello")]).await.status, 404, "{database:?}");
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn what_is_typed_into_a_form_loses_it_or_is_refused(database: TestDatabase) {
    let site = chat(&database).await;
    let mut ada = site.person("Ada").await;
    let room = open(&site, &mut ada, "h\0i").await;
    assert_eq!((room.name.as_str(), room.slug.as_str()), ("hi", "hi"));
    let said = [("message", "lun\0ch, @Ada\0 and `\0`?"), ("client_id", "")];
    assert_eq!(ada.post(&room.path(), &said).await.status, 303, "{database:?}");
    assert!(page_words(&mut ada, &room).await[0].contains("lunch"));
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
async fn over_a_socket_it_is_answered_and_the_socket_stays(database: TestDatabase) {
    let site = chat(&database).await;
    let mut ada = site.person("Ada").await;
    let room = open(&site, &mut ada, "hi").await;
    // A page at an address that no room can have is a page without a room.
    for at in ["/chat/%2500/", "/chat/hi%2500/"] {
        let mut lost = window(&site, &ada, at).await;
        hear(&mut lost, "sidebar-rooms").await;
        lost.receive_nothing().await;
    }
    let mut socket = enter(&site, &ada, &room, "since=chat.room.%00:1&since=%00").await;
    let ask = |action: &str, data: Value| json!({"action": action, "data": data});
    for asked in [
        ask("Change group", json!({"groupName": "\0", "isGroup": true})),
        ask("Change group", json!({"groupName": "\0", "isGroup": false})),
        ask("Change group", json!({"groupName": "A\0da", "isGroup": false})),
        ask("New message", json!({"message": "\0", "client_id": "c-1"})),
        ask("New message", json!({"message": "hello", "client_id": "c\0"})),
        ask("New message", json!({"message": "hello", "room": "\0"})),
        ask("Edit message", json!({"id": "\0", "message": "\0"})),
        ask("\0", json!({"\0": "\0"})),
    ] {
        socket.send_json(&asked).await;
        let answer: Value = socket.receive_json().await;
        let error = answer["error"].as_str().unwrap_or_else(|| panic!("{asked}: {answer}"));
        assert!(!error.contains("went wrong"), "{database:?} {asked}: {error}");
    }
    socket.send_json(&ask("Change group", json!({"groupName": "h\0i", "isGroup": true}))).await;
    assert_eq!(socket.receive_json::<Value>().await["html"], "#hi", "as the form has it");
    site.stop().await;
}
