//! The demos of the playground, with two visitors if a demo is shared.

use std::time::Duration;

use bellwire_browser_tests::{NetworkError, Person, Site};
use serde_json::json;

const PASSWORD: &str = "six quiet bells at noon";

/// Whether the fields and their errors are marked up as in the HTTP response to the same input.
const SAME_BY_HTTP: &str = "const fields = (root) => [...root.querySelectorAll('main .field')].map((each) => {
      const input = each.querySelector('input')
      return [input.name, input.getAttribute('aria-invalid'), input.getAttribute('aria-describedby'), each.querySelector('[role=alert]').outerHTML]
    })
    return fetch(`?${arguments[0]}`).then((answer) => answer.text()).then((text) =>
      JSON.stringify(fields(document)) === JSON.stringify(fields(new DOMParser().parseFromString(text, 'text/html'))))";

async fn opens(person: &Person, path: &str) {
    person.visit(path).await;
    person.is_connected().await;
}

/// Waits until an element contains this text.
async fn finds(person: &Person, selector: &str, words: &str) {
    let script = "return [...document.querySelectorAll(arguments[0])].some(e => e.textContent.includes(arguments[1]))";
    person
        .until(
            &format!("found {words:?} in `{selector}`"),
            script,
            &[json!(selector), json!(words)],
        )
        .await;
}

