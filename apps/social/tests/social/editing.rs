//! Messages change and go, and nobody's half-typed edit is disturbed by that.

use bellwire::testing::Communicator;
use bellwire_testkit::{TestDatabase, apply, on_databases};
use serde_json::{Value, json};

use crate::support::{add, ask, client, hear_list, hears, hears_of, ids, social, texts, window};

/// Ada writes a message, Ben sees it and begins to edit it; returns which it is, and the frame that
/// brings him the form.
async fn begins_to_edit(ada: &mut Communicator, ben: &mut Communicator) -> (i64, String) {
    ada.send_json(&add("Ada", "one")).await;
    let id = ids(&hear_list(ada).await)[0];
    hears_of(ben, "one</p>").await;
    ben.send_json(&ask("open edit page", json!({ "id": id }))).await;
    (id, ben.receive_text().await)
}

#[apply(on_databases)]
#[tokio::test]
async fn the_form_comes_to_the_one_who_asked_and_to_nobody_else(database: TestDatabase) {
    let site = social(&database).await;
    let (mut ada, mut ben) = (client(&site).await, client(&site).await);
    ada.send_json(&add("Ada", "a <b> & \"c\"")).await;
    let id = ids(&hear_list(&mut ada).await)[0];
    hear_list(&mut ben).await;
    ada.send_json(&ask("open edit page", json!({ "id": id.to_string() }))).await;
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
async fn a_change_is_seen_by_everyone_on_its_page_and_no_other_page_is_touched(
    database: TestDatabase,
) {
    let site = social(&database).await;
    crate::support::filled(&site, 6).await;
    let (mut first, mut other, mut second) =
        (client(&site).await, client(&site).await, client(&site).await);
    second.send_json(&ask("list messages", json!({"page": 2}))).await;
    hear_list(&mut second).await;
    first.send_json(&add("Cy", "typo")).await;
    let id = ids(&hear_list(&mut first).await)[0];
    hears(&mut other, &["typo", "m6", "m5", "m4", "m3"]).await;
    hears(&mut second, &["m2", "m1"]).await;
    let update = json!({"id": id, "author": "Cyd", "text": "mended"});
    first.send_json(&ask("update message", update)).await;
    let frame: Value = first.receive_json().await;
    assert_eq!(frame["selector"], format!("#message--{id}"), "first its form gives way");
    assert!(texts(frame["html"].as_str().unwrap()) == ["mended"], "{frame}");
    let html = hears(&mut other, &["mended", "m6", "m5", "m4", "m3"]).await;
    assert!(html.contains("Cyd") && html.contains("edited"), "{html}");
    // What the others hear comes after what they would have heard of the change.
    first.send_json(&add("Cy", "later")).await;
    assert_eq!(
        texts(&hear_list(&mut second).await),
        ["m3", "m2", "m1"],
        "the change was none here"
    );
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_client_of_the_original_that_edits_gets_no_list_until_it_is_done(database: TestDatabase) {
    let site = social(&database).await;
    let (mut ada, mut ben, mut cy) =
        (client(&site).await, client(&site).await, client(&site).await);
    let (id, _) = begins_to_edit(&mut ada, &mut ben).await;
    ada.send_json(&add("Ada", "two")).await;
    // Whoever does not edit has heard of it; so has Ben's window, which was told with all others.
    hears(&mut cy, &["two", "one"]).await;
    ben.receive_nothing().await;
    ben.send_json(&ask("update message", json!({"id": id, "author": "Ben", "text": "ONE"}))).await;
    let body: Value = ben.receive_json().await;
    assert_eq!(texts(body["html"].as_str().unwrap()), ["ONE"]);
    assert_eq!(texts(&hear_list(&mut ben).await), ["two", "ONE"]);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn our_own_page_gets_the_list_while_it_edits_and_keeps_its_form(database: TestDatabase) {
    let site = social(&database).await;
    let (mut ada, mut ben) = (client(&site).await, window(&site, 1).await);
    let (id, form) = begins_to_edit(&mut ada, &mut ben).await;
    assert!(form.starts_with(&format!("<div hx-swap-oob=\"innerHTML:#message--{id}\">")), "{form}");
    assert!(form.contains("data-bw-keep"), "the browser is told to keep it: {form}");
    ada.send_json(&add("Ada", "two")).await;
    assert_eq!(texts(&ben.receive_text().await), ["two", "one"]);
    ben.send_json(&ask("list messages", json!({"page": 1}))).await;
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
async fn whoever_edits_is_told_that_the_message_was_changed_or_deleted_meanwhile(
    database: TestDatabase,
) {
    let site = social(&database).await;
    let (mut ada, mut ben) = (client(&site).await, client(&site).await);
    let mut outsider = client(&site).await;
    let (id, _) = begins_to_edit(&mut ada, &mut ben).await;
    ada.send_json(&ask("update message", json!({"id": id, "author": "Ada", "text": "<i>two"})))
        .await;
    let note: Value = ben.receive_json().await;
    assert_eq!(note["selector"], format!("#note--{id}"));
    assert!(note["html"].as_str().unwrap().contains("&#60;i&#62;two"), "{note}");
    ada.send_json(&ask("delete message", json!({ "id": id }))).await;
    let note: Value = ben.receive_json().await;
    assert!(note["html"].as_str().unwrap().contains("deleted"), "{note}");
    ben.receive_nothing().await;
    ben.send_json(&ask("list messages", json!({"page": 1}))).await;
    assert!(texts(&hear_list(&mut ben).await).is_empty());
    loop {
        let heard: Value = outsider.receive_json().await;
        assert_eq!(heard["selector"], "#messages__list", "notes are for those who edit");
        if texts(heard["html"].as_str().unwrap()).is_empty() {
            break;
        }
    }
    outsider.receive_nothing().await;
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_client_of_the_original_goes_on_when_what_it_edits_turns_out_to_be_gone(
    database: TestDatabase,
) {
    let site = social(&database).await;
    for action in ["update message", "delete message", "open edit page"] {
        let (mut ada, mut ben) = (client(&site).await, client(&site).await);
        let (id, _) = begins_to_edit(&mut ada, &mut ben).await;
        ada.send_json(&ask("delete message", json!({ "id": id }))).await;
        assert_eq!(ben.receive_json::<Value>().await["selector"], format!("#note--{id}"));
        ben.send_json(&ask(action, json!({"id": id, "author": "Ben", "text": "two"}))).await;
        let gone: Value = ben.receive_json().await;
        assert_eq!(
            (&gone["selector"], &gone["html"]),
            (&json!(format!("#message--{id}")), &json!(""))
        );
        assert!(texts(&hear_list(&mut ben).await).is_empty());
        assert_eq!(ben.receive_json::<Value>().await["error"], "That message is gone.", "{action}");
        ada.send_json(&add("Ada", "next")).await;
        let next = ids(&hears(&mut ben, &["next"]).await)[0];
        ben.send_json(&ask("delete message", json!({ "id": next }))).await;
        hears(&mut ben, &[]).await;
    }
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn our_own_page_keeps_what_was_typed_about_a_message_that_is_gone(database: TestDatabase) {
    let site = social(&database).await;
    let (mut ada, mut ben) = (client(&site).await, window(&site, 1).await);
    let (id, _) = begins_to_edit(&mut ada, &mut ben).await;
    ada.send_json(&ask("delete message", json!({ "id": id }))).await;
    hears_of(&mut ben, "posts__none").await;
    ben.settle().await;
    ben.send_json(&ask("update message", json!({"id": id, "author": "Ben", "text": "two"}))).await;
    let answer = ben.receive_text().await;
    assert!(answer.contains("That message is gone."), "and nothing takes the form away: {answer}");
    ben.receive_nothing().await;
    ada.send_json(&add("Ada", "next")).await;
    assert_eq!(texts(&ben.receive_text().await), ["next"]);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn whoever_has_saved_or_cancelled_is_told_nothing_more_of_that_message(
    database: TestDatabase,
) {
    let site = social(&database).await;
    let (mut ada, mut ben) = (client(&site).await, window(&site, 1).await);
    let (id, _) = begins_to_edit(&mut ada, &mut ben).await;
    let change = json!({"id": id, "author": "Ada", "text": "two", "client_id": "c-9"});
    ben.send_json(&ask("update message", change)).await;
    hears_of(&mut ben, "data-client-id=\"c-9\"").await;
    assert_eq!(texts(&ben.receive_text().await), ["two"]);
    ada.send_json(&ask("update message", json!({"id": id, "author": "Ada", "text": "three"})))
        .await;
    let list = ben.receive_text().await;
    assert_eq!(texts(&list), ["three"], "the list and no note: {list}");
    ben.receive_nothing().await;
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn forms_are_bounded(database: TestDatabase) {
    let site = social(&database).await;
    let mut ada = client(&site).await;
    for n in 1..=9 {
        ada.send_json(&add("Ada", &format!("m{n}"))).await;
        ada.receive_text().await;
    }
    ada.settle().await;
    let mut ben = window(&site, 1).await;
    for id in 1..=8 {
        ben.send_json(&ask("open edit page", json!({ "id": id }))).await;
        hears_of(&mut ben, "data-bw-keep").await;
    }
    ben.send_json(&ask("open edit page", json!({ "id": 9 }))).await;
    hears_of(&mut ben, "Save or cancel").await;
    ben.send_json(&ask("open edit page", json!({ "id": 8 }))).await;
    hears_of(&mut ben, "data-bw-keep").await;
    site.stop().await;
}
