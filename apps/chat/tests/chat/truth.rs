//! Delivery without loss: every page converges to the state of the database.

use bellwire::{Close, Patch};
use bellwire_chat::actions::NewMessageData;
use bellwire_chat::models::{Message, Room, message};
use bellwire_site::Tx;
use bellwire_testkit::{TestDatabase, TestSite, apply, on_databases};
use sea_orm::ActiveValue::Set;
use sea_orm::IntoActiveModel;
use sea_orm::entity::prelude::*;
use serde_json::Value;

use crate::support::{
    chat, enter, message_texts, new_message, open, page_texts, receive_answer, since,
};

#[apply(on_databases)]
#[tokio::test]
async fn a_page_that_reconnects_receives_exactly_what_it_missed(database: TestDatabase) {
    let site = chat(&database).await;
    let mut ada = site.person("Ada").await;
    let room = open(&site, &mut ada, "hi").await;
    for text in ["1", "2", "3", "4", "5"] {
        ada.post(&room.path(), &[("message", text)]).await;
    }
    // Edits and deletions while disconnected.
    change(&site, &room, 1, |row| row.text = Set("1, edited".into())).await;
    change(&site, &room, 2, |row| row.deleted_at = Set(Some(chrono::Utc::now()))).await;
    change(&site, &room, 5, |row| row.deleted_at = Set(Some(chrono::Utc::now()))).await;

    let mut socket = enter(&site, &ada, &room, &since(&site, &room, 3)).await;
    let frames = [
        socket.receive_json::<Value>().await,
        socket.receive_json().await,
        socket.receive_json().await,
    ];
    let change_of =
        |frame: &Value| (frame["how"].clone(), message_texts(frame["html"].as_str().unwrap()));
    assert_eq!(change_of(&frames[0]), ("replace".into(), vec!["1, edited".to_owned()]));
    assert_eq!(change_of(&frames[1]), ("remove".into(), vec![]));
    assert_eq!(change_of(&frames[2]), (Value::Null, vec!["4".to_owned()]));
    assert_eq!(frames[2]["seq"], 8, "the sequence number of the last change");
    socket.receive_nothing().await;
    assert_eq!(page_texts(&mut ada, &room).await, ["1, edited", "3", "4"]);
    site.stop().await;
}

/// Changes the message with this sequence number as the room's next change, like an edit or a
/// deletion.
async fn change(
    site: &TestSite,
    room: &Room,
    seq_of_message: i64,
    how: impl FnOnce(&mut message::ActiveModel) + Send + 'static,
) {
    let room = room.id;
    site.state()
        .db()
        .write(async move |tx: Tx| {
            tx.execute_unprepared(&format!(
                "UPDATE chat_rooms SET seq = seq + 1 WHERE id = {room}"
            ))
            .await?;
            let seq = Room::current_seq(&tx, room).await?;
            let found = message::Entity::find().filter(message::Column::RoomId.eq(room));
            let found = found.filter(message::Column::Seq.eq(seq_of_message)).one(&tx).await?;
            let mut row = found.expect("the message").into_active_model();
            how(&mut row);
            row.changed_seq = Set(seq);
            row.update(&tx).await?;
            Ok::<_, bellwire_chat::ChatError>(())
        })
        .await
        .unwrap();
}

