//! The list of rooms beside the one that is looked at.

use bellwire_browser_tests::{Person, Stage};
use serde_json::json;

/// The line of the list with this name.
const LINE: &str = "[...document.querySelectorAll('#sidebar .link')]\
                    .find(each => each.querySelector('.link__name').textContent.trim() === arguments[0])";

/// Waits until the line of a room is bold or is not, with this number beside it.
async fn sees_in_the_list(person: &Person, room: &str, is_unread: bool, badge: &str) {
    let script = format!(
        "const line = {LINE}; return line?.classList.contains('link--unread') === arguments[1] \
         && line.querySelector('.link__badge').textContent.trim() === arguments[2]"
    );
    let what = format!("had {room:?} in the list, unread: {is_unread}, with {badge:?} beside it");
    person.until(&what, &script, &[json!(room), json!(is_unread), json!(badge)]).await;
}

/// Clicks on a room in the list, and waits until it is shown and is the only one that is marked as
/// shown.
async fn goes_to(person: &Person, room: &str) {
    person.ask(&format!("{LINE}.querySelector('a').click()"), &[json!(room)]).await;
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

/// Ada in the garden, Ben in the harbour.
async fn two_in_two_rooms(stage: &Stage) -> (Person, Person) {
    let (ada, ben) = (stage.person("Ada").await, stage.person("Ben").await);
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
async fn a_room_in_which_somebody_speaks_is_bold_and_counts_only_what_names_me() {
    let stage = Stage::open().await;
    let (ada, ben) = two_in_two_rooms(&stage).await;
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
async fn a_click_on_a_room_moves_there_without_a_reload_and_the_way_back_leads_back() {
    let stage = Stage::open().await;
    let (ada, ben) = two_in_two_rooms(&stage).await;
    ada.marks_the_page().await;
    goes_to(&ada, "Harbour").await;
    assert_eq!(ada.path().await, "/chat/harbour/");
    ada.did_not_reload().await;
    let focused = ada.ask("return document.activeElement.id", &[]).await;
    assert_eq!(focused, "message", "the composer waits for words");
    ben.says("welcome aboard").await;
    ada.sees("welcome aboard").await;
    // Nothing happened in the garden meanwhile, so the page that comes back looks as the one that
    // was left.
    ada.ask("history.back()", &[]).await;
    is_live_in(&ada, &ben, "Garden", "back").await;
    ada.ask("history.forward()", &[]).await;
    is_live_in(&ada, &ben, "Harbour", "forward").await;
    ada.did_not_reload().await;
}

/// One is in the room again: what either of them says there, both see, and nothing waits.
async fn is_live_in(one: &Person, other: &Person, room: &str, word: &str) {
    one.reads("#room .room__name", room).await;
    one.is_connected().await;
    let (said, heard) = (format!("I am {word}"), format!("I see you are {word}"));
    one.says(&said).await;
    one.sees(&said).await;
    goes_to(other, room).await;
    other.sees(&said).await;
    other.says(&heard).await;
    one.sees(&heard).await;
    one.until("waited for nothing", "return !document.querySelector('[data-pending]')", &[]).await;
}

#[tokio::test]
async fn a_new_room_comes_into_its_place_and_takes_nobodys_focus() {
    let stage = Stage::open().await;
    let (ada, ben) = two_in_two_rooms(&stage).await;
    ada.ask(&format!("{LINE}.querySelector('a').focus()"), &[json!("Harbour")]).await;
    ben.opens_room("Gate").await;
    let names = "return [...document.querySelectorAll('#rooms .link__name')].map(each => each.textContent.trim()).join()";
    ada.until("had three rooms in order", &format!("{names} === 'Garden,Gate,Harbour'"), &[]).await;
    let focused = ada
        .ask("return document.activeElement.querySelector('.link__name')?.textContent.trim()", &[])
        .await;
    assert_eq!(focused, "Harbour");
}

#[tokio::test]
async fn on_a_phone_the_list_is_drawn_over_the_room_and_escape_puts_it_away() {
    let stage = Stage::open().await;
    let ada = stage.person("Ada").await;
    ada.has_a_window(390, 844).await;
    ada.becomes_administrator().await;
    ada.opens_room("Garden").await;
    ada.is_connected().await;
    ada.types("#message", "half-typed").await;
    ada.presses(".room__back").await;
    ada.until("saw the list", "return document.querySelector('#sidebar').checkVisibility()", &[])
        .await;
    ada.until("was in it", "return document.activeElement.closest('#sidebar') !== null", &[]).await;
    ada.ask("document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }))", &[])
        .await;
    ada.until(
        "saw it no more",
        "return !document.querySelector('#sidebar').checkVisibility()",
        &[],
    )
    .await;
    let left = ada
        .ask(
            "return [document.activeElement.className, document.querySelector('#message').value]",
            &[],
        )
        .await;
    assert_eq!(left, json!(["room__back", "half-typed"]));
}
