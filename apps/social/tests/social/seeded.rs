//! The sample messages of `bellwire seed`.

use bellwire_site::seed::{self, Progress};
use bellwire_testkit::{TestDatabase, TestSite, apply, on_databases};

use crate::support::{action_frame, client, ids, paging, social, texts};

async fn seed(site: &TestSite) {
    let people = seed::people(site.state(), &mut Progress::quiet()).await.unwrap();
    seed::apps(
        site.state(),
        &[bellwire_social::app()],
        &people,
        &mut Progress::quiet(),
        &seed::SeedOptions::default(),
    )
    .await
    .unwrap();
}

#[apply(on_databases)]
#[tokio::test]
async fn seeding_twice_adds_nothing_and_deleted_messages_stay_deleted(database: TestDatabase) {
    let site = social(&database).await;
    seed(&site).await;
    let mut visitor = site.client();
    let first = visitor.get("/social/").await.text;
    assert_eq!(paging(&first), "Page 1 of 6 | Next");
    assert!(
        texts(&first)[0].starts_with("It does."),
        "the newest comes first: {:?}",
        texts(&first)
    );
    assert!(first.contains("Amara Okafor") && first.contains("data-owner"), "it has an owner");
    let second = visitor.get("/social/?page=3").await.text;
    let anonymous = second
        .split("<li class=\"post\"")
        .find(|post| post.contains("Somebody</b>"))
        .expect("a message of an anonymous author");
    let id = ids(&format!("<li class=\"post\"{anonymous}"))[0];
    let mut socket = client(&site).await;
    socket.send_json(&action_frame("delete message", serde_json::json!({ "id": id }))).await;
    crate::support::next_list(&mut socket).await;
    seed(&site).await;
    assert_eq!(texts(&visitor.get("/social/").await.text), texts(&first));
    assert_eq!(visitor.get(&format!("/social/messages/{id}/")).await.status, 404);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn seeded_messages_are_dated_after_existing_ones(database: TestDatabase) {
    let site = social(&database).await;
    site.client().post("/social/", &[("author", "Ada"), ("text", "before it was filled")]).await;
    seed(&site).await;
    let mut visitor = site.client();
    assert_eq!(
        texts(&visitor.get("/social/?page=6").await.text).last().unwrap(),
        "before it was filled"
    );
    let page = visitor.get("/social/").await.text;
    let times: Vec<_> = page.split("datetime=\"").skip(1).map(|rest| &rest[..20]).collect();
    assert!(times.is_sorted_by(|newer, older| newer >= older), "{times:?}");
    site.stop().await;
}
