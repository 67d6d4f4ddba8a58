//! One socket that moves between rooms, and who is here.

use std::time::Duration;

use bellwire_chat::ChatError;
use bellwire_site::Tx;
use bellwire_testkit::{PATIENCE, TestDatabase, apply, on_databases, on_postgres};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::support::{chat, enter, hear, open, say, window};

fn go(name: &str, is_group: bool) -> Value {
    json!({"action": "Change group", "data": {"groupName": name, "isGroup": is_group}})
}

#[apply(on_databases)]
#[tokio::test]
async fn a_window_moves_to_another_room_and_hears_only_that_one(database: TestDatabase) {
    let site = chat(&database).await;
    let (mut ada, mut ben) = (site.person("Ada").await, site.person("Ben").await);
    let (hi, python) = (open(&site, &mut ada, "hi").await, open(&site, &mut ada, "python").await);
    ada.post("/chat/python/", &[("message", "before you came")]).await;
    let mut bens = window(&site, &ben, "/chat/hi/").await;
    hear(&mut bens, "sidebar-rooms").await;
    bens.send_json(&go("python", true)).await;
    let panel = hear(&mut bens, "before you came").await;
    assert!(
        panel.contains("innerHTML:#room") && panel.contains("data-bw-url=\"/chat/python/\""),
        "{panel}"
    );
    assert!(
        panel.contains(&format!("data-feed=\"chat.room.{}\" data-seq=\"1\"", python.id)),
        "{panel}"
    );
    ada.post("/chat/hi/", &[("message", "in the room that was left")]).await;
    ada.post("/chat/python/", &[("message", "next")]).await;
    let heard = hear(&mut bens, "next").await;
    assert!(!heard.contains("that was left"), "{heard}");
    // What was typed in the room that was left goes there, whenever it is sent.
    let late = json!({"action": "New message", "data": {"message": "overtaken", "client_id": "l-1", "room": hi.id.to_string()}});
    bens.send_json(&late).await;
    assert!(hear(&mut bens, "data-client-id=\"l-1\"").await.contains("#alerts"));
    assert!(ben.get("/chat/hi/").await.text.contains("overtaken"));
    assert!(!ben.get("/chat/python/").await.text.contains("overtaken"));
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn who_cannot_move_stays_where_they_are(database: TestDatabase) {
    let site = chat(&database).await;
    let (mut ada, ben) = (site.person("Ada").await, site.person("Ben").await);
    let (_, python) = (open(&site, &mut ada, "hi").await, open(&site, &mut ada, "python").await);
    let mut bens = window(&site, &ben, "/chat/hi/").await;
    hear(&mut bens, "sidebar-rooms").await;
    let run = async |sql: &'static str| {
        let ran = site
            .state()
            .db()
            .write(async move |tx: Tx| Ok::<_, ChatError>(tx.execute_unprepared(sql).await?));
        ran.await.unwrap();
    };
    run("ALTER TABLE chat_memberships RENAME TO chat_memberships_away").await;
    bens.send_json(&go("python", true)).await;
    hear(&mut bens, "data-error").await;
    run("ALTER TABLE chat_memberships_away RENAME TO chat_memberships").await;
    ada.post("/chat/python/", &[("message", "where Ben is not")]).await;
    ada.post("/chat/hi/", &[("message", "where Ben is")]).await;
    let heard = hear(&mut bens, "where Ben is<").await;
    assert!(!heard.contains("where Ben is not"), "{heard}");
    let layer = site.state().bellwire().layer();
    assert_eq!(layer.presence().count(python.feed(layer).name()), 0);
    site.stop().await;
}