/// Polls until an element has this text. For browsers without scripts, which cannot wait for a
/// condition.
async fn reads_in_time(person: &Person, selector: &str, words: &str) {
    let mut read = String::new();
    for _ in 0..300 {
        read = person.text_of(selector).await;
        if read == words {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{} never read {words:?} in `{selector}`, but {read:?}", person.name());
}

async fn has_no_console_messages(people: &[&Person]) {
    for person in people {
        assert_eq!(
            person.console_messages().await,
            Vec::<String>::new(),
            "in the browser of {}",
            person.name()
        );
    }
}

#[tokio::test]
async fn everyone_sees_the_same_balls_and_a_full_ticket_wins() {
    let site = Site::open().await;
    let (ada, ben) = (site.person("Ada").await, site.person("Ben").await);
    opens(&ada, "/echo/").await;
    ada.reads("#greeting", "You are connected by WebSockets!").await;
    let time = ada.text_of("#clock").await;
    ada.until(
        "saw the time go on",
        "return document.querySelector('#clock').textContent !== arguments[0]",
        &[json!(time)],
    )
    .await;
    ada.types("#text", "Hello <b>").await;
    ada.presses("main form button").await;
    ada.reads("#echo", "Hello <b>").await;

    let record = "window.balls = []; new MutationObserver(() => balls.push(document.querySelector('#ball .ball').dataset.number))
        .observe(document.querySelector('#ball'), { childList: true }); return true";
    for person in [&ada, &ben] {
        opens(person, "/bingo/").await;
        person.until("watched the balls", record, &[]).await;
    }
    // The person who started to watch later sees a part of the sequence.
    let late = ben
        .until("saw four balls", "return balls.length >= 4 && balls.slice(0, 4).join()", &[])
        .await;
    ada.until("saw the balls that Ben saw", "return balls.join().includes(arguments[0])", &[late])
        .await;
    for person in [&ada, &ben] {
        person.reads(".bingo__result", "Winner!").await;
        let marked = person
            .run_script("return document.querySelectorAll('[data-marked]').length", &[])
            .await;
        assert_eq!(marked, 5);
    }
    ada.presses(".bingo form button").await;
    let is_reset = "return document.querySelectorAll('[data-marked]').length < 5 && document.querySelector('.bingo__result').textContent === ''";
    ada.until("played again", is_reset, &[]).await;
    ben.reads(".bingo__result", "Winner!").await;
    has_no_console_messages(&[&ada, &ben]).await;
}

#[tokio::test]
async fn forms_are_answered_without_a_reload() {
    let site = Site::open().await;
    let ada = site.person("Ada").await;
    // The HTTP responses that the page is compared with.
    ada.expects(NetworkError::Status(422));
    opens(&ada, "/bmi/").await;
    ada.marks_page().await;
    ada.types("#height", "tall").await;
    ada.types("#weight", "75").await;
    ada.presses("main form button").await;
    finds(&ada, "#error--height", "A height is a number").await;
    ada.until("had the form as it comes by HTTP", SAME_BY_HTTP, &[json!("height=tall&weight=75")])
        .await;
    ada.types("#height", "180").await;
    ada.presses("main form button").await;
    ada.reads(".bmi__index", "23.1").await;
    ada.reads(".bmi__class", "Normal").await;
    ada.reads("#error--height", "").await;
    ada.until("had the form as it comes by HTTP", SAME_BY_HTTP, &[json!("height=180&weight=75")])
        .await;
    ada.did_not_reload().await;

    opens(&ada, "/uppercase/").await;
    ada.types("#text", "straße <i> ısı, typed as fast as a browser can").await;
    ada.reads("#results", "STRASSE <I> ISI, TYPED AS FAST AS A BROWSER CAN").await;

    opens(&ada, "/laps/").await;
    for laps in 1..=3 {
        ada.presses("main form button").await;
        let script = "return document.querySelectorAll('#laps li').length === arguments[0]";
        ada.until("saw the lap", script, &[json!(laps)]).await;
    }
    has_no_console_messages(&[&ada]).await;
}

#[tokio::test]
async fn a_single_page_site_navigates_over_the_socket_and_signs_in_by_a_token() {
    let mut site = Site::open().await;
    let ada = site.person("Ada").await;
    let ben = site.person("Ben").await;
    opens(&ada, "/pages/").await;
    ada.marks_page().await;
    ada.types("#task", "buy milk").await;
    ada.presses(".todo button").await;
    finds(&ada, "#todo li", "buy milk").await;
    ada.until("saw the field emptied", "return document.querySelector('#task').value === ''", &[])
        .await;
    ada.presses("#nav a[href='/pages/login/']").await;
    ada.reads("#main h1", "Sign in").await;
    assert_eq!(ada.path().await, "/pages/login/");
    ada.reads("#nav [aria-current]", "Sign in").await;
    ada.presses("#nav a[href='/pages/signup/']").await;
    ada.reads("#main h1", "Sign up").await;
    ada.did_not_reload().await;
    ada.goes_back().await;
    ada.reads("#main h1", "Sign in").await;
    ada.goes_forward().await;
    ada.reads("#main h1", "Sign up").await;
    ada.reloads().await;
    ada.is_connected().await;
    ada.reads("#main h1", "Sign up").await;

    ada.types("#username", "Ada").await;
    ada.types("#password", PASSWORD).await;
    ada.types("#password_confirm", "another").await;
    ada.presses("main form button").await;
    finds(&ada, "#error--password_confirm", "not the same").await;
    let kept = ada
        .run_script(
            "return [document.querySelector('#username').value, document.querySelector('#password').value]",
            &[],
        )
        .await;
    assert_eq!(kept, json!(["Ada", ""]), "the name is kept, and the password is not sent back");
    ada.types("#password", PASSWORD).await;
    ada.types("#password_confirm", PASSWORD).await;
    ada.presses("main form button").await;
    ada.reads("#main h1", "Ada").await;
    assert_eq!(ada.path().await, "/pages/profile/");
    ada.is_signed_in().await;
    ada.is_connected().await;

    // The tasks are still hers, in another window, and after a restart.
    ada.presses("#nav a[href='/pages/']").await;
    finds(&ada, "#todo li", "buy milk").await;
    let (tasks, other) = (ada.tab(), ada.opens_tab().await);
    ada.switches_to(&other).await;
    opens(&ada, "/todo/").await;
    ada.types("#task", "from the other tab").await;
    ada.presses(".todo button").await;
    finds(&ada, "#todo li", "from the other tab").await;
    ada.switches_to(&tasks).await;
    finds(&ada, "#todo li", "from the other tab").await;
    // Her pages may try to reconnect while the server is down.
    ada.expects(NetworkError::Unreachable);
    site.server.stop().await;
    site.server.start_again().await;
    opens(&ada, "/todo/").await;
    finds(&ada, "#todo li", "buy milk").await;
    opens(&ben, "/todo/").await;
    ben.never_saw("buy milk").await;

    opens(&ada, "/pages/profile/").await;
    ada.presses("main form button").await;
    ada.until(
        "was signed out",
        "return !document.querySelector(\"form[action='/accounts/logout/']\") && location.pathname === '/'",
        &[],
    )
    .await;
    opens(&ada, "/todo/").await;
    ada.never_saw("buy milk").await;

    opens(&ada, "/pages/login/").await;
    ada.types("#email", "Ada").await;
    ada.types("#password", "not the password").await;
    ada.presses("main form button").await;
    finds(&ada, "#error", "There is no account").await;
    ada.types("#password", PASSWORD).await;
    ada.presses("main form button").await;
    ada.reads("#main h1", "Ada").await;
}

#[tokio::test]
async fn two_versions_of_unmodified_htmx_chat_in_the_same_rooms() {
    let site = Site::open().await;
    let (ada, ben) = (site.person("Ada").await, site.person("Ben").await);
    ada.visit("/htmx/").await;
    ben.visit("/htmx/4/").await;
    for (sender, text) in [(&ada, "from htmx 2 <b>"), (&ben, "from htmx 4")] {
        says(sender, text).await;
        for person in [&ada, &ben] {
            finds(person, "#content .said", text).await;
        }
        sender
            .until(
                "saw the field emptied",
                "return document.querySelector('#chat_message').value === ''",
                &[],
            )
            .await;
    }
    for person in [&ada, &ben] {
        person.marks_page().await;
        person.presses("button[value=kitchen]").await;
        person.reads("#room-name", "Kitchen").await;
        person.never_saw("from htmx 4").await;
    }
    says(&ben, "soup").await;
    for person in [&ada, &ben] {
        finds(person, "#content .said", "soup").await;
        person.did_not_reload().await;
        let address = person.run_script("return location.search", &[]).await;
        assert_eq!(address, "?room=kitchen", "a reload finds the same room");
    }
    has_no_console_messages(&[&ada, &ben]).await;
}

/// Sends a message. Plain htmx buffers it until the socket is open.
async fn says(person: &Person, text: &str) {
    person.types("#chat_message", text).await;
    person.presses("#form button").await;
}

#[tokio::test]
async fn the_demos_and_their_forms_work_without_javascript() {
    let site = Site::open().await;
    let ada = site.person_without_javascript("Ada").await;
    ada.visit("/bmi/").await;
    ada.types("#height", "180").await;
    ada.types("#weight", "75").await;
    ada.presses("main form button").await;
    reads_in_time(&ada, ".bmi__index", "23.1").await;
    ada.visit("/uppercase/").await;
    ada.types("#text", "straße").await;
    ada.presses("main form button").await;
    reads_in_time(&ada, "#results", "STRASSE").await;
    ada.visit("/todo/").await;
    ada.types("#task", "buy milk").await;
    ada.presses(".todo button").await;
    reads_in_time(&ada, "#todo li", "buy milk").await;
    ada.visit("/htmx/").await;
    ada.presses("button[value=attic]").await;
    reads_in_time(&ada, "#room-name", "Attic").await;
    ada.types("#chat_message", "up here").await;
    ada.presses("#form button").await;
    reads_in_time(&ada, "#content .said", "up here").await;
    for (path, heading) in [
        ("/playground/", "Playground"),
        ("/pages/signup/", "Sign up"),
        ("/bingo/", "Bingo"),
        ("/echo/", "Echo and clock"),
        ("/laps/", "Laps"),
    ] {
        ada.visit(path).await;
        reads_in_time(&ada, "h1", heading).await;
    }
}
