//! Invalid actions and exceeded limits: answered to the sender only.

use std::time::Duration;

use bellwire_testkit::{TestDatabase, apply, on_databases};
use serde_json::{Value, json};

use crate::support::{
    action_frame, add, client, client_of, next_list, social, texts, window, with_messages,
};

#[apply(on_databases)]
#[tokio::test]
async fn every_invalid_action_is_answered_to_its_sender_only_and_the_connection_stays_open(
    database: TestDatabase,
) {
    let site = social(&database).await;
    let (mut ada, mut ben) = (client(&site).await, client(&site).await);
    let long = "x".repeat(201);
    for (action, data, field) in [
        ("add message", json!({}), json!("author")),
        ("add message", json!({"author": "Ada"}), json!("text")),
        ("add message", json!({"author": "", "text": "x"}), json!("author")),
        ("add message", json!({"author": "x".repeat(101), "text": "x"}), json!("author")),
        ("add message", json!({"author": 5, "text": "x"}), json!("author")),
        ("add message", json!({"author": "\u{202e}\0", "text": "x"}), json!("author")),
        ("add message", json!({"author": "Ada", "text": ""}), json!("text")),
        ("add message", json!({"author": "Ada", "text": long}), json!("text")),
        ("add message", json!({"author": "Ada", "text": "\0"}), json!("text")),
        ("add message", json!({"author": "Ada", "text": ["x"]}), json!("text")),
        (
            "add message",
            json!({"author": "Ada", "text": "x", "client_id": "a b"}),
            json!("client_id"),
        ),
        ("list messages", json!({}), json!("page")),
        ("list messages", json!({"page": 0}), json!("page")),
        ("list messages", json!({"page": -1}), json!("page")),
        ("list messages", json!({"page": "two"}), json!("page")),
        ("list messages", json!({"page": 1.5}), json!("page")),
        ("list messages", json!({"page": "99999999999999999999"}), json!("page")),
        ("open edit page", json!({}), json!("id")),
        ("open edit page", json!({"id": 999}), json!(null)),
        ("open edit page", json!({"id": "\0"}), json!("id")),
        ("open edit page", json!({"id": i64::MAX}), json!(null)),
        ("update message", json!({"id": 999, "author": "Ada", "text": "x"}), json!(null)),
        ("update message", json!({"author": "Ada", "text": "x"}), json!("id")),
        ("update message", json!({"id": 1, "text": "x"}), json!("author")),
        ("delete message", json!({"id": 999}), json!(null)),
        ("delete message", json!({"id": {"$gt": 0}}), json!("id")),
        ("like message", json!({"id": 1}), json!("action")),
    ] {
        ada.send_json(&action_frame(action, data.clone())).await;
        let answer: Value = ada.receive_json().await;
        assert!(answer["error"].is_string(), "{database:?} {action} {data}: {answer}");
        assert!(
            !answer["error"].as_str().unwrap().contains("went wrong"),
            "{action} {data}: {answer}"
        );
        assert_eq!(answer["field"], field, "{action} {data}: {answer}");
    }
    ada.receive_nothing().await;
    ben.receive_nothing().await;
    ada.send_json(&add("מיכל 🦔", "مرحبا <script>")).await;
    assert_eq!(texts(&next_list(&mut ada).await), ["مرحبا &#60;script&#62;"]);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn an_error_names_its_action_so_that_our_page_shows_it_in_the_right_form(
    database: TestDatabase,
) {
    let site = social(&database).await;
    let mut page = window(&site, 1).await;
    let data = json!({"id": 1, "author": "Ada", "text": "", "client_id": "c-1"});
    page.send_json(&action_frame("update message", data)).await;
    let error = page.receive_text().await;
    assert!(error.contains("data-error=\"text\" data-client-id=\"c-1\""), "{error}");
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn anonymous_writes_are_limited_per_address_and_signed_in_users_are_not_affected(
    database: TestDatabase,
) {
    let site = social(&database).await;
    let ada = site.person("Ada").await;
    let (mut flood, mut hers) = (client(&site).await, client_of(&site, &ada).await);
    for n in 0..60 {
        flood.send_json(&add("Flood", &format!("{n}"))).await;
    }
    let mut refusals = 0;
    flood.settle().await;
    flood.send_json(&add("Flood", "one too many")).await;
    let refusal = loop {
        let frame: Value = flood.receive_json().await;
        if let Some(error) = frame["error"].as_str() {
            refusals += 1;
            break error.to_owned();
        }
    };
    assert_eq!((refusals, refusal.starts_with("Too many requests.")), (1, true), "{refusal}");
    hers.send_json(&add("", "still here")).await;
    loop {
        if texts(&next_list(&mut hers).await).first().is_some_and(|text| text == "still here") {
            break;
        }
    }
    site.state().clock().advance(Duration::from_secs(61));
    flood.send_json(&add("Flood", "again")).await;
    loop {
        if texts(&next_list(&mut flood).await).first().is_some_and(|text| text == "again") {
            break;
        }
    }
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn signed_in_users_have_a_higher_limit_of_their_own(database: TestDatabase) {
    let site = social(&database).await;
    let mut ada = with_messages(&site, 300).await;
    let one = [("author", ""), ("text", "one too many")];
    assert_eq!(ada.post("/social/", &one).await.status, 429);
    let mut hers = client_of(&site, &ada).await;
    hers.send_json(&add("", "one too many")).await;
    let answer: Value = hers.receive_json().await;
    assert!(answer["error"].as_str().unwrap().starts_with("Too many requests."), "{answer}");
    let mut ben = site.person("Ben").await;
    for person in [&mut ben, &mut site.client()] {
        let answer = person.post("/social/", &[("author", "x"), ("text", "not limited")]).await;
        assert_eq!(answer.status, 303);
    }
    site.state().clock().advance(Duration::from_secs(61));
    assert_eq!(ada.post("/social/", &one).await.status, 303);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn the_rate_limit_applies_to_forms_and_sends_retry_after(database: TestDatabase) {
    let site = social(&database).await;
    let mut flood = site.client();
    for n in 0..60 {
        let answer = flood.post("/social/", &[("author", "Flood"), ("text", &n.to_string())]).await;
        assert_eq!(answer.status, 303);
    }
    let answer = flood.post("/social/", &[("author", "Flood"), ("text", "one too many")]).await;
    assert_eq!(answer.status, 429);
    assert!(!answer.header("retry-after").is_empty());
    assert_eq!(flood.get("/social/").await.status, 200, "reading is not limited");
    site.stop().await;
}