/// How many wait for a table of this name.
async fn waiting(db: &impl ConnectionTrait, table: &str) -> i64 {
    let sql = format!(
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = '{table}'::regclass"
    );
    let row =
        db.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

// On PostgreSQL alone: there a table can be held, so that the room is closed at the one moment that
// counts.
#[apply(on_postgres)]
#[tokio::test]
async fn a_room_that_is_closed_while_a_stranger_moves_into_it_does_not_let_them_in(
    database: TestDatabase,
) {
    let site = chat(&database).await;
    let db = site.state().db().clone();
    let (mut ada, ben) = (site.person("Ada").await, site.person("Ben").await);
    open(&site, &mut ada, "hi").await;
    let python = open(&site, &mut ada, "python").await;
    ada.post("/chat/python/", &[("message", "said among members")]).await;
    let mut bens = window(&site, &ben, "/chat/hi/").await;
    hear(&mut bens, "sidebar-rooms").await;
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
    bens.send_json(&go("python", true)).await;
    let waits = async {
        while waiting(db.read(), "chat_messages").await == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waits).await.expect("Ben's window reads the messages");
    let members = format!("/chat/-/rooms/{}/members/", python.id);
    assert_eq!(ada.post(&members, &[("kind", "closed")]).await.status, 303);
    release.send(()).unwrap();
    holding.await.unwrap().unwrap();
    let heard = hear(&mut bens, "no such room").await;
    ada.post("/chat/python/", &[("message", "private")]).await;
    ada.post("/chat/hi/", &[("message", "for everyone")]).await;
    let heard = heard + &hear(&mut bens, "for everyone").await;
    assert!(!heard.contains("said among members") && !heard.contains("private"), "{heard}");
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_click_leads_to_the_very_room_whatever_it_is_called(database: TestDatabase) {
    let site = chat(&database).await;
    let (mut ada, ben) = (site.person("Ada").await, site.person("Ben").await);
    let python = open(&site, &mut ada, "python").await;
    assert_eq!(
        open(&site, &mut ada, " # #Python").await,
        python,
        "the mark of a room is not its name"
    );
    assert_eq!(ada.post("/chat/", &[("name", "#")]).await.status, 422);
    // As it could be made once.
    let other = open(&site, &mut ada, "other").await.id;
    let named = move |tx: Tx| async move {
        let sql =
            format!("UPDATE chat_rooms SET name = '#python', slug = '#python' WHERE id = {other}");
        Ok::<_, ChatError>(tx.execute_unprepared(&sql).await?)
    };
    site.state().db().write(named).await.unwrap();
    let mut bens = window(&site, &ben, "/chat/python/").await;
    hear(&mut bens, "sidebar-rooms").await;
    let click = json!({"action": "Change group", "data": {"groupName": "#python", "isGroup": true, "room": other.to_string()}});
    bens.send_json(&click).await;
    hear(&mut bens, "data-bw-url=\"/chat/%23python/\"").await;
    bens.send_json(&go("#python", true)).await;
    hear(&mut bens, "data-bw-url=\"/chat/python/\"").await;
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_json_client_moves_as_the_book_has_it(database: TestDatabase) {
    let site = chat(&database).await;
    let (mut ada, ben) = (site.person("Ada").await, site.person("Ben").await);
    let (hi, python) = (open(&site, &mut ada, "hi").await, open(&site, &mut ada, "python").await);
    let mut bens = enter(&site, &ben, &hi, "").await;
    bens.send_json(&go("python", true)).await;
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
    let said: Value = bens.receive_json().await;
    assert_eq!(said["seq"], 1);
    bens.send_json(&go("Ada", false)).await;
    let frame: Value = bens.receive_json().await;
    assert_eq!((&frame["selector"], &frame["html"]), (&json!("#group-name"), &json!("Ada")));
    bens.send_json(&say("only for Ada", "d-1")).await;
    let mut said = Value::Null;
    while said["append"] != json!(true) || !said["html"].to_string().contains("only for Ada") {
        said = bens.receive_json().await;
    }
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn who_is_here_is_told_to_those_present_and_three_windows_are_one_person(
    database: TestDatabase,
) {
    let site = chat(&database).await;
    let (mut ada, ben) = (site.person("Ada").await, site.person("Ben").await);
    let room = open(&site, &mut ada, "hi").await;
    let mut adas = window(&site, &ada, "/chat/hi/").await;
    hear(&mut adas, "Ada</b> joined").await;
    let mut windows = Vec::new();
    for _ in 0..3 {
        windows.push(window(&site, &ben, "/chat/hi/").await);
    }
    let heard = hear(&mut adas, "Ben</b> joined").await;
    // Her own coming may have been told before, of one; of two it is told with Ben's, and never of
    // more.
    let counts: Vec<_> =
        heard.split(&format!("innerHTML:#online--{}\">", room.id)).skip(1).collect();
    let count = counts.last().expect("how many are in the room").split('<').next();
    assert_eq!(count, Some("2"), "{heard}");
    assert_eq!(heard.matches("</b> joined").count(), 1, "{heard}");
    windows.pop().unwrap().cut().await;
    windows.pop().unwrap().cut().await;
    let layer = site.state().bellwire().layer();
    assert_eq!(
        layer.presence().count(room.feed(layer).name()),
        2,
        "one window is enough to be here"
    );
    windows.pop().unwrap().cut().await;
    hear(&mut adas, "Ben</b> left").await;
    assert_eq!(layer.presence().count(room.feed(layer).name()), 1);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn typing_is_told_to_the_others_in_the_room_and_to_nobody_else(database: TestDatabase) {
    let site = chat(&database).await;
    let (mut ada, ben, cy) =
        (site.person("Ada").await, site.person("Ben").await, site.person("Cy").await);
    open(&site, &mut ada, "hi").await;
    open(&site, &mut ada, "python").await;
    let mut adas = window(&site, &ada, "/chat/hi/").await;
    let mut bens = window(&site, &ben, "/chat/hi/").await;
    let mut cys = window(&site, &cy, "/chat/python/").await;
    hear(&mut cys, "sidebar-rooms").await;
    adas.send_json(&json!({"action": "Typing", "data": {}})).await;
    hear(&mut bens, "typing--").await;
    // What is sent afterwards has arrived, so what was sent before would have.
    ada.post("/chat/hi/", &[("message", "done")]).await;
    assert!(!hear(&mut cys, "newest--").await.contains("typing--"));
    assert!(!hear(&mut adas, "done").await.contains("typing--"), "never oneself");
    site.stop().await;
}
