//! Sockets that switch between rooms, presence and typing.

use std::time::Duration;

use bellwire_chat::ChatError;
use bellwire_site::Tx;
use bellwire_testkit::{PATIENCE, TestDatabase, apply, on_databases, on_postgres};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::support::{chat, enter, events, new_message, open, position, receive_until, window};

/// Returns the frame that switches to a room or a conversation.
fn change_group(name: &str, is_group: bool) -> Value {
    json!({"action": "Change group", "data": {"groupName": name, "isGroup": is_group}})
}

#[apply(on_databases)]
#[tokio::test]
async fn a_window_switches_to_another_room_and_receives_only_that_one(database: TestDatabase) {
    let site = chat(&database).await;
    let (mut ada, mut ben) = (site.person("Ada").await, site.person("Ben").await);
    let (hi, python) = (open(&site, &mut ada, "hi").await, open(&site, &mut ada, "python").await);
    ada.post("/chat/python/", &[("message", "before you came")]).await;
    let mut bens = window(&site, &ben, "/chat/hi/").await;
    receive_until(&mut bens, "sidebar-rooms").await;
    bens.send_json(&change_group("python", true)).await;
    let panel = receive_until(&mut bens, "before you came").await;
    assert!(
        panel.contains("innerHTML:#room") && panel.contains("data-bw-url=\"/chat/python/\""),
        "{panel}"
    );
    let (id, at) = (python.id, position(&site, 1));
    assert!(panel.contains(&format!("data-feed=\"chat.room.{id}\" data-seq=\"{at}\"")), "{panel}");
    ada.post("/chat/hi/", &[("message", "in the room that was left")]).await;
    ada.post("/chat/python/", &[("message", "next")]).await;
    let received = receive_until(&mut bens, "next").await;
    assert!(!received.contains("that was left"), "{received}");
    // A message goes to the room it was typed in, even if it is sent after the switch.
    let late = json!({
        "action": "New message",
        "data": {"message": "overtaken", "client_id": "l-1", "room": hi.id.to_string()},
    });
    bens.send_json(&late).await;
    let received = receive_until(&mut bens, "data-bw-answer=\"l-1\"").await;
    assert!(!received.contains("overtaken"), "{received}");
    assert!(ben.get("/chat/hi/").await.text.contains("overtaken"));
    assert!(!ben.get("/chat/python/").await.text.contains("overtaken"));
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_window_that_cannot_switch_stays_in_its_room(database: TestDatabase) {
    let site = chat(&database).await;
    let (mut ada, ben) = (site.person("Ada").await, site.person("Ben").await);
    let (_, python) = (open(&site, &mut ada, "hi").await, open(&site, &mut ada, "python").await);
    let mut bens = window(&site, &ben, "/chat/hi/").await;
    receive_until(&mut bens, "sidebar-rooms").await;
    let run = async |sql: &'static str| {
        let ran = site
            .state()
            .db()
            .write(async move |tx: Tx| Ok::<_, ChatError>(tx.execute_unprepared(sql).await?));
        ran.await.unwrap();
    };
    run("ALTER TABLE chat_memberships RENAME TO chat_memberships_away").await;
    bens.send_json(&change_group("python", true)).await;
    receive_until(&mut bens, "data-error").await;
    run("ALTER TABLE chat_memberships_away RENAME TO chat_memberships").await;
    ada.post("/chat/python/", &[("message", "where Ben is not")]).await;
    ada.post("/chat/hi/", &[("message", "where Ben is")]).await;
    let received = receive_until(&mut bens, "where Ben is<").await;
    assert!(!received.contains("where Ben is not"), "{received}");
    let layer = site.state().bellwire().layer();
    assert_eq!(layer.presence().count(python.group()), 0);
    site.stop().await;
}

