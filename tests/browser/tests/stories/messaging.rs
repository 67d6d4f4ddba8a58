//! Messages between two people, which nobody outside of the room receives.

use bellwire_browser_tests::{ColorScheme, Site};
use serde_json::json;

#[tokio::test]
async fn two_people_sign_up_open_a_room_and_exchange_messages() {
    let site = Site::open().await;
    let (ada, ben) = (site.person("Ada").await, site.person("Ben").await);
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

    let composer = ada.run_script("return document.querySelector('#message').value", &[]).await;
    assert_eq!(composer, "", "the composer is empty after sending");
    for person in [&ada, &ben] {
        assert_eq!(person.console_messages().await, [""; 0], "console messages");
    }
    for scheme in [ColorScheme::Light, ColorScheme::Dark] {
        ada.takes_screenshot("room", 1280, scheme).await;
        ada.takes_screenshot("room", 390, scheme).await;
    }
}

#[tokio::test]
async fn a_person_in_another_room_receives_nothing() {
    let site = Site::open().await;
    let ada = site.person("Ada").await;
    ada.becomes_administrator().await;
    ada.opens_room("Garden").await;
    ada.is_connected().await;
    let cem = site.person("Cem").await;
    cem.signs_up().await;
    cem.opens_room("Harbour").await;
    cem.is_connected().await;

    ada.says("only for the garden").await;
    ada.sees("only for the garden").await;
    // His own message arrives later over the same socket: if the other had been sent to him, it
    // would have arrived by now.
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
    let site = Site::open().await;
    let (ada, ben) = (site.person("Ada").await, site.person("Ben").await);
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

/// With a mouse, a click on the text selects it, and does not open the tools as a tap does.
#[tokio::test]
async fn a_click_on_a_message_has_no_effect_and_causes_no_error() {
    let site = Site::open().await;
    let ada = site.person("Ada").await;
    ada.becomes_administrator().await;
    ada.opens_room("Garden").await;
    ada.is_connected().await;
    ada.says("press here").await;
    ada.sees("press here").await;
    ada.presses("#messages-list .message__text").await;
    let focused = ada.run_script("return document.activeElement.matches('[data-tool]')", &[]).await;
    assert_eq!(focused, json!(false), "the tools do not open");
    assert_eq!(ada.console_messages().await, [""; 0], "console messages");
}

/// Otherwise the button would move while a person is about to press it.
#[tokio::test]
async fn in_a_room_with_few_messages_the_composer_stays_at_the_bottom_of_the_window() {
    let place =
        "const button = document.querySelector('#composer button[type=submit]').getBoundingClientRect(),
        foot = document.querySelector('.room__foot').getBoundingClientRect();
        return [button.left, button.top, innerHeight - foot.bottom, scrollY]";
    let site = Site::open().await;
    let ada = site.person("Ada").await;
    ada.becomes_administrator().await;
    ada.opens_room("Garden").await;
    ada.is_connected().await;
    for (width, height) in [(1280, 720), (390, 844)] {
        ada.sets_window_size(width, height).await;
        let has_size = "return innerWidth === arguments[0] && innerHeight === arguments[1]";
        ada.until("had that window", has_size, &[json!(width), json!(height)]).await;
        let before = ada.run_script(place, &[]).await;
        assert_eq!(
            before[2].as_f64(),
            Some(0.0),
            "at {width} pixels the composer is not at the bottom: {before}"
        );
        ada.says(&format!("at {width}")).await;
        ada.sees(&format!("at {width}")).await;
        assert_eq!(ada.run_script(place, &[]).await, before, "the button moved at {width} pixels");
    }
}
