//! Unsent text, focus and scroll position survive live updates.

use bellwire_browser_tests::{Person, Site};
use serde_json::Value;

/// The state of the page: the composer's text, the selection, the focus, and the scroll position of
/// the messages.
const STATE: &str = "const box = document.querySelector('#message'), list = document.querySelector('#messages');
     return [box.value, box.selectionStart, box.selectionEnd, document.activeElement.id, Math.round(list.scrollTop)]";

async fn state_of(person: &Person) -> Value {
    person.run_script(STATE, &[]).await
}

#[tokio::test]
async fn half_typed_text_focus_and_scroll_survive_a_live_change() {
    let site = Site::open().await;
    let (ada, ben) = (site.person("Ada").await, site.person("Ben").await);
    ada.becomes_administrator().await;
    ben.signs_up().await;
    ben.opens_room("Garden").await;
    ben.is_connected().await;
    for number in 0..25 {
        ben.says(&format!("line {number}")).await;
        ben.sees(&format!("line {number}")).await;
    }
    ada.opens_room("Garden").await;
    ada.is_connected().await;
    ada.sees("line 24").await;
    ada.sets_window_size(1000, 500).await;

    ada.types("#message", "I was about to say").await;
    let scroll = "const list = document.querySelector('#messages'); list.scrollTop = 100; \
                  document.querySelector('#message').setSelectionRange(2, 5); return list.scrollTop > 90";
    ada.until("could scroll up", scroll, &[]).await;
    let before = state_of(&ada).await;
    assert_eq!(before[0], "I was about to say");
    assert_eq!(before[3], "message", "the composer has the focus");

    ben.says("something new").await;
    ada.sees("something new").await;
    assert_eq!(
        state_of(&ada).await,
        before,
        "a message of another person moved or changed something"
    );
    ada.presses("#composer button[type=submit]").await;
    ben.sees("I was about to say").await;
}

#[tokio::test]
async fn a_list_at_its_end_stays_at_its_end_when_messages_arrive() {
    let site = Site::open().await;
    let (ada, ben) = (site.person("Ada").await, site.person("Ben").await);
    ada.becomes_administrator().await;
    ben.signs_up().await;
    ada.opens_room("Garden").await;
    ada.sets_window_size(1000, 500).await;
    ben.opens_room("Garden").await;
    ada.is_connected().await;
    ben.is_connected().await;
    let at_the_end = "const list = document.querySelector('#messages'); \
                      return list.scrollHeight - list.clientHeight - list.scrollTop < 3";
    for number in 0..15 {
        ben.says(&format!("line {number}")).await;
        ada.sees(&format!("line {number}")).await;
    }
    ada.until("was at the newest message", at_the_end, &[]).await;
}

#[tokio::test]
async fn a_rejected_message_is_explained_and_its_text_is_kept() {
    let site = Site::open().await;
    let ada = site.person("Ada").await;
    ada.becomes_administrator().await;
    ada.opens_room("Garden").await;
    ada.is_connected().await;
    let long = "long ".repeat(2_000);
    // Set as if pasted, because typing ten thousand letters is slow.
    ada.run_script(
        "document.querySelector('#message').value = arguments[0]",
        &[long.as_str().into()],
    )
    .await;
    ada.presses("#composer button[type=submit]").await;
    ada.until("read why", "return document.querySelector('#error--message').innerText.trim()", &[])
        .await;
    let kept = ada.run_script("return document.querySelector('#message').value", &[]).await;
    assert_eq!(kept, long, "the text is kept");

    ada.says("short").await;
    ada.sees("short").await;
    assert_eq!(ada.messages().await, ["short"]);
}
