//! The people of pages and connections, and what is stored for them.

use serde_json::json;

use super::app::{Content, open};
use super::page::{
    SAYING, body, comes_true, hears, holds, is_cut_off, open_as_ada, says, signs_in, value,
};

/// Both kinds of pages, and the beginning of the keys under which they store what waits.
fn both_kinds() -> [(Content, &'static str); 2] {
    [
        (Content::Of(body(SAYING)), "bellwire-unowned"),
        (Content::Owned(body(SAYING)), "bellwire:user.ada"),
    ]
}

#[tokio::test]
async fn after_a_final_close_actions_go_by_http_and_then_the_page_is_loaded_again() {
    for (content, _) in both_kinds() {
        let (ada, app) = open_as_ada(content).await;
        app.closes(1008);
        ada.is_offline().await;
        ada.reads("#connection-reason", "Goodbye.").await;
        ada.marks_page().await;
        app.holds_back();
        says(&ada, "one").await;
        let first = app.posts.next().await;
        assert!(first.body.contains("text=one"), "{}", first.body);
        assert_eq!(first.header("bellwire-person"), "user.ada");
        says(&ada, "two").await;
        comes_true(&ada, "bellwire.pending().length === 2").await;
        app.answers(1);
        assert!(app.posts.next().await.body.contains("text=two"));
        ada.did_not_reload().await;
        assert!(holds(&ada, "document.querySelector('#connection-sign-in').hidden").await);
        app.answers(1);
        comes_true(&ada, "!window.markOfTheStory").await;
        ada.is_connected().await;
    }
}

#[tokio::test]
async fn after_the_session_has_ended_what_was_written_waits_for_its_author() {
    for (content, key) in both_kinds() {
        let (ada, app) = open_as_ada(content.clone()).await;
        let ends = async || {
            app.page("/", Content::Elsewhere("/sign-in"));
            app.closes(1008);
            ada.find("#connection-sign-in").await;
            let link = "document.querySelector('#connection-sign-in a').pathname";
            assert_eq!(value(&ada, link).await, "/sign-in");
        };
        let returns = async || {
            app.page("/", content.clone());
            ada.visit("/").await;
            ada.is_connected().await;
        };
        let keys = "Object.keys(sessionStorage).sort()";
        ends().await;
        ada.types("#text", "half").await;
        ada.presses("#connection-sign-in a").await;
        comes_true(&ada, "location.pathname === '/sign-in'").await;
        let stores = async |key: String| {
            let mut expected = [key, "bellwire:person".to_owned()];
            expected.sort();
            assert_eq!(value(&ada, keys).await, json!(expected));
        };
        stores(format!("{key}:draft:/live")).await;
        returns().await;
        comes_true(&ada, "document.querySelector('#text').value === 'half'").await;
        assert_eq!(value(&ada, keys).await, json!(["bellwire:person"]));

        ends().await;
        let empty = "document.addEventListener('bellwire:queued', ({ target }) => target.reset())";
        ada.run_script(empty, &[]).await;
        says(&ada, "whole").await;
        comes_true(&ada, "location.pathname === '/sign-in'").await;
        stores(format!("{key}:/live")).await;
        assert_eq!(value(&ada, "sessionStorage['bellwire:person']").await, "\"user.ada\"");
        returns().await;
        assert_eq!(app.actions.next().await["data"]["text"], "whole");
        hears(&ada, "answered").await;
        assert_eq!(value(&ada, keys).await, json!(["bellwire:person"]));
    }
}

#[tokio::test]
async fn a_page_with_an_owner_drops_what_pages_without_one_left() {
    let (ada, app) = open_as_ada(Content::Of(body(SAYING))).await;
    app.page("/owned/", Content::Owned(body(SAYING)));
    is_cut_off(&ada, &app).await;
    says(&ada, "left").await;
    let keys = "Object.keys(sessionStorage).sort()";
    assert_eq!(value(&ada, keys).await, json!(["bellwire-unowned:/live", "bellwire:person"]));
    ada.visit("/owned/").await;
    let refused = hears(&ada, "refused").await;
    assert_eq!((&refused[0], &refused[1]["data"]["text"]), (&json!("document"), &json!("left")));
    assert_eq!(refused[1]["error"], "You signed in as somebody else, so this was not sent.");
    ada.is_connected().await;
    app.hears_nothing(&ada).await;
    assert_eq!(value(&ada, keys).await, json!(["bellwire:person"]));
}

#[tokio::test]
async fn nobody_is_an_owner_too() {
    let (browsers, app) = open(Content::Owned(body(SAYING))).await;
    let ada = browsers.person("Ada").await;
    ada.visit("/").await;
    ada.is_connected().await;
    is_cut_off(&ada, &app).await;
    says(&ada, "of nobody").await;
    assert!(holds(&ada, "'bellwire::/live' in sessionStorage").await);
    signs_in(&ada, "user.ben").await;
    ada.run_script("bellwire.reconnect()", &[]).await;
    ada.reads("#connection-reason", "You are signed in as somebody else.").await;
    ada.find("#connection-sign-in").await;
    ada.visit("/").await;
    ada.is_connected().await;
    app.hears_nothing(&ada).await;
    assert!(holds(&ada, "'bellwire::/live' in sessionStorage").await);
}
