//! Unread counts: equal live and on a fresh page, by a constant number of queries.

use bellwire::testing::Communicator;
use bellwire_chat::models::Room;
use bellwire_testkit::{Client, Log, TestDatabase, TestSite, apply, on_databases, on_postgres};
use serde_json::json;

use crate::support::{attribute, chat, events, open, receive_until, window};

/// Returns the counts of unread messages and mentions of this room on a fresh page.
async fn fresh(person: &mut Client, room: i64) -> (String, String) {
    let page = person.get("/chat/").await.text;
    let link = page.split_once(&format!("id=\"room-link--{room}\"")).expect("the room's link").1;
    (attribute(link, "data-unread"), attribute(link, "data-mentions"))
}

/// Receives counts of this room until one of them has this value, and returns them.
async fn live(window: &mut Communicator, room: i64, name: &str, value: u32) -> (String, String) {
    let last = format!("&quot;{name}&quot;:{value}");
    let received = receive_until(window, &last).await;
    let counted = events(&received, "chat:counted").pop().expect("counts");
    assert_eq!(counted["room"], room);
    (counted["unread"].to_string(), counted["mentions"].to_string())
}

fn counts(unread: u32, mentions: u32) -> (String, String) {
    (unread.to_string(), mentions.to_string())
}

#[apply(on_databases)]
#[tokio::test]
async fn a_direct_message_that_is_deleted_unread_is_no_longer_counted(database: TestDatabase) {
    let site = chat(&database).await;
    let (mut ada, mut ben) = (site.person("Ada").await, site.person("Ben").await);
    let ben_id = site.user(&ben).await.id;
    let path = ada.post(&format!("/chat/-/people/{ben_id}/"), &[]).await.location().to_owned();
    let ada_id = site.user(&ada).await.id;
    let db = site.state().db().read();
    let room = Room::find_direct(db, ada_id, ben_id).await.unwrap().unwrap().id;
    let mut bens = window(&site, &ben, "/chat/").await;
    receive_until(&mut bens, "sidebar-rooms").await;
    for text in ["first", "second"] {
        ada.post(&path, &[("message", text)]).await;
    }
    assert_eq!(fresh(&mut ben, room).await, counts(2, 0));
    ada.post("/chat/-/messages/1/delete/", &[]).await;
    assert_eq!(live(&mut bens, room, "unread", 1).await, counts(1, 0));
    ada.post("/chat/-/messages/2/delete/", &[]).await;
    assert_eq!(live(&mut bens, room, "unread", 0).await, fresh(&mut ben, room).await);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn edited_mentions_have_the_same_counts_live_and_on_a_fresh_page(database: TestDatabase) {
    let site = chat(&database).await;
    let (mut ada, mut ben) = (site.person("Ada").await, site.person("Ben").await);
    let room = open(&site, &mut ada, "hi").await.id;
    let (mut bens, mut adas) =
        (window(&site, &ben, "/chat/").await, window(&site, &ada, "/chat/").await);
    receive_until(&mut bens, "sidebar-rooms").await;
    receive_until(&mut adas, "sidebar-rooms").await;
    ada.post("/chat/hi/", &[("message", "for nobody")]).await;
    for (text, mentions) in [("for @Ben", 1), ("for @Ben, and again @Ben", 1), ("for nobody", 0)] {
        ada.post("/chat/-/messages/1/", &[("message", text)]).await;
        if text.contains("again") {
            continue; // he was already mentioned before
        }
        let counts = live(&mut bens, room, "mentions", mentions).await;
        assert_eq!(counts, fresh(&mut ben, room).await, "{text}");
    }
    ada.post("/chat/-/messages/1/", &[("message", "for @Ben once more")]).await;
    live(&mut bens, room, "mentions", 1).await;
    ada.post("/chat/-/messages/1/delete/", &[]).await;
    assert_eq!(live(&mut bens, room, "mentions", 0).await, fresh(&mut ben, room).await);
    // Ben's own counts are published to nobody else.
    ada.post("/chat/hi/", &[("message", "the end")]).await;
    ben.post("/chat/hi/", &[("message", "heard by all")]).await;
    assert!(!receive_until(&mut adas, "chat:newest").await.contains("chat:counted"));
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn unread_messages_are_counted_up_to_100_and_link_to_the_first(database: TestDatabase) {
    let site = chat(&database).await;
    let (mut ada, mut ben) = (site.person("Ada").await, site.person("Ben").await);
    let room = open(&site, &mut ada, "hi").await.id;
    ada.post("/chat/hi/", &[("message", "read by Ben")]).await;
    let mut bens = window(&site, &ben, "/chat/hi/").await;
    bens.send_json(&json!({"action": "Read", "data": {"room": room, "seq": 1}})).await;
    receive_until(&mut bens, "chat:read").await;
    for (count, words) in [(49, None), (20, Some("69 unread")), (60, Some("99+ unread"))] {
        for n in 0..count {
            ada.post("/chat/hi/", &[("message", &format!("{n} @Ben"))]).await;
        }
        let page = ben.get("/chat/hi/").await.text;
        assert_eq!(attribute(&page, "data-first-unread"), "2");
        assert_eq!(page.contains("/chat/hi/?at=2&amp;unread=1"), words.is_some(), "{count} more");
        assert!(words.is_none_or(|words| page.contains(words)), "{words:?}");
    }
    assert_eq!(fresh(&mut ben, room).await, counts(100, 100));
    let there = ben.get("/chat/hi/?at=2&unread=1").await.text;
    assert_eq!(
        (attribute(&there, "data-first-unread"), attribute(&there, "data-last-read")),
        ("2".into(), "1".into())
    );
    site.stop().await;
}

/// Returns the number of the chat's statements for a fresh list of this user.
async fn cost(person: &mut Client) -> usize {
    let statements = Log::listen("sqlx=debug");
    person.get("/chat/").await;
    statements
        .text()
        .lines()
        .filter(|line| line.contains("chat_") && line.contains("SELECT"))
        .count()
}

async fn open_and_unread(site: &TestSite, ada: &mut Client, from: usize, to: usize) {
    for n in from..to {
        let room = open(site, ada, &format!("room {n}")).await;
        ada.post(&room.path(), &[("message", "for @Ben")]).await;
    }
}

// One thread, because the log captures only this thread. Only on PostgreSQL, because SQLite's
// driver has its own thread.
#[apply(on_postgres)]
#[tokio::test(flavor = "current_thread")]
async fn a_list_of_thirty_rooms_with_something_unread_costs_as_many_queries_as_a_list_of_three(
    database: TestDatabase,
) {
    let site = chat(&database).await;
    let (mut ada, mut ben) = (site.person("Ada").await, site.person("Ben").await);
    open_and_unread(&site, &mut ada, 0, 3).await;
    let three = cost(&mut ben).await;
    open_and_unread(&site, &mut ada, 3, 30).await;
    let thirty = cost(&mut ben).await;
    assert!(three > 0, "the log contains the statements");
    assert_eq!(thirty, three);
    let mut bens = window(&site, &ben, "/chat/").await;
    let received = receive_until(&mut bens, "sidebar-rooms").await;
    assert_eq!(received.matches("data-mentions=\"1\"").count(), 30);
    bens.send_json(&json!({"action": "Read", "data": {"room": 1, "seq": 1}})).await;
    receive_until(&mut bens, "chat:read").await;
    site.stop().await;
}
