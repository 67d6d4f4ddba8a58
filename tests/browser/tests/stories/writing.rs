//! Writing messages: edits, deletions, typing notices, mentions, drafts, pending messages.

use bellwire_browser_tests::{Key, Keys, NetworkError, Person, Site};
use serde_json::json;

const COMPOSER_TEXT: &str = "return document.querySelector('#message').value";

async fn two_in_the_garden(site: &Site) -> (Person, Person) {
    let (ada, ben) = (site.person("Ada").await, site.person("Ben").await);
    ada.becomes_administrator().await;
    ben.signs_up().await;
    for person in [&ada, &ben] {
        person.opens_room("Garden").await;
        person.is_connected().await;
    }
    (ada, ben)
}

/// Types into the composer without clearing it.
async fn keys<'a>(person: &Person, keys: impl Into<Keys<'a>>) {
    person.types_keys("#message", keys).await;
}

async fn holds(person: &Person, text: &str) {
    let script = "return document.querySelector('#message').value === arguments[0]";
    person.until(&format!("had {text:?} in the composer"), script, &[json!(text)]).await;
}

#[tokio::test]
async fn arrow_up_edits_the_last_own_message_and_escape_restores_the_draft() {
    let site = Site::open().await;
    let (ada, ben) = two_in_the_garden(&site).await;
    ada.says("a *small* mistkae").await;
    ben.sees("a small mistkae").await;
    ben.says("not mine to edit").await;
    ada.sees("not mine to edit").await;

    keys(&ada, Key::Up).await;
    holds(&ada, "a *small* mistkae").await;
    ada.find(".composer__editing").await;
    keys(&ada, Key::Escape).await;
    holds(&ada, "").await;
    let focus = ada.run_script("return document.activeElement.id", &[]).await;
    assert_eq!(focus, json!("message"), "the focus has not moved");

    keys(&ada, Key::Up).await;
    ada.types("#message", "a *small* mistake").await;
    keys(&ada, Key::Enter).await;
    ben.sees("a small mistake").await;
    ada.sees("a small mistake").await;
    holds(&ada, "").await;
    ben.find(".message__edited").await;
    assert_eq!(ben.messages().await, ["a small mistake", "not mine to edit"]);
    let announced = ben
        .run_script(
            "return document.querySelector('[data-messages-target=announcer]').textContent",
            &[],
        )
        .await;
    assert_eq!(announced, json!("Ada: a small mistkae"), "a change is not announced");
}

