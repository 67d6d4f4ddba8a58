//! Nothing is lost: the database is the truth, and every page comes to equal a fresh one.

use bellwire::{Close, Patch};
use bellwire_chat::models::message;
use bellwire_site::Tx;
use bellwire_testkit::{TestDatabase, TestSite, apply, on_databases};
use sea_orm::ActiveValue::Set;
use sea_orm::IntoActiveModel;
use sea_orm::entity::prelude::*;
use serde_json::Value;

use crate::support::{chat, enter, open, page_words, say, words};

#[apply(on_databases)]
#[tokio::test]
async fn who_was_away_gets_exactly_what_was_missed(database: TestDatabase) {
    let site = chat(&database).await;
    let mut ada = site.person("Ada").await;
    let room = open(&site, &mut ada, "hi").await;
    for text in ["1", "2", "3", "4", "5"] {
        ada.post(&room.path(), &[("message", text)]).await;
    }
    // Edited and deleted while away.
    change(&site, &room, 1, |row| row.text = Set("1, edited".into())).await;
    change(&site, &room, 2, |row| row.deleted_at = Set(Some(chrono::Utc::now()))).await;
    change(&site, &room, 5, |row| row.deleted_at = Set(Some(chrono::Utc::now()))).await;

    let query = format!("since=chat.room.{}:3", room.id);
    let mut socket = enter(&site, &ada, &room, &query).await;
    let frames = [
        socket.receive_json::<Value>().await,
        socket.receive_json().await,
        socket.receive_json().await,
    ];
    let told = |frame: &Value| (frame["how"].clone(), words(frame["html"].as_str().unwrap()));
    assert_eq!(told(&frames[0]), ("replace".into(), vec!["1, edited".to_owned()]));
    assert_eq!(told(&frames[1]), ("remove".into(), vec![]));
    assert_eq!(told(&frames[2]), (Value::Null, vec!["4".to_owned()]));
    assert_eq!(frames[2]["seq"], 8, "the number that the last of them reaches");
    socket.receive_nothing().await;
    assert_eq!(page_words(&mut ada, &room).await, ["1, edited", "3", "4"]);
    site.stop().await;
}

