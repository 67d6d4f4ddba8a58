//! Sign-up, sign-in and sign-out.

use bellwire_browser_tests::{NetworkError, Site};

#[tokio::test]
async fn the_first_account_is_an_administrator_and_is_created_once() {
    let site = Site::open().await;
    let ada = site.person("Ada").await;
    ada.visit("/chat/").await;
    assert_eq!(ada.path().await, "/accounts/first/", "a new site asks for its administrator");
    ada.becomes_administrator().await;

    let ben = site.person("Ben").await;
    ben.visit("/accounts/first/").await;
    assert_ne!(ben.path().await, "/accounts/first/", "there is an administrator already");
}

#[tokio::test]
async fn form_errors_are_shown_beside_their_fields() {
    let site = Site::open().await;
    let ada = site.person("Ada").await;
    ada.becomes_administrator().await;

    let ben = site.person("Ben").await;
    ben.expects(NetworkError::Status(422));
    ben.visit("/accounts/signup/").await;
    ben.fills_in_sign_up("2short", "2short").await;
    ben.until(
        "read what is wrong",
        "return performance.getEntriesByType('navigation')[0].responseStatus === 422 \
         && document.querySelector('#error--password')?.innerText.trim()",
        &[],
    )
    .await;
    let kept = ben.run_script("return document.querySelector('#username').value", &[]).await;
    assert_eq!(kept, "Ben", "what was typed is kept");
    let emptied = ben.run_script("return document.querySelector('#password').value", &[]).await;
    assert_eq!(emptied, "", "a password is not sent back");

    ben.fills_in_sign_up("long enough to pass", "but not the same").await;
    let both = "return document.querySelector('#error--password_confirm')?.innerText.trim() \
                && document.querySelector('#error--password').innerText.trim() === ''";
    ben.until("read that the passwords differ", both, &[]).await;

    let other_ada = site.person("Ada").await;
    other_ada.expects(NetworkError::Status(422));
    other_ada.visit("/accounts/signup/").await;
    other_ada.fills_in_sign_up("long enough to pass", "long enough to pass").await;
    other_ada
        .until(
            "read that the name is taken",
            "return document.querySelector('#error--username')?.innerText.trim()",
            &[],
        )
        .await;
}

#[tokio::test]
async fn after_signing_out_no_messages_are_shown_until_the_next_sign_in() {
    let site = Site::open().await;
    let ada = site.person("Ada").await;
    ada.becomes_administrator().await;
    ada.opens_room("Garden").await;
    ada.says("only for members").await;
    ada.sees("only for members").await;
    ada.signs_out().await;
    ada.visit("/chat/garden/").await;
    assert_eq!(ada.path().await, "/accounts/login/", "a room is for signed-in people");
    ada.never_saw("only for members").await;

    ada.signs_in().await;
    ada.visit("/chat/garden/").await;
    ada.sees("only for members").await;
}