#[tokio::test]
async fn a_message_is_deleted_after_a_confirmation_and_its_edit_ends_in_other_windows() {
    let site = Site::open().await;
    let (ada, ben) = two_in_the_garden(&site).await;
    ben.says("first").await;
    ada.sees("first").await;
    ben.says("second").await;
    ada.sees("second").await;
    keys(&ben, "half a thought").await;
    // An administrator deletes it while its author edits it.
    ben.run_script(
        "document.querySelector('.message:nth-child(1) .message__link').focus({ focusVisible: true })",
        &[],
    )
    .await;
    ben.presses("[data-tool=edit]").await;
    holds(&ben, "first").await;
    ada.run_script(
        "document.querySelector('.message:nth-child(1) .message__link').focus({ focusVisible: true })",
        &[],
    )
    .await;
    assert_eq!(
        ada.run_script("return document.querySelector('[data-tool=edit]').hidden", &[]).await,
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

/// Counts the connection attempts.
const COUNT_ATTEMPTS: &str = "window.attempts = 0
  window.WebSocket = class extends WebSocket { constructor(...given) { super(...given); window.attempts++ } }";

#[tokio::test]
async fn a_typing_notice_ends_with_the_message_or_after_a_timeout() {
    let site = Site::open().await;
    let (ada, ben) = two_in_the_garden(&site).await;
    let typing = "return document.querySelector('#typing').innerText.startsWith('Ben is typing')";
    let quiet = "return document.querySelector('#typing').innerText.trim() === ''";
    keys(&ben, "he").await;
    ada.until("saw Ben type", typing, &[]).await;
    keys(&ben, "llo").await;
    keys(&ben, Key::Enter).await;
    ada.sees("hello").await;
    ada.until("saw that Ben stopped typing", quiet, &[]).await;
    keys(&ben, "and").await;
    ada.until("saw Ben type again", typing, &[]).await;
    // The server ends it six seconds later.
    ada.until("saw that Ben stopped typing", quiet, &[]).await;
    assert_eq!(
        ben.run_script(quiet, &[]).await,
        json!(true),
        "the author receives no typing notice"
    );
}

#[tokio::test]
async fn a_mention_is_completed_and_highlighted_for_the_mentioned_person() {
    let site = Site::open().await;
    let (ada, ben) = two_in_the_garden(&site).await;
    keys(&ada, "hi @b").await;
    ada.reads("#names [role=option]", "Ben").await;
    let combobox = "const box = document.querySelector('#message');
         return [box.role, box.getAttribute('aria-controls'), document.getElementById(box.getAttribute('aria-activedescendant'))?.textContent]";
    assert_eq!(ada.run_script(combobox, &[]).await, json!(["combobox", "names", "Ben"]));
    keys(&ada, Key::Escape).await;
    assert_eq!(
        ada.run_script("return document.querySelector('#names').hidden", &[]).await,
        json!(true)
    );
    keys(&ada, "e").await;
    assert_eq!(
        ada.run_script(COMPOSER_TEXT, &[]).await,
        json!("hi @be"),
        "Escape closes it for this name"
    );
    ada.types("#message", "hi @be").await;
    ada.reads("#names [role=option]", "Ben").await;
    keys(&ada, Key::Enter).await;
    holds(&ada, "hi @Ben ").await;
    keys(&ada, "!").await;
    keys(&ada, Key::Enter).await;
    ben.find(".message--mentions-me").await;
    ada.sees("hi @Ben !").await;
    let others = ada
        .run_script("return document.querySelector('.message--mentions-me') === null", &[])
        .await;
    assert_eq!(others, json!(true), "it is highlighted only for Ben");
}

#[tokio::test]
async fn a_draft_survives_a_reload_and_another_room_and_is_removed_when_sent() {
    let site = Site::open().await;
    let (ada, _ben) = two_in_the_garden(&site).await;
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
        .run_script(
            "return Object.keys(localStorage).filter(key => key.startsWith('chat:drafts:')).length",
            &[],
        )
        .await;
    assert_eq!(kept, json!(1), "the other room's draft is still there");
}

#[tokio::test]
async fn pending_messages_can_be_retried_or_discarded() {
    let site = Site::open().await;
    let ada = site.person("Ada").await;
    let (ben, proxy) = site.person_with_proxy("Ben").await;
    ada.becomes_administrator().await;
    ben.signs_up().await;
    for person in [&ada, &ben] {
        person.opens_room("Garden").await;
        person.is_connected().await;
    }
    ben.run_script(COUNT_ATTEMPTS, &[]).await;
    ben.expects(NetworkError::Unreachable);
    proxy.cut();
    ben.is_offline().await;
    ben.says("better not").await;
    ben.says("this one counts").await;
    ben.presses("[data-pending]:nth-child(1) .message__waiting button:nth-of-type(2)").await;
    let left = "return [...document.querySelectorAll('[data-pending] .message__text')].map(e => e.textContent)";
    assert_eq!(ben.run_script(left, &[]).await, json!(["this one counts"]));
    // In one script, so that no automatic attempt can happen in between.
    let retry = "const before = window.attempts
        document.querySelector('[data-pending] .message__waiting button').click()
        return window.attempts - before";
    assert_eq!(ben.run_script(retry, &[]).await, json!(1), "Retry connects at once");
    proxy.restore();
    ada.sees("this one counts").await;
    ben.sees("this one counts").await;
    ben.until("had no pending message", "return !document.querySelector('[data-pending]')", &[])
        .await;
    assert_eq!(ada.messages().await, ["this one counts"]);
}
