//! Writing, previewing, publishing and editing articles.

use std::time::Duration;

use bellwire_testkit::{TestDatabase, apply, on_databases};
use serde_json::{Value, json};

use crate::support::{at, blog, comment, draft, publish, reader, refused, reload, send, staff};

#[apply(on_databases)]
#[tokio::test]
async fn only_staff_can_write_articles(database: TestDatabase) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    let tea = publish(&site, &mut writer, "Tea", "Text").await;
    let (mut ben, edit) = (site.person("Ben").await, format!("{}edit/", tea.path()));
    let fields = [("title", "Mine"), ("content", "Mine"), ("version", "1"), ("do", "publish")];
    for path in ["/blog/write/", "/blog/drafts/", &*edit] {
        assert_eq!(ben.get(path).await.status, 403, "{path}");
        assert!(
            [302, 303].contains(&site.client().get(path).await.status),
            "{path}: anonymous visitors must sign in"
        );
    }
    for path in ["/blog/write/", &*edit] {
        assert_eq!(ben.post(path, &fields).await.status, 403, "{path}");
        assert_eq!(site.client().post(path, &fields).await.status, 401, "{path}");
    }
    assert_eq!(reload(&site, &tea).await.row.title, "Tea");
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn every_title_has_a_unique_address(database: TestDatabase) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    for (title, path) in [
        ("Tea & cake", "/blog/article/tea-cake/"),
        ("Tea, cake!", "/blog/article/tea-cake-2/"),
        ("tea/cake", "/blog/article/tea-cake-3/"),
        ("?!", "/blog/article/article/"),
        ("...", "/blog/article/article-2/"),
        ("日本", "/blog/article/%E6%97%A5%E6%9C%AC/"),
        ("日本！", "/blog/article/%E6%97%A5%E6%9C%AC-2/"),
    ] {
        let answer = send(&mut writer, title, "Text", "publish").await;
        assert_eq!((answer.status, answer.location()), (303, path), "{title}");
        assert_eq!(site.client().get(path).await.status, 200, "{path}");
    }
    let taken = send(&mut writer, " Tea  & cake", "What I wrote", "publish").await;
    assert_eq!(taken.status, 422);
    assert!(
        taken.text.contains("an article with this title already")
            && taken.text.contains("What I wrote")
    );
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_published_article_keeps_its_address_and_the_address_of_a_draft_follows_its_title(
    database: TestDatabase,
) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    let tea = draft(&site, &mut writer, "Tea", "Text").await;
    let save = |title: &'static str, version: &'static str, button: &'static str| {
        [("title", title), ("content", "Text"), ("version", version), ("do", button)]
    };
    let saved =
        writer.post(&format!("{}edit/", tea.path()), &save("Green tea", "1", "draft")).await;
    assert_eq!(saved.location(), "/blog/article/green-tea/");
    let saved =
        writer.post("/blog/article/green-tea/edit/", &save("Green tea", "2", "publish")).await;
    assert_eq!(saved.location(), "/blog/article/green-tea/");
    let saved =
        writer.post("/blog/article/green-tea/edit/", &save("White tea", "3", "publish")).await;
    assert_eq!(saved.location(), "/blog/article/green-tea/");
    let now = at(&site, "/blog/article/green-tea/").await;
    assert_eq!((&*now.row.title, now.row.version), ("White tea", 4));
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn an_article_that_becomes_a_draft_again_keeps_its_address_and_its_place(
    database: TestDatabase,
) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    let tea = publish(&site, &mut writer, "Tea", "Text").await;
    site.state().clock().advance(Duration::from_secs(60));
    publish(&site, &mut writer, "Bread", "Text").await;
    site.state().clock().advance(Duration::from_secs(60));
    for (title, version, button) in
        [("Tea", "1", "draft"), ("Green tea", "2", "draft"), ("White tea", "3", "publish")]
    {
        let fields = [("title", title), ("content", "Text"), ("version", version), ("do", button)];
        let saved = writer.post("/blog/article/tea/edit/", &fields).await;
        assert_eq!((saved.status, saved.location()), (303, "/blog/article/tea/"), "{title}");
    }
    let now = at(&site, "/blog/article/tea/").await;
    assert_eq!((&*now.row.title, now.row.published_at), ("White tea", tea.row.published_at));
    let feed = site.client().get("/blog/feed/").await.text;
    let (bread, tea) = (feed.find("/blog/article/bread/"), feed.find("/blog/article/tea/"));
    assert!(bread.is_some() && bread < tea, "the order is that of first publication: {feed}");
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_preview_shows_everything_and_saves_nothing(database: TestDatabase) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    let page = send(
        &mut writer,
        "Tea <b>",
        "## Cups\n\n<script>alert(1)</script> **and** pots",
        "preview",
    )
    .await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains(
        "<h2>Cups</h2><p>&lt;script&gt;alert(1)&lt;/script&gt; <strong>and</strong> pots</p>"
    ));
    assert!(
        page.text.contains("## Cups") && page.text.contains("Tea &#60;b&#62;"),
        "the input is kept"
    );
    assert!(!writer.get("/blog/drafts/").await.text.contains("Tea"));
    assert!(!writer.get("/blog/").await.text.contains("Tea"));
    let odd = send(&mut writer, "Tea", "Text", "whatever").await;
    assert_eq!((odd.status, odd.location()), (200, ""), "nothing is published by mistake");
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn errors_of_an_article_are_shown_and_the_input_is_kept(database: TestDatabase) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    let long = "x".repeat(20_001);
    for (title, content, error) in [
        ("", "Kept text", "Give the article a title."),
        ("\u{0}", "Kept text", "Give the article a title."),
        (&long[..201], "Kept text", "A title holds at most 200 characters"),
        ("Kept title", " ", "Write the article first."),
        ("Kept title", &long, "An article holds at most 20000 characters"),
    ] {
        let answer = send(&mut writer, title, content, "publish").await;
        assert_eq!(answer.status, 422, "{error}");
        assert!(answer.text.contains(error) && answer.text.contains("Kept"), "{}", answer.text);
    }
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_conflicting_save_is_refused_until_the_new_version_is_shown(database: TestDatabase) {
    let site = blog(&database).await;
    let (mut ada, mut ben) = (staff(&site, "Ada").await, staff(&site, "Ben").await);
    let tea = publish(&site, &mut ada, "Tea", "First").await;
    let edit = format!("{}edit/", tea.path());
    assert!(ben.get(&edit).await.text.contains("name=\"version\" value=\"1\""));
    let fields = |content, version| {
        [("title", "Tea"), ("content", content), ("version", version), ("do", "publish")]
    };
    assert_eq!(ada.post(&edit, &fields("Ada's", "1")).await.status, 303);
    let refused = ben.post(&edit, &fields("Ben's", "1")).await;
    assert_eq!(refused.status, 422);
    assert!(
        refused.text.contains("Someone else has saved") && refused.text.contains("Ben&#39;s"),
        "{}",
        refused.text
    );
    assert_eq!(reload(&site, &tea).await.row.content, "Ada's");
    assert!(refused.text.contains("name=\"version\" value=\"2\""), "the form has the new version");
    assert_eq!(ben.post(&edit, &fields("Ben's", "2")).await.status, 303);
    assert_eq!(reload(&site, &tea).await.row.content, "Ben's");
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn an_article_that_is_a_draft_again_cannot_be_read_or_commented_on(database: TestDatabase) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    let tea = publish(&site, &mut writer, "Tea", "Text").await;
    let mut one = reader(&site, &tea, 0).await;
    one.send_json(&comment(&tea, "Ben", "While it was there")).await;
    assert_eq!(one.receive_json::<Value>().await["seq"], 1);
    let fields = [("title", "Tea"), ("content", "Text"), ("version", "1"), ("do", "draft")];
    assert_eq!(writer.post(&format!("{}edit/", tea.path()), &fields).await.status, 303);
    one.settle().await;
    assert_eq!(site.client().get(&tea.path()).await.status, 404);
    assert_eq!(
        refused(&mut one, &comment(&tea, "Ben", "Still there?")).await,
        "There is no such article."
    );
    assert_eq!(
        site.client().post(&tea.path(), &[("author", "Ben"), ("content", "x")]).await.status,
        404
    );
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn open_pages_of_a_republished_article_receive_new_comments(database: TestDatabase) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    let tea = publish(&site, &mut writer, "Tea", "Text").await;
    let (mut one, mut two) = (reader(&site, &tea, 0).await, reader(&site, &tea, 0).await);
    for (version, button) in [("1", "draft"), ("2", "publish")] {
        let fields = [("title", "Tea"), ("content", "Text"), ("version", version), ("do", button)];
        assert_eq!(writer.post(&format!("{}edit/", tea.path()), &fields).await.status, 303);
        one.settle().await;
        two.settle().await;
    }
    one.send_json(&comment(&tea, "Ben", "There again")).await;
    for reader in [&mut one, &mut two] {
        let frame: Value = reader.receive_json().await;
        assert_eq!((&frame["selector"], &frame["seq"]), (&json!("#list-of-comments"), &json!(1)));
    }
    site.stop().await;
}
