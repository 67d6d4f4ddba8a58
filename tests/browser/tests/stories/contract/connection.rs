//! The connection of a page: its address, its state, and its end.

use std::sync::atomic::Ordering;

use bellwire_browser_tests::NetworkError;
use serde_json::json;

use super::app::{Content, PAGES, open_page};
use super::page::{body, comes_true, hears, holds, is_cut_off, open_as_ada, signs_in, value};

#[tokio::test]
async fn a_page_has_one_connection_at_its_address_which_follows_its_location_and_positions() {
    let page = "<section bw-at=first></section><section bw-at=last id=place></section>
        <div id=wires><p id=wire bw-connect='/live?x=1'></p><p bw-connect=/again></p></div>
        <ul id=older data-feed=room.1 data-seq=4f1c.9></ul>
        <ul id=newer data-feed=room.1 data-seq=4f1c.10></ul>
        <ul data-feed=room.2 data-seq=7></ul>
        <p id=typing data-bw-state=typing>Ben is typing</p>";
    let (ada, app) = open_page(Content::Of(page.to_owned())).await;
    let opened = "/live?x=1&dialect=htmx&at=last&hello=1&since=room.1:4f1c.9&since=room.2:7";
    assert_eq!(app.connections.next().await, opened);
    let shown = value(&ada, "({ ...document.documentElement.dataset })").await;
    assert_eq!(shown, json!({ "bellwire": "connected", "bellwireTransport": "socket" }));

    let numbered = "<i hx-swap-oob=\"none:body\" data-feed=room.1 data-seq=4f1c.12></i>";
    app.shows(&ada, numbered).await;
    let positions = "[older.dataset.seq, newer.dataset.seq]";
    assert_eq!(value(&ada, positions).await, json!(["4f1c.12", "4f1c.12"]));
    ada.run_script("bellwire.reconnect()", &[]).await;
    assert_eq!(value(&ada, "typing.textContent").await, "", "passing content is emptied");
    let opened = "/live?x=1&dialect=htmx&at=last&hello=1&since=room.1:4f1c.12&since=room.2:7";
    assert_eq!(app.connections.next().await, opened);
    assert!(app.disconnects.next().await.starts_with("/live?x=1"));
    ada.is_connected().await;

    // The server moves the page: its connection stays, and another one has no former positions.
    let moved = "<i hx-swap-oob=\"outerHTML:#place\" bw-at=moved></i>
        <i hx-swap-oob=\"delete:[data-feed]\"></i>";
    app.shows(&ada, moved).await;
    ada.run_script("bellwire.reconnect()", &[]).await;
    assert_eq!(app.connections.next().await, "/live?x=1&dialect=htmx&at=moved&hello=1");
    app.disconnects.next().await;
    ada.is_connected().await;

    app.shows(&ada, "<p hx-swap-oob=\"outerHTML:#wire\" id=wire bw-connect='/again?y'></p>").await;
    assert_eq!(app.connections.next().await, "/again?y=&dialect=htmx&at=moved&hello=1");
    assert!(app.disconnects.next().await.starts_with("/live?x=1"));
    ada.is_connected().await;
    let group = app.bellwire.layer().group(PAGES.of(1));
    group.text("<p hx-swap-oob=\"delete:#wires\"></p>");
    assert!(app.disconnects.next().await.starts_with("/again"));
    comes_true(&ada, "bellwire.state() === null").await;
    assert!(holds(&ada, "!document.documentElement.hasAttribute('data-bellwire')").await);
}