#[apply(on_databases)]
#[tokio::test]
async fn a_current_page_receives_nothing_and_one_without_a_position_receives_the_list(
    database: TestDatabase,
) {
    let site = chat(&database).await;
    let mut ada = site.person("Ada").await;
    let room = open(&site, &mut ada, "hi").await;
    let feed = format!("since=chat.room.{}", room.id);
    let unknown = format!("{feed}:3f9c2b0a71.1");
    enter(&site, &ada, &room, "").await.receive_nothing().await;
    // The page shows messages of a history that was replaced by an empty room.
    let emptied: Value = enter(&site, &ada, &room, &unknown).await.receive_json().await;
    assert_eq!((&emptied["html"], &emptied["append"]), (&"".into(), &Value::Null));
    ada.post(&room.path(), &[("message", "1")]).await;
    enter(&site, &ada, &room, &since(&site, &room, 1)).await.receive_nothing().await;
    // No position; one from the future and one of an unknown epoch (a database restored from
    // yesterday's backup); and two that cannot be parsed.
    let future = since(&site, &room, 99);
    for query in ["", &future, &unknown, &format!("{feed}:1"), "since=chat.room:x"] {
        let mut socket = enter(&site, &ada, &room, query).await;
        let frame: Value = socket.receive_json().await;
        assert_eq!(
            (&frame["append"], &frame["how"], &frame["seq"]),
            (&Value::Null, &Value::Null, &1.into())
        );
        assert_eq!(message_texts(frame["html"].as_str().unwrap()), ["1"]);
        socket.receive_nothing().await;
    }
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_page_that_missed_too_many_changes_receives_the_whole_list(database: TestDatabase) {
    let site = chat(&database).await;
    let mut ada = site.person("Ada").await;
    let room = open(&site, &mut ada, "hi").await;
    let user = site.user(&ada).await;
    for i in 1..=501 {
        let data = NewMessageData { message: i.to_string(), ..Default::default() };
        bellwire_chat::actions::new_message(site.state(), room.id, &user, data).await.unwrap();
    }
    let mut socket = enter(&site, &ada, &room, &since(&site, &room, 0)).await;
    let frame: Value = socket.receive_json().await;
    assert_eq!(
        message_texts(frame["html"].as_str().unwrap()),
        (452..=501).map(|i| i.to_string()).collect::<Vec<_>>()
    );
    assert_eq!(frame["seq"], 501);
    socket.receive_nothing().await;
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_page_that_missed_too_many_bytes_receives_the_whole_list_and_otherwise_the_changes(
    database: TestDatabase,
) {
    let site = chat(&database).await;
    let mut ada = site.person("Ada").await;
    let room = open(&site, &mut ada, "hi").await;
    let user = site.user(&ada).await;
    let first_missed = async || -> Value {
        let mut socket = enter(&site, &ada, &room, &since(&site, &room, 0)).await;
        socket.receive_json().await
    };
    // 32 messages of the maximum length fit into 256 KiB; 33 do not, although they are fewer than
    // 500.
    for _ in 0..32 {
        let data = NewMessageData { message: "x".repeat(8_000), ..Default::default() };
        bellwire_chat::actions::new_message(site.state(), room.id, &user, data).await.unwrap();
    }
    let frame = first_missed().await;
    assert_eq!(
        (&frame["append"], message_texts(frame["html"].as_str().unwrap()).len()),
        (&Value::Bool(true), 1)
    );
    let data = NewMessageData { message: "y".repeat(8_000), ..Default::default() };
    bellwire_chat::actions::new_message(site.state(), room.id, &user, data).await.unwrap();
    let frame = first_missed().await;
    assert_eq!(
        (&frame["append"], message_texts(frame["html"].as_str().unwrap()).len()),
        (&Value::Null, 33)
    );
    assert_eq!(frame["seq"], 33);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_lost_notification_delays_a_message_but_does_not_lose_it(database: TestDatabase) {
    let site = chat(&database).await;
    let mut ada = site.person("Ada").await;
    let room = open(&site, &mut ada, "hi").await;
    let mut socket = enter(&site, &ada, &room, "").await;
    // Written without a notification, as when the connection between two processes breaks.
    let unpublished = bellwire_chat::models::message::NewMessage {
        room_id: room.id,
        author_id: site.user(&ada).await.id,
        author: "Ada".into(),
        text: bellwire_chat::MessageText::parse("unheard").unwrap(),
        client_id: None,
        mentions: vec![],
        at: chrono::Utc::now(),
    };
    let epochs = site.state().epochs().clone();
    let write = async move |tx: Tx| Message::write(&tx, &epochs, unpublished).await;
    site.state().db().write(write).await.unwrap();
    socket.receive_nothing().await;
    ada.post(&room.path(), &[("message", "heard")]).await;
    for expected in ["unheard", "heard"] {
        let frame: Value = socket.receive_json().await;
        assert_eq!(message_texts(frame["html"].as_str().unwrap()), [expected]);
    }
    socket.receive_nothing().await;
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn eight_writers_and_five_readers_end_with_the_same_order(database: TestDatabase) {
    let site = chat(&database).await;
    let mut ada = site.person("Ada").await;
    let room = open(&site, &mut ada, "hi").await;
    let mut readers = Vec::new();
    for _ in 0..5 {
        readers.push(enter(&site, &ada, &room, "").await);
    }
    let writers = (0..8).map(|writer| {
        let (mut person, path) = (ada.clone(), room.path());
        tokio::spawn(async move {
            for i in 0..6 {
                let fields = [
                    ("message", &*format!("{writer}-{i}")),
                    ("client_id", &*format!("c-{writer}-{i}")),
                ];
                assert_eq!(person.post(&path, &fields).await.status, 303);
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let truth = page_texts(&mut ada, &room).await;
    assert_eq!(truth.len(), 48);
    for reader in &mut readers {
        let mut received = Vec::new();
        for _ in 0..48 {
            received.extend(message_texts(
                reader.receive_json::<Value>().await["html"].as_str().unwrap(),
            ));
        }
        assert_eq!(received, truth);
        reader.receive_nothing().await;
    }
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn acknowledged_messages_survive_a_restart(database: TestDatabase) {
    let mut site = chat(&database).await;
    let mut ada = site.person("Ada").await;
    let room = open(&site, &mut ada, "hi").await;
    let mut socket = enter(&site, &ada, &room, "").await;
    let before = since(&site, &room, 0);
    socket.send_json(&new_message("before", "c-1")).await;
    socket.receive_text().await;
    receive_answer(&mut socket, "c-1").await;
    site = site.restart(vec![bellwire_chat::app()]).await;
    assert_eq!(socket.closed().await.code(), Close::RESTART);
    assert_eq!(page_texts(&mut ada, &room).await, ["before"], "and Ada is still signed in");
    let mut socket = enter(&site, &ada, &room, &before).await;
    assert_eq!(
        message_texts(socket.receive_json::<Value>().await["html"].as_str().unwrap()),
        ["before"]
    );
    socket.send_json(&new_message("before", "c-1")).await;
    receive_answer(&mut socket, "c-1").await;
    assert_eq!(
        page_texts(&mut ada, &room).await,
        ["before"],
        "a retry across the restart is the same message"
    );
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_patch_of_one_room_does_not_reach_another(database: TestDatabase) {
    let site = chat(&database).await;
    let mut ada = site.person("Ada").await;
    let (hi, other) = (open(&site, &mut ada, "hi").await, open(&site, &mut ada, "other").await);
    let mut socket = enter(&site, &ada, &other, "").await;
    site.state().bellwire().layer().group(hi.group()).patch(Patch::remove("#x"));
    socket.receive_nothing().await;
    site.stop().await;
}
