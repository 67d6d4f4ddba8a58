//! Consumers: the handlers of one connection.

use bellwire::testing::Communicator;
use bellwire::{Close, Dialect, Limits};
use serde_json::{Value, json};

use crate::support::{Member, bellwire, next_call, with_limits};

#[tokio::test]
async fn actions_are_answered_in_order() {
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
async fn every_invalid_input_is_answered_and_the_connection_stays_open() {
    let mut browser = Communicator::connect(&bellwire(), Member::silent()).await;
    for (input, field) in [
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
        browser.send_text(input).await;
        let answer: Value = browser.receive_json().await;
        assert!(answer["error"].is_string(), "{input}");
        assert_eq!(answer["field"], field, "{input}");
    }
    browser.send_bytes("binary").await;
    assert!(browser.receive_json::<Value>().await["error"].is_string());
    browser.send_text(r#"{"message":"still here","HEADERS":{}}"#).await;
    assert_eq!(browser.receive_text().await, "still here");
}

#[tokio::test]
async fn an_error_names_the_action_it_answers() {
    let mut browser = Communicator::connect(&bellwire(), Member::silent()).await;
    let action = json!({"action": "Complain", "data": {"field": "message", "client_id": "c-1"}});
    browser.send_json(&action).await;
    let expected = json!({"error": "Invalid message.", "field": "message", "client_id": "c-1"});
    assert_eq!(browser.receive_json::<Value>().await, expected);

    let mut page =
        Communicator::to(&bellwire(), "/").dialect(Dialect::Htmx).connect(Member::silent()).await;
    page.send_json(&action).await;
    assert_eq!(
        page.receive_text().await,
        r##"<div hx-swap-oob="innerHTML:#error--message" data-error="message" data-client-id="c-1">Invalid message.</div>"##
    );
}

#[tokio::test]
async fn a_page_that_asks_is_told_first_for_whom_its_connection_is() {
    for (person, hello) in [
        (Some("user.5"), r#"data-bw-hello="1" data-bw-person="user.5""#),
        (None, r#"data-bw-hello="1" data-bw-person="""#),
    ] {
        let connect = |path: &str| {
            let builder = Communicator::to(&bellwire(), path).dialect(Dialect::Htmx);
            match person {
                Some(person) => builder.person(person).connect(Member::silent()),
                None => builder.connect(Member::silent()),
            }
        };
        let mut page = connect("/?hello=1&greet").await;
        let expected = format!(r#"<div hx-swap-oob="none:body" {hello}></div>"#);
        assert_eq!(page.receive_text().await, expected);
        assert_eq!(page.receive_text().await, "Hello");
        assert_eq!(connect("/?greet").await.receive_text().await, "Hello", "it does not ask");
    }
}

#[tokio::test]
async fn a_server_error_is_answered_without_details_and_the_connection_stays_open() {
    let mut browser = Communicator::connect(&bellwire(), Member::silent()).await;
    browser.send_json(&json!({"action": "Fail"})).await;
    let answer: Value = browser.receive_json().await;
    assert_eq!(
        answer,
        json!({"error": "Something went wrong on the server. The error has been logged."})
    );
    browser.send_json(&json!({"action": "Say", "data": {"message": "on"}})).await;
    assert_eq!(browser.receive_text().await, "on");
}

#[tokio::test]
async fn a_panic_ends_its_own_connection_and_no_other() {
    let bellwire = bellwire();
    let (member, mut calls) = Member::new();
    let mut panicking = Communicator::connect(&bellwire, member).await;
    let mut neighbor = Communicator::connect(&bellwire, Member::silent()).await;
    panicking.send_json(&json!({"action": "Panic"})).await;
    assert_eq!(panicking.closed().await.code(), Close::ERROR);
    assert_eq!(next_call(&mut calls).await.unwrap(), "connect");
    assert_eq!(next_call(&mut calls).await.unwrap(), "disconnect 1011");
    neighbor.send_json(&json!({"action": "Say", "data": {"message": "on"}})).await;
    assert_eq!(neighbor.receive_text().await, "on");
}

#[tokio::test]
async fn disconnect_runs_once_however_the_connection_ends() {
    let bellwire = bellwire();
    for (end, code) in [("close", "1000"), ("cut", "1006"), ("leave", "4001"), ("refuse", "1008")] {
        let (member, mut calls) = Member::new();
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
        assert_eq!(next_call(&mut calls).await.unwrap(), "connect");
        assert_eq!(next_call(&mut calls).await.unwrap(), format!("disconnect {code}"), "{end}");
        assert_eq!(next_call(&mut calls).await, None, "{end}: nothing after it");
    }
    assert_eq!(bellwire.layer().local_sockets(), 0, "and the layer is empty");
}

// Time is paused, so that no token is refilled.
#[tokio::test(start_paused = true)]
async fn a_client_above_the_rate_limit_gets_an_error_and_is_then_disconnected() {
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
async fn a_shutdown_closes_every_socket_with_1012_and_waits_for_every_disconnect() {
    let bellwire = bellwire();
    let (member, mut calls) = Member::new();
    let browser = Communicator::connect(&bellwire, member).await;
    let (stopped, close) =
        tokio::join!(bellwire.shutdown(std::time::Duration::from_secs(10)), browser.closed());
    assert!(stopped);
    assert_eq!(close.code(), Close::RESTART);
    let retry = close.reason().strip_prefix("retry=").expect("when to return");
    assert!(retry.parse::<u64>().unwrap() <= 60_000, "{retry} ms");
    assert_eq!(next_call(&mut calls).await.unwrap(), "connect");
    assert_eq!(next_call(&mut calls).await.unwrap(), "disconnect 1012");
}

#[tokio::test]
async fn an_action_whose_handler_closes_the_socket_is_answered_before_the_close() {
    let mut browser = Communicator::connect(&bellwire(), Member::silent()).await;
    browser.send_json(&json!({"action": "Leave", "data": {}, "client_id": "c-1"})).await;
    let (received, close) = browser.receive_until_closed().await;
    assert_eq!((received, close.code()), (vec![r#"{"answer":"c-1"}"#.to_owned()], 4001));
}
