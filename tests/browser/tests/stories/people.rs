//! Other people: presence, direct conversations, search, live changes of rooms.

use bellwire_browser_tests::{NetworkError, Person, Site};
use serde_json::json;

async fn three(site: &Site) -> (Person, Person, Person) {
    let people = (site.person("Ada").await, site.person("Ben").await, site.person("Cy").await);
    people.0.becomes_administrator().await;
    people.1.signs_up().await;
    people.2.signs_up().await;
    people
}

/// Waits until exactly these people are displayed as present.
async fn sees_present(person: &Person, names: &str) {
    let script = "const here = [...document.querySelectorAll('#people li')].map(each => each.textContent.trim()); \
                  return here.join() === arguments[0] \
                    && document.querySelector('#people-count').textContent === String(here.length)";
    person.until(&format!("saw {names} in the room"), script, &[json!(names)]).await;
}

#[tokio::test]
async fn arrivals_and_departures_are_shown_and_a_reload_causes_neither() {
    // Long enough for the reload on a busy machine.
    let site = Site::open_with(&[("BELLWIRE_PRESENCE_SECONDS", "15")]).await;
    let (ada, ben, cy) = three(&site).await;
    ada.opens_room("Garden").await;
    ada.is_connected().await;
    // Notices disappear by themselves, so they are recorded.
    ada.run_script(
        "window.notices = []; new MutationObserver(changes => window.notices.push(...changes.flatMap(change => \
         [...change.addedNodes]).map(node => node.textContent.trim()))).observe(document.querySelector('#notices'), \
         { childList: true, subtree: true })",
        &[],
    )
    .await;
    ben.opens_room("Garden").await;
    ben.is_connected().await;
    sees_present(&ada, "Ada,Ben").await;
    sees_present(&ben, "Ada,Ben").await;
    ben.visit("/chat/garden/").await;
    ben.is_connected().await;
    cy.opens_room("Garden").await;
    sees_present(&ada, "Ada,Ben,Cy").await;
    ben.visit("/").await;
    sees_present(&ada, "Ada,Cy").await;
    let notices = ada.until(
        "saw that Ben left",
        "return window.notices.includes('Ben left') && window.notices",
        &[],
    );
    let notices = notices.await.to_string();
    assert_eq!(notices.matches("Ben joined").count(), 1, "a reload causes no notice: {notices}");
    assert_eq!(notices.matches("Ben left").count(), 1, "{notices}");
}

#[tokio::test]
async fn a_person_whose_browser_crashed_soon_disappears() {
    let site = Site::open().await;
    let (ada, ben) = (site.person("Ada").await, site.person_with_own_browser("Ben").await);
    ada.becomes_administrator().await;
    ben.signs_up().await;
    ada.opens_room("Garden").await;
    ada.is_connected().await;
    ben.opens_room("Garden").await;
    sees_present(&ada, "Ada,Ben").await;
    ben.crashes().await;
    sees_present(&ada, "Ada").await;
}

#[tokio::test]
async fn a_direct_conversation_is_live_for_both_and_invisible_to_a_third_person() {
    let site = Site::open().await;
    let (ada, ben, cy) = three(&site).await;
    for person in [&ada, &ben, &cy] {
        person.visit("/chat/").await;
        person.is_connected().await;
    }
    ada.visit("/chat/-/people/").await;
    let press = "[...document.querySelectorAll('#room li')].find(each => each.textContent.includes('Ben')).querySelector('button').click()";
    ada.run_script(press, &[]).await;
    ada.reads("#room .room__name", "Ben").await;
    ben.reads("#conversations .link__name", "Ada").await;
    ada.is_connected().await;
    ada.says("only you and me").await;
    ben.reads("#conversations .link__badge", "1").await;
    ben.presses("#conversations a").await;
    ben.sees("only you and me").await;
    ben.says("nobody else").await;
    ada.sees("nobody else").await;
    assert_eq!(ben.path().await, ada.path().await, "both are in the same conversation");

    assert_eq!(
        cy.run_script("return document.querySelectorAll('#conversations li').length", &[]).await,
        0
    );
    cy.expects(NetworkError::Status(404));
    cy.visit(&ada.path().await).await;
    cy.never_saw("only you and me").await;
    cy.visit("/chat/-/search/?q=only").await;
    cy.never_saw("only you and me").await;
    ben.visit("/chat/-/search/?q=ONLY").await;
    ben.reads("#room .found__text", "only you and me").await;
}

/// Waits until the window shows this name and address of the room everywhere.
async fn is_called(person: &Person, name: &str, path: &str) {
    person.reads("#room .room__name", name).await;
    person.reads("#rooms .link__name", name).await;
    person.reads("#composer label", &format!("Message to {name}")).await;
    let script = "return document.title === arguments[0] && location.pathname === arguments[1] \
                  && document.querySelector('#rooms a').getAttribute('href') === arguments[1]";
    person
        .until(
            "had its title and address",
            script,
            &[json!(format!("{name} · Bellwire")), json!(path)],
        )
        .await;
}