#[tokio::test]
async fn the_state_and_its_reason_are_shown_and_told_to_listeners() {
    let shown = "<p id=connection-reason></p>";
    let (ada, app) = open_page(Content::Of(body(shown))).await;
    let listen = "[window.told, window.toldOnce] = [[], []]
        bellwire.onState((...change) => told.push(change))
        const remove = bellwire.onState((state) => remove(toldOnce.push(state)))
        return bellwire.state()";
    assert_eq!(ada.run_script(listen, &[]).await, "connected");
    is_cut_off(&ada, &app).await;
    let attribute = "document.documentElement.dataset.bellwire";
    assert_eq!(value(&ada, attribute).await, "connecting");
    ada.run_script("clock.pass(4999)", &[]).await;
    ada.is_connected().await;
    app.refuses_connections.store(true, Ordering::Relaxed);
    ada.expects(NetworkError::Status(403));
    app.closes(4000);
    comes_true(&ada, "bellwire.state() === 'connecting'").await;
    // The next attempt is made, and refused, before these five seconds are over.
    ada.run_script("clock.pass(1000)", &[]).await;
    comes_true(&ada, "clock.delays().length === 2").await;
    ada.run_script("clock.pass(4000)", &[]).await;
    assert_eq!(value(&ada, attribute).await, "offline");
    ada.reads("#connection-reason", "The server cannot be reached.").await;
    app.refuses_connections.store(false, Ordering::Relaxed);
    ada.run_script("bellwire.reconnect()", &[]).await;
    ada.is_connected().await;
    ada.reads("#connection-reason", "").await;
    app.closes(1000);
    ada.reads("#connection-reason", "Goodbye.").await;
    let told = json!([
        ["connecting", ""],
        ["connected", ""],
        ["connecting", ""],
        ["offline", "The server cannot be reached."],
        ["connecting", ""],
        ["connected", ""],
        ["offline", "Goodbye."],
    ]);
    assert_eq!(value(&ada, "told").await, told);
    let last = json!(["document", { "state": "offline", "reason": "Goodbye." }]);
    assert_eq!(hears(&ada, "state").await, last);
    assert_eq!(value(&ada, "toldOnce").await, json!(["connecting"]), "the listener was removed");
    ada.run_script("bellwire.reconnect()", &[]).await;
    assert_eq!(value(&ada, "told.length").await, 7, "a final close stays final");
    assert_eq!(value(&ada, "bellwire.state()").await, "offline");
}

#[tokio::test]
async fn the_longest_action_is_refused_after_one_was_too_long() {
    let (ada, app) = open_page(Content::Of(body(""))).await;
    app.connections.next().await;
    is_cut_off(&ada, &app).await;
    *app.closes_next.lock().unwrap() = Some(1009);
    let wait = "for (const text of ['short', 'x'.repeat(5000), 'longer'])
          bellwire.send('Kept', { client_id: text.slice(0, 6), text })
        bellwire.reconnect()";
    ada.run_script(wait, &[]).await;
    let refused = hears(&ada, "refused").await;
    assert_eq!(refused[1]["clientId"], "xxxxxx");
    assert_eq!(refused[1]["error"], "This is too long to be sent.");
    ada.run_script("bellwire.reconnect()", &[]).await;
    for expected in ["short", "longer"] {
        assert_eq!(app.actions.next().await["data"]["text"], expected);
    }
}

#[tokio::test]
async fn a_page_that_is_refused_like_its_connection_is_loaded_again_once_a_minute() {
    let (ada, app) = open_as_ada(Content::Owned(body(""))).await;
    ada.expects(NetworkError::Status(403));
    ada.expects(NetworkError::Unreachable);
    // The page is requested by script, then loaded again, and then only requested.
    let is_loaded_again_once = async || {
        assert_eq!(app.visits.next().await, "cors /");
        while app.visits.next().await != "navigate /" {}
        for _ in 0..3 {
            assert_eq!(app.visits.next().await, "cors /");
        }
    };
    assert_eq!(app.visits.next().await, "navigate /sign-in");
    assert_eq!(app.visits.next().await, "navigate /");
    app.refuses_connections.store(true, Ordering::Relaxed);
    app.page("/", Content::Refused(body("")));
    app.closes(4000);
    is_loaded_again_once().await;
    assert!(holds(&ada, "Date.now() - Number(sessionStorage['bellwire:reloaded']) < 60000").await);
    app.refuses_connections.store(false, Ordering::Relaxed);
    ada.is_connected().await;

    // The page of another person.
    app.page("/", Content::Owned(body("")));
    ada.visit("/").await;
    ada.is_connected().await;
    ada.run_script("sessionStorage.removeItem('bellwire:reloaded')", &[]).await;
    signs_in(&ada, "user.ben").await;
    app.refuses_connections.store(true, Ordering::Relaxed);
    app.closes(4000);
    while app.visits.next().await != "navigate /" {}
    is_loaded_again_once().await;
}
