//! Search, in any script. No input acts as a query operator.

use bellwire_testkit::{TestDatabase, apply, on_databases};
use serde_json::{Value, json};

use crate::support::{blog, publish, send_action, staff, titles, window};

fn search(text: &str) -> Value {
    json!({"action": "Search", "data": {"search": text}})
}

#[apply(on_databases)]
#[tokio::test]
async fn articles_are_found_by_title_and_text_in_any_script(database: TestDatabase) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    for (title, text) in [
        ("Slow bread", "A *warm* kitchen and [patience](https://example.org/hurry)"),
        ("日本語の本", "静かな朝に読む"),
        ("Повільне читання", "Книга на підвіконні"),
        ("القراءة", "كتاب على الطاولة"),
        ("हिन्दी", "धीरे धीरे पढ़ना"),
    ] {
        publish(&site, &mut writer, title, text).await;
    }
    let (mut one, mut other) = (window(&site, None, "").await, window(&site, None, "").await);
    for (query_text, title) in [
        ("sl", "Slow bread"),
        ("BREAD slow", "Slow bread"),
        ("warm kit", "Slow bread"),
        ("日本", "日本語の本"),
        ("朝に読", "日本語の本"),
        ("книг", "Повільне читання"),
        ("كتاب", "القراءة"),
        ("धीरे प", "हिन्दी"),
    ] {
        let [list, below, address] = send_action(&mut one, &search(query_text)).await;
        assert_eq!((list["selector"].as_str(), list.get("append")), (Some("#all-posts"), None));
        assert_eq!(titles(list["html"].as_str().unwrap()), [title], "{query_text}");
        assert_eq!(below["selector"], "#paginator");
        let query: String = url::form_urlencoded::byte_serialize(query_text.as_bytes()).collect();
        let page = site.client().get(&format!("/blog/?search={query}")).await.text;
        assert_eq!(titles(&page), [title], "{query_text}, by its address");
        assert_eq!(address["detail"]["url"], format!("/blog/?search={query}"));
    }
    assert_eq!(
        titles(send_action::<3>(&mut one, &search(" ")).await[0]["html"].as_str().unwrap()).len(),
        5
    );
    let none = send_action::<3>(&mut one, &search("hurry")).await;
    assert_eq!(
        titles(none[0]["html"].as_str().unwrap()).len(),
        0,
        "link addresses are not indexed"
    );
    other.receive_nothing().await;
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn an_edited_article_is_found_by_its_new_text(database: TestDatabase) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    let article = publish(&site, &mut writer, "Tea", "porcelain").await;
    let edit = format!("{}edit/", article.path());
    let fields = [("title", "Tea"), ("content", "stoneware"), ("version", "1"), ("do", "publish")];
    assert_eq!(writer.post(&edit, &fields).await.status, 303);
    assert!(titles(&writer.get("/blog/?search=porcelain").await.text).is_empty());
    assert_eq!(titles(&writer.get("/blog/?search=stone").await.text), ["Tea"]);
    // A refused edit changes neither the article nor its index entry.
    let fields = [("title", "Tea"), ("content", "glass"), ("version", "1"), ("do", "publish")];
    assert_eq!(writer.post(&edit, &fields).await.status, 422);
    assert!(titles(&writer.get("/blog/?search=glass").await.text).is_empty());
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn hostile_queries_are_plain_words(database: TestDatabase) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    publish(&site, &mut writer, "Tea", "A cup near the window or not").await;
    let (mut one, mut other) = (window(&site, None, "").await, window(&site, None, "").await);
    let long = "x ".repeat(20_000);
    for hostile in [
        "\"",
        "'",
        "*",
        "tea*",
        "tea OR 1=1",
        "NEAR(tea cup)",
        "title:tea",
        "-tea",
        "^tea",
        "tea AND",
        "(",
        "tea & | ! cup",
        ":*",
        "'); DROP TABLE blog_articles; --",
        "%",
        "_",
        "\\",
        "{tea}",
        "tea\u{0}",
        "\u{202e}aet",
        "<script>alert(1)</script>",
        "🎉",
        &long,
    ] {
        let [list, ..] = send_action::<3>(&mut one, &search(hostile)).await;
        let html = list["html"].as_str().unwrap();
        assert!(!html.contains("<script>"), "{html}");
        let query: String =
            url::form_urlencoded::byte_serialize(hostile.as_bytes()).take(2_000).collect();
        let page = site.client().get(&format!("/blog/?search={query}")).await;
        assert_eq!(page.status, 200, "{hostile}");
    }
    assert_eq!(
        titles(
            send_action::<3>(&mut one, &search("tea NEAR OR \"not\"")).await[0]["html"]
                .as_str()
                .unwrap()
        ),
        ["Tea"]
    );
    for bad in [
        json!({"action": "Search", "data": {}}),
        json!({"action": "Search", "data": {"search": 5}}),
    ] {
        crate::support::refused(&mut one, &bad).await;
    }
    other.receive_nothing().await;
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn search_results_are_paged_like_the_list(database: TestDatabase) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    for number in 1..=7 {
        publish(&site, &mut writer, &format!("Tea {number}"), "Text").await;
        publish(&site, &mut writer, &format!("Bread {number}"), "Text").await;
    }
    let mut one = window(&site, None, "").await;
    let [list, below, _] = send_action(&mut one, &search("tea")).await;
    assert_eq!(titles(list["html"].as_str().unwrap()).len(), 5);
    assert!(below["html"].as_str().unwrap().contains("&#34;search&#34;:&#34;tea&#34;"), "{below}");
    let next = json!({"action": "Add next posts", "data": {"page": 2, "search": "tea"}});
    let [list, _, address] = send_action(&mut one, &next).await;
    assert_eq!(titles(list["html"].as_str().unwrap()), ["Tea 2", "Tea 1"]);
    assert_eq!(address["detail"]["url"], "/blog/?search=tea&page=2");
    assert_eq!(titles(&site.client().get("/blog/?search=tea&page=2").await.text).len(), 7);
    site.stop().await;
}
