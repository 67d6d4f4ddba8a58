//! Whoever is signed out in the middle of a sentence does not lose it, and nobody else says it.

use bellwire_browser_tests::{Person, Stage};

/// In a room, with a live page; then signed out from another tab of the same browser, which stays
/// open.
async fn signed_out_elsewhere(ada: &Person, draft: &str) {
    ada.opens_room("Garden").await;
    ada.is_connected().await;
    ada.types("#message", draft).await;
    let room = ada.tab();
    let other = ada.opens_tab().await;
    ada.looks_at(&other).await;
    ada.visit("/").await;
    ada.signs_out().await;
    ada.looks_at(&room).await;
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
async fn what_was_sent_after_signing_out_elsewhere_is_sent_after_signing_in() {
    let stage = Stage::open().await;
    let (ada, ben) = (stage.person("Ada").await, stage.person("Ben").await);
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
async fn half_typed_text_is_there_again_after_following_the_link_to_sign_in() {
    let stage = Stage::open().await;
    let ada = stage.person("Ada").await;
    ada.becomes_administrator().await;
    signed_out_elsewhere(&ada, "half a thought").await;
    ada.presses("#connection-sign-in a").await;
    fills_in_sign_in(&ada, "Ada").await;
    ada.is_connected().await;
    let kept = "return document.querySelector('#message').value === 'half a thought'";
    ada.until("found the half thought again", kept, &[]).await;
    assert!(ada.messages().await.is_empty(), "nobody has sent it");
}

#[tokio::test]
async fn what_one_person_wrote_is_never_sent_by_the_next() {
    let stage = Stage::open().await;
    let (ada, ben) = (stage.person("Ada").await, stage.person("Ben").await);
    ada.becomes_administrator().await;
    ben.signs_up().await;
    signed_out_elsewhere(&ada, "Ada's own words").await;
    ada.presses("#composer button[type=submit]").await;
    fills_in_sign_in(&ada, "Ben").await;
    ada.is_connected().await;
    ada.says("Ben's words").await;
    ada.sees("Ben's words").await;
    ada.never_saw("Ada's own words").await;

    // Once more, with Ben signed in already in the other tab when the text is sent.
    ada.signs_out().await;
    ada.signs_in().await;
    ada.opens_room("Garden").await;
    ada.sees("Ada's own words").await;
    signed_out_elsewhere(&ada, "Ada's last words").await;
    let room = ada.tab();
    let other = ada.opens_tab().await;
    ada.looks_at(&other).await;
    ada.visit("/accounts/login/").await;
    fills_in_sign_in(&ada, "Ben").await;
    ada.looks_at(&room).await;
    ada.presses("#composer button[type=submit]").await;
    ada.is_connected().await;
    ada.says("Ben again").await;
    ada.sees("Ben again").await;
    ada.never_saw("Ada's last words").await;
}
