//! Unsent text after a sign-out: it is kept for its author and never sent by another account.

use bellwire_browser_tests::{Person, Site};

/// Opens a room and types a draft, then signs out in another tab of the same browser, which stays
/// open.
async fn signed_out_elsewhere(ada: &Person, draft: &str) {
    ada.opens_room("Garden").await;
    ada.is_connected().await;
    ada.types("#message", draft).await;
    let room = ada.tab();
    let other = ada.opens_tab().await;
    ada.switches_to(&other).await;
    ada.visit("/").await;
    ada.signs_out().await;
    ada.switches_to(&room).await;
    ada.is_offline().await;
}

async fn fills_in_sign_in(ada: &Person, name: &str) {
    let here =
        "return location.pathname === '/accounts/login/' && document.readyState === 'complete'";
    ada.until("was asked to sign in", here, &[]).await;
    ada.types("#username", name).await;
    ada.types("#password", "six quiet bells at noon").await;
    ada.presses("main form button[type=submit]").await;
    ada.is_signed_in().await;
}

#[tokio::test]
async fn a_message_sent_after_a_sign_out_in_another_tab_is_delivered_after_signing_in() {
    let site = Site::open().await;
    let (ada, ben) = (site.person("Ada").await, site.person("Ben").await);
    ada.becomes_administrator().await;
    ben.signs_up().await;
    ben.opens_room("Garden").await;
    ben.is_connected().await;
    signed_out_elsewhere(&ada, "a long thought").await;
    ada.presses("#composer button[type=submit]").await;
    fills_in_sign_in(&ada, "Ada").await;
    assert_eq!(ada.path().await, "/chat/garden/");
    ada.sees("a long thought").await;
    ben.sees("a long thought").await;
    ada.says("and more").await;
    ben.sees("and more").await;
    assert_eq!(ben.messages().await, ["a long thought", "and more"]);
}

#[tokio::test]
async fn a_draft_is_restored_after_signing_in_by_the_link() {
    let site = Site::open().await;
    let ada = site.person("Ada").await;
    ada.becomes_administrator().await;
    signed_out_elsewhere(&ada, "half a thought").await;
    ada.presses("#connection-sign-in a").await;
    fills_in_sign_in(&ada, "Ada").await;
    ada.is_connected().await;
    let kept = "return document.querySelector('#message').value === 'half a thought'";
    ada.until("found the draft again", kept, &[]).await;
    assert!(ada.messages().await.is_empty(), "the draft was not sent");
}

#[tokio::test]
async fn the_text_of_one_person_is_never_sent_by_the_next() {
    let site = Site::open().await;
    let (ada, ben) = (site.person("Ada").await, site.person("Ben").await);
    ada.becomes_administrator().await;
    ben.signs_up().await;
    signed_out_elsewhere(&ada, "Ada's own words").await;
    ada.presses("#composer button[type=submit]").await;
    fills_in_sign_in(&ada, "Ben").await;
    ada.is_connected().await;
    ada.says("Ben's words").await;
    ada.sees("Ben's words").await;
    ada.never_saw("Ada's own words").await;

    // Again, with Ben already signed in in the other tab when the text is sent.
    ada.signs_out().await;
    ada.signs_in().await;
    ada.opens_room("Garden").await;
    ada.sees("Ada's own words").await;
    signed_out_elsewhere(&ada, "Ada's last words").await;
    let room = ada.tab();
    let other = ada.opens_tab().await;
    ada.switches_to(&other).await;
    ada.visit("/accounts/login/").await;
    fills_in_sign_in(&ada, "Ben").await;
    ada.switches_to(&room).await;
    ada.presses("#composer button[type=submit]").await;
    ada.is_connected().await;
    ada.says("Ben again").await;
    ada.sees("Ben again").await;
    ada.never_saw("Ada's last words").await;
}
