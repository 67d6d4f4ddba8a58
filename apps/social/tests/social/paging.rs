//! Five a page, and the lists stay right on whatever page each visitor is.

use bellwire_testkit::{TestDatabase, apply, on_databases};
use serde_json::{Value, json};

use crate::support::{
    add, ask, client, client_of, filled, hears, ids, paging, quiet_window, social, window,
};

async fn go_to(client: &mut bellwire::testing::Communicator, page: Value, texts: &[&str]) -> Value {
    client.send_json(&ask("list messages", json!({ "page": page }))).await;
    let frame: Value = client.receive_json().await;
    assert_eq!(frame["selector"], "#messages__list");
    assert_eq!(crate::support::texts(frame["html"].as_str().unwrap()), texts, "page {page}");
    frame
}

#[apply(on_databases)]
#[tokio::test]
async fn paging_moves_the_address_of_the_one_who_asked_and_nobody_elses(database: TestDatabase) {
    let site = social(&database).await;
    filled(&site, 12).await;
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
    assert_eq!(last["url"], "/social/?page=3", "beyond the end is the end");
    let first = go_to(&mut ada, json!(1), &["m12", "m11", "m10", "m9", "m8"]).await;
    assert_eq!(first["url"], "/social/");
    assert_eq!(paging(first["html"].as_str().unwrap()), "Page 1 of 3 | Next");
    ben.receive_nothing().await;
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_new_message_pushes_the_last_of_each_page_to_the_next(database: TestDatabase) {
    let site = social(&database).await;
    filled(&site, 10).await;
    let (mut first, mut second, mut writer) =
        (client(&site).await, client(&site).await, client(&site).await);
    go_to(&mut second, json!(2), &["m5", "m4", "m3", "m2", "m1"]).await;
    writer.send_json(&add("Cy", "new")).await;
    let html = hears(&mut first, &["new", "m10", "m9", "m8", "m7"]).await;
    assert_eq!(paging(&html), "Page 1 of 3 | Next", "the sixth is gone, and there is a page more");
    let html = hears(&mut second, &["m6", "m5", "m4", "m3", "m2"]).await;
    assert_eq!(paging(&html), "Previous | Page 2 of 3 | Next");
    let mut third = client(&site).await;
    go_to(&mut third, json!(3), &["m1"]).await;
    first.receive_nothing().await;
    second.receive_nothing().await;
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_deletion_pulls_the_later_ones_up_and_leaves_earlier_pages_alone(database: TestDatabase) {
    let site = social(&database).await;
    let filler = filled(&site, 12).await;
    let (mut first, mut second, mut third) =
        (client(&site).await, client(&site).await, client(&site).await);
    let page = go_to(&mut second, json!(2), &["m7", "m6", "m5", "m4", "m3"]).await;
    go_to(&mut third, json!(3), &["m2", "m1"]).await;
    let of_filler = ids(page["html"].as_str().unwrap())[2];
    let mut filler = client_of(&site, &filler).await;
    filler.send_json(&ask("delete message", json!({ "id": of_filler.to_string() }))).await;
    let html = hears(&mut second, &["m7", "m6", "m4", "m3", "m2"]).await;
    assert_eq!(paging(&html), "Previous | Page 2 of 3 | Next");
    hears(&mut third, &["m1"]).await;
    first.receive_nothing().await;
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn when_a_page_goes_its_visitors_see_the_last_and_are_back_when_it_comes_back(
    database: TestDatabase,
) {
    let site = social(&database).await;
    let (mut reader, mut writer) = (client(&site).await, client(&site).await);
    for n in 1..=6 {
        writer.send_json(&add("Ada", &format!("m{n}"))).await;
        let newest = format!("m{n}");
        loop {
            let html = crate::support::hear_list(&mut writer).await;
            if crate::support::texts(&html).first() == Some(&newest) {
                break;
            }
        }
    }
    hears(&mut reader, &["m6", "m5", "m4", "m3", "m2"]).await;
    let page = go_to(&mut reader, json!(2), &["m1"]).await;
    let id = ids(page["html"].as_str().unwrap())[0];
    writer.send_json(&ask("delete message", json!({ "id": id }))).await;
    let html = hears(&mut reader, &["m6", "m5", "m4", "m3", "m2"]).await;
    assert_eq!(paging(&html), "", "one page is no pages");
    writer.send_json(&add("Ada", "m7")).await;
    hears(&mut reader, &["m2"]).await;
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn whoever_comes_back_gets_the_page_that_their_address_says_as_it_is_now(
    database: TestDatabase,
) {
    let site = social(&database).await;
    filled(&site, 7).await;
    let away = window(&site, 2).await;
    away.cut().await;
    filled_more(&site, "while away").await;
    let mut back = quiet_window(&site, "2").await;
    let list = back.receive_text().await;
    assert_eq!(crate::support::texts(&list), ["m3", "m2", "m1"]);
    assert!(!list.contains("data-bw-url"), "nobody is led anywhere: {list}");
    back.receive_nothing().await;
    for (at, expected) in
        [("3", "m3"), ("0", "while away"), ("%00", "while away"), ("%2Fsocial%2F", "while away")]
    {
        let list = quiet_window(&site, at).await.receive_text().await;
        assert_eq!(crate::support::texts(&list)[0], expected, "at {at}");
    }
    site.stop().await;
}

async fn filled_more(site: &bellwire_testkit::TestSite, text: &str) {
    let answer = site.client().post("/social/", &[("author", "Cy"), ("text", text)]).await;
    assert_eq!(answer.status, 303);
}
