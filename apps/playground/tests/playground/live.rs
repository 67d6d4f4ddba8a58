//! What happens every second, for everyone alike: the clock and the balls.

use std::collections::HashSet;

use bellwire_testkit::Window;
use serde_json::{Value, json};

use crate::support::{NASTY, playground};

fn is_time(text: &str) -> bool {
    let parts: Vec<u32> = text.split(':').filter_map(|part| part.parse().ok()).collect();
    text.len() == 8 && matches!(parts[..], [..24, ..60, ..60])
}

#[tokio::test]
async fn who_connects_to_the_echo_is_greeted_and_told_the_time_and_what_they_say_comes_back() {
    let site = playground().await;
    let (ada, ben) = (site.client(), site.client());
    let mut ada = Window::open(&ada, "/ws/echo/").await;
    let mut page = Window::open(&ben, "/ws/echo/?dialect=htmx").await;
    assert_eq!(ada.text().await, "You are connected by WebSockets!");
    assert!(page.text().await.contains("innerHTML:#greeting"));
    let first = ada.text().await;
    assert!(is_time(&first), "{first}");
    // The same second comes to both, each in its own dialect.
    let second = ada.text().await;
    assert!(is_time(&second) && second != first, "{second}");
    let is_second = |told: &str| {
        assert!(told.contains("innerHTML:#clock"), "{told}");
        assert!([&first, &second].iter().any(|time| told.contains(&format!(">{time}<"))), "{told}");
        told.contains(&format!(">{second}<"))
    };
    page.until("the same second", is_second).await;
    ada.say(NASTY).await;
    let echo = ada.until("an echo", |text| !is_time(text)).await;
    assert_eq!(echo, NASTY, "as it is, for who asked in plain text");
    page.ask(&json!({"action": "Echo", "data": {"text": NASTY}})).await;
    let echo = page.hear(&["#echo"]).await;
    assert!(echo.contains("&lt;script&gt;") && !echo.contains("<script>"), "{echo}");
    page.ask(&json!({"action": "Echo", "data": {"text": "x".repeat(201)}})).await;
    assert!(page.hear(&["#error--text"]).await.contains("200"));
    site.stop().await;
}

#[tokio::test]
async fn a_player_has_a_ticket_of_their_own_and_the_same_balls_as_everyone_until_the_ticket_is_full()
 {
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
        assert!(seen.len() <= 40, "every ball falls again soon: {seen:?}");
    }
    // Ben came a moment later: his balls are hers, but perhaps the first.
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
async fn a_new_ticket_is_for_who_asks_and_nonsense_is_answered() {
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
    // Ben hears balls and nothing else, and a page that has its ticket is given none.
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
async fn a_page_of_the_clock_or_of_bingo_is_worth_reading_before_its_socket_opens() {
    let site = playground().await;
    let mut ada = site.client();
    let clock = ada.get("/echo/").await;
    let face = clock.text.split("id=\"clock\" role=\"timer\">").nth(1).expect("a clock");
    assert!(is_time(&face[..8]), "{face}");
    let bingo = ada.get("/bingo/").await;
    assert_eq!(bingo.text.matches("class=\"ticket__number\"").count(), 5);
    site.stop().await;
}
