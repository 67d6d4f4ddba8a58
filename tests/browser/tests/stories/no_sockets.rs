//! A network that lets no WebSocket through: the pages are live all the same.

use bellwire_browser_tests::{Person, Stage, Trouble};
use serde_json::json;

async fn is_on_a_stream(person: &Person) {
    person.is_connected().await;
    let transport =
        person.ask("return document.documentElement.dataset.bellwireTransport", &[]).await;
    assert_eq!(transport, json!("stream"), "{}", person.name());
}

#[tokio::test]
async fn two_people_behind_a_proxy_that_blocks_sockets_talk_live_and_across_a_cut() {
    let stage = Stage::open().await;
    let (ada, _whole) = stage.person_without_sockets("Ada").await;
    let (ben, cable) = stage.person_without_sockets("Ben").await;
    for person in [&ada, &ben] {
        person.expects(Trouble::Status(403));
    }
    ada.becomes_administrator().await;
    ben.signs_up().await;
    for person in [&ada, &ben] {
        person.opens_room("Garden").await;
        is_on_a_stream(person).await;
        person.marks_the_page().await;
    }
    ada.says("can you hear me?").await;
    ben.sees("can you hear me?").await;
    ben.says("every word").await;
    ada.sees("every word").await;

    ben.expects(Trouble::Unreachable);
    cable.cut();
    ben.is_offline().await;
    ada.says("meanwhile 1").await;
    ada.says("meanwhile 2").await;
    ada.sees("meanwhile 2").await;
    ben.says("sent into nowhere").await;
    ben.never_saw("meanwhile").await;
    cable.mend();
    ben.sees("meanwhile 2").await;
    ada.sees("sent into nowhere").await;
    ada.says("welcome back").await;
    ben.sees("welcome back").await;
    is_on_a_stream(&ben).await;

    let all = [
        "can you hear me?",
        "every word",
        "meanwhile 1",
        "meanwhile 2",
        "sent into nowhere",
        "welcome back",
    ];
    for person in [&ada, &ben] {
        assert_eq!(person.messages().await, all, "each once and in order, for {}", person.name());
        person.did_not_reload().await;
        let pending =
            person.ask("return document.querySelector('#pending').children.length", &[]).await;
        assert_eq!(pending, json!(0), "nothing waits any more");
    }
    ben.visit("/chat/garden/").await;
    is_on_a_stream(&ben).await;
    assert_eq!(ben.messages().await, all, "a fresh page shows what the live ones show");
}

#[tokio::test]
async fn without_a_socket_the_bell_rings_a_refusal_is_explained_and_a_new_network_is_tried() {
    let stage = Stage::open().await;
    let (ada, cable) = stage.person_without_sockets("Ada").await;
    let ben = stage.person("Ben").await;
    ada.expects(Trouble::Status(403));
    ben.visit("/").await;
    ben.is_connected().await;
    ada.visit("/").await;
    is_on_a_stream(&ada).await;
    ben.presses("#bell-form button").await;
    ada.reads("#rings", "1").await;
    ada.presses("#bell-form button").await;
    ben.reads("#rings", "2").await;
    is_on_a_stream(&ada).await;

    ada.becomes_administrator().await;
    ada.opens_room("Garden").await;
    is_on_a_stream(&ada).await;
    ada.marks_the_page().await;
    ada.expects(Trouble::Status(422));
    let too_long = "document.querySelector('.room').dataset.composerLimitValue = 1e6; \
                    document.querySelector('#message').value = 'x'.repeat(8001)";
    ada.ask(too_long, &[]).await;
    ada.presses("#composer button[type=submit]").await;
    let explained = "return document.querySelector('#error--message').textContent.includes('8') \
                     && document.querySelector('#message').value.length === 8001";
    ada.until("was told, with her words in the box again", explained, &[]).await;
    ada.says("shorter").await;
    ada.sees("shorter").await;

    cable.lets_sockets_through();
    ada.ask("dispatchEvent(new Event('online'))", &[]).await;
    let on_a_socket = "return document.documentElement.dataset.bellwireTransport === 'socket'";
    ada.until("was back on a socket", on_a_socket, &[]).await;
    ada.says("on a socket").await;
    ada.sees("on a socket").await;
    ada.did_not_reload().await;
}

#[tokio::test]
async fn on_a_stream_the_way_back_leads_into_a_room_that_is_live() {
    let stage = Stage::open().await;
    let (ada, _cable) = stage.person_without_sockets("Ada").await;
    let ben = stage.person("Ben").await;
    ada.expects(Trouble::Status(403));
    ada.becomes_administrator().await;
    ben.signs_up().await;
    ben.opens_room("Harbour").await;
    for person in [&ada, &ben] {
        person.opens_room("Garden").await;
        person.is_connected().await;
    }
    is_on_a_stream(&ada).await;
    ada.presses("#rooms li:nth-child(2) a").await;
    ada.reads("#room .room__name", "Harbour").await;
    is_on_a_stream(&ada).await;
    ada.ask("history.back()", &[]).await;
    ada.reads("#room .room__name", "Garden").await;
    is_on_a_stream(&ada).await;
    ada.says("back again").await;
    ada.sees("back again").await;
    ben.sees("back again").await;
    ben.says("and heard").await;
    ada.sees("and heard").await;
}

#[tokio::test]
async fn without_a_socket_a_form_that_only_gets_something_goes_by_http() {
    let stage = Stage::open().await;
    let (ada, _cable) = stage.person_without_sockets("Ada").await;
    ada.expects(Trouble::Status(403));
    ada.visit("/bmi/").await;
    is_on_a_stream(&ada).await;
    ada.types("#height", "180").await;
    ada.types("#weight", "75").await;
    ada.presses("main form button").await;
    ada.reads(".bmi__index", "23.1").await;
}
