//! The demos with one event per second for everyone: the clock and bingo.

use std::collections::HashSet;

use bellwire_testkit::Window;
use serde_json::{Value, json};

use crate::support::{NASTY, playground};

fn is_time(text: &str) -> bool {
    let parts: Vec<u32> = text.split(':').filter_map(|part| part.parse().ok()).collect();
    text.len() == 8 && matches!(parts[..], [..24, ..60, ..60])
}

#[tokio::test]
async fn the_echo_socket_sends_a_greeting_and_the_time_and_returns_each_text() {
    let site = playground().await;
    let (ada, ben) = (site.client(), site.client());
    let mut ada = Window::open(&ada, "/ws/echo/").await;
    let mut page = Window::open(&ben, "/ws/echo/?dialect=htmx").await;
    assert_eq!(ada.text().await, "You are connected by WebSockets!");
    assert!(page.text().await.contains("innerHTML:#greeting"));
    let first = ada.text().await;
    assert!(is_time(&first), "{first}");
    // Both clients receive the same second, each in its own dialect.
    let second = ada.text().await;
    assert!(is_time(&second) && second != first, "{second}");
    let is_second = |frame: &str| {
        assert!(frame.contains("innerHTML:#clock"), "{frame}");
        assert!(
            [&first, &second].iter().any(|time| frame.contains(&format!(">{time}<"))),
            "{frame}"
        );
        frame.contains(&format!(">{second}<"))
    };
    page.until("the same second", is_second).await;
    ada.say(NASTY).await;
    let echo = ada.until("an echo", |text| !is_time(text)).await;
    assert_eq!(echo, NASTY, "unchanged, for a client that sends plain text");
    page.ask(&json!({"action": "Echo", "data": {"text": NASTY}})).await;
    let echo = page.hear(&["#echo"]).await;
    assert!(echo.contains("&lt;script&gt;") && !echo.contains("<script>"), "{echo}");
    page.ask(&json!({"action": "Echo", "data": {"text": "x".repeat(201)}})).await;
    assert!(page.hear(&["#error--text"]).await.contains("200"));
    site.stop().await;
}

#[tokio::test]
async fn each_player_has_an_own_ticket_and_receives_the_same_balls_as_everyone() {
    let site = playground().await;
    let mut ada = Window::open(&site.client(), "/ws/bingo/").await;
    let mut ben = Window::open(&site.client(), "/ws/bingo/").await;
    let mut missing = ticket(&ada.json().await);
    ticket(&ben.json().await);
    let mut seen = Vec::new();
    while !missing.is_empty() {
        let ball = ball(&ada.json().await);
        missing.remove(&ball);
        seen.push(ball);
        assert!(seen.len() <= 40, "every ball is drawn again soon: {seen:?}");
    }
    // Ben connected a moment later: he sees the same balls, except perhaps the first.
    let mut theirs = Vec::new();
    for _ in 0..seen.len() - 1 {
        theirs.push(ball(&ben.json().await));
    }
    assert!(seen.starts_with(&theirs) || seen.ends_with(&theirs), "{seen:?}, {theirs:?}");
    site.stop().await;
}

fn ticket(frame: &Value) -> HashSet<u64> {
    assert_eq!(frame["action"], "New ticket", "{frame}");
    let numbers: Vec<u64> = serde_json::from_value(frame["ticket"].clone()).expect("numbers");
    let different: HashSet<u64> = numbers.iter().copied().collect();
    assert!(numbers.len() == 5 && different.len() == 5, "{numbers:?}");
    assert!(numbers.iter().all(|number| (1..=10).contains(number)), "{numbers:?}");
    different
}

fn ball(frame: &Value) -> u64 {
    assert_eq!(frame["action"], "New ball", "{frame}");
    let ball = frame["ball"].as_u64().expect("a number");
    assert!((1..=10).contains(&ball), "{frame}");
    ball
}

#[tokio::test]
async fn a_new_ticket_goes_to_its_sender_only_and_invalid_frames_are_answered() {
    let site = playground().await;
    let mut ada = Window::open(&site.client(), "/ws/bingo/").await;
    let mut ben = Window::open(&site.client(), "/ws/bingo/").await;
    ticket(&ada.json().await);
    ticket(&ben.json().await);
    ada.ask(&json!({"action": "New ticket", "data": {}})).await;
    ticket(&not_a_ball(&mut ada).await);
    for nonsense in
        ["", "no json", "[]", r#"{"action":"Cheat"}"#, r#"{"action":5}"#, r#"{"data":{}}"#]
    {
        ada.say(nonsense).await;
        assert!(not_a_ball(&mut ada).await["error"].is_string(), "{nonsense}");
    }
    // Ben receives balls only, and a page that has a ticket receives no other one.
    let mut page = Window::open(&site.client(), "/ws/bingo/?ticket=mine").await;
    for _ in 0..2 {
        ball(&ben.json().await);
        ball(&page.json().await);
    }
    site.stop().await;
}

async fn not_a_ball(player: &mut Window) -> Value {
    let frame = player.until("no ball", |text| !text.contains("New ball")).await;
    serde_json::from_str(&frame).expect("JSON")
}

#[tokio::test]
async fn the_clock_and_bingo_pages_have_content_before_their_socket_opens() {
    let site = playground().await;
    let mut ada = site.client();
    let clock = ada.get("/echo/").await;
    let face = clock.text.split("id=\"clock\" role=\"timer\">").nth(1).expect("a clock");
    assert!(is_time(&face[..8]), "{face}");
    let bingo = ada.get("/bingo/").await;
    assert_eq!(bingo.text.matches("class=\"ticket__number\"").count(), 5);
    site.stop().await;
}
