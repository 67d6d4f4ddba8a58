//! What is written can be changed, taken back, addressed to somebody, and left for later; none of
//! it is lost.

use bellwire_browser_tests::{Key, Keys, Person, Stage, Trouble};
use serde_json::json;

const IN_THE_BOX: &str = "return document.querySelector('#message').value";

async fn two_in_the_garden(stage: &Stage) -> (Person, Person) {
    let (ada, ben) = (stage.person("Ada").await, stage.person("Ben").await);
    ada.becomes_administrator().await;
    ben.signs_up().await;
    for person in [&ada, &ben] {
        person.opens_room("Garden").await;
        person.is_connected().await;
    }
    (ada, ben)
}

/// Keys into the composer, as they are: nothing is emptied first.
async fn keys<'a>(person: &Person, keys: impl Into<Keys<'a>>) {
    person.keys_into("#message", keys).await;
}

async fn holds(person: &Person, text: &str) {
    let script = "return document.querySelector('#message').value === arguments[0]";
    person.until(&format!("had {text:?} in the box"), script, &[json!(text)]).await;
}

#[tokio::test]
async fn arrow_up_edits_my_last_message_and_escape_gives_the_draft_back() {
    let stage = Stage::open().await;
    let (ada, ben) = two_in_the_garden(&stage).await;
    ada.says("a *small* mistkae").await;
    ben.sees("a small mistkae").await;
    ben.says("not mine to edit").await;
    ada.sees("not mine to edit").await;

    keys(&ada, Key::Up).await;
    holds(&ada, "a *small* mistkae").await;
    ada.find(".composer__editing").await;
    keys(&ada, Key::Escape).await;
    holds(&ada, "").await;
    let focus = ada.ask("return document.activeElement.id", &[]).await;
    assert_eq!(focus, json!("message"), "the focus is where it was");

    keys(&ada, Key::Up).await;
    ada.types("#message", "a *small* mistake").await;
    keys(&ada, Key::Enter).await;
    ben.sees("a small mistake").await;
    ada.sees("a small mistake").await;
    holds(&ada, "").await;
    ben.find(".message__edited").await;
    assert_eq!(ben.messages().await, ["a small mistake", "not mine to edit"]);
    let announced = ben
        .ask("return document.querySelector('[data-messages-target=announcer]').textContent", &[])
        .await;
    assert_eq!(announced, json!("Ada: a small mistkae"), "a change is not announced");
}

#[tokio::test]
async fn a_message_is_deleted_after_one_question_and_its_edit_ends_elsewhere() {
    let stage = Stage::open().await;
    let (ada, ben) = two_in_the_garden(&stage).await;
    ben.says("first").await;
    ada.sees("first").await;
    ben.says("second").await;
    ada.sees("second").await;
    keys(&ben, "half a thought").await;
    // An administrator takes it back while its author edits it.
    ben.ask(
        "document.querySelector('.message:nth-child(1) .message__link').focus({ focusVisible: true })",
        &[],
    )
    .await;
    ben.presses("[data-tool=edit]").await;
    holds(&ben, "first").await;
    ada.ask(
        "document.querySelector('.message:nth-child(1) .message__link').focus({ focusVisible: true })",
        &[],
    )
    .await;
    assert_eq!(
        ada.ask("return document.querySelector('[data-tool=edit]').hidden", &[]).await,
        json!(true)
    );
    ada.presses("[data-tool=delete]").await;
    ada.presses("[data-tool=keep]").await;
    ada.presses("[data-tool=delete]").await;
    ada.presses("[data-tool=really]").await;
    let gone = "return document.querySelectorAll('.messages > li').length === 1";
    ada.until("saw it go", gone, &[]).await;
    ben.until("saw it go", gone, &[]).await;
    holds(&ben, "half a thought").await;
    assert_eq!(ben.messages().await, ["second"]);
}

/// What is to happen in six seconds happens when the story says so: nothing depends on how fast a
/// machine is.
const HOLD_SIX_SECONDS: &str = "window.held = new Map()
  const [set, clear] = [window.setTimeout, window.clearTimeout]
  window.setTimeout = (does, delay, ...more) => {
    const id = set(delay === 6000 ? () => {} : does, delay, ...more)
    if (delay === 6000) window.held.set(id, does)
    return id
  }
  window.clearTimeout = (id) => (window.held.delete(id), clear(id))";

/// Counts the tries to connect.
const COUNT_TRIES: &str = "window.tries = 0
  window.WebSocket = class extends WebSocket { constructor(...given) { super(...given); window.tries++ } }";

