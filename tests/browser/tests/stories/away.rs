//! Ben is away while Ada goes on; when he is back his page is the one that a fresh visit shows.

use bellwire_browser_tests::{Cable, Person, Stage, Trouble};
use serde_json::{Value, json};

const ROOM: &str = "/chat/hi/";

fn numbered(words: &str, numbers: std::ops::RangeInclusive<u32>) -> Vec<String> {
    numbers.map(|number| format!("{words} {number}, *with* `code` and a <b>")).collect()
}

/// Ben reads along, with some messages on his page; Ada has another page open and sends by HTTP.
async fn ben_reads_along(stage: &Stage) -> (Person, Person, Cable) {
    let ada = stage.person("Ada").await;
    let (ben, cable) = stage.person_with_a_cable("Ben").await;
    ada.becomes_administrator().await;
    ben.signs_up().await;
    ben.opens_room("hi").await;
    ben.is_connected().await;
    ada.visit("/chat/-/people/").await;
    ada.posts_messages(ROOM, &numbered("before", 1..=10)).await;
    ben.is_up_to_date().await;
    assert_eq!(ben.normal_messages().await.len(), 10);
    ben.marks_the_page().await;
    (ada, ben, cable)
}

/// What Ada is going to edit and to take back, of what Ben has on his page.
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

/// While he was away: 120 messages, one edit, one removal.
async fn ada_goes_on(ada: &Person) {
    let chosen = third_and_seventh(ada).await;
    ada.posts_messages(ROOM, &numbered("meanwhile", 1..=120)).await;
    ada_edits_and_deletes(ada, chosen).await;
}

/// Nothing of it has reached Ben, or being away was not what it says.
async fn nothing_has_come(ben: &Person) {
    ben.never_saw("meanwhile").await;
    ben.never_saw("said otherwise").await;
    assert_eq!(ben.normal_messages().await.len(), 10);
}

/// Ben's live page, which was never loaded anew, equals a freshly loaded one; `more` came in after
/// Ada had gone on.
async fn equals_a_fresh_page(ben: &Person, more: usize) {
    ben.is_connected().await;
    ben.is_up_to_date().await;
    ben.did_not_reload().await;
    let live = ben.normal_messages().await;
    ben.visit(ROOM).await;
    let fresh = ben.normal_messages().await;
    assert!(fresh.len() >= 50 && live.len() >= fresh.len(), "{} and {}", live.len(), fresh.len());
    // A page that was open longer keeps older messages, which a fresh one has behind its link.
    let whole = ben.whole_room().await;
    assert_eq!(whole.len(), 10 + 120 - 1 + more, "ten from before, one of them taken back");
    equal(&live, the_last(&whole, live.len()));
    equal(&fresh, the_last(&whole, fresh.len()));
    let is_edited = |message: &&Value| message["edited"] != json!(null);
    let edited: Vec<_> = live.iter().filter(is_edited).map(|message| &message["source"]).collect();
    assert_eq!(edited, ["said otherwise, with **weight**"], "it is on the live page, and marked");
}

/// The last so many, or all where there are fewer.
fn the_last(all: &[Value], count: usize) -> &[Value] {
    &all[all.len().saturating_sub(count)..]
}

/// Message by message: the first that differs says more than two lists.
fn equal(one: &[Value], other: &[Value]) {
    for (number, (one, other)) in one.iter().zip(other).enumerate() {
        assert_eq!(one, other, "message {number} differs");
    }
    assert_eq!(one.len(), other.len());
}

#[tokio::test]
async fn whose_packets_vanish_without_a_word_has_everything_when_they_arrive_again() {
    let stage = Stage::open().await;
    let (ada, ben, cable) = ben_reads_along(&stage).await;
    ben.expects(Trouble::Unreachable);
    cable.loses_everything();
    ada_goes_on(&ada).await;
    nothing_has_come(&ben).await;
    let state = ben.ask("return document.documentElement.dataset.bellwire", &[]).await;
    assert_eq!(state, json!("connected"), "nobody has told the page that the line is dead");

    // It finds out when he says something and nothing at all comes back.
    ben.says("is anybody there?").await;
    ben.is_offline().await;
    cable.mend();
    ben.sees("is anybody there?").await;
    equals_a_fresh_page(&ben, 1).await;
}

#[tokio::test]
async fn who_was_there_before_a_killed_server_has_everything_after_it() {
    let mut stage = Stage::open().await;
    let (ada, ben, cable) = ben_reads_along(&stage).await;
    let chosen = third_and_seventh(&ada).await;
    for person in [&ada, &ben] {
        person.expects(Trouble::Unreachable);
    }
    stage.server.kill();
    ben.is_offline().await;
    // Ben's page would be back at once: it stays away for as long as Ada takes.
    cable.cut();
    stage.server.start_again().await;
    ada.posts_messages(ROOM, &numbered("meanwhile", 1..=60)).await;
    stage.server.kill();
    stage.server.start_again().await;
    ada.posts_messages(ROOM, &numbered("meanwhile", 61..=120)).await;
    ada_edits_and_deletes(&ada, chosen).await;
    nothing_has_come(&ben).await;
    cable.mend();
    equals_a_fresh_page(&ben, 0).await;
}

#[tokio::test]
async fn a_page_from_the_back_forward_cache_has_everything() {
    let stage = Stage::open().await;
    let (ada, ben, _cable) = ben_reads_along(&stage).await;
    ben.ask("addEventListener('pageshow', event => { window.cameBack = event.persisted })", &[])
        .await;
    ben.visit("/accounts/").await;
    ada_goes_on(&ada).await;
    ben.goes_back().await;
    ben.until(
        "was back",
        &format!("return location.pathname === '{ROOM}' && document.readyState === 'complete'"),
        &[],
    )
    .await;
    let persisted = ben.ask("return window.cameBack === true", &[]).await;
    let why =
        "return JSON.stringify(performance.getEntriesByType('navigation')[0].notRestoredReasons)";
    let why = ben.ask(why, &[]).await;
    assert_eq!(
        persisted,
        json!(true),
        "the page was loaded anew, which proves nothing, because: {why}"
    );
    equals_a_fresh_page(&ben, 0).await;
}

#[tokio::test]
async fn whose_room_is_not_theirs_any_more_when_they_are_back_sees_it_close() {
    let stage = Stage::open().await;
    let ada = stage.person("Ada").await;
    let (ben, cable) = stage.person_with_a_cable("Ben").await;
    ada.becomes_administrator().await;
    ben.signs_up().await;
    ben.expects(Trouble::Unreachable);
    for (room, path, fields) in
        [("Garden", "members/", [("kind", "closed")].as_slice()), ("Harbour", "delete/", &[])]
    {
        ada.opens_room(room).await;
        ada.is_connected().await;
        let id = ada.ask("return document.querySelector('.room').dataset.room", &[]).await;
        ben.opens_room(room).await;
        ben.is_connected().await;
        ada.says("for those who belong here").await;
        ben.sees("for those who belong here").await;
        cable.cut();
        ben.is_offline().await;
        ada.posts(&format!("/chat/-/rooms/{}/{path}", id.as_str().expect("its id")), fields).await;
        cable.mend();
        ben.find("#room .closed[role=alert]").await;
        ben.is_connected().await;
        ben.never_saw("for those who belong here").await;
        assert_eq!(ben.ask("return document.querySelector('#composer')", &[]).await, Value::Null);
    }
}
