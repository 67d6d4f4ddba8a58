//! Reconnects after missed changes: the live page then equals a newly loaded one.

use bellwire_browser_tests::{NetworkError, Person, Proxy, Site};
use serde_json::{Value, json};

const ROOM: &str = "/chat/hi/";

fn numbered(words: &str, numbers: std::ops::RangeInclusive<u32>) -> Vec<String> {
    numbers.map(|number| format!("{words} {number}, *with* `code` and a <b>")).collect()
}

/// Ben has the room open with some messages. Ada has another page open and sends by HTTP.
async fn ben_in_room_ada_elsewhere(site: &Site) -> (Person, Person, Proxy) {
    let ada = site.person("Ada").await;
    let (ben, proxy) = site.person_with_proxy("Ben").await;
    ada.becomes_administrator().await;
    ben.signs_up().await;
    ben.opens_room("hi").await;
    ben.is_connected().await;
    ada.visit("/chat/-/people/").await;
    ada.posts_messages(ROOM, &numbered("before", 1..=10)).await;
    ben.is_up_to_date().await;
    assert_eq!(ben.normalized_messages().await.len(), 10);
    ben.marks_page().await;
    (ada, ben, proxy)
}

/// The ids of the messages that Ada will edit and delete, both on Ben's page.
async fn third_and_seventh(ada: &Person) -> [String; 2] {
    let text = |number| numbered("before", number..=number).remove(0);
    [ada.id_of_message(ROOM, &text(3)).await, ada.id_of_message(ROOM, &text(7)).await]
}

async fn ada_edits_and_deletes(ada: &Person, [edited, deleted]: [String; 2]) {
    ada.posts(
        &format!("/chat/-/messages/{edited}/"),
        &[("message", "said otherwise, with **weight**")],
    )
    .await;
    ada.posts(&format!("/chat/-/messages/{deleted}/delete/"), &[]).await;
}

/// Makes the changes that Ben misses: 120 messages, one edit, one deletion.
async fn ada_posts_edits_and_deletes(ada: &Person) {
    let chosen = third_and_seventh(ada).await;
    ada.posts_messages(ROOM, &numbered("meanwhile", 1..=120)).await;
    ada_edits_and_deletes(ada, chosen).await;
}

/// Checks that Ben received none of the changes while he was disconnected.
async fn received_nothing(ben: &Person) {
    ben.never_saw("meanwhile").await;
    ben.never_saw("said otherwise").await;
    assert_eq!(ben.normalized_messages().await.len(), 10);
}

/// Checks that Ben's live page was not reloaded and equals a newly loaded one. `more` is the number
/// of messages sent after Ada's changes.
async fn equals_new_page(ben: &Person, more: usize) {
    ben.is_connected().await;
    ben.is_up_to_date().await;
    ben.did_not_reload().await;
    let live = ben.normalized_messages().await;
    ben.visit(ROOM).await;
    let new_page = ben.normalized_messages().await;
    assert!(
        new_page.len() >= 50 && live.len() >= new_page.len(),
        "{} and {}",
        live.len(),
        new_page.len()
    );
    // A page that was open longer keeps older messages, which a new page loads by its link.
    let whole = ben.all_room_messages().await;
    assert_eq!(whole.len(), 10 + 120 - 1 + more, "ten earlier messages, one of them deleted");
    assert_equal(&live, last(&whole, live.len()));
    assert_equal(&new_page, last(&whole, new_page.len()));
    let is_edited = |message: &&Value| message["edited"] != json!(null);
    let edited: Vec<_> = live.iter().filter(is_edited).map(|message| &message["source"]).collect();
    assert_eq!(
        edited,
        ["said otherwise, with **weight**"],
        "the edit is on the live page, and marked"
    );
}

/// The last `count` messages, or all if there are fewer.
fn last(all: &[Value], count: usize) -> &[Value] {
    &all[all.len().saturating_sub(count)..]
}

/// Compares message by message, so that a failure shows the first difference.
fn assert_equal(one: &[Value], other: &[Value]) {
    for (number, (one, other)) in one.iter().zip(other).enumerate() {
        assert_eq!(one, other, "message {number} differs");
    }
    assert_eq!(one.len(), other.len());
}

