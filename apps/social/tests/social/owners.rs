//! Permissions: only its author may change the message of a signed-in user.

use bellwire::testing::Communicator;
use bellwire_testkit::{PASSWORD, TestDatabase, apply, on_databases};
use serde_json::{Value, json};

use crate::support::{
    action_frame, add, client, client_of, ids, next_list, social, texts, until_list,
};

async fn assert_refused(client: &mut Communicator, action: &str, data: Value) {
    client.send_json(&action_frame(action, data)).await;
    let answer: Value = client.receive_json().await;
    assert_eq!(answer["error"], "Only the author of this message can do that.", "{action}");
    client.receive_nothing().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn only_the_signed_in_author_can_edit_a_message_and_administrators_can_only_delete_it(
    database: TestDatabase,
) {
    let site = social(&database).await;
    let mut admin = site.client();
    let account = [("username", "Admin"), ("password", PASSWORD), ("password_confirm", PASSWORD)];
    assert_eq!(admin.post("/accounts/first/", &account).await.status, 303);
    let (ada, mut ben) = (site.person("Ada").await, site.person("Ben").await);
    let mut hers = client_of(&site, &ada).await;
    hers.send_json(&add("Somebody else", "hers")).await;
    let html = next_list(&mut hers).await;
    let id = ids(&html)[0];
    assert!(
        html.contains("Ada") && !html.contains("Somebody else"),
        "a signed-in user cannot use another name"
    );
    for mut other in [client(&site).await, client_of(&site, &ben).await] {
        assert_refused(&mut other, "open edit page", json!({ "id": id })).await;
        assert_refused(&mut other, "update message", json!({"id": id, "author": "x", "text": "x"}))
            .await;
        assert_refused(&mut other, "delete message", json!({ "id": id })).await;
    }
    for (path, fields) in [
        (format!("/social/messages/{id}/"), &[("author", "x"), ("text", "x")][..]),
        (format!("/social/messages/{id}/delete/"), &[]),
    ] {
        assert_eq!(ben.post(&path, fields).await.status, 403, "{path}");
        assert_eq!(site.client().post(&path, fields).await.status, 403, "{path}");
    }
    assert_eq!(ben.get(&format!("/social/messages/{id}/")).await.status, 403);
    hers.send_json(&action_frame(
        "update message",
        json!({"id": id, "author": "x", "text": "hers, fixed"}),
    ))
    .await;
    let _: Value = hers.receive_json().await;
    until_list(&mut hers, &["hers, fixed"]).await;
    let form = format!("/social/messages/{id}/");
    assert_eq!(admin.get(&form).await.status, 403);
    assert_eq!(admin.post(&form, &[("author", "x"), ("text", "x")]).await.status, 403);
    let mut admin = client_of(&site, &admin).await;
    assert_refused(&mut admin, "open edit page", json!({ "id": id })).await;
    let change = json!({"id": id, "author": "x", "text": "changed by the administrator"});
    assert_refused(&mut admin, "update message", change).await;
    admin.send_json(&action_frame("delete message", json!({ "id": id }))).await;
    until_list(&mut admin, &[]).await;
    until_list(&mut hers, &[]).await;
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn an_anonymous_message_can_be_edited_and_deleted_by_everyone(database: TestDatabase) {
    let site = social(&database).await;
    let ben = site.person("Ben").await;
    let (mut somebody, mut his) = (client(&site).await, client_of(&site, &ben).await);
    somebody.send_json(&add("Somebody", "fix me")).await;
    let id = ids(&next_list(&mut somebody).await)[0];
    his.send_json(&action_frame(
        "update message",
        json!({"id": id, "author": "Nobody", "text": "fixed"}),
    ))
    .await;
    let html = until_list(&mut somebody, &["fixed"]).await;
    assert!(
        html.contains("Nobody") && !html.contains("data-owner"),
        "it still belongs to nobody: {html}"
    );
    somebody.send_json(&action_frame("delete message", json!({ "id": id }))).await;
    until_list(&mut somebody, &[]).await;
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn without_scripts_only_the_tools_of_ones_own_messages_are_visible(database: TestDatabase) {
    let site = social(&database).await;
    let mut admin = site.client();
    let account = [("username", "Admin"), ("password", PASSWORD), ("password_confirm", PASSWORD)];
    assert_eq!(admin.post("/accounts/first/", &account).await.status, 303);
    let (mut ada, mut ben) = (site.person("Ada").await, site.person("Ben").await);
    ada.post("/social/", &[("author", ""), ("text", "hers")]).await;
    let tag = |html: &str, start: &str| {
        html.split(start).nth(1).unwrap().split('>').next().unwrap().to_owned()
    };
    let tools = |html: &str| tag(html, "<div class=\"post__tools\"");
    let edit = |html: &str| tag(html, "<a class=\"post__tool\"");
    let page = ada.get("/social/").await.text;
    assert!(
        !tools(&page).contains("hidden") && !edit(&page).contains("hidden"),
        "{}",
        tools(&page)
    );
    let page_of_admin = admin.get("/social/").await.text;
    assert!(!tools(&page_of_admin).contains("hidden") && edit(&page_of_admin).contains(" hidden"));
    assert!(page.contains("name=\"author\" value=\"Ada\""), "her name is filled in");
    assert!(tools(&ben.get("/social/").await.text).contains("hidden"));
    assert!(tools(&site.client().get("/social/").await.text).contains("hidden"));
    assert_eq!(texts(&page), ["hers"]);
    site.stop().await;
}
