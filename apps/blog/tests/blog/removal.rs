//! Removing comments, which requires the staff role.

use bellwire_site::SiteAccounts as _;
use bellwire_testkit::{TestDatabase, apply, on_databases};
use serde_json::{Value, json};

use crate::support::{
    blog, comment, comment_texts, publish, reader, refused, showing, staff, window,
};

fn remove(id: Value) -> Value {
    json!({"action": "Remove comment", "data": {"id": id}})
}

#[apply(on_databases)]
#[tokio::test]
async fn a_removed_comment_disappears_from_every_page_and_stays_removed(database: TestDatabase) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    let tea = publish(&site, &mut writer, "Tea", "Text").await;
    let bread = publish(&site, &mut writer, "Bread", "Text").await;
    let (mut one, mut outsider) = (reader(&site, &tea, 0).await, reader(&site, &bread, 0).await);
    for text in ["Good", "Bad"] {
        one.send_json(&comment(&tea, "Ben", text)).await;
        one.receive_text().await;
    }
    let mut ada = window(&site, Some(&writer), &showing(&site, &tea, 2).await).await;
    ada.send_json(&remove(json!("2"))).await;
    for window in [&mut ada, &mut one] {
        let frame: Value = window.receive_json().await;
        assert_eq!((&frame["selector"], &frame["how"]), (&json!("#comment--2"), &json!("remove")));
        assert_eq!(frame["seq"], 3);
    }
    ada.send_json(&remove(json!(2))).await;
    ada.receive_nothing().await;
    one.receive_nothing().await;
    outsider.receive_nothing().await;
    assert_eq!(comment_texts(&site.client().get(&tea.path()).await.text), ["Good"]);

    let mut back = reader(&site, &tea, 2).await;
    let frame: Value = back.receive_json().await;
    assert_eq!(frame["how"], "remove", "a reconnecting page removes it");
    let mut behind = reader(&site, &tea, 1).await;
    let frame: Value = behind.receive_json().await;
    assert_eq!(
        (&frame["how"], &frame["seq"]),
        (&json!("remove"), &json!(3)),
        "its text is not sent any more"
    );
    assert!(site.client().get("/blog/").await.text.contains("1 comment"));
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn only_current_staff_can_remove_comments(database: TestDatabase) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    let tea = publish(&site, &mut writer, "Tea", "Text").await;
    let mut ben = site.person("Ben").await;
    let mut one = reader(&site, &tea, 0).await;
    one.send_json(&comment(&tea, "Ben", "Stays")).await;
    one.receive_text().await;
    let (mut ada, mut bens) =
        (window(&site, Some(&writer), "").await, window(&site, Some(&ben), "").await);
    site.state().accounts().set_staff("Ada", false).await.unwrap();
    for window in [&mut one, &mut bens, &mut ada] {
        assert_eq!(refused(window, &remove(json!(1))).await, "Only staff may do that.");
    }
    assert_eq!(site.client().post("/blog/comment/1/remove/", &[]).await.status, 401);
    assert_eq!(ben.post("/blog/comment/1/remove/", &[]).await.status, 403);
    assert_eq!(writer.post("/blog/comment/1/remove/", &[]).await.status, 403);
    assert_eq!(comment_texts(&ben.get(&tea.path()).await.text), ["Stays"]);
    assert!(!ben.get(&tea.path()).await.text.contains("/remove/"));

    site.state().accounts().set_staff("Ben", true).await.unwrap();
    for none in [json!(99), json!("x"), json!(null)] {
        refused(&mut bens, &remove(none)).await;
    }
    assert!(ben.get(&tea.path()).await.text.contains("/blog/comment/1/remove/"));
    let removed = ben.post("/blog/comment/1/remove/", &[]).await;
    assert_eq!((removed.status, removed.location()), (303, "/blog/article/tea/#comments"));
    assert!(one.receive_text().await.contains("#comment--1"));
    site.stop().await;
}
