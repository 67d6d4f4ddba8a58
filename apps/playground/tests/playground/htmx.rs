//! The chat in plain htmx: recipients of messages, and the HTTP handlers.

use bellwire::Topic;
use bellwire_testkit::{PATIENCE, TestSite, Window};
use serde_json::json;

use crate::support::{NASTY, playground};

const ROOM: Topic<u8> = Topic::new("playground.htmx");

/// A form as htmx 2 sends it.
fn message(text: &str) -> serde_json::Value {
    json!({"chat_message": text, "room": "garden", "HEADERS": {"HX-Request": "true", "HX-Trigger": "form"}})
}

/// Waits until a room has this number of members: a socket that has just opened may not have joined
/// yet.
async fn until_members(site: &TestSite, room: u8, members: usize) {
    let layer = site.state().bellwire().layer();
    let joined = async {
        while layer.local_members(ROOM.of(room)) < members {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, joined).await.expect("all members join in time");
}

#[tokio::test]
async fn a_message_is_appended_out_of_band_for_members_of_the_room_only() {
    let site = playground().await;
    let mut ada = Window::open(&site.client(), "/ws/htmx/").await;
    let mut ben = Window::open(&site.client(), "/ws/htmx/?room=garden").await;
    let mut cook = Window::open(&site.client(), "/ws/htmx/?room=kitchen").await;
    until_members(&site, 0, 2).await;
    until_members(&site, 1, 1).await;
    ada.ask(&message(NASTY)).await;
    for member in [&mut ada, &mut ben] {
        let frame = member.text().await;
        assert!(frame.starts_with("<div hx-swap-oob=\"beforeend:#content\" data-feed="), "{frame}");
        assert!(frame.contains("&#60;script&#62;") && !frame.contains("<script>"), "{frame}");
        assert!(
            !frame.contains('\u{202e}') && frame.contains("👋🏽"),
            "no direction override: {frame}"
        );
    }
    let lower_case = json!({"chat_message": "from htmx 4", "headers": {"HX-Request": "true"}});
    ben.ask(&lower_case).await;
    assert!(ada.text().await.contains("from htmx 4"));
    cook.ask(&message("soup")).await;
    assert!(cook.text().await.contains("soup"), "the cook's first frame");
    let mut late = Window::open(&site.client(), "/ws/htmx/").await;
    let frame = late.text().await;
    assert!(
        frame.contains("innerHTML:#content")
            && frame.contains("from htmx 4")
            && !frame.contains("soup"),
        "{frame}"
    );
    let mut plain = Window::open(&site.client(), "/ws/htmx/?dialect=json&room=attic").await;
    let answer = plain.answer(&message("up here")).await;
    assert_eq!((&answer["selector"], &answer["append"]), (&json!("#content"), &json!(true)));
    site.stop().await;
}

#[tokio::test]
async fn errors_are_shown_beside_the_field_and_a_room_keeps_fifty_messages() {
    let site = playground().await;
    let mut ada = Window::open(&site.client(), "/ws/htmx/?room=attic").await;
    for wrong in [
        message(""),
        message(" \0 "),
        message("\u{200b}"),
        message("\u{202e}\u{200d}"),
        message(&"x".repeat(501)),
        json!({"chat_message": 5}),
        json!({}),
    ] {
        ada.ask(&wrong).await;
        let frame = ada.text().await;
        assert!(frame.contains("innerHTML:#error--chat_message"), "{wrong}: {frame}");
    }
    let mut refused = String::new();
    for number in 0..62 {
        ada.ask(&message(&format!("line {number}."))).await;
        refused = ada.text().await;
        // The first valid message also clears the error.
        if number == 0 {
            refused = ada.text().await;
        }
    }
    assert!(refused.contains("Too many requests"), "{refused}");
    let mut browser = site.client();
    let page = browser.get("/htmx/?room=attic").await;
    assert_eq!(page.text.matches("class=\"said\"").count(), 50);
    assert!(
        !page.text.contains("line 9.")
            && page.text.contains("line 10.")
            && page.text.contains("line 59.")
    );
    site.stop().await;
}

#[tokio::test]
async fn choosing_a_room_returns_its_window_to_htmx_and_redirects_other_clients() {
    let site = playground().await;
    let mut ada = site.client();
    let origin = site.url("");
    let origin = origin.trim_end_matches('/');
    for (path, connect) in [("/htmx/", "ws-connect"), ("/htmx/4/", "hx-ws:connect")] {
        let chosen = ada
            .post_with(path, &[("origin", origin), ("hx-request", "true")], &[("room", "kitchen")])
            .await;
        assert_eq!(chosen.status, 200);
        assert!(
            chosen.text.starts_with("<section") && chosen.text.contains("id=\"chat-window\""),
            "{}",
            chosen.text
        );
        assert!(
            chosen.text.contains(&format!("{connect}=\"/ws/htmx/?room=kitchen\"")),
            "{}",
            chosen.text
        );
        assert_eq!(chosen.header("hx-push-url"), format!("{path}?room=kitchen"));
        let plain = ada.post(path, &[("room", "kitchen")]).await;
        assert_eq!((plain.status, plain.location()), (303, &*format!("{path}?room=kitchen")));
        let sent = ada.post(path, &[("room", "kitchen"), ("chat_message", "by HTTP <b>")]).await;
        assert_eq!(sent.status, 303);
        assert!(
            ada.get(&format!("{path}?room=kitchen")).await.text.contains("by HTTP &#60;b&#62;</p>")
        );
        let empty = ada.post(path, &[("room", "kitchen"), ("chat_message", "")]).await;
        assert!(empty.status == 422 && empty.text.contains("Please type something."));
        assert_eq!(ada.post(path, &[("room", "cellar")]).await.status, 404);
        assert_eq!(ada.get(&format!("{path}?room=cellar")).await.status, 404);
        let page = ada.get(path).await;
        for script in
            page.text.split("<script src=\"").skip(1).filter_map(|rest| rest.split('"').next())
        {
            assert_eq!(ada.get(script).await.status, 200, "{script}");
            assert!(!script.contains("bellwire"), "no bellwire.js");
        }
    }
    site.stop().await;
}
