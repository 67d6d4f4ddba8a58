//! Two people talk, and nobody else hears.

use bellwire_browser_tests::{Scheme, Stage};
use serde_json::json;

#[tokio::test]
async fn two_people_sign_up_open_a_room_and_talk_both_ways() {
    let stage = Stage::open().await;
    let (ada, ben) = (stage.person("Ada").await, stage.person("Ben").await);
    ada.becomes_administrator().await;
    ben.signs_up().await;
    ada.opens_room("The garden").await;
    ben.opens_room("The garden").await;
    ada.is_connected().await;
    ben.is_connected().await;

    ada.says("Good morning, Ben").await;
    ben.sees("Good morning, Ben").await;
    ada.sees("Good morning, Ben").await;
    ben.says("Good morning, Ada <b>& all</b>").await;
    ada.sees("Good morning, Ada <b>& all</b>").await;
    ben.sees("Good morning, Ada <b>& all</b>").await;
    assert_eq!(ada.messages().await, ben.messages().await);

    let composer = ada.ask("return document.querySelector('#message').value", &[]).await;
    assert_eq!(composer, "", "what was sent has left the composer");
    for person in [&ada, &ben] {
        assert_eq!(person.complaints().await, [""; 0], "the browser complains");
    }
    for scheme in [Scheme::Light, Scheme::Dark] {
        ada.takes_a_picture("room", 1280, scheme).await;
        ada.takes_a_picture("room", 390, scheme).await;
    }
}

#[tokio::test]
async fn a_third_person_in_another_room_sees_nothing() {
    let stage = Stage::open().await;
    let ada = stage.person("Ada").await;
    ada.becomes_administrator().await;
    ada.opens_room("Garden").await;
    ada.is_connected().await;
    let cem = stage.person("Cem").await;
    cem.signs_up().await;
    cem.opens_room("Harbour").await;
    cem.is_connected().await;

    ada.says("only for the garden").await;
    ada.sees("only for the garden").await;
    // His own message takes the same way to the same socket, later: had the other come, it would be
    // here by now.
    cem.says("is anybody here?").await;
    cem.sees("is anybody here?").await;
    assert_eq!(cem.messages().await, ["is anybody here?"]);
    cem.never_saw("only for the garden").await;

    ada.says("still among us").await;
    ada.sees("still among us").await;
    assert_eq!(ada.messages().await, ["only for the garden", "still among us"]);
    ada.never_saw("is anybody here?").await;
}

#[tokio::test]
async fn many_messages_have_the_same_order_for_both() {
    let stage = Stage::open().await;
    let (ada, ben) = (stage.person("Ada").await, stage.person("Ben").await);
    ada.becomes_administrator().await;
    ben.signs_up().await;
    ada.opens_room("Garden").await;
    ben.opens_room("Garden").await;
    ada.is_connected().await;
    ben.is_connected().await;
    for round in 0..10 {
        tokio::join!(async { ada.says(&format!("ada {round}")).await }, async {
            ben.says(&format!("ben {round}")).await;
        });
    }
    for round in 0..10 {
        for name in ["ada", "ben"] {
            ada.sees(&format!("{name} {round}")).await;
            ben.sees(&format!("{name} {round}")).await;
        }
    }
    let live = ada.messages().await;
    assert_eq!(live.len(), 20);
    assert_eq!(live, ben.messages().await);
    ben.visit("/chat/garden/").await;
    assert_eq!(live, ben.messages().await, "a fresh page shows what the live one shows");
}

/// A mouse needs no tap: its click on the words is for selecting them.
#[tokio::test]
async fn a_click_on_a_message_does_nothing_and_breaks_nothing() {
    let stage = Stage::open().await;
    let ada = stage.person("Ada").await;
    ada.becomes_administrator().await;
    ada.opens_room("Garden").await;
    ada.is_connected().await;
    ada.says("press here").await;
    ada.sees("press here").await;
    ada.presses("#messages-list .message__text").await;
    let asked = ada.ask("return document.activeElement.matches('[data-tool]')", &[]).await;
    assert_eq!(asked, json!(false), "nobody asked for the tools");
    assert_eq!(ada.complaints().await, [""; 0], "the browser complains");
}

/// Whoever is about to press the button would otherwise miss it when somebody speaks.
#[tokio::test]
async fn in_a_room_with_few_messages_the_composer_stays_at_the_foot_of_the_window() {
    let place =
        "const button = document.querySelector('#composer button[type=submit]').getBoundingClientRect(),
        foot = document.querySelector('.room__foot').getBoundingClientRect();
        return [button.left, button.top, innerHeight - foot.bottom, scrollY]";
    let stage = Stage::open().await;
    let ada = stage.person("Ada").await;
    ada.becomes_administrator().await;
    ada.opens_room("Garden").await;
    ada.is_connected().await;
    for (width, height) in [(1280, 720), (390, 844)] {
        ada.has_a_window(width, height).await;
        let is_so = "return innerWidth === arguments[0] && innerHeight === arguments[1]";
        ada.until("had that window", is_so, &[json!(width), json!(height)]).await;
        let before = ada.ask(place, &[]).await;
        assert_eq!(
            before[2].as_f64(),
            Some(0.0),
            "at {width} pixels the foot is not the window's: {before}"
        );
        ada.says(&format!("at {width}")).await;
        ada.sees(&format!("at {width}")).await;
        assert_eq!(ada.ask(place, &[]).await, before, "the button has moved at {width} pixels");
    }
}
