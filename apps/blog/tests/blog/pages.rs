//! The list, the pages, and moving between them.

use bellwire::Action as _;
use bellwire_site::SiteAccounts as _;
use bellwire_testkit::{TestDatabase, apply, check_actions, on_databases};
use serde_json::{Value, json};

use crate::support::{
    blog, change_to, comment, draft, htmx_window, publish, reader, refused, send_action, staff,
    titles, window,
};

fn next(page: &Value) -> Value {
    json!({"action": "Add next posts", "data": {"page": page}})
}

fn change(page: &str) -> Value {
    json!({"action": "Change page", "data": {"page": page}})
}

#[apply(on_databases)]
#[tokio::test]
async fn the_list_shows_five_and_more_posts_until_there_are_no_more(database: TestDatabase) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    for number in 1..=12 {
        publish(&site, &mut writer, &format!("Article {number}"), "Text").await;
    }
    let page = site.client().get("/blog/").await.text;
    assert_eq!(titles(&page), [12, 11, 10, 9, 8].map(|number| format!("Article {number}")));
    assert!(page.contains("href=\"/blog/?page=2\"") && page.contains("More articles"));

    let (mut one, mut other) = (window(&site, None, "").await, window(&site, None, "").await);
    let [list, below, address] = send_action(&mut one, &next(&json!("2"))).await;
    assert_eq!(
        (list["selector"].as_str(), list["append"].as_bool()),
        (Some("#all-posts"), Some(true))
    );
    assert_eq!(
        titles(list["html"].as_str().unwrap()),
        [7, 6, 5, 4, 3].map(|n| format!("Article {n}"))
    );
    assert_eq!(below["selector"], "#paginator");
    assert!(below["html"].as_str().unwrap().contains("/blog/?page=3"), "{below}");
    let detail = json!({"url": "/blog/?page=2"});
    assert_eq!(address, json!({"event": "blog:address", "detail": detail}));
    let [list, below, _] = send_action(&mut one, &next(&json!(3))).await;
    assert_eq!(titles(list["html"].as_str().unwrap()), ["Article 2", "Article 1"]);
    assert!(!below["html"].as_str().unwrap().contains("More articles"), "{below}");
    other.receive_nothing().await;

    assert_eq!(
        titles(&site.client().get("/blog/?page=2").await.text).len(),
        10,
        "a reload shows both pages"
    );
    assert_eq!(titles(&site.client().get("/blog/?page=3").await.text).len(), 12);
    for none in ["4", "0", "-1", "41", "x", "99999999999999999999", "%00"] {
        let answer = site.client().get(&format!("/blog/?page={none}")).await;
        assert_eq!(answer.status, 404, "{none}");
    }
    for none in [
        json!(4),
        json!(0),
        json!(-1),
        json!(i64::MAX),
        json!("x"),
        json!(1.5),
        json!(null),
        json!([]),
    ] {
        refused(&mut one, &next(&none)).await;
    }
    refused(&mut one, &json!({"action": "Add next posts", "data": {}})).await;
    other.receive_nothing().await;
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_page_is_the_same_by_socket_and_by_http(database: TestDatabase) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    let article =
        publish(&site, &mut writer, "Tea & cake", "# One\n\nA *cup* of <b>tea</b>.").await;
    let (mut one, mut other) = (window(&site, None, "").await, window(&site, None, "").await);
    for (to, path, title) in [
        (change("all posts"), "/blog/".to_owned(), "Blog · Bellwire"),
        (change("about us"), "/blog/about/".to_owned(), "About us · Bellwire"),
        (change_to(&article), article.path(), "Tea & cake · Bellwire"),
    ] {
        let [nav, main] = send_action(&mut one, &to).await;
        assert_eq!(
            (nav["selector"].as_str(), main["selector"].as_str()),
            (Some("#nav"), Some("#main"))
        );
        assert_eq!((main["url"].as_str(), main["title"].as_str()), (Some(&*path), Some(title)));
        assert_eq!(main["focus"], "#main");
        let page = site.client().get(&path).await;
        assert_eq!(page.status, 200);
        for part in [&nav, &main] {
            assert!(page.text.contains(part["html"].as_str().unwrap()), "{path}: {part}");
        }
        assert!(
            page.text.contains("<meta name=\"description\" content=\"")
                && page.text.contains("og:title")
        );
        assert!(page.text.contains("bw-connect=\"/ws/blog/\""));
    }
    other.receive_nothing().await;
    let page = site.client().get(&article.path()).await.text;
    assert!(
        page.contains("<h2>One</h2><p>A <em>cup</em> of &lt;b&gt;tea&lt;/b&gt;.</p>"),
        "{page}"
    );
    assert!(
        page.contains("content=\"article\"")
            && page.contains("content=\"One A cup of &#60;b&#62;tea")
    );
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn unknown_pages_are_refused_with_a_readable_error(database: TestDatabase) {
    let site = blog(&database).await;
    let mut one = window(&site, None, "").await;
    for bad in [
        json!({"action": "Change page", "data": {"page": "single post"}}),
        json!({"action": "Change page", "data": {"page": "single post", "id": 7}}),
        json!({"action": "Change page", "data": {"page": "single post", "id": "x"}}),
        json!({"action": "Change page", "data": {"page": "single post", "id": -1}}),
        json!({"action": "Change page", "data": {"page": "single post", "id": i64::MIN}}),
        json!({"action": "Change page", "data": {"page": "single post", "id": {"a": 1}}}),
        json!({"action": "Change page", "data": {"page": "<script>"}}),
        json!({"action": "Change page", "data": {"page": 5}}),
        json!({"action": "Change page", "data": {}}),
        json!({"action": "Change page"}),
        json!({"action": "Dance", "data": {}}),
        json!({"action": 5}),
    ] {
        refused(&mut one, &bad).await;
    }
    for path in [
        "/blog/article/none/",
        "/blog/article/%00/",
        "/blog/article/a%2Fb/",
        "/blog/article/%F0%9F%8E%89/",
    ] {
        assert_eq!(site.client().get(path).await.status, 404, "{path}");
    }
    let empty = site.client().get("/blog/").await;
    assert!(empty.status == 200 && empty.text.contains("There are no articles yet"));
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_window_receives_comments_of_the_shown_article_only(database: TestDatabase) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    let tea = publish(&site, &mut writer, "Tea", "Text").await;
    let bread = publish(&site, &mut writer, "Bread", "Text").await;
    let (mut moving, mut at_tea) = (reader(&site, &tea, 0).await, reader(&site, &tea, 0).await);
    let [_, main] = send_action(&mut moving, &change_to(&bread)).await;
    let epoch = site.state().bellwire().layer().epoch();
    assert!(main["html"].as_str().unwrap().contains(&format!("data-seq=\"{epoch}.0\"")));
    at_tea.send_json(&comment(&tea, "Ben", "At tea")).await;
    assert_eq!(at_tea.receive_json::<Value>().await["seq"], 1);
    moving.receive_nothing().await;
    let mut at_bread = reader(&site, &bread, 0).await;
    at_bread.send_json(&comment(&bread, "Eve", "At bread")).await;
    assert_eq!(moving.receive_json::<Value>().await["selector"], "#list-of-comments");
    send_action::<2>(&mut moving, &change("about us")).await;
    at_bread.send_json(&comment(&bread, "Eve", "Again")).await;
    at_bread.receive_text().await;
    moving.receive_nothing().await;
    // Back at tea, the page contains the comment added in the meantime.
    let [_, main] = send_action(&mut moving, &change_to(&tea)).await;
    assert!(main["html"].as_str().unwrap().contains("At tea"), "{main}");
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_draft_is_visible_to_current_staff_only(database: TestDatabase) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    let hidden = draft(&site, &mut writer, "Secret plans", "zebra").await;
    let mut stranger = site.client();
    assert_eq!(writer.get(&hidden.path()).await.status, 200);
    assert_eq!(stranger.get(&hidden.path()).await.status, 404);
    for path in ["/blog/", "/blog/?search=zebra", "/blog/feed/", "/blog/atom/", "/sitemap.xml"] {
        for person in [&mut stranger, &mut writer] {
            let text = person.get(path).await.text;
            assert!(!text.contains("Secret plans") && !text.contains("secret-plans"), "{path}");
        }
    }
    assert!(writer.get("/blog/drafts/").await.text.contains("Secret plans"));
    let mut outside = window(&site, None, "").await;
    assert_eq!(refused(&mut outside, &change_to(&hidden)).await, "There is no such article.");
    assert_eq!(
        refused(&mut outside, &comment(&hidden, "Ben", "Hm")).await,
        "There is no such article."
    );
    let mut inside = window(&site, Some(&writer), "").await;
    let [_, main] = send_action(&mut inside, &change_to(&hidden)).await;
    assert!(main["html"].as_str().unwrap().contains("Draft"));

    site.state().accounts().set_staff("Ada", false).await.unwrap();
    assert_eq!(
        refused(&mut inside, &change_to(&hidden)).await,
        "There is no such article.",
        "the same socket"
    );
    assert_eq!(writer.get(&hidden.path()).await.status, 404);
    let [nav, _] = send_action(&mut inside, &change("all posts")).await;
    assert!(!nav["html"].as_str().unwrap().contains("Write"), "{nav}");
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn our_own_page_changes_navigation_content_and_address_together(database: TestDatabase) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    let article = publish(&site, &mut writer, "Tea", "Text").await;
    let mut one = htmx_window(&site, Some(&writer), "at=/blog/").await;
    one.send_json(&change_to(&article)).await;
    let moved = one.receive_text().await + &one.receive_text().await;
    for part in [
        "hx-swap-oob=\"innerHTML:#nav\"",
        "hx-swap-oob=\"innerHTML:#main\"",
        "data-bw-url=\"/blog/article/tea/\"",
        "data-feed=\"blog.article.1\"",
        "name=\"author\" type=\"text\" value=\"Ada\"",
    ] {
        assert!(moved.contains(part), "{part}: {moved}");
    }
    site.stop().await;
}

#[tokio::test]
async fn pages_name_only_actions_that_the_consumer_reads() {
    let site = blog(&TestDatabase::Sqlite).await;
    let mut writer = staff(&site, "Ada").await;
    for number in 0..7 {
        publish(&site, &mut writer, &format!("Post {number}"), "Text").await;
    }
    draft(&site, &mut writer, "Draft", "Text").await;
    for mut client in [writer, site.client()] {
        let consumers = [("/ws/blog/", bellwire_blog::Action::SPECS)];
        check_actions(&mut client, "/blog/", &consumers).await;
    }
    site.stop().await;
}
