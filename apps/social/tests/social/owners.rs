//! Whose messages are whose.

use bellwire::testing::Communicator;
use bellwire_testkit::{PASSWORD, TestDatabase, apply, on_databases};
use serde_json::{Value, json};

use crate::support::{add, ask, client, client_of, hear_list, hears, ids, social, texts};

async fn refused(client: &mut Communicator, action: &str, data: Value) {
    client.send_json(&ask(action, data)).await;
    let answer: Value = client.receive_json().await;
    assert_eq!(answer["error"], "Only the one who wrote it may do that.", "{action}");
    client.receive_nothing().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn what_somebody_signed_in_wrote_is_theirs_alone_and_an_administrator_can_only_delete_it(
    database: TestDatabase,
) {
    let site = social(&database).await;
    let mut admin = site.client();
    let account = [("username", "Admin"), ("password", PASSWORD), ("password_confirm", PASSWORD)];
    assert_eq!(admin.post("/accounts/first/", &account).await.status, 303);
    let (ada, mut ben) = (site.person("Ada").await, site.person("Ben").await);
    let mut hers = client_of(&site, &ada).await;
    hers.send_json(&add("Somebody else", "hers")).await;
    let html = hear_list(&mut hers).await;
    let id = ids(&html)[0];
    assert!(
        html.contains("Ada") && !html.contains("Somebody else"),
        "nobody signed in borrows a name"
    );
    for mut other in [client(&site).await, client_of(&site, &ben).await] {
        refused(&mut other, "open edit page", json!({ "id": id })).await;
        refused(&mut other, "update message", json!({"id": id, "author": "x", "text": "x"})).await;
        refused(&mut other, "delete message", json!({ "id": id })).await;
    }
    for (path, fields) in [
        (format!("/social/messages/{id}/"), &[("author", "x"), ("text", "x")][..]),
        (format!("/social/messages/{id}/delete/"), &[]),
    ] {
        assert_eq!(ben.post(&path, fields).await.status, 403, "{path}");
        assert_eq!(site.client().post(&path, fields).await.status, 403, "{path}");
    }
    assert_eq!(ben.get(&format!("/social/messages/{id}/")).await.status, 403);
    hers.send_json(&ask(
        "update message",
        json!({"id": id, "author": "x", "text": "hers, mended"}),
    ))
    .await;
    let _: Value = hers.receive_json().await;
    hears(&mut hers, &["hers, mended"]).await;
    let form = format!("/social/messages/{id}/");
    assert_eq!(admin.get(&form).await.status, 403);
    assert_eq!(admin.post(&form, &[("author", "x"), ("text", "x")]).await.status, 403);
    let mut admin = client_of(&site, &admin).await;
    refused(&mut admin, "open edit page", json!({ "id": id })).await;
    let words = json!({"id": id, "author": "x", "text": "words of the house"});
    refused(&mut admin, "update message", words).await;
    admin.send_json(&ask("delete message", json!({ "id": id }))).await;
    hears(&mut admin, &[]).await;
    hears(&mut hers, &[]).await;
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn what_nobody_in_particular_wrote_is_everybodys(database: TestDatabase) {
    let site = social(&database).await;
    let ben = site.person("Ben").await;
    let (mut somebody, mut his) = (client(&site).await, client_of(&site, &ben).await);
    somebody.send_json(&add("Somebody", "mend me")).await;
    let id = ids(&hear_list(&mut somebody).await)[0];
    his.send_json(&ask("update message", json!({"id": id, "author": "Nobody", "text": "mended"})))
        .await;
    let html = hears(&mut somebody, &["mended"]).await;
    assert!(
        html.contains("Nobody") && !html.contains("data-owner"),
        "it stays everybody's: {html}"
    );
    somebody.send_json(&ask("delete message", json!({ "id": id }))).await;
    hears(&mut somebody, &[]).await;
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn the_tools_of_ones_own_messages_are_there_without_scripts_and_those_of_others_are_not(
    database: TestDatabase,
) {
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
