//! The server or the network goes away and comes back; nobody notices more than a moment of quiet.

use bellwire_browser_tests::{Person, Stage, Trouble};

/// A stage with two people in the room "Garden", both connected, their pages marked.
async fn two_in_a_room() -> (Stage, Person, Person) {
    let stage = Stage::open().await;
    let (ada, ben) = (stage.person("Ada").await, stage.person("Ben").await);
    ada.becomes_administrator().await;
    ben.signs_up().await;
    for person in [&ada, &ben] {
        person.opens_room("Garden").await;
        person.is_connected().await;
        person.marks_the_page().await;
    }
    ada.says("before").await;
    ben.sees("before").await;
    for person in [&ada, &ben] {
        person.expects(Trouble::Unreachable);
    }
    (stage, ada, ben)
}

/// The pages of both are the ones from the start, live, and equal to a fresh one.
async fn both_have(ada: &Person, ben: &Person, all: &[&str]) {
    for person in [ada, ben] {
        for words in all {
            person.sees(words).await;
        }
        person.did_not_reload().await;
    }
    let live = ada.messages().await;
    assert_eq!(live.len(), all.len(), "nothing is there twice: {live:?}");
    assert_eq!(live, ben.messages().await);
    ben.visit("/chat/garden/").await;
    assert_eq!(live, ben.messages().await, "a fresh page shows what the live ones show");
}

#[tokio::test]
async fn a_killed_server_comes_back_and_both_go_on_talking() {
    let (mut stage, ada, ben) = two_in_a_room().await;
    stage.server.kill();
    ada.is_offline().await;
    ben.is_offline().await;
    ada.says("sent while nobody listens").await;
    ben.types("#message", "half a thought").await;

    stage.server.start_again().await;
    ada.is_connected().await;
    ben.is_connected().await;
    ben.sees("sent while nobody listens").await;
    ben.presses("#composer button[type=submit]").await;
    ada.sees("half a thought").await;
    ada.says("and on we go").await;
    both_have(
        &ada,
        &ben,
        &["before", "sent while nobody listens", "half a thought", "and on we go"],
    )
    .await;
}

#[tokio::test]
async fn a_server_that_is_stopped_and_started_is_a_short_silence() {
    let (mut stage, ada, ben) = two_in_a_room().await;
    let status = stage.server.stop().await;
    assert!(status.success(), "a server that is told to stop ends well: {status}");
    ben.is_offline().await;
    ben.says("in between").await;
    stage.server.start_again().await;
    ada.sees("in between").await;
    ada.is_connected().await;
    ada.says("welcome back").await;
    both_have(&ada, &ben, &["before", "in between", "welcome back"]).await;
}

#[tokio::test]
async fn who_was_cut_off_gets_what_was_said_meanwhile() {
    let stage = Stage::open().await;
    let ada = stage.person("Ada").await;
    let (ben, cable) = stage.person_with_a_cable("Ben").await;
    ada.becomes_administrator().await;
    ben.signs_up().await;
    for person in [&ada, &ben] {
        person.opens_room("Garden").await;
        person.is_connected().await;
        person.marks_the_page().await;
    }
    ben.types("#message", "half a thought").await;

    ben.expects(Trouble::Unreachable);
    cable.cut();
    ben.is_offline().await;
    ada.is_connected().await;
    let meanwhile: Vec<String> = (1..=6).map(|number| format!("meanwhile {number}")).collect();
    for words in &meanwhile {
        ada.says(words).await;
        ada.sees(words).await;
    }
    ben.never_saw("meanwhile").await;
    ben.presses("#composer button[type=submit]").await;

    cable.mend();
    ada.sees("half a thought").await;
    let mut all: Vec<&str> = meanwhile.iter().map(String::as_str).collect();
    all.push("half a thought");
    both_have(&ada, &ben, &all).await;
}
