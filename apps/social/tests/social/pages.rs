//! The pages over HTTP, as crawlers and browsers without scripts see them.

use bellwire::{Action as _, Consumer};
use bellwire_social::SocialConsumer;
use bellwire_testkit::{TestDatabase, apply, check_actions, on_databases};

use crate::support::{ids, paging, social, texts, with_messages};

#[apply(on_databases)]
#[tokio::test]
async fn every_page_has_an_address_a_title_and_a_description_and_links_to_its_neighbours(
    database: TestDatabase,
) {
    let site = social(&database).await;
    with_messages(&site, 11).await;
    let mut visitor = site.client();
    let first = visitor.get("/social/").await.text;
    assert_eq!(texts(&first), ["m11", "m10", "m9", "m8", "m7"]);
    assert_eq!(paging(&first), "Page 1 of 3 | Next");
    assert!(first.contains("<title>Social network · Bellwire</title>"));
    assert!(first.contains("<meta name=\"description\" content=\"Short messages"));
    assert!(
        first.contains("<main id=\"main\" tabindex=\"-1\" bw-connect=\"/ws/social-network/\">")
    );
    let second = visitor.get("/social/?page=2").await.text;
    assert_eq!(texts(&second), ["m6", "m5", "m4", "m3", "m2"]);
    assert!(second.contains("<title>Social network, page 2 · Bellwire</title>"));
    for (rel, page) in
        [("prev", "/social/"), ("canonical", "/social/?page=2"), ("next", "/social/?page=3")]
    {
        let link =
            format!("<link rel=\"{rel}\" href=\"{}\">", site.state().public_url().absolute(page));
        assert!(second.contains(&link), "{link}");
    }
    let beyond = visitor.get("/social/?page=99").await.text;
    assert_eq!(
        (texts(&beyond), paging(&beyond).as_str()),
        (vec!["m1".to_owned()], "Previous | Page 3 of 3")
    );
    for invalid in
        ["?page=0", "?page=-1", "?page=two", "?page=", "?page=%00", "?page=18446744073709551616"]
    {
        assert_eq!(visitor.get(&format!("/social/{invalid}")).await.status, 404, "{invalid}");
    }
    assert_eq!(visitor.get("/social/?page=18446744073709551615").await.status, 200);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn messages_can_be_added_edited_and_deleted_by_forms_without_scripts(database: TestDatabase) {
    let site = social(&database).await;
    with_messages(&site, 3).await;
    let mut ada = site.client();
    let added = ada.post("/social/", &[("author", "Ada"), ("text", "first")]).await;
    let id = ids(&ada.get("/social/").await.text)[0];
    assert_eq!((added.status, added.location()), (303, &*format!("/social/#message--{id}")));
    let path = format!("/social/messages/{id}/");
    let form = ada.get(&path).await.text;
    assert!(form.contains("value=\"Ada\"") && form.contains("first</textarea>"), "{form}");
    let saved = ada.post(&path, &[("author", "Ada L."), ("text", "second")]).await;
    assert_eq!((saved.status, saved.location()), (303, &*format!("/social/#message--{id}")));
    assert_eq!(texts(&ada.get("/social/").await.text)[0], "second");
    let deleted = ada.post(&format!("{path}delete/"), &[("id", &id.to_string())]).await;
    assert_eq!((deleted.status, deleted.location()), (303, "/social/"));
    assert_eq!(texts(&ada.get("/social/").await.text), ["m3", "m2", "m1"]);
    for answer in [ada.get(&path).await, ada.post(&format!("{path}delete/"), &[]).await] {
        assert_eq!(answer.status, 404);
    }
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn editing_a_message_on_a_later_page_returns_to_that_page(database: TestDatabase) {
    let site = social(&database).await;
    let mut ada = site.client();
    ada.post("/social/", &[("author", "Ada"), ("text", "old")]).await;
    let id = ids(&ada.get("/social/").await.text)[0];
    with_messages(&site, 7).await;
    let path = format!("/social/messages/{id}/");
    assert!(
        ada.get(&path).await.text.contains("href=\"/social/?page=2\""),
        "the cancel link returns to the page"
    );
    let saved = ada.post(&path, &[("author", "Ada"), ("text", "older")]).await;
    assert_eq!(saved.location(), format!("/social/?page=2#message--{id}"));
    let deleted = ada.post(&format!("{path}delete/"), &[]).await;
    assert_eq!(deleted.location(), "/social/?page=2");
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn errors_are_shown_beside_their_field_and_the_input_is_kept(database: TestDatabase) {
    let site = social(&database).await;
    let mut ada = site.client();
    let long = "y".repeat(201);
    for (author, text, error) in [
        ("", "kept", "Please type your name."),
        ("Ada & <b>", "", "Write something first."),
        ("Ada", &*long, "this one has 201"),
    ] {
        let answer = ada.post("/social/", &[("author", author), ("text", text)]).await;
        assert_eq!(answer.status, 422);
        assert!(answer.text.contains(error) && answer.text.contains(text), "{error}");
        assert!(!answer.text.contains("<b>"), "{}", answer.text);
    }
    let both = ada.post("/social/", &[]).await.text;
    assert!(both.contains("Please type your name.") && both.contains("Write something first."));
    ada.post("/social/", &[("author", "Ada"), ("text", "there")]).await;
    let id = ids(&ada.get("/social/").await.text)[0];
    let answer =
        ada.post(&format!("/social/messages/{id}/"), &[("author", "Ada"), ("text", " ")]).await;
    assert_eq!(answer.status, 422);
    assert!(answer.text.contains("Write something first."));
    assert_eq!(texts(&ada.get("/social/").await.text), ["there"]);
    for missing in ["/social/messages/999/", "/social/messages/9223372036854775807/"] {
        assert_eq!(ada.get(missing).await.status, 404, "{missing}");
        assert_eq!(
            ada.post(missing, &[("author", "x"), ("text", "x")]).await.status,
            404,
            "{missing}"
        );
    }
    for malformed in
        ["/social/messages/x/", "/social/messages/%00/", "/social/messages/99999999999999999999/"]
    {
        assert_eq!(ada.get(malformed).await.status, 400, "{malformed}");
    }
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_form_that_is_posted_by_script_is_answered_in_a_header(database: TestDatabase) {
    let site = social(&database).await;
    let mut ada = site.client();
    let origin = site.state().public_url().as_str().to_owned();
    let headers = [("origin", &*origin), ("bellwire-request", "1")];
    let (new, empty) = ([("author", "Ada"), ("text", "one")], [("author", "Ada"), ("text", "")]);
    for (path, fields, status, answer) in [
        ("/social/", &new[..], 204, "ok"),
        ("/social/", &empty, 422, "refused"),
        ("/social/messages/1/", &empty, 422, "refused"),
        ("/social/messages/1/", &[("author", "Ada"), ("text", "two")], 204, "ok"),
        ("/social/messages/1/delete/", &[], 204, "ok"),
        ("/social/messages/1/delete/", &[], 404, "refused"),
    ] {
        let response = ada.post_with(path, &headers, fields).await;
        let received = (response.status, response.header("bellwire-answer"));
        assert_eq!(received, (status, answer), "{path} {fields:?}");
    }
    site.stop().await;
}

#[tokio::test]
async fn pages_name_only_actions_that_the_consumer_reads() {
    let site = social(&TestDatabase::Sqlite).await;
    with_messages(&site, 11).await;
    let specs = <SocialConsumer as Consumer>::Action::SPECS;
    check_actions(&mut site.client(), "/social/", &[("/ws/social-network/", specs)]).await;
    site.stop().await;
}
