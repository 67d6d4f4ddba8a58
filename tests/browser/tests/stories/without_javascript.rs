//! Reading and writing without JavaScript.

use bellwire_browser_tests::Site;

#[tokio::test]
async fn sign_up_read_and_post_without_javascript() {
    let site = Site::open().await;
    let ada = site.person("Ada").await;
    ada.becomes_administrator().await;
    ada.opens_room("Garden").await;
    ada.is_connected().await;
    ada.says("hello from a live page").await;
    ada.sees("hello from a live page").await;

    let ben = site.person_without_javascript("Ben").await;
    ben.signs_up().await;
    ben.opens_room("Garden").await;
    let scripts_ran = ben.has("html[data-bellwire]").await;
    assert!(!scripts_ran, "this browser runs no scripts");
    assert_eq!(ben.text_of("#messages-list .message__text").await, "hello from a live page");

    ben.says("hello from a plain one").await;
    ada.sees("hello from a plain one").await;
    ben.find("#messages-list .message:nth-child(2)").await;
    assert_eq!(
        ben.text_of("#messages-list .message:nth-child(2) .message__text").await,
        "hello from a plain one"
    );
    assert_eq!(ben.path().await, "/chat/garden/");
}
