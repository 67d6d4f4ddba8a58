//! Adding messages.

use bellwire::Close;
use bellwire_site::{DbError, Tx};
use bellwire_social::models::Message;
use bellwire_testkit::{TestDatabase, TestSite, apply, on_databases};
use sea_orm::{ConnectionTrait, DbBackend};
use serde_json::{Value, json};

use crate::support::{
    action_frame, add, client, ids, next_list, social, texts, unread_client, window,
};

#[apply(on_databases)]
#[tokio::test]
async fn on_connect_the_first_page_is_sent(database: TestDatabase) {
    let site = social(&database).await;
    let mut first = unread_client(&site).await;
    let frame: Value = first.receive_json().await;
    assert_eq!(frame["selector"], "#messages__list");
    assert_eq!(
        (&frame["url"], &frame["append"]),
        (&json!(null), &json!(null)),
        "the address stays the same"
    );
    assert!(frame["html"].as_str().unwrap().contains("There are no messages yet"));
    first.receive_nothing().await;
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_message_reaches_everyone_exactly_once(database: TestDatabase) {
    let site = social(&database).await;
    let mut windows = [client(&site).await, client(&site).await, client(&site).await];
    windows[0].send_json(&add("Ada <b>", "Hello <script>alert(1)</script>")).await;
    for window in &mut windows {
        let html = next_list(window).await;
        assert_eq!(texts(&html), ["Hello &#60;script&#62;alert(1)&#60;/script&#62;"]);
        assert!(html.contains("Ada &#60;b&#62;") && !html.contains("<script>"), "{html}");
        window.receive_nothing().await;
    }
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn everyone_receives_the_same_bytes_without_anything_about_the_reader(
    database: TestDatabase,
) {
    let site = social(&database).await;
    let ada = site.person("Ada").await;
    let (mut hers, mut other) = (crate::support::client_of(&site, &ada).await, client(&site).await);
    let mut third = client(&site).await;
    hers.send_json(&action_frame(
        "add message",
        json!({"author": "Ada", "text": "mine", "client_id": "c-1"}),
    ))
    .await;
    let (seen, by_third) = (other.receive_text().await, third.receive_text().await);
    assert_eq!(seen, by_third);
    assert!(!seen.contains("c-1"), "only the sender receives the idempotency key: {seen}");
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_repeated_send_is_one_message_and_is_answered_each_time(database: TestDatabase) {
    let site = social(&database).await;
    let (mut ada, mut ben) = (window(&site, 1).await, client(&site).await);
    let sent =
        action_frame("add message", json!({"author": "Ada", "text": "once", "client_id": "c-1"}));
    for _ in 0..3 {
        ada.send_json(&sent).await;
        assert_eq!(texts(&ada.receive_text().await), ["once"]);
        let answer = ada.receive_text().await;
        assert!(answer.contains("data-bw-answer=\"c-1\""), "{answer}");
    }
    assert_eq!(ids(&next_list(&mut ben).await).len(), 1);
    ben.receive_nothing().await;
    let mut without_script = site.client();
    let form = [("author", "Ada"), ("text", "once"), ("client_id", "c-1")];
    assert_eq!(without_script.post("/social/", &form).await.status, 303);
    assert_eq!(texts(&without_script.get("/social/").await.text), ["once"]);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_committed_message_is_confirmed_even_if_the_list_cannot_be_read_afterwards(
    database: TestDatabase,
) {
    let site = social(&database).await;
    let old = "INSERT INTO social_messages (author, text, created_at) \
               VALUES ('Ada', 'old', CURRENT_TIMESTAMP)";
    run(&site, "", old).await;
    let mut ada = client(&site).await;
    // From here on the old message, and so every list with it, cannot be read. Writes still
    // succeed.
    run(
        &site,
        "ALTER TABLE social_messages ALTER COLUMN edited_at TYPE text USING 'never'",
        "UPDATE social_messages SET edited_at = 'never'",
    )
    .await;
    let sent =
        action_frame("add message", json!({"author": "Ada", "text": "new", "client_id": "c-1"}));
    ada.send_json(&sent).await;
    let (frames, close) = ada.receive_until_closed().await;
    assert_eq!(frames, [json!({"answer": "c-1"}).to_string()]);
    assert_eq!(close.code(), Close::TRY_AGAIN, "it reconnects for the list");
    assert_eq!(Message::count(site.state().db().read()).await.unwrap(), 2);
    site.stop().await;
}

/// Runs `postgres` on PostgreSQL unless it is empty, and `other` otherwise.
async fn run(site: &TestSite, postgres: &'static str, other: &'static str) {
    let statement = async move |tx: Tx| {
        let use_postgres = tx.get_database_backend() == DbBackend::Postgres && !postgres.is_empty();
        tx.execute_unprepared(if use_postgres { postgres } else { other }).await?;
        Ok::<_, DbError>(())
    };
    site.state().db().write(statement).await.unwrap();
}

#[apply(on_databases)]
#[tokio::test]
async fn a_repeated_send_does_not_restore_a_deleted_message(database: TestDatabase) {
    let site = social(&database).await;
    let mut ada = window(&site, 1).await;
    let sent =
        action_frame("add message", json!({"author": "Ada", "text": "gone", "client_id": "c-1"}));
    ada.send_json(&sent).await;
    let id = ids(&ada.receive_text().await)[0];
    ada.receive_text().await;
    ada.send_json(&action_frame("delete message", json!({"id": id}))).await;
    assert!(texts(&ada.receive_text().await).is_empty());
    ada.send_json(&sent).await;
    crate::support::until_text(&mut ada, "data-bw-answer=\"c-1\"").await;
    assert!(texts(&site.client().get("/social/").await.text).is_empty());
    site.stop().await;
}