#[tokio::test]
async fn renaming_and_removing_a_room_update_the_pages_of_its_members() {
    let site = Site::open().await;
    let (ada, ben) = (site.person("Ada").await, site.person("Ben").await);
    let (cy, proxy) = site.person_with_proxy("Cy").await;
    ada.becomes_administrator().await;
    ben.signs_up().await;
    cy.signs_up().await;
    ben.opens_room("Garden").await;
    cy.visit("/chat/garden/").await;
    cy.is_connected().await;
    cy.types("#message", "half a thought").await;
    cy.marks_page().await;
    let steps = cy.run_script("return history.length", &[]).await;
    ada.visit("/chat/garden/").await;
    ada.presses(".room__settings").await;
    ada.types("#name", "Garden of Eden").await;
    ada.presses(".manage__form button[type=submit]").await;
    is_called(&cy, "Garden of Eden", "/chat/garden-of-eden/").await;
    let draft = cy.run_script("return document.querySelector('#message').value", &[]).await;
    assert_eq!(draft, "half a thought");
    assert_eq!(cy.run_script("return history.length", &[]).await, steps, "no new history entry");
    ada.visit("/chat/garden/").await;
    assert_eq!(ada.path().await, "/chat/garden-of-eden/", "the old address leads to the new one");

    // Disconnects before a rename, and reconnects after it.
    cy.expects(NetworkError::Unreachable);
    proxy.cut();
    cy.is_offline().await;
    let room = ada.run_script("return document.querySelector('.room').dataset.room", &[]).await;
    let settings = format!("/chat/-/rooms/{}/", room.as_str().expect("its id"));
    ada.posts(&settings, &[("name", "Eden")]).await;
    ben.visit("/chat/eden/").await;
    ben.says("while you were away").await;
    proxy.restore();
    cy.sees("while you were away").await;
    is_called(&cy, "Eden", "/chat/eden/").await;
    cy.says("here again").await;
    cy.sees("here again").await;
    ben.sees("here again").await;
    ben.says("so I see").await;
    cy.sees("so I see").await;
    cy.did_not_reload().await;

    ada.visit(&settings).await;
    ada.presses(".manage__delete summary").await;
    ada.presses(".manage__delete button").await;
    cy.reads("#room [role=alert] p", "This room was deleted.").await;
    cy.until(
        "had no rooms left",
        "return document.querySelectorAll('#rooms li').length === 0",
        &[],
    )
    .await;
}

#[tokio::test]
async fn a_deleted_unread_message_is_no_longer_counted_in_another_room() {
    let site = Site::open().await;
    let (ada, ben, _) = three(&site).await;
    ben.opens_room("Garden").await;
    ben.is_connected().await;
    ada.posts(&format!("/chat/-/people/{}/", ben.id().await), &[]).await;
    ada.visit("/chat/").await;
    ada.presses("#conversations a").await;
    ada.reads("#room .room__name", "Ben").await;
    ada.says("said too soon").await;
    ada.sees("said too soon").await;
    ben.reads("#conversations .link__badge", "1").await;
    let title = "return document.title";
    ben.until("saw it in the title", "return document.title.startsWith('(1) ')", &[]).await;
    let path = ada.path().await;
    let hasty = ada.id_of_message(&path, "said too soon").await;
    ada.posts(&format!("/chat/-/messages/{hasty}/delete/"), &[]).await;
    ben.reads("#conversations .link__badge", "").await;
    assert_eq!(ben.run_script(title, &[]).await, json!("Garden · Bellwire"));
    assert_eq!(
        ben.run_script("return document.querySelectorAll('.link--unread').length", &[]).await,
        json!(0)
    );
}

#[tokio::test]
async fn in_a_closed_room_only_members_are_suggested_as_mentions() {
    let site = Site::open().await;
    let (ada, ben, _) = three(&site).await;
    let bella = site.person("Bella").await;
    bella.signs_up().await;
    ada.posts("/chat/", &[("name", "Board"), ("closed", "1")]).await;
    ada.visit("/chat/board/").await;
    let room = ada.run_script("return document.querySelector('.room').dataset.room", &[]).await;
    let members = format!("/chat/-/rooms/{}/members/", room.as_str().expect("the room's number"));
    ada.posts(&members, &[("kind", "closed"), ("member", &bella.id().await.to_string())]).await;
    ada.is_connected().await;
    ada.types("#message", "@be").await;
    ada.reads("#names", "Bella").await;
    assert!(!ada.text_of("#names").await.contains("Ben"), "Ben may not read here");
    ada.presses(".room__kind").await;
    ada.reads("#room h1", "Members of Board").await;
    let names =
        "return [...document.querySelectorAll('.person__name')].map(each => each.textContent)";
    assert_eq!(ada.run_script(names, &[]).await, json!(["Ada", "Bella"]));
    ben.expects(NetworkError::Status(404));
    ben.visit(&members).await;
    assert_eq!(ben.run_script(names, &[]).await, json!([]));
}