/// Returns how many statements wait for a lock on this table.
async fn waiting(db: &impl ConnectionTrait, table: &str) -> i64 {
    let sql = format!(
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = '{table}'::regclass"
    );
    let row =
        db.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

// Only on PostgreSQL, where a lock on a table makes the room close at the critical moment.
#[apply(on_postgres)]
#[tokio::test]
async fn a_room_that_is_closed_during_a_switch_does_not_admit_the_user(database: TestDatabase) {
    let site = chat(&database).await;
    let db = site.state().db().clone();
    let (mut ada, ben) = (site.person("Ada").await, site.person("Ben").await);
    open(&site, &mut ada, "hi").await;
    let python = open(&site, &mut ada, "python").await;
    ada.post("/chat/python/", &[("message", "said among members")]).await;
    let mut bens = window(&site, &ben, "/chat/hi/").await;
    receive_until(&mut bens, "sidebar-rooms").await;
    let (held, is_held) = oneshot::channel();
    let (release, released) = oneshot::channel::<()>();
    let writer = db.clone();
    let holding = tokio::spawn(async move {
        let hold = writer.write(async move |tx: Tx| {
            tx.execute_unprepared("LOCK TABLE chat_messages IN ACCESS EXCLUSIVE MODE").await?;
            let _ = held.send(());
            let _ = released.await;
            Ok::<_, ChatError>(())
        });
        hold.await
    });
    is_held.await.unwrap();
    bens.send_json(&change_group("python", true)).await;
    let until_waiting = async {
        while waiting(db.read(), "chat_messages").await == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, until_waiting).await.expect("Ben's window reads the messages");
    let members = format!("/chat/-/rooms/{}/members/", python.id);
    assert_eq!(ada.post(&members, &[("kind", "closed")]).await.status, 303);
    release.send(()).unwrap();
    holding.await.unwrap().unwrap();
    let received = receive_until(&mut bens, "no such room").await;
    ada.post("/chat/python/", &[("message", "private")]).await;
    ada.post("/chat/hi/", &[("message", "for everyone")]).await;
    let received = received + &receive_until(&mut bens, "for everyone").await;
    assert!(
        !received.contains("said among members") && !received.contains("private"),
        "{received}"
    );
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_click_opens_the_room_with_that_id_whatever_its_name(database: TestDatabase) {
    let site = chat(&database).await;
    let (mut ada, ben) = (site.person("Ada").await, site.person("Ben").await);
    let python = open(&site, &mut ada, "python").await;
    assert_eq!(
        open(&site, &mut ada, " # #Python").await,
        python,
        "a leading # is not part of the name"
    );
    assert_eq!(ada.post("/chat/", &[("name", "#")]).await.status, 422);
    // Former versions could create a room with this name.
    let other = open(&site, &mut ada, "other").await.id;
    let rename = move |tx: Tx| async move {
        let sql =
            format!("UPDATE chat_rooms SET name = '#python', slug = '#python' WHERE id = {other}");
        Ok::<_, ChatError>(tx.execute_unprepared(&sql).await?)
    };
    site.state().db().write(rename).await.unwrap();
    let mut bens = window(&site, &ben, "/chat/python/").await;
    receive_until(&mut bens, "sidebar-rooms").await;
    let click = json!({
        "action": "Change group",
        "data": {"groupName": "#python", "isGroup": true, "room": other.to_string()},
    });
    bens.send_json(&click).await;
    receive_until(&mut bens, "data-bw-url=\"/chat/%23python/\"").await;
    bens.send_json(&change_group("#python", true)).await;
    receive_until(&mut bens, "data-bw-url=\"/chat/python/\"").await;
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_json_client_switches_rooms_as_in_the_book(database: TestDatabase) {
    let site = chat(&database).await;
    let (mut ada, ben) = (site.person("Ada").await, site.person("Ben").await);
    let (hi, python) = (open(&site, &mut ada, "hi").await, open(&site, &mut ada, "python").await);
    let mut bens = enter(&site, &ben, &hi, "").await;
    bens.send_json(&change_group("python", true)).await;
    let frames: Vec<Value> =
        vec![bens.receive_json().await, bens.receive_json().await, bens.receive_json().await];
    assert_eq!(
        (&frames[0]["selector"], &frames[0]["html"]),
        (&json!("#group-name"), &json!("#python"))
    );
    assert_eq!(frames[0]["url"], "/chat/python/");
    assert_eq!(
        (&frames[1]["selector"], &frames[1]["html"]),
        (&json!("#messages-list"), &json!(""))
    );
    assert_eq!(
        (&frames[2]["selector"], &frames[2]["html"]),
        (&json!("#logged-user"), &json!("Ben"))
    );
    ada.post(&python.path(), &[("message", "hello")]).await;
    let frame: Value = bens.receive_json().await;
    assert_eq!(frame["seq"], 1);
    bens.send_json(&change_group("Ada", false)).await;
    let frame: Value = bens.receive_json().await;
    assert_eq!((&frame["selector"], &frame["html"]), (&json!("#group-name"), &json!("Ada")));
    bens.send_json(&new_message("only for Ada", "d-1")).await;
    let mut frame = Value::Null;
    while frame["append"] != json!(true) || !frame["html"].to_string().contains("only for Ada") {
        frame = bens.receive_json().await;
    }
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn presence_reaches_those_in_the_room_and_three_windows_are_one_person(
    database: TestDatabase,
) {
    let site = chat(&database).await;
    let (mut ada, ben) = (site.person("Ada").await, site.person("Ben").await);
    let room = open(&site, &mut ada, "hi").await;
    let mut adas = window(&site, &ada, "/chat/hi/").await;
    receive_until(&mut adas, "chat:notice").await;
    let mut windows = Vec::new();
    for _ in 0..3 {
        windows.push(window(&site, &ben, "/chat/hi/").await);
    }
    let received = receive_until(&mut adas, "chat:notice").await;
    // Ada's own arrival may have been published before, with a count of 1. Ben's is published with
    // a count of 2, and never with more.
    let counts: Vec<_> =
        received.split(&format!("innerHTML:#online--{}\">", room.id)).skip(1).collect();
    let count = counts.last().expect("the number of people in the room").split('<').next();
    assert_eq!(count, Some("2"), "{received}");
    let id = site.user(&ben).await.id;
    let notice = |joined: bool| json!({"person": id, "name": "Ben", "joined": joined});
    assert_eq!(events(&received, "chat:notice"), [notice(true)]);
    windows.pop().unwrap().cut().await;
    windows.pop().unwrap().cut().await;
    let layer = site.state().bellwire().layer();
    assert_eq!(layer.presence().count(room.group()), 2, "one window is enough to be present");
    windows.pop().unwrap().cut().await;
    let received = receive_until(&mut adas, "chat:notice").await;
    assert_eq!(events(&received, "chat:notice"), [notice(false)]);
    assert_eq!(layer.presence().count(room.group()), 1);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn typing_is_shown_in_the_room_also_to_who_comes_later_and_ends_with_the_message(
    database: TestDatabase,
) {
    let site = chat(&database).await;
    let (mut ada, ben, cy) =
        (site.person("<b>Ada").await, site.person("Ben").await, site.person("Cy").await);
    let room = open(&site, &mut ada, "hi").await;
    open(&site, &mut ada, "python").await;
    let mut adas = window(&site, &ada, "/chat/hi/").await;
    let mut bens = window(&site, &ben, "/chat/hi/").await;
    let mut cys = window(&site, &cy, "/chat/python/").await;
    receive_until(&mut cys, "sidebar-rooms").await;
    let ada_id = site.user(&ada).await.id;
    let (group, key) = (room.ephemeral(), format!("user-{ada_id}"));
    let shown = format!(
        "<span id=\"state--{}--{key}\"><span data-person=\"{ada_id}\">&lt;b&gt;Ada</span></span>",
        group.name()
    );
    let page = ada.get("/chat/hi/").await.text;
    assert!(page.contains(&format!("data-bw-state=\"{}\"", group.name())), "{page}");
    for _ in 0..2 {
        adas.send_json(&json!({"action": "Typing", "data": {}})).await;
    }
    let received = receive_until(&mut bens, &shown).await;
    let mut late = window(&site, &ben, "/chat/hi/").await;
    receive_until(&mut late, &shown).await;
    adas.send_json(&new_message("done", "c-1")).await;
    let received = received + &receive_until(&mut bens, "delete:[id").await;
    assert_eq!(received.matches(&shown).count(), 1, "a repeat only prolongs it: {received}");
    assert!(received.find("done") < received.find("delete:[id"), "{received}");
    // Frames arrive in order: after a later message, the notice would have arrived.
    assert!(!receive_until(&mut cys, "chat:newest").await.contains("state--"));
    site.stop().await;
}
