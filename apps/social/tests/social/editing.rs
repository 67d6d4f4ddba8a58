//! Editing and deleting messages, without disturbing the open edit forms of others.

use bellwire::testing::Communicator;
use bellwire_testkit::{TestDatabase, apply, on_databases};
use serde_json::{Value, json};

use crate::support::{
    action_frame, add, client, ids, next_list, social, texts, until_list, until_text, window,
};

/// Ada adds a message, Ben receives it and opens its edit form. Returns the id of the message and
/// the frame with the form.
async fn open_edit_form(ada: &mut Communicator, ben: &mut Communicator) -> (i64, String) {
    ada.send_json(&add("Ada", "one")).await;
    let id = ids(&next_list(ada).await)[0];
    until_text(ben, "one</p>").await;
    ben.send_json(&action_frame("open edit page", json!({ "id": id }))).await;
    (id, ben.receive_text().await)
}

#[apply(on_databases)]
#[tokio::test]
async fn only_the_sender_receives_the_edit_form(database: TestDatabase) {
    let site = social(&database).await;
    let (mut ada, mut ben) = (client(&site).await, client(&site).await);
    ada.send_json(&add("Ada", "a <b> & \"c\"")).await;
    let id = ids(&next_list(&mut ada).await)[0];
    next_list(&mut ben).await;
    ada.send_json(&action_frame("open edit page", json!({ "id": id.to_string() }))).await;
    let frame: Value = ada.receive_json().await;
    assert_eq!(frame["selector"], format!("#message--{id}"));
    let html = frame["html"].as_str().unwrap();
    assert!(html.contains("a &#60;b&#62; &#38; &#34;c&#34;</textarea>"), "{html}");
    ada.receive_nothing().await;
    ben.receive_nothing().await;
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_change_reaches_everyone_on_its_page_and_no_other_page(database: TestDatabase) {
    let site = social(&database).await;
    crate::support::with_messages(&site, 6).await;
    let (mut first, mut other, mut second) =
        (client(&site).await, client(&site).await, client(&site).await);
    second.send_json(&action_frame("list messages", json!({"page": 2}))).await;
    next_list(&mut second).await;
    first.send_json(&add("Cy", "typo")).await;
    let id = ids(&next_list(&mut first).await)[0];
    until_list(&mut other, &["typo", "m6", "m5", "m4", "m3"]).await;
    until_list(&mut second, &["m2", "m1"]).await;
    let update = json!({"id": id, "author": "Cyd", "text": "fixed"});
    first.send_json(&action_frame("update message", update)).await;
    let frame: Value = first.receive_json().await;
    assert_eq!(frame["selector"], format!("#message--{id}"), "first the form is replaced");
    assert!(texts(frame["html"].as_str().unwrap()) == ["fixed"], "{frame}");
    let html = until_list(&mut other, &["fixed", "m6", "m5", "m4", "m3"]).await;
    assert!(html.contains("Cyd") && html.contains("edited"), "{html}");
    // Frames arrive in order: a frame about the change would arrive before this list.
    first.send_json(&add("Cy", "later")).await;
    assert_eq!(
        texts(&next_list(&mut second).await),
        ["m3", "m2", "m1"],
        "no frame about the change"
    );
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_plain_client_receives_no_list_while_it_edits(database: TestDatabase) {
    let site = social(&database).await;
    let (mut ada, mut ben, mut cy) =
        (client(&site).await, client(&site).await, client(&site).await);
    let (id, _) = open_edit_form(&mut ada, &mut ben).await;
    ada.send_json(&add("Ada", "two")).await;
    // Cy's list shows that the notification was sent to all windows, so to Ben's as well.
    until_list(&mut cy, &["two", "one"]).await;
    ben.receive_nothing().await;
    ben.send_json(&action_frame(
        "update message",
        json!({"id": id, "author": "Ben", "text": "ONE"}),
    ))
    .await;
    let body: Value = ben.receive_json().await;
    assert_eq!(texts(body["html"].as_str().unwrap()), ["ONE"]);
    assert_eq!(texts(&next_list(&mut ben).await), ["two", "ONE"]);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn our_own_page_receives_the_list_while_it_edits_and_keeps_its_form(database: TestDatabase) {
    let site = social(&database).await;
    let (mut ada, mut ben) = (client(&site).await, window(&site, 1).await);
    let (id, form) = open_edit_form(&mut ada, &mut ben).await;
    assert!(form.starts_with(&format!("<div hx-swap-oob=\"innerHTML:#message--{id}\">")), "{form}");
    assert!(form.contains("data-bw-keep"), "the browser keeps the form: {form}");
    ada.send_json(&add("Ada", "two")).await;
    assert_eq!(texts(&ben.receive_text().await), ["two", "one"]);
    ben.send_json(&action_frame("list messages", json!({"page": 1}))).await;
    let message = ben.receive_text().await;
    assert!(
        message.contains(&format!("#message--{id}")) && texts(&message) == ["one"],
        "{message}"
    );
    assert_eq!(texts(&ben.receive_text().await), ["two", "one"]);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn an_editor_is_notified_when_the_message_is_changed_or_deleted(database: TestDatabase) {
    let site = social(&database).await;
    let (mut ada, mut ben) = (client(&site).await, client(&site).await);
    let mut outsider = client(&site).await;
    let (id, _) = open_edit_form(&mut ada, &mut ben).await;
    ada.send_json(&action_frame(
        "update message",
        json!({"id": id, "author": "Ada", "text": "<i>two"}),
    ))
    .await;
    let note: Value = ben.receive_json().await;
    assert_eq!(note["selector"], format!("#note--{id}"));
    assert!(note["html"].as_str().unwrap().contains("&#60;i&#62;two"), "{note}");
    ada.send_json(&action_frame("delete message", json!({ "id": id }))).await;
    let note: Value = ben.receive_json().await;
    assert!(note["html"].as_str().unwrap().contains("deleted"), "{note}");
    ben.receive_nothing().await;
    ben.send_json(&action_frame("list messages", json!({"page": 1}))).await;
    assert!(texts(&next_list(&mut ben).await).is_empty());
    loop {
        let frame: Value = outsider.receive_json().await;
        assert_eq!(frame["selector"], "#messages__list", "only editors receive notes");
        if texts(frame["html"].as_str().unwrap()).is_empty() {
            break;
        }
    }
    outsider.receive_nothing().await;
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_plain_client_continues_after_the_message_it_edits_was_deleted(database: TestDatabase) {
    let site = social(&database).await;
    for action in ["update message", "delete message", "open edit page"] {
        let (mut ada, mut ben) = (client(&site).await, client(&site).await);
        let (id, _) = open_edit_form(&mut ada, &mut ben).await;
        ada.send_json(&action_frame("delete message", json!({ "id": id }))).await;
        assert_eq!(ben.receive_json::<Value>().await["selector"], format!("#note--{id}"));
        ben.send_json(&action_frame(action, json!({"id": id, "author": "Ben", "text": "two"})))
            .await;
        let removal: Value = ben.receive_json().await;
        assert_eq!(
            (&removal["selector"], &removal["html"]),
            (&json!(format!("#message--{id}")), &json!(""))
        );
        assert!(texts(&next_list(&mut ben).await).is_empty());
        let answer: Value = ben.receive_json().await;
        assert_eq!(answer["error"], "That message no longer exists.", "{action}");
        ada.send_json(&add("Ada", "next")).await;
        let next = ids(&until_list(&mut ben, &["next"]).await)[0];
        ben.send_json(&action_frame("delete message", json!({ "id": next }))).await;
        until_list(&mut ben, &[]).await;
    }
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn our_own_page_keeps_the_text_of_an_edit_to_a_deleted_message(database: TestDatabase) {
    let site = social(&database).await;
    let (mut ada, mut ben) = (client(&site).await, window(&site, 1).await);
    let (id, _) = open_edit_form(&mut ada, &mut ben).await;
    ada.send_json(&action_frame("delete message", json!({ "id": id }))).await;
    until_text(&mut ben, "posts__none").await;
    ben.settle().await;
    ben.send_json(&action_frame(
        "update message",
        json!({"id": id, "author": "Ben", "text": "two"}),
    ))
    .await;
    let answer = ben.receive_text().await;
    assert!(answer.contains("That message no longer exists."), "the form stays: {answer}");
    ben.receive_nothing().await;
    ada.send_json(&add("Ada", "next")).await;
    assert_eq!(texts(&ben.receive_text().await), ["next"]);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn after_saving_an_editor_receives_no_further_notes(database: TestDatabase) {
    let site = social(&database).await;
    let (mut ada, mut ben) = (client(&site).await, window(&site, 1).await);
    let (id, _) = open_edit_form(&mut ada, &mut ben).await;
    let change = json!({"id": id, "author": "Ada", "text": "two", "client_id": "c-9"});
    ben.send_json(&action_frame("update message", change)).await;
    until_text(&mut ben, "data-bw-answer=\"c-9\"").await;
    ada.send_json(&action_frame(
        "update message",
        json!({"id": id, "author": "Ada", "text": "three"}),
    ))
    .await;
    let list = ben.receive_text().await;
    assert_eq!(texts(&list), ["three"], "the list and no note: {list}");
    ben.receive_nothing().await;
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn open_edit_forms_are_bounded(database: TestDatabase) {
    let site = social(&database).await;
    let mut ada = client(&site).await;
    for n in 1..=9 {
        ada.send_json(&add("Ada", &format!("m{n}"))).await;
        ada.receive_text().await;
    }
    ada.settle().await;
    let mut ben = window(&site, 1).await;
    for id in 1..=8 {
        ben.send_json(&action_frame("open edit page", json!({ "id": id }))).await;
        until_text(&mut ben, "data-bw-keep").await;
    }
    ben.send_json(&action_frame("open edit page", json!({ "id": 9 }))).await;
    until_text(&mut ben, "Save or cancel").await;
    ben.send_json(&action_frame("open edit page", json!({ "id": 8 }))).await;
    until_text(&mut ben, "data-bw-keep").await;
    site.stop().await;
}
