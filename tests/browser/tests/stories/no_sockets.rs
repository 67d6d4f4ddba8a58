//! A network that blocks WebSockets: pages stay live over server-sent events.

use bellwire_browser_tests::{NetworkError, Person, Site};
use serde_json::json;

async fn is_on_a_stream(person: &Person) {
    person.is_connected().await;
    let transport =
        person.run_script("return document.documentElement.dataset.bellwireTransport", &[]).await;
    assert_eq!(transport, json!("stream"), "{}", person.name());
}

#[tokio::test]
async fn two_people_behind_a_proxy_that_blocks_websockets_chat_live_and_after_a_cut() {
    let site = Site::open().await;
    let (ada, _uncut) = site.person_without_websockets("Ada").await;
    let (ben, proxy) = site.person_without_websockets("Ben").await;
    for person in [&ada, &ben] {
        person.expects(NetworkError::Status(403));
    }
    ada.becomes_administrator().await;
    ben.signs_up().await;
    for person in [&ada, &ben] {
        person.opens_room("Garden").await;
        is_on_a_stream(person).await;
        person.marks_page().await;
    }
    ada.says("can you hear me?").await;
    ben.sees("can you hear me?").await;
    ben.says("every word").await;
    ada.sees("every word").await;

    ben.expects(NetworkError::Unreachable);
    proxy.cut();
    ben.is_offline().await;
    ada.says("meanwhile 1").await;
    ada.says("meanwhile 2").await;
    ada.sees("meanwhile 2").await;
    ben.says("sent into nowhere").await;
    ben.never_saw("meanwhile").await;
    proxy.restore();
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
        let pending = person
            .run_script("return document.querySelector('#pending').children.length", &[])
            .await;
        assert_eq!(pending, json!(0), "no message is pending");
    }
    ben.visit("/chat/garden/").await;
    is_on_a_stream(&ben).await;
    assert_eq!(ben.messages().await, all, "a fresh page shows what the live ones show");
}

#[tokio::test]
async fn without_a_websocket_pages_are_live_errors_are_shown_and_a_new_network_is_tried() {
    let site = Site::open().await;
    let (ada, proxy) = site.person_without_websockets("Ada").await;
    let ben = site.person("Ben").await;
    ada.expects(NetworkError::Status(403));
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
    ada.marks_page().await;
    ada.expects(NetworkError::Status(422));
    let too_long = "document.querySelector('.room').dataset.composerLimitValue = 1e6; \
                    document.querySelector('#message').value = 'x'.repeat(8001)";
    ada.run_script(too_long, &[]).await;
    ada.presses("#composer button[type=submit]").await;
    let explained = "return document.querySelector('#error--message').textContent.includes('8') \
                     && document.querySelector('#message').value.length === 8001";
    ada.until("saw the error, with her text in the composer", explained, &[]).await;
    ada.says("shorter").await;
    ada.sees("shorter").await;

    proxy.allow_websockets();
    ada.run_script("dispatchEvent(new Event('online'))", &[]).await;
    let on_a_socket = "return document.documentElement.dataset.bellwireTransport === 'socket'";
    ada.until("was back on a socket", on_a_socket, &[]).await;
    ada.says("on a socket").await;
    ada.sees("on a socket").await;
    ada.did_not_reload().await;
}

#[tokio::test]
async fn on_an_event_stream_going_back_shows_a_live_room() {
    let site = Site::open().await;
    let (ada, _proxy) = site.person_without_websockets("Ada").await;
    let ben = site.person("Ben").await;
    ada.expects(NetworkError::Status(403));
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
    ada.run_script("history.back()", &[]).await;
    ada.reads("#room .room__name", "Garden").await;
    is_on_a_stream(&ada).await;
    ada.says("back again").await;
    ada.sees("back again").await;
    ben.sees("back again").await;
    ben.says("and heard").await;
    ada.sees("and heard").await;
}

#[tokio::test]
async fn without_a_websocket_a_get_form_is_sent_by_http() {
    let site = Site::open().await;
    let (ada, _proxy) = site.person_without_websockets("Ada").await;
    ada.expects(NetworkError::Status(403));
    ada.visit("/bmi/").await;
    is_on_a_stream(&ada).await;
    ada.types("#height", "180").await;
    ada.types("#weight", "75").await;
    ada.presses("main form button").await;
    ada.reads(".bmi__index", "23.1").await;
}
