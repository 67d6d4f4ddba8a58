//! One connection: what its handlers are promised.

use bellwire::testing::Communicator;
use bellwire::{Close, Dialect, Limits};
use serde_json::{Value, json};

use crate::support::{Member, bellwire, note, with_limits};

#[tokio::test]
async fn what_is_asked_is_answered_in_order() {
    let mut browser = Communicator::connect(&bellwire(), Member::silent()).await;
    for i in 0..100 {
        browser.send_json(&json!({"action": "Say", "data": {"message": format!("{i}")}})).await;
    }
    for i in 0..100 {
        assert_eq!(browser.receive_text().await, format!("{i}"));
    }
    browser.receive_nothing().await;
}

#[tokio::test]
async fn every_bad_input_is_answered_and_the_connection_lives() {
    let mut browser = Communicator::connect(&bellwire(), Member::silent()).await;
    for (bad, field) in [
        ("", Value::Null),
        ("{", Value::Null),
        ("[]", Value::Null),
        ("5", Value::Null),
        ("{\"action\":\"Dance\"}", json!("action")),
        ("{\"action\":5}", json!("action")),
        ("{\"action\":\"Say\"}", json!("message")),
        ("{\"action\":\"Say\",\"data\":{}}", json!("message")),
        ("{\"action\":\"Say\",\"data\":{\"message\":5}}", json!("message")),
        ("{\"action\":\"Say\",\"data\":{\"message\":{}}}", json!("message")),
        ("{\"action\":\"Say\",\"data\":[]}", json!("data")),
        (&format!("{}1{}", "[".repeat(5000), "]".repeat(5000)), Value::Null),
    ] {
        browser.send_text(bad).await;
        let answer: Value = browser.receive_json().await;
        assert!(answer["error"].is_string(), "{bad}");
        assert_eq!(answer["field"], field, "{bad}");
    }
    browser.send_bytes("binary").await;
    assert!(browser.receive_json::<Value>().await["error"].is_string());
    browser.send_text(r#"{"message":"still here","HEADERS":{}}"#).await;
    assert_eq!(browser.receive_text().await, "still here");
}

#[tokio::test]
async fn an_error_names_the_ask_it_answers() {
    let mut browser = Communicator::connect(&bellwire(), Member::silent()).await;
    let ask = json!({"action": "Complain", "data": {"field": "message", "client_id": "c-1"}});
    browser.send_json(&ask).await;
    let expected = json!({"error": "This will not do.", "field": "message", "client_id": "c-1"});
    assert_eq!(browser.receive_json::<Value>().await, expected);

    let mut page =
        Communicator::to(&bellwire(), "/").dialect(Dialect::Htmx).connect(Member::silent()).await;
    page.send_json(&ask).await;
    assert_eq!(
        page.receive_text().await,
        r##"<div hx-swap-oob="innerHTML:#error--message" data-error="message" data-client-id="c-1">This will not do.</div>"##
    );
}

#[tokio::test]
async fn a_fault_of_ours_is_answered_without_detail_and_the_connection_lives() {
    let mut browser = Communicator::connect(&bellwire(), Member::silent()).await;
    browser.send_json(&json!({"action": "Fail"})).await;
    let answer: Value = browser.receive_json().await;
    assert_eq!(answer, json!({"error": "Something went wrong on our side. It was noted."}));
    browser.send_json(&json!({"action": "Say", "data": {"message": "on"}})).await;
    assert_eq!(browser.receive_text().await, "on");
}

#[tokio::test]
async fn a_panic_ends_its_own_connection_and_no_other() {
    let bellwire = bellwire();
    let (member, mut diary) = Member::new();
    let mut unlucky = Communicator::connect(&bellwire, member).await;
    let mut neighbour = Communicator::connect(&bellwire, Member::silent()).await;
    unlucky.send_json(&json!({"action": "Panic"})).await;
    assert_eq!(unlucky.closed().await.code(), Close::ERROR);
    assert_eq!(note(&mut diary).await.unwrap(), "connect");
    assert_eq!(note(&mut diary).await.unwrap(), "disconnect 1011");
    neighbour.send_json(&json!({"action": "Say", "data": {"message": "on"}})).await;
    assert_eq!(neighbour.receive_text().await, "on");
}

#[tokio::test]
async fn disconnect_runs_once_however_the_connection_ends() {
    let bellwire = bellwire();
    for (end, noted) in [("close", "1000"), ("cut", "1006"), ("leave", "4001"), ("refuse", "1008")]
    {
        let (member, mut diary) = Member::new();
        let address = if end == "refuse" { "/?refuse" } else { "/" };
        let mut browser = Communicator::to(&bellwire, address).connect(member).await;
        match end {
            "close" => assert_eq!(browser.close(Close::normal()).await, Close::normal()),
            "cut" => assert_eq!(browser.cut().await.code(), 1006),
            "leave" => {
                browser.send_json(&json!({"action": "Leave"})).await;
                assert_eq!(browser.closed().await, Close::new(4001, "you asked for it"));
            }
            _ => assert_eq!(browser.closed().await, Close::policy("not today")),
        }
        assert_eq!(note(&mut diary).await.unwrap(), "connect");
        assert_eq!(note(&mut diary).await.unwrap(), format!("disconnect {noted}"), "{end}");
        assert_eq!(note(&mut diary).await, None, "{end}: nothing after it");
    }
    assert_eq!(bellwire.layer().local_sockets(), 0, "and nobody is left in the layer");
}

#[tokio::test(start_paused = true)] // so that no second passes, and nothing more is allowed
async fn who_asks_too_fast_is_told_so_and_then_sent_away() {
    let limits = Limits { actions_per_second: Some(1), action_burst: 3, ..Limits::default() };
    let mut browser = Communicator::connect(&with_limits(limits), Member::silent()).await;
    for _ in 0..30 {
        browser.send_json(&json!({"action": "Say", "data": {"message": "x"}})).await;
    }
    for _ in 0..3 {
        assert_eq!(browser.receive_text().await, "x");
    }
    assert_eq!(browser.receive_json::<Value>().await["error"], "Too fast. Wait a moment.");
    assert_eq!(browser.closed().await.code(), Close::POLICY);
}

#[tokio::test]
async fn a_stop_closes_every_socket_with_1012_and_waits_for_every_disconnect() {
    let bellwire = bellwire();
    let (member, mut diary) = Member::new();
    let browser = Communicator::connect(&bellwire, member).await;
    let (stopped, close) =
        tokio::join!(bellwire.shutdown(std::time::Duration::from_secs(10)), browser.closed());
    assert!(stopped);
    assert_eq!(close.code(), Close::RESTART);
    assert_eq!(note(&mut diary).await.unwrap(), "connect");
    assert_eq!(note(&mut diary).await.unwrap(), "disconnect 1012");
}
