//! Other people: who is here, conversations of two, what can be found, and rooms that change under
//! everyone's eyes.

use bellwire_browser_tests::{Person, Stage, Trouble};
use serde_json::json;

async fn three(stage: &Stage) -> (Person, Person, Person) {
    let people = (stage.person("Ada").await, stage.person("Ben").await, stage.person("Cy").await);
    people.0.becomes_administrator().await;
    people.1.signs_up().await;
    people.2.signs_up().await;
    people
}

/// Waits until these people, and no others, are shown to be in the room.
async fn sees_present(person: &Person, names: &str) {
    let script = "const here = [...document.querySelectorAll('#people li')].map(each => each.textContent.trim()); \
                  return here.join() === arguments[0] \
                    && document.querySelector('#people-count').textContent === String(here.length)";
    person.until(&format!("saw {names} in the room"), script, &[json!(names)]).await;
}

#[tokio::test]
async fn who_comes_and_goes_is_seen_by_those_present_and_a_reload_is_neither() {
    // Time enough for the reload, however busy the machine is.
    let stage = Stage::open_with(&[("BELLWIRE_PRESENCE_SECONDS", "15")]).await;
    let (ada, ben, cy) = three(&stage).await;
    ada.opens_room("Garden").await;
    ada.is_connected().await;
    // What was noticed is kept for the test, for it goes by itself.
    ada.ask(
        "window.noticed = []; new MutationObserver(changes => window.noticed.push(...changes.flatMap(change => \
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
    let noticed = ada.until(
        "was told that Ben left",
        "return window.noticed.includes('Ben left') && window.noticed",
        &[],
    );
    let noticed = noticed.await.to_string();
    assert_eq!(
        noticed.matches("Ben joined").count(),
        1,
        "the reload was nothing to tell of: {noticed}"
    );
    assert_eq!(noticed.matches("Ben left").count(), 1, "{noticed}");
}

#[tokio::test]
async fn whose_browser_crashes_is_soon_not_here_any_more() {
    let stage = Stage::open().await;
    let (ada, ben) = (stage.person("Ada").await, stage.person_with_a_browser("Ben").await);
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
async fn two_talk_alone_both_see_it_at_once_and_a_third_finds_nothing_of_it() {
    let stage = Stage::open().await;
    let (ada, ben, cy) = three(&stage).await;
    for person in [&ada, &ben, &cy] {
        person.visit("/chat/").await;
        person.is_connected().await;
    }
    ada.visit("/chat/-/people/").await;
    let press = "[...document.querySelectorAll('#room li')].find(each => each.textContent.includes('Ben')).querySelector('button').click()";
    ada.ask(press, &[]).await;
    ada.reads("#room .room__name", "Ben").await;
    ben.reads("#conversations .link__name", "Ada").await;
    ada.is_connected().await;
    ada.says("only you and me").await;
    ben.reads("#conversations .link__badge", "1").await;
    ben.presses("#conversations a").await;
    ben.sees("only you and me").await;
    ben.says("nobody else").await;
    ada.sees("nobody else").await;
    assert_eq!(ben.path().await, ada.path().await, "it is one conversation");

    assert_eq!(
        cy.ask("return document.querySelectorAll('#conversations li').length", &[]).await,
        0
    );
    cy.expects(Trouble::Status(404));
    cy.visit(&ada.path().await).await;
    cy.never_saw("only you and me").await;
    cy.visit("/chat/-/search/?q=only").await;
    cy.never_saw("only you and me").await;
    ben.visit("/chat/-/search/?q=ONLY").await;
    ben.reads("#room .found__text", "only you and me").await;
}

/// The room has this name and address wherever the window says it.
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
async fn a_room_is_renamed_and_removed_under_the_eyes_of_those_in_it() {
    let stage = Stage::open().await;
    let (ada, ben) = (stage.person("Ada").await, stage.person("Ben").await);
    let (cy, cable) = stage.person_with_a_cable("Cy").await;
    ada.becomes_administrator().await;
    ben.signs_up().await;
    cy.signs_up().await;
    ben.opens_room("Garden").await;
    cy.visit("/chat/garden/").await;
    cy.is_connected().await;
    cy.types("#message", "half a thought").await;
    cy.marks_the_page().await;
    let steps = cy.ask("return history.length", &[]).await;
    ada.visit("/chat/garden/").await;
    ada.presses(".room__settings").await;
    ada.types("#name", "Garden of Eden").await;
    ada.presses(".run__form button[type=submit]").await;
    is_called(&cy, "Garden of Eden", "/chat/garden-of-eden/").await;
    let draft = cy.ask("return document.querySelector('#message').value", &[]).await;
    assert_eq!(draft, "half a thought");
    assert_eq!(cy.ask("return history.length", &[]).await, steps, "no step for the way back");
    ada.visit("/chat/garden/").await;
    assert_eq!(ada.path().await, "/chat/garden-of-eden/", "the old address leads to the new one");

    // Cut off at one name and back at another.
    cy.expects(Trouble::Unreachable);
    cable.cut();
    cy.is_offline().await;
    let room = ada.ask("return document.querySelector('.room').dataset.room", &[]).await;
    let settings = format!("/chat/-/rooms/{}/", room.as_str().expect("its id"));
    ada.posts(&settings, &[("name", "Eden")]).await;
    ben.visit("/chat/eden/").await;
    ben.says("while you were away").await;
    cable.mend();
    cy.sees("while you were away").await;
    is_called(&cy, "Eden", "/chat/eden/").await;
    cy.says("here again").await;
    cy.sees("here again").await;
    ben.sees("here again").await;
    ben.says("so I see").await;
    cy.sees("so I see").await;
    cy.did_not_reload().await;

    ada.visit(&settings).await;
    ada.presses(".run__delete summary").await;
    ada.presses(".run__delete button").await;
    cy.reads("#room [role=alert] p", "This room was removed.").await;
    cy.until(
        "had no rooms left",
        "return document.querySelectorAll('#rooms li').length === 0",
        &[],
    )
    .await;
}

#[tokio::test]
async fn what_is_taken_back_unread_is_not_counted_any_more_where_one_looks_elsewhere() {
    let stage = Stage::open().await;
    let (ada, ben, _) = three(&stage).await;
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
    assert_eq!(ben.ask(title, &[]).await, json!("Garden · Bellwire"));
    assert_eq!(
        ben.ask("return document.querySelectorAll('.link--unread').length", &[]).await,
        json!(0)
    );
}

#[tokio::test]
async fn in_a_closed_room_only_its_members_are_offered_to_be_named() {
    let stage = Stage::open().await;
    let (ada, ben, _) = three(&stage).await;
    let bella = stage.person("Bella").await;
    bella.signs_up().await;
    ada.posts("/chat/", &[("name", "Board"), ("closed", "1")]).await;
    ada.visit("/chat/board/").await;
    let room = ada.ask("return document.querySelector('.room').dataset.room", &[]).await;
    let members = format!("/chat/-/rooms/{}/members/", room.as_str().expect("the room's number"));
    ada.posts(&members, &[("kind", "closed"), ("member", &bella.id().await.to_string())]).await;
    ada.is_connected().await;
    ada.types("#message", "@be").await;
    ada.reads("#names", "Bella").await;
    assert!(!ada.words_of("#names").await.contains("Ben"), "Ben may not read here");
    ada.presses(".room__kind").await;
    ada.reads("#room h1", "Who may read Board").await;
    let names =
        "return [...document.querySelectorAll('.person__name')].map(each => each.textContent)";
    assert_eq!(ada.ask(names, &[]).await, json!(["Ada", "Bella"]));
    ben.expects(Trouble::Status(404));
    ben.visit(&members).await;
    assert_eq!(ben.ask(names, &[]).await, json!([]));
}