/// Changes the message at this place and renews its number, as an edit or a deletion does.
async fn change(
    site: &TestSite,
    room: &bellwire_chat::models::Room,
    place: i64,
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
            let seq = bellwire_chat::models::Room::current_seq(&tx, room).await?;
            let found = message::Entity::find().filter(message::Column::RoomId.eq(room));
            let found = found.filter(message::Column::Seq.eq(place)).one(&tx).await?;
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
async fn a_page_that_is_up_to_date_hears_nothing_and_one_without_a_number_gets_its_list(
    database: TestDatabase,
) {
    let site = chat(&database).await;
    let mut ada = site.person("Ada").await;
    let room = open(&site, &mut ada, "hi").await;
    enter(&site, &ada, &room, "").await.receive_nothing().await;
    ada.post(&room.path(), &[("message", "1")]).await;
    enter(&site, &ada, &room, &format!("since=chat.room.{}:1", room.id))
        .await
        .receive_nothing()
        .await;
    // No number, one from the future (a database restored from yesterday's), and none that can be
    // read.
    for query in ["", &format!("since=chat.room.{}:99", room.id), "since=chat.room:x"] {
        let mut socket = enter(&site, &ada, &room, query).await;
        let frame: Value = socket.receive_json().await;
        assert_eq!(
            (&frame["append"], &frame["how"], &frame["seq"]),
            (&Value::Null, &Value::Null, &1.into())
        );
        assert_eq!(words(frame["html"].as_str().unwrap()), ["1"]);
        socket.receive_nothing().await;
    }
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn who_missed_too_much_gets_the_list_anew(database: TestDatabase) {
    let site = chat(&database).await;
    let mut ada = site.person("Ada").await;
    let room = open(&site, &mut ada, "hi").await;
    let user = site.user(&ada).await;
    for i in 1..=501 {
        let asked = bellwire_chat::actions::Asked { message: i.to_string(), ..Default::default() };
        bellwire_chat::actions::new_message(site.state(), &room, &user, asked).await.unwrap();
    }
    let mut socket = enter(&site, &ada, &room, &format!("since=chat.room.{}:0", room.id)).await;
    let frame: Value = socket.receive_json().await;
    assert_eq!(
        words(frame["html"].as_str().unwrap()),
        (452..=501).map(|i| i.to_string()).collect::<Vec<_>>()
    );
    assert_eq!(frame["seq"], 501);
    socket.receive_nothing().await;
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn who_missed_too_many_bytes_gets_the_list_anew_and_with_a_few_less_what_was_missed(
    database: TestDatabase,
) {
    let site = chat(&database).await;
    let mut ada = site.person("Ada").await;
    let room = open(&site, &mut ada, "hi").await;
    let user = site.user(&ada).await;
    let first_missed = async || -> Value {
        let mut socket = enter(&site, &ada, &room, &format!("since=chat.room.{}:0", room.id)).await;
        socket.receive_json().await
    };
    // 32 of the longest fit into 256 KiB, and with the 33rd they are fewer than 500 and too long.
    for _ in 0..32 {
        let asked =
            bellwire_chat::actions::Asked { message: "x".repeat(8_000), ..Default::default() };
        bellwire_chat::actions::new_message(site.state(), &room, &user, asked).await.unwrap();
    }
    let frame = first_missed().await;
    assert_eq!(
        (&frame["append"], words(frame["html"].as_str().unwrap()).len()),
        (&Value::Bool(true), 1)
    );
    let asked = bellwire_chat::actions::Asked { message: "y".repeat(8_000), ..Default::default() };
    bellwire_chat::actions::new_message(site.state(), &room, &user, asked).await.unwrap();
    let frame = first_missed().await;
    assert_eq!(
        (&frame["append"], words(frame["html"].as_str().unwrap()).len()),
        (&Value::Null, 33)
    );
    assert_eq!(frame["seq"], 33);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_lost_hint_costs_a_moment_and_not_a_message(database: TestDatabase) {
    let site = chat(&database).await;
    let mut ada = site.person("Ada").await;
    let room = open(&site, &mut ada, "hi").await;
    let mut socket = enter(&site, &ada, &room, "").await;
    // Written, but nobody was told: as when the way between two processes breaks.
    let silent = bellwire_chat::models::message::NewMessage {
        room_id: room.id,
        author_id: site.user(&ada).await.id,
        author: "Ada".into(),
        text: bellwire_chat::MessageText::parse("unheard").unwrap(),
        client_id: None,
        mentions: vec![],
        at: chrono::Utc::now(),
    };
    let written = site
        .state()
        .db()
        .write(async move |tx: Tx| bellwire_chat::models::Message::write(&tx, silent).await)
        .await;
    written.unwrap();
    socket.receive_nothing().await;
    ada.post(&room.path(), &[("message", "heard")]).await;
    for expected in ["unheard", "heard"] {
        let frame: Value = socket.receive_json().await;
        assert_eq!(words(frame["html"].as_str().unwrap()), [expected]);
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
    let truth = page_words(&mut ada, &room).await;
    assert_eq!(truth.len(), 48);
    for reader in &mut readers {
        let mut heard = Vec::new();
        for _ in 0..48 {
            heard.extend(words(reader.receive_json::<Value>().await["html"].as_str().unwrap()));
        }
        assert_eq!(heard, truth);
        reader.receive_nothing().await;
    }
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_restart(database: TestDatabase) {
    let mut site = chat(&database).await;
    let mut ada = site.person("Ada").await;
    let room = open(&site, &mut ada, "hi").await;
    let mut socket = enter(&site, &ada, &room, "").await;
    socket.send_json(&say("before", "c-1")).await;
    socket.receive_text().await;
    site = site.restart(vec![bellwire_chat::app()]).await;
    assert_eq!(socket.closed().await.code(), Close::RESTART);
    assert_eq!(page_words(&mut ada, &room).await, ["before"], "and Ada is still signed in");
    let mut socket = enter(&site, &ada, &room, &format!("since=chat.room.{}:0", room.id)).await;
    assert_eq!(words(socket.receive_json::<Value>().await["html"].as_str().unwrap()), ["before"]);
    socket.send_json(&say("before", "c-1")).await;
    socket.receive_text().await;
    assert_eq!(
        page_words(&mut ada, &room).await,
        ["before"],
        "a retry across the restart is the same message"
    );
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_patch_of_one_room_says_nothing_to_another(database: TestDatabase) {
    let site = chat(&database).await;
    let mut ada = site.person("Ada").await;
    let (hi, other) = (open(&site, &mut ada, "hi").await, open(&site, &mut ada, "other").await);
    let mut socket = enter(&site, &ada, &other, "").await;
    hi.feed(site.state().bellwire().layer()).patch(Patch::remove("#x"));
    socket.receive_nothing().await;
    site.stop().await;
}
