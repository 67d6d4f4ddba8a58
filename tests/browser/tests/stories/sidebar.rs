//! The sidebar with the list of rooms.

use bellwire_browser_tests::{Person, Site};
use serde_json::json;

/// The entry of the list with this name.
const LINE: &str = "[...document.querySelectorAll('#sidebar .link')]\
                    .find(each => each.querySelector('.link__name').textContent.trim() === arguments[0])";

/// Waits until the entry of a room has this unread state and this badge.
async fn sees_in_the_list(person: &Person, room: &str, is_unread: bool, badge: &str) {
    let script = format!(
        "const line = {LINE}; return line?.classList.contains('link--unread') === arguments[1] \
         && line.querySelector('.link__badge').textContent.trim() === arguments[2]"
    );
    let what = format!("had {room:?} in the list, unread: {is_unread}, with the badge {badge:?}");
    person.until(&what, &script, &[json!(room), json!(is_unread), json!(badge)]).await;
}

/// Clicks on a room in the list, and waits until it is displayed and is the only entry marked as
/// current.
async fn goes_to(person: &Person, room: &str) {
    person.run_script(&format!("{LINE}.querySelector('a').click()"), &[json!(room)]).await;
    let script = "return document.querySelector('#room .room__name')?.textContent.trim() === arguments[0] \
                  && [...document.querySelectorAll('#sidebar [aria-current] .link__name')]\
                     .map(each => each.textContent.trim()).join() === arguments[0]";
    person.until(&format!("was in {room:?}"), script, &[json!(room)]).await;
}

async fn has_the_title(person: &Person, title: &str) {
    person
        .until(
            &format!("had the title {title:?}"),
            "return document.title === arguments[0]",
            &[json!(title)],
        )
        .await;
}

/// Adds Ada in the garden and Ben in the harbour.
async fn two_in_two_rooms(site: &Site) -> (Person, Person) {
    let (ada, ben) = (site.person("Ada").await, site.person("Ben").await);
    ada.becomes_administrator().await;
    ben.signs_up().await;
    ada.opens_room("Garden").await;
    ben.opens_room("Harbour").await;
    ada.is_connected().await;
    ben.is_connected().await;
    sees_in_the_list(&ada, "Harbour", false, "").await;
    (ada, ben)
}

#[tokio::test]
async fn a_room_with_new_messages_is_bold_and_its_badge_counts_only_mentions() {
    let site = Site::open().await;
    let (ada, ben) = two_in_two_rooms(&site).await;
    ben.says("a ship").await;
    sees_in_the_list(&ada, "Harbour", true, "").await;
    has_the_title(&ada, "Garden · Bellwire").await;
    ben.says("@Ada a bigger one").await;
    sees_in_the_list(&ada, "Harbour", true, "1").await;
    has_the_title(&ada, "(1) Garden · Bellwire").await;
    sees_in_the_list(&ben, "Harbour", false, "").await;

    goes_to(&ada, "Harbour").await;
    sees_in_the_list(&ada, "Harbour", false, "").await;
    has_the_title(&ada, "Harbour · Bellwire").await;
}

#[tokio::test]
async fn a_click_on_a_room_opens_it_without_a_reload_and_history_works() {
    let site = Site::open().await;
    let (ada, ben) = two_in_two_rooms(&site).await;
    ada.marks_page().await;
    goes_to(&ada, "Harbour").await;
    assert_eq!(ada.path().await, "/chat/harbour/");
    ada.did_not_reload().await;
    let focused = ada.run_script("return document.activeElement.id", &[]).await;
    assert_eq!(focused, "message", "the composer has the focus");
    ben.says("welcome aboard").await;
    ada.sees("welcome aboard").await;
    // Nothing happened in the garden in the meantime, so the restored page looks unchanged.
    ada.run_script("history.back()", &[]).await;
    is_live_in(&ada, &ben, "Garden", "back").await;
    ada.run_script("history.forward()", &[]).await;
    is_live_in(&ada, &ben, "Harbour", "forward").await;
    ada.did_not_reload().await;
}

/// Checks that a person is in the room again: both people see each other's messages, and none is
/// pending.
async fn is_live_in(one: &Person, other: &Person, room: &str, word: &str) {
    one.reads("#room .room__name", room).await;
    one.is_connected().await;
    let (text, reply) = (format!("I am {word}"), format!("I see you are {word}"));
    one.says(&text).await;
    one.sees(&text).await;
    goes_to(other, room).await;
    other.sees(&text).await;
    other.says(&reply).await;
    one.sees(&reply).await;
    one.until("had no pending message", "return !document.querySelector('[data-pending]')", &[])
        .await;
}

#[tokio::test]
async fn a_new_room_is_inserted_in_order_without_moving_the_focus() {
    let site = Site::open().await;
    let (ada, ben) = two_in_two_rooms(&site).await;
    ada.run_script(&format!("{LINE}.querySelector('a').focus()"), &[json!("Harbour")]).await;
    ben.opens_room("Gate").await;
    let names = "return [...document.querySelectorAll('#rooms .link__name')].map(each => each.textContent.trim()).join()";
    ada.until("had three rooms in order", &format!("{names} === 'Garden,Gate,Harbour'"), &[]).await;
    let focused = ada
        .run_script(
            "return document.activeElement.querySelector('.link__name')?.textContent.trim()",
            &[],
        )
        .await;
    assert_eq!(focused, "Harbour");
}

#[tokio::test]
async fn on_a_phone_the_list_covers_the_room_and_escape_closes_it() {
    let site = Site::open().await;
    let ada = site.person("Ada").await;
    ada.sets_window_size(390, 844).await;
    ada.becomes_administrator().await;
    ada.opens_room("Garden").await;
    ada.is_connected().await;
    ada.types("#message", "half-typed").await;
    ada.presses(".room__back").await;
    ada.until("saw the list", "return document.querySelector('#sidebar').checkVisibility()", &[])
        .await;
    ada.until(
        "had the focus in it",
        "return document.activeElement.closest('#sidebar') !== null",
        &[],
    )
    .await;
    ada.run_script("document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }))", &[])
        .await;
    ada.until(
        "saw the list close",
        "return !document.querySelector('#sidebar').checkVisibility()",
        &[],
    )
    .await;
    let left = ada
        .run_script(
            "return [document.activeElement.className, document.querySelector('#message').value]",
            &[],
        )
        .await;
    assert_eq!(left, json!(["room__back", "half-typed"]));
}
