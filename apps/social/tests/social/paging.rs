//! Pagination: five messages per page, and every visitor's page stays up to date.

use bellwire_testkit::{TestDatabase, apply, on_databases};
use serde_json::{Value, json};

use crate::support::{
    action_frame, add, client, client_of, ids, paging, social, unread_window, until_list, window,
    with_messages,
};

async fn go_to(client: &mut bellwire::testing::Communicator, page: Value, texts: &[&str]) -> Value {
    client.send_json(&action_frame("list messages", json!({ "page": page }))).await;
    let frame: Value = client.receive_json().await;
    assert_eq!(frame["selector"], "#messages__list");
    assert_eq!(crate::support::texts(frame["html"].as_str().unwrap()), texts, "page {page}");
    frame
}

#[apply(on_databases)]
#[tokio::test]
async fn paging_changes_the_address_of_its_sender_only(database: TestDatabase) {
    let site = social(&database).await;
    with_messages(&site, 12).await;
    let (mut ada, mut ben) = (client(&site).await, client(&site).await);
    let second = go_to(&mut ada, json!(2), &["m7", "m6", "m5", "m4", "m3"]).await;
    assert_eq!(
        (&second["url"], &second["focus"]),
        (&json!("/social/?page=2"), &json!("#messages__list"))
    );
    assert_eq!(second["title"], "Social network, page 2 · Bellwire");
    assert_eq!(paging(second["html"].as_str().unwrap()), "Previous | Page 2 of 3 | Next");
    let third = go_to(&mut ada, json!("3"), &["m2", "m1"]).await;
    assert_eq!(paging(third["html"].as_str().unwrap()), "Previous | Page 3 of 3");
    let last = go_to(&mut ada, json!(i64::MAX), &["m2", "m1"]).await;
    assert_eq!(last["url"], "/social/?page=3", "a number beyond the last page shows the last page");
    let first = go_to(&mut ada, json!(1), &["m12", "m11", "m10", "m9", "m8"]).await;
    assert_eq!(first["url"], "/social/");
    assert_eq!(paging(first["html"].as_str().unwrap()), "Page 1 of 3 | Next");
    ben.receive_nothing().await;
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_new_message_moves_the_last_of_each_page_to_the_next(database: TestDatabase) {
    let site = social(&database).await;
    with_messages(&site, 10).await;
    let (mut first, mut second, mut writer) =
        (client(&site).await, client(&site).await, client(&site).await);
    go_to(&mut second, json!(2), &["m5", "m4", "m3", "m2", "m1"]).await;
    writer.send_json(&add("Cy", "new")).await;
    let html = until_list(&mut first, &["new", "m10", "m9", "m8", "m7"]).await;
    assert_eq!(paging(&html), "Page 1 of 3 | Next", "the sixth moved, and there is one more page");
    let html = until_list(&mut second, &["m6", "m5", "m4", "m3", "m2"]).await;
    assert_eq!(paging(&html), "Previous | Page 2 of 3 | Next");
    let mut third = client(&site).await;
    go_to(&mut third, json!(3), &["m1"]).await;
    first.receive_nothing().await;
    second.receive_nothing().await;
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_deletion_moves_later_messages_up_and_leaves_earlier_pages_unchanged(
    database: TestDatabase,
) {
    let site = social(&database).await;
    let filler = with_messages(&site, 12).await;
    let (mut first, mut second, mut third) =
        (client(&site).await, client(&site).await, client(&site).await);
    let page = go_to(&mut second, json!(2), &["m7", "m6", "m5", "m4", "m3"]).await;
    go_to(&mut third, json!(3), &["m2", "m1"]).await;
    let of_filler = ids(page["html"].as_str().unwrap())[2];
    let mut filler = client_of(&site, &filler).await;
    filler.send_json(&action_frame("delete message", json!({ "id": of_filler.to_string() }))).await;
    let html = until_list(&mut second, &["m7", "m6", "m4", "m3", "m2"]).await;
    assert_eq!(paging(&html), "Previous | Page 2 of 3 | Next");
    until_list(&mut third, &["m1"]).await;
    first.receive_nothing().await;
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn visitors_of_a_page_that_disappears_see_the_last_page_until_it_exists_again(
    database: TestDatabase,
) {
    let site = social(&database).await;
    let (mut reader, mut writer) = (client(&site).await, client(&site).await);
    for n in 1..=6 {
        writer.send_json(&add("Ada", &format!("m{n}"))).await;
        let newest = format!("m{n}");
        loop {
            let html = crate::support::next_list(&mut writer).await;
            if crate::support::texts(&html).first() == Some(&newest) {
                break;
            }
        }
    }
    until_list(&mut reader, &["m6", "m5", "m4", "m3", "m2"]).await;
    let page = go_to(&mut reader, json!(2), &["m1"]).await;
    let id = ids(page["html"].as_str().unwrap())[0];
    writer.send_json(&action_frame("delete message", json!({ "id": id }))).await;
    let html = until_list(&mut reader, &["m6", "m5", "m4", "m3", "m2"]).await;
    assert_eq!(paging(&html), "", "a single page has no pagination");
    writer.send_json(&add("Ada", "m7")).await;
    until_list(&mut reader, &["m2"]).await;
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_reconnecting_window_receives_the_current_state_of_its_page(database: TestDatabase) {
    let site = social(&database).await;
    with_messages(&site, 7).await;
    let disconnected = window(&site, 2).await;
    disconnected.cut().await;
    add_message(&site, "while away").await;
    let mut back = unread_window(&site, "2").await;
    let list = back.receive_text().await;
    assert_eq!(crate::support::texts(&list), ["m3", "m2", "m1"]);
    assert!(!list.contains("data-bw-url"), "the address stays the same: {list}");
    back.receive_nothing().await;
    for (at, expected) in
        [("3", "m3"), ("0", "while away"), ("%00", "while away"), ("%2Fsocial%2F", "while away")]
    {
        let list = unread_window(&site, at).await.receive_text().await;
        assert_eq!(crate::support::texts(&list)[0], expected, "at {at}");
    }
    site.stop().await;
}

async fn add_message(site: &bellwire_testkit::TestSite, text: &str) {
    let answer = site.client().post("/social/", &[("author", "Cy"), ("text", text)]).await;
    assert_eq!(answer.status, 303);
}