#[tokio::test]
async fn a_page_whose_packets_were_dropped_silently_catches_up_afterwards() {
    let site = Site::open().await;
    let (ada, ben, proxy) = ben_in_room_ada_elsewhere(&site).await;
    ben.expects(NetworkError::Unreachable);
    proxy.drop_all_packets();
    ada_posts_edits_and_deletes(&ada).await;
    received_nothing(&ben).await;
    let state = ben.run_script("return document.documentElement.dataset.bellwire", &[]).await;
    assert_eq!(state, json!("connected"), "the page has not noticed the dead connection");

    // The page notices when he sends a message and no reply arrives.
    ben.says("is anybody there?").await;
    ben.is_offline().await;
    proxy.restore();
    ben.sees("is anybody there?").await;
    equals_new_page(&ben, 1).await;
}

#[tokio::test]
async fn a_page_opened_before_the_server_was_killed_catches_up_afterwards() {
    let mut site = Site::open().await;
    let (ada, ben, proxy) = ben_in_room_ada_elsewhere(&site).await;
    let chosen = third_and_seventh(&ada).await;
    for person in [&ada, &ben] {
        person.expects(NetworkError::Unreachable);
    }
    site.server.kill();
    ben.is_offline().await;
    // Ben's page would reconnect at once, so the proxy stays cut while Ada posts.
    proxy.cut();
    site.server.start_again().await;
    ada.posts_messages(ROOM, &numbered("meanwhile", 1..=60)).await;
    site.server.kill();
    site.server.start_again().await;
    ada.posts_messages(ROOM, &numbered("meanwhile", 61..=120)).await;
    ada_edits_and_deletes(&ada, chosen).await;
    received_nothing(&ben).await;
    proxy.restore();
    equals_new_page(&ben, 0).await;
}

#[tokio::test]
async fn a_page_from_the_back_forward_cache_catches_up() {
    let site = Site::open_in_full_browser().await;
    let (ada, ben, _proxy) = ben_in_room_ada_elsewhere(&site).await;
    ben.run_script(
        "addEventListener('pageshow', event => { window.restoredFromCache = event.persisted })",
        &[],
    )
    .await;
    ben.visit("/accounts/").await;
    ada_posts_edits_and_deletes(&ada).await;
    ben.goes_back().await;
    ben.until(
        "was back",
        &format!("return location.pathname === '{ROOM}' && document.readyState === 'complete'"),
        &[],
    )
    .await;
    let persisted = ben.run_script("return window.restoredFromCache === true", &[]).await;
    let why =
        "return JSON.stringify(performance.getEntriesByType('navigation')[0].notRestoredReasons)";
    let why = ben.run_script(why, &[]).await;
    assert_eq!(persisted, json!(true), "the page was reloaded instead of restored, because: {why}");
    equals_new_page(&ben, 0).await;
}

#[tokio::test]
async fn a_room_that_became_inaccessible_while_disconnected_is_closed() {
    let site = Site::open().await;
    let ada = site.person("Ada").await;
    let (ben, proxy) = site.person_with_proxy("Ben").await;
    ada.becomes_administrator().await;
    ben.signs_up().await;
    ben.expects(NetworkError::Unreachable);
    for (room, path, fields) in
        [("Garden", "members/", [("kind", "closed")].as_slice()), ("Harbour", "delete/", &[])]
    {
        ada.opens_room(room).await;
        ada.is_connected().await;
        let id = ada.run_script("return document.querySelector('.room').dataset.room", &[]).await;
        ben.opens_room(room).await;
        ben.is_connected().await;
        ada.says("for those who belong here").await;
        ben.sees("for those who belong here").await;
        proxy.cut();
        ben.is_offline().await;
        ada.posts(&format!("/chat/-/rooms/{}/{path}", id.as_str().expect("its id")), fields).await;
        proxy.restore();
        ben.find("#room .closed[role=alert]").await;
        ben.is_connected().await;
        ben.never_saw("for those who belong here").await;
        assert_eq!(
            ben.run_script("return document.querySelector('#composer')", &[]).await,
            Value::Null
        );
    }
}