#[tokio::test]
async fn typing_shows_to_others_and_ends_with_the_message_or_by_itself() {
    let stage = Stage::open().await;
    let (ada, ben) = two_in_the_garden(&stage).await;
    let typing = "return document.querySelector('#typing').innerText.startsWith('Ben is typing')";
    let quiet = "return document.querySelector('#typing').innerText.trim() === ''";
    keys(&ben, "he").await;
    ada.until("saw Ben type", typing, &[]).await;
    keys(&ben, "llo").await;
    keys(&ben, Key::Enter).await;
    ada.sees("hello").await;
    ada.until("saw that Ben is done", quiet, &[]).await;
    ada.ask(HOLD_SIX_SECONDS, &[]).await;
    keys(&ben, "and").await;
    ada.until("saw Ben type again", typing, &[]).await;
    ada.until("waits for six seconds, once", "return window.held.size === 1", &[]).await;
    ada.ask("for (const does of window.held.values()) does()", &[]).await;
    ada.until("saw that Ben stopped", quiet, &[]).await;
    assert_eq!(ben.ask(quiet, &[]).await, json!(true), "nobody is told that they type themselves");
}

#[tokio::test]
async fn a_name_is_completed_and_stands_out_for_the_one_who_is_named() {
    let stage = Stage::open().await;
    let (ada, ben) = two_in_the_garden(&stage).await;
    keys(&ada, "hi @b").await;
    ada.reads("#names [role=option]", "Ben").await;
    let combobox = "const box = document.querySelector('#message');
         return [box.role, box.getAttribute('aria-controls'), document.getElementById(box.getAttribute('aria-activedescendant'))?.textContent]";
    assert_eq!(ada.ask(combobox, &[]).await, json!(["combobox", "names", "Ben"]));
    keys(&ada, Key::Escape).await;
    assert_eq!(ada.ask("return document.querySelector('#names').hidden", &[]).await, json!(true));
    keys(&ada, "e").await;
    assert_eq!(ada.ask(IN_THE_BOX, &[]).await, json!("hi @be"), "Escape closes it for this name");
    ada.types("#message", "hi @be").await;
    ada.reads("#names [role=option]", "Ben").await;
    keys(&ada, Key::Enter).await;
    holds(&ada, "hi @Ben ").await;
    keys(&ada, "!").await;
    keys(&ada, Key::Enter).await;
    ben.find(".message--mentions-me").await;
    ada.sees("hi @Ben !").await;
    let others =
        ada.ask("return document.querySelector('.message--mentions-me') === null", &[]).await;
    assert_eq!(others, json!(true), "it stands out for Ben alone");
}

#[tokio::test]
async fn a_draft_survives_a_reload_and_a_walk_to_another_room_and_is_gone_when_sent() {
    let stage = Stage::open().await;
    let (ada, _ben) = two_in_the_garden(&stage).await;
    keys(&ada, "for the garden").await;
    ada.reloads().await;
    ada.is_connected().await;
    holds(&ada, "for the garden").await;
    ada.opens_room("Harbour").await;
    holds(&ada, "").await;
    keys(&ada, "for the harbour").await;
    ada.visit("/chat/garden/").await;
    ada.is_connected().await;
    holds(&ada, "for the garden").await;
    keys(&ada, Key::Enter).await;
    ada.sees("for the garden").await;
    ada.reloads().await;
    ada.is_connected().await;
    holds(&ada, "").await;
    let kept = ada
        .ask(
            "return Object.keys(localStorage).filter(key => key.startsWith('chat:drafts:')).length",
            &[],
        )
        .await;
    assert_eq!(kept, json!(1), "the other room's draft is still there");
}

#[tokio::test]
async fn what_waits_for_the_connection_can_be_sent_again_or_discarded() {
    let stage = Stage::open().await;
    let ada = stage.person("Ada").await;
    let (ben, cable) = stage.person_with_a_cable("Ben").await;
    ada.becomes_administrator().await;
    ben.signs_up().await;
    for person in [&ada, &ben] {
        person.opens_room("Garden").await;
        person.is_connected().await;
    }
    ben.ask(COUNT_TRIES, &[]).await;
    ben.expects(Trouble::Unreachable);
    cable.cut();
    ben.is_offline().await;
    ben.says("better not").await;
    ben.says("this one counts").await;
    ben.presses("[data-pending]:nth-child(1) .message__waiting button:nth-of-type(2)").await;
    let left = "return [...document.querySelectorAll('[data-pending] .message__text')].map(e => e.textContent)";
    assert_eq!(ben.ask(left, &[]).await, json!(["this one counts"]));
    // In one breath, so that no try of the page's own can come in between.
    let retry = "const before = window.tries
        document.querySelector('[data-pending] .message__waiting button').click()
        return window.tries - before";
    assert_eq!(ben.ask(retry, &[]).await, json!(1), "Retry tries at once");
    cable.mend();
    ada.sees("this one counts").await;
    ben.sees("this one counts").await;
    ben.until("waited for nothing", "return !document.querySelector('[data-pending]')", &[]).await;
    assert_eq!(ada.messages().await, ["this one counts"]);
}
