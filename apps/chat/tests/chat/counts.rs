//! What the list of rooms counts is the same live as on a fresh page, and costs the same however
//! many rooms there are.

use bellwire_testkit::{Client, Log, TestDatabase, TestSite, apply, on_databases, on_postgres};
use serde_json::json;

use crate::support::{attribute, chat, hear, open, window};

/// What a fresh page counts in this room: what is unread, and how often I am named in it.
async fn fresh(person: &mut Client, room: i64) -> (String, String) {
    let page = person.get("/chat/").await.text;
    let link = page.split_once(&format!("id=\"room-link--{room}\"")).expect("the room's link").1;
    (attribute(link, "data-unread"), attribute(link, "data-mentions"))
}

/// The counts of the last thing that was heard of this room.
fn live(heard: &str, room: i64) -> (String, String) {
    let mark = heard.rsplit_once(&format!("id=\"newest--{room}\"")).expect("news of the room").1;
    (attribute(mark, "data-unread"), attribute(mark, "data-mentions"))
}

fn counts(unread: u32, mentions: u32) -> (String, String) {
    (unread.to_string(), mentions.to_string())
}

#[apply(on_databases)]
#[tokio::test]
async fn a_message_to_me_that_is_taken_back_unread_is_not_counted_any_more(database: TestDatabase) {
    let site = chat(&database).await;
    let (mut ada, mut ben) = (site.person("Ada").await, site.person("Ben").await);
    let ben_id = site.user(&ben).await.id;
    let path = ada.post(&format!("/chat/-/people/{ben_id}/"), &[]).await.location().to_owned();
    let ada_id = site.user(&ada).await.id;
    let db = site.state().db().read();
    let room = bellwire_chat::models::Room::of_two(db, ada_id, ben_id).await.unwrap().unwrap().id;
    let mut bens = window(&site, &ben, "/chat/").await;
    hear(&mut bens, "sidebar-rooms").await;
    for text in ["first", "second"] {
        ada.post(&path, &[("message", text)]).await;
    }
    assert_eq!(fresh(&mut ben, room).await, counts(2, 0));
    ada.post("/chat/-/messages/1/delete/", &[]).await;
    assert_eq!(live(&hear(&mut bens, "data-unread=\"1\"").await, room), counts(1, 0));
    ada.post("/chat/-/messages/2/delete/", &[]).await;
    assert_eq!(
        live(&hear(&mut bens, "data-unread=\"0\"").await, room),
        fresh(&mut ben, room).await
    );
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn who_is_named_by_an_edit_or_not_any_more_counts_as_a_fresh_page_does(
    database: TestDatabase,
) {
    let site = chat(&database).await;
    let (mut ada, mut ben) = (site.person("Ada").await, site.person("Ben").await);
    let room = open(&site, &mut ada, "hi").await.id;
    let (mut bens, mut adas) =
        (window(&site, &ben, "/chat/").await, window(&site, &ada, "/chat/").await);
    hear(&mut bens, "sidebar-rooms").await;
    hear(&mut adas, "sidebar-rooms").await;
    ada.post("/chat/hi/", &[("message", "for nobody")]).await;
    for (text, mentions) in [("for @Ben", 1), ("for @Ben, and again @Ben", 1), ("for nobody", 0)] {
        ada.post("/chat/-/messages/1/", &[("message", text)]).await;
        if text.contains("again") {
            continue; // he was named before, and is
        }
        let heard = hear(&mut bens, &format!("data-mentions=\"{mentions}\"")).await;
        assert_eq!(live(&heard, room), fresh(&mut ben, room).await, "{text}");
    }
    ada.post("/chat/-/messages/1/", &[("message", "for @Ben once more")]).await;
    hear(&mut bens, "data-mentions=\"1\"").await;
    ada.post("/chat/-/messages/1/delete/", &[]).await;
    let heard = hear(&mut bens, "data-mentions=\"0\"").await;
    assert_eq!(live(&heard, room), fresh(&mut ben, room).await);
    // What Ben is told of his own counts is told to nobody else.
    ada.post("/chat/hi/", &[("message", "the end")]).await;
    ben.post("/chat/hi/", &[("message", "heard by all")]).await;
    assert!(!hear(&mut adas, "newest--").await.contains("data-mentions=\"1\" hidden"));
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn what_is_unread_is_counted_to_a_hundred_and_said_with_a_way_to_the_first(
    database: TestDatabase,
) {
    let site = chat(&database).await;
    let (mut ada, mut ben) = (site.person("Ada").await, site.person("Ben").await);
    let room = open(&site, &mut ada, "hi").await.id;
    ada.post("/chat/hi/", &[("message", "read by Ben")]).await;
    let mut bens = window(&site, &ben, "/chat/hi/").await;
    bens.send_json(&json!({"action": "Read", "data": {"room": room, "seq": 1}})).await;
    hear(&mut bens, "read--").await;
    for (said, words) in [(49, None), (20, Some("69 unread")), (60, Some("99+ unread"))] {
        for n in 0..said {
            ada.post("/chat/hi/", &[("message", &format!("{n} @Ben"))]).await;
        }
        let page = ben.get("/chat/hi/").await.text;
        assert_eq!(attribute(&page, "data-first-unread"), "2");
        assert_eq!(page.contains("/chat/hi/?at=2&amp;unread=1"), words.is_some(), "{said} more");
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

/// How many statements of the chat a fresh list costs this person.
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

// One thread, so that the log of this thread is the log of everything; PostgreSQL's, since SQLite's
// driver has a thread of its own.
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
    assert!(three > 0, "the log shows what was asked");
    assert_eq!(thirty, three);
    let mut bens = window(&site, &ben, "/chat/").await;
    let heard = hear(&mut bens, "sidebar-rooms").await;
    assert_eq!(heard.matches("data-mentions=\"1\"").count(), 30);
    bens.send_json(&json!({"action": "Read", "data": {"room": 1, "seq": 1}})).await;
    hear(&mut bens, "read--").await;
    site.stop().await;
}
