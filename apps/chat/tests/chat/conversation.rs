//! Messages in a room, through the communicator.

use bellwire_testkit::{TestDatabase, apply, on_databases};
use serde_json::{Value, json};

use crate::support::{
    attribute, chat, enter, message_texts, new_message, open, page_texts, position, receive_answer,
};

#[apply(on_databases)]
#[tokio::test]
async fn a_message_reaches_everyone_in_the_room_and_nobody_else(database: TestDatabase) {
    let site = chat(&database).await;
    let (mut ada, ben, cy) =
        (site.person("Ada").await, site.person("Ben").await, site.person("Cy").await);
    let (hi, python) = (open(&site, &mut ada, "hi").await, open(&site, &mut ada, "python").await);
    let mut here = [enter(&site, &ada, &hi, "").await, enter(&site, &ben, &hi, "").await];
    let mut outsider = enter(&site, &cy, &python, "").await;
    here[0].send_json(&new_message("Hello <b>all</b>", "c-1")).await;
    for socket in &mut here {
        let frame: Value = socket.receive_json().await;
        assert_eq!(
            (&frame["selector"], &frame["append"]),
            (&json!("#messages-list"), &json!(true))
        );
        let html = frame["html"].as_str().unwrap();
        assert_eq!(message_texts(html), ["Hello &lt;b&gt;all&lt;/b&gt;"]);
        assert!(attribute(html, "id").starts_with("message--"));
        assert_eq!(attribute(html, "data-client-id"), "c-1");
    }
    let [sender, other] = &mut here;
    receive_answer(sender, "c-1").await;
    sender.receive_nothing().await;
    other.receive_nothing().await;
    outsider.receive_nothing().await;
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn an_htmx_page_posts_its_form_and_gets_elements_that_htmx_swaps(database: TestDatabase) {
    let site = chat(&database).await;
    let mut ada = site.person("Ada").await;
    let room = open(&site, &mut ada, "hi").await;
    let mut page = enter(&site, &ada, &room, "dialect=htmx").await;
    page.send_json(&json!({"message": "hi", "HEADERS": {"HX-Request": "true"}})).await;
    let html = page.receive_text().await;
    let start = format!(
        "<div hx-swap-oob=\"beforeend:#messages-list\" data-feed=\"chat.room.{}\" \
         data-seq=\"{}\"><li ",
        room.id,
        position(&site, 1)
    );
    assert!(html.starts_with(&start), "{html}");
    page.send_json(&json!({"message": "  ", "headers": {}})).await;
    assert_eq!(
        page.receive_text().await,
        "<div hx-swap-oob=\"innerHTML:#error--message\" data-error=\"message\">\
         Write something first.</div>"
    );
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn every_invalid_input_is_answered_with_its_client_id_and_the_connection_stays_open(
    database: TestDatabase,
) {
    let site = chat(&database).await;
    let mut ada = site.person("Ada").await;
    let room = open(&site, &mut ada, "hi").await;
    let mut socket = enter(&site, &ada, &room, "").await;
    for (data, field) in [
        (json!({"client_id": "c"}), "message"),
        (json!({"message": 5, "client_id": "c"}), "message"),
        (json!({"message": null, "client_id": "c"}), "message"),
        (json!({"message": ["x"], "client_id": "c"}), "message"),
        (json!({"message": {"a": 1}, "client_id": "c"}), "message"),
        (json!({"message": "", "client_id": "c"}), "message"),
        (json!({"message": "x".repeat(8_001), "client_id": "c"}), "message"),
    ] {
        socket.send_json(&json!({"action": "New message", "data": data})).await;
        let answer: Value = socket.receive_json().await;
        assert!(answer["error"].is_string(), "{data}");
        assert_eq!(
            (&answer["field"], &answer["client_id"]),
            (&json!(field), &json!("c")),
            "{data}"
        );
    }
    for client_id in [json!(5), json!("not an id"), json!("x".repeat(65)), json!([])] {
        let data = json!({"message": "hi", "client_id": client_id});
        socket.send_json(&json!({"action": "New message", "data": data})).await;
        assert_eq!(socket.receive_json::<Value>().await["field"], "client_id", "{client_id}");
    }
    for frame in
        ["", "x", "{}", "[]", "{\"action\":\"Dance\"}", "{\"action\":\"New message\",\"data\":7}"]
    {
        socket.send_text(frame).await;
        assert!(socket.receive_json::<Value>().await["error"].is_string(), "{frame}");
    }
    socket.send_bytes(&b"\x00\xff"[..]).await;
    assert!(socket.receive_json::<Value>().await["error"].is_string());
    assert!(page_texts(&mut ada, &room).await.is_empty());
    socket.send_json(&new_message("still here", "c-2")).await;
    assert_eq!(
        message_texts(socket.receive_json::<Value>().await["html"].as_str().unwrap()),
        ["still here"]
    );
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_repeated_send_is_one_message_and_is_only_answered_again(database: TestDatabase) {
    let site = chat(&database).await;
    let (mut ada, ben) = (site.person("Ada").await, site.person("Ben").await);
    let room = open(&site, &mut ada, "hi").await;
    let (mut sender, mut other) =
        (enter(&site, &ada, &room, "").await, enter(&site, &ben, &room, "").await);
    sender.send_json(&new_message("first", "c-1")).await;
    sender.send_json(&new_message("changed on the way", "c-1")).await;
    for socket in [&mut sender, &mut other] {
        let first: Value = socket.receive_json().await;
        assert_eq!(message_texts(first["html"].as_str().unwrap()), ["first"]);
    }
    for _ in 0..2 {
        receive_answer(&mut sender, "c-1").await;
    }
    sender.receive_nothing().await;
    other.receive_nothing().await;
    assert_eq!(page_texts(&mut ada, &room).await, ["first"]);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn equal_sends_at_once_are_one_message(database: TestDatabase) {
    let site = chat(&database).await;
    let mut ada = site.person("Ada").await;
    let room = open(&site, &mut ada, "hi").await;
    let sends = (0..10).map(|_| {
        let (mut ada, path) = (ada.clone(), room.path());
        tokio::spawn(async move {
            ada.post(&path, &[("message", "once"), ("client_id", "c-1")]).await.status
        })
    });
    for send in sends.collect::<Vec<_>>() {
        assert_eq!(send.await.unwrap(), 303);
    }
    assert_eq!(page_texts(&mut ada, &room).await, ["once"]);
    site.stop().await;
}
