//! Editing, deleting, reading and finding messages.

use bellwire_testkit::{TestDatabase, apply, on_databases};
use serde_json::{Value, json};

use crate::support::{
    admin, attribute, chat, enter, event, events, message_texts, new_message, open, page_texts,
    receive_answer, receive_until, window,
};

#[apply(on_databases)]
#[tokio::test]
async fn everyone_sees_an_edit_and_only_the_author_can_edit(database: TestDatabase) {
    let site = chat(&database).await;
    let (mut ada, ben) = (site.person("Ada").await, site.person("Ben").await);
    let room = open(&site, &mut ada, "hi").await;
    let (mut adas, mut bens) =
        (enter(&site, &ada, &room, "").await, enter(&site, &ben, &room, "").await);
    adas.send_json(&new_message("frist", "c-1")).await;
    let sent: Value = bens.receive_json().await;
    let id =
        attribute(sent["html"].as_str().unwrap(), "id").trim_start_matches("message--").to_owned();
    let _: Value = adas.receive_json().await;
    receive_answer(&mut adas, "c-1").await;

    bens.send_json(&json!({"action": "Edit message", "data": {"id": id, "message": "mine"}})).await;
    let refused: Value = bens.receive_json().await;
    assert_eq!(refused["error"], "Only the owner can do that.");
    adas.send_json(&json!({"action": "Edit message", "data": {"id": id, "message": "   "}})).await;
    let refused: Value = adas.receive_json().await;
    assert_eq!(refused["field"], "message");

    adas.send_json(&json!({"action": "Edit message", "data": {"id": id, "message": "**first**"}}))
        .await;
    for socket in [&mut adas, &mut bens] {
        let edited: Value = socket.receive_json().await;
        assert_eq!((&edited["how"], &edited["seq"]), (&json!("replace"), &json!(2)));
        let html = edited["html"].as_str().unwrap();
        assert_eq!(message_texts(html), ["<strong>first</strong>"]);
        assert!(html.contains("message__edited") && attribute(html, "data-source") == "**first**");
    }
    // An edit to the same text changes nothing, and nobody is notified.
    adas.send_json(&json!({"action": "Edit message", "data": {"id": id, "message": "**first**"}}))
        .await;
    adas.receive_nothing().await;
    bens.receive_nothing().await;
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn everyone_sees_a_deletion_and_no_text_remains(database: TestDatabase) {
    let site = chat(&database).await;
    let (mut admin, mut ada, mut ben) =
        (admin(&site).await, site.person("Ada").await, site.person("Ben").await);
    let room = open(&site, &mut ada, "hi").await;
    let mut bens = enter(&site, &ben, &room, "").await;
    for text in ["one", "two"] {
        ada.post(&room.path(), &[("message", text)]).await;
        let _: Value = bens.receive_json().await;
    }
    assert_eq!(ben.post("/chat/-/messages/1/delete/", &[]).await.status, 403);
    assert_eq!(ada.post("/chat/-/messages/1/delete/", &[]).await.status, 303);
    assert_eq!(admin.post("/chat/-/messages/2/delete/", &[]).await.status, 303);
    for id in [1, 2] {
        let deleted: Value = bens.receive_json().await;
        assert_eq!(
            (&deleted["how"], &deleted["selector"]),
            (&json!("remove"), &json!(format!("#message--{id}")))
        );
    }
    assert!(page_texts(&mut ben, &room).await.is_empty());
    for path in ["/chat/-/messages/1/", "/chat/-/messages/1/?edit=1"] {
        assert_eq!(ada.get(path).await.status, 404, "{path}");
    }
    assert_eq!(ada.post("/chat/-/messages/1/", &[("message", "back")]).await.status, 404);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn without_javascript_a_message_is_edited_by_its_form(database: TestDatabase) {
    let site = chat(&database).await;
    let mut ada = site.person("Ada").await;
    let room = open(&site, &mut ada, "hi").await;
    ada.post(&room.path(), &[("message", "frist")]).await;
    let form = ada.get("/chat/-/messages/1/?edit=1").await;
    assert_eq!(form.status, 200);
    assert!(form.text.contains("frist</textarea>"), "{}", form.text);
    let refused = ada.post("/chat/-/messages/1/", &[("message", " ")]).await;
    assert_eq!(refused.status, 422);
    let saved = ada.post("/chat/-/messages/1/", &[("message", "first")]).await;
    assert_eq!((saved.status, saved.location()), (303, "/chat/hi/?at=1#message--1"));
    assert_eq!(page_texts(&mut ada, &room).await, ["first"]);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn reading_in_one_window_updates_the_others_and_new_messages_update_other_rooms(
    database: TestDatabase,
) {
    let site = chat(&database).await;
    let (mut ada, mut ben) = (site.person("Ada").await, site.person("Ben").await);
    let room = open(&site, &mut ada, "hi").await;
    open(&site, &mut ada, "python").await;
    let mut here = window(&site, &ben, "/chat/hi/").await;
    let mut there = window(&site, &ben, "/chat/python/").await;
    receive_until(&mut here, "sidebar-rooms").await;
    receive_until(&mut there, "sidebar-rooms").await;
    ben.post("/chat/hi/", &[("message", "I was here")]).await;
    here.send_json(&json!({"action": "Read", "data": {"room": room.id, "seq": 1}})).await;
    let read = |seq: i64| event("chat:read", &json!({"room": room.id, "seq": seq}));
    receive_until(&mut there, &read(1)).await;
    for n in 2..5 {
        ada.post("/chat/hi/", &[("message", &n.to_string())]).await;
    }
    let newest = json!({"room": room.id, "seq": 4, "author": site.user(&ada).await.id});
    let received = receive_until(&mut there, &event("chat:newest", &newest)).await;
    assert!(
        !received.contains("message__text"),
        "texts reach only windows of that room: {received}"
    );
    let list = ben.get("/chat/python/").await.text;
    assert!(list.contains("data-unread=\"3\""), "{list}");
    here.send_json(&json!({"action": "Read", "data": {"room": room.id, "seq": 999}})).await;
    receive_until(&mut there, &read(4)).await;
    assert!(!ben.get("/chat/python/").await.text.contains("data-unread=\"3\""));
    // Reading does not move the position back; marking as unread does.
    here.send_json(&json!({"action": "Read", "data": {"room": room.id, "seq": 1}})).await;
    here.send_json(&json!({"action": "Mark unread", "data": {"room": room.id, "seq": 3}})).await;
    receive_until(&mut there, &read(2)).await;
    assert!(ben.get("/chat/python/").await.text.contains("data-unread=\"2\""));
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_mentioned_user_is_alerted_in_any_room_and_nobody_else_is(database: TestDatabase) {
    let site = chat(&database).await;
    let (mut ada, ben, cy) =
        (site.person("Ada").await, site.person("Ben B").await, site.person("Cy").await);
    let room = open(&site, &mut ada, "hi").await;
    let (mut bens, mut cys) =
        (window(&site, &ben, "/chat/").await, window(&site, &cy, "/chat/").await);
    receive_until(&mut bens, "sidebar-rooms").await;
    receive_until(&mut cys, "sidebar-rooms").await;
    ada.post(&room.path(), &[("message", "hello @ben b, and `@Cy` too")]).await;
    let alerts = events(&receive_until(&mut bens, "chat:newest").await, "chat:alert");
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    assert_eq!((&alerts[0]["from"], &alerts[0]["place"]), (&json!("Ada"), &json!("hi")));
    assert!(!receive_until(&mut cys, "chat:newest").await.contains("chat:alert"));
    let page = ada.get(&room.path()).await.text;
    let ben_id = site.user(&ben).await.id;
    assert!(
        page.contains(&format!("<span class=\"mention\" data-user=\"{ben_id}\">@Ben B</span>")),
        "{page}"
    );
    assert!(page.contains(&format!("data-mentions=\"{ben_id}\"")));
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_room_is_read_backwards_page_by_page_and_around_any_message(database: TestDatabase) {
    let site = chat(&database).await;
    let mut ada = site.person("Ada").await;
    let room = open(&site, &mut ada, "hi").await;
    for n in 1..=120 {
        ada.post(&room.path(), &[("message", &n.to_string())]).await;
    }
    let page = ada.get("/chat/hi/").await.text;
    assert!(page.contains("?before=71") && page.contains("data-feed="), "the newest fifty, live");
    let older = ada.get("/chat/hi/?before=71").await.text;
    assert_eq!(message_texts(&older), (21..71).map(|n| n.to_string()).collect::<Vec<_>>());
    assert!(
        older.contains("?before=21") && !older.contains("data-feed="),
        "nothing live arrives in the middle"
    );
    let oldest = ada.get("/chat/hi/?before=21").await.text;
    assert!(message_texts(&oldest).len() == 20 && !oldest.contains("?before="));
    let around = ada.get("/chat/hi/?at=60").await.text;
    assert_eq!(message_texts(&around), (35..85).map(|n| n.to_string()).collect::<Vec<_>>());
    assert!(!around.contains("data-feed="));
    let near_the_end = ada.get("/chat/hi/?at=110").await.text;
    assert!(
        near_the_end.contains("data-feed=")
            && message_texts(&near_the_end).last().unwrap() == "120"
    );
    let link = ada.get("/chat/-/messages/60/").await;
    assert_eq!((link.status, link.location()), (303, "/chat/hi/?at=60#message--60"));
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_search_treats_every_character_literally(database: TestDatabase) {
    let site = chat(&database).await;
    let mut ada = site.person("Ada").await;
    let room = open(&site, &mut ada, "hi").await;
    for text in ["100 % sure", "100 and sure", "a_b", "a\\b", "axb", "<b>bold</b>"] {
        ada.post(&room.path(), &[("message", text)]).await;
    }
    let found = async |ada: &mut bellwire_testkit::Client, query: &str| {
        ada.get(&format!("/chat/-/search/?q={query}")).await.text.matches("class=\"found\"").count()
    };
    for (query, count) in
        [("100+%25", 1), ("100", 2), ("a_b", 1), ("a%5Cb", 1), ("%3Cb%3E", 1), ("nothing", 0)]
    {
        assert_eq!(found(&mut ada, query).await, count, "{query}");
    }
    site.stop().await;
}
