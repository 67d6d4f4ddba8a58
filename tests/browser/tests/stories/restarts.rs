//! Interruptions of the server or the network: pages reconnect without losing messages.

use bellwire_browser_tests::{NetworkError, Person, Site};

/// Starts a site with two people in the room "Garden", both connected, with marked pages.
async fn two_in_a_room() -> (Site, Person, Person) {
    let site = Site::open().await;
    let (ada, ben) = (site.person("Ada").await, site.person("Ben").await);
    ada.becomes_administrator().await;
    ben.signs_up().await;
    for person in [&ada, &ben] {
        person.opens_room("Garden").await;
        person.is_connected().await;
        person.marks_page().await;
    }
    ada.says("before").await;
    ben.sees("before").await;
    for person in [&ada, &ben] {
        person.expects(NetworkError::Unreachable);
    }
    (site, ada, ben)
}

/// Checks that both pages were not reloaded, are live, and equal a newly loaded page.
async fn both_have(ada: &Person, ben: &Person, all: &[&str]) {
    for person in [ada, ben] {
        for text in all {
            person.sees(text).await;
        }
        person.did_not_reload().await;
    }
    let live = ada.messages().await;
    assert_eq!(live.len(), all.len(), "a message is displayed twice: {live:?}");
    assert_eq!(live, ben.messages().await);
    ben.visit("/chat/garden/").await;
    assert_eq!(live, ben.messages().await, "a fresh page shows what the live ones show");
}

#[tokio::test]
async fn after_a_killed_server_restarts_both_continue_to_chat() {
    let (mut site, ada, ben) = two_in_a_room().await;
    site.server.kill();
    ada.is_offline().await;
    ben.is_offline().await;
    ada.says("sent while nobody listens").await;
    ben.types("#message", "half a thought").await;

    site.server.start_again().await;
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
async fn after_a_stop_and_start_of_the_server_no_message_is_lost() {
    let (mut site, ada, ben) = two_in_a_room().await;
    let status = site.server.stop().await;
    assert!(status.success(), "the server stops without an error: {status}");
    ben.is_offline().await;
    ben.says("in between").await;
    site.server.start_again().await;
    ada.sees("in between").await;
    ada.is_connected().await;
    ada.says("welcome back").await;
    both_have(&ada, &ben, &["before", "in between", "welcome back"]).await;
}

#[tokio::test]
async fn a_disconnected_person_receives_the_missed_messages() {
    let site = Site::open().await;
    let ada = site.person("Ada").await;
    let (ben, proxy) = site.person_with_proxy("Ben").await;
    ada.becomes_administrator().await;
    ben.signs_up().await;
    for person in [&ada, &ben] {
        person.opens_room("Garden").await;
        person.is_connected().await;
        person.marks_page().await;
    }
    ben.types("#message", "half a thought").await;

    ben.expects(NetworkError::Unreachable);
    proxy.cut();
    ben.is_offline().await;
    ada.is_connected().await;
    let meanwhile: Vec<String> = (1..=6).map(|number| format!("meanwhile {number}")).collect();
    for words in &meanwhile {
        ada.says(words).await;
        ada.sees(words).await;
    }
    ben.never_saw("meanwhile").await;
    ben.presses("#composer button[type=submit]").await;

    proxy.restore();
    ada.sees("half a thought").await;
    let mut all: Vec<&str> = meanwhile.iter().map(String::as_str).collect();
    all.push("half a thought");
    both_have(&ada, &ben, &all).await;
}
