//! RSS, Atom and the sitemap.

use bellwire_blog::models::Article;
use bellwire_site::{DbError, Tx};
use bellwire_testkit::{Client, TestDatabase, TestSite, apply, on_databases};
use feed_rs::model::{Feed, FeedType};
use quick_xml::events::Event;
use sea_orm::ConnectionTrait;

use crate::support::{blog, draft, publish, reload, staff};

async fn feed(site: &TestSite, path: &str) -> (String, Feed) {
    let answer = site.client().get(path).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let feed = feed_rs::parser::parse(answer.text.as_bytes()).expect("a feed");
    (answer.text, feed)
}

/// The content of every element with this name.
fn each(xml: &str, name: &str) -> Vec<String> {
    let mut reader = quick_xml::Reader::from_str(xml);
    let (mut found, mut depth) = (Vec::new(), None);
    loop {
        match reader.read_event().expect("well-formed XML") {
            Event::Start(start) if start.name().as_ref() == name.as_bytes() => {
                depth = Some(());
                found.push(String::new());
            }
            Event::End(end) if end.name().as_ref() == name.as_bytes() => depth = None,
            Event::Text(text) if depth.is_some() => {
                found.last_mut().unwrap().push_str(&String::from_utf8_lossy(&text));
            }
            Event::Eof => return found,
            _ => {}
        }
    }
}

#[apply(on_databases)]
#[tokio::test]
async fn both_feeds_contain_the_newest_articles_in_full(database: TestDatabase) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada & Co <x>").await;
    for number in 1..=21 {
        publish(&site, &mut writer, &format!("Article {number}"), "Text").await;
    }
    publish(
        &site,
        &mut writer,
        "Tea & <cake> 日本 ]]>",
        "**Bold** & <script> ]]> [link](https://example.org/?a=1&b=2)",
    )
    .await;
    let here = site.url("");
    for (path, kind, of) in [
        ("/blog/feed/", FeedType::RSS2, "application/rss+xml; charset=utf-8"),
        ("/blog/atom/", FeedType::Atom, "application/atom+xml; charset=utf-8"),
    ] {
        assert_eq!(site.client().get(path).await.header("content-type"), of);
        let (text, feed) = feed(&site, path).await;
        assert_eq!(feed.feed_type, kind);
        assert_eq!(feed.title.unwrap().content, "Bellwire Blog");
        assert!(feed.description.is_some());
        let own = feed
            .links
            .iter()
            .find(|link| link.rel.as_deref() == Some("self"))
            .expect("its own address");
        assert_eq!(own.href, format!("{here}{path}"));
        assert!(feed.links.iter().any(|link| link.href == format!("{here}/blog/")));
        assert_eq!(feed.entries.len(), 20, "the newest");
        let entry = &feed.entries[0];
        assert_eq!(entry.title.as_ref().unwrap().content, "Tea & <cake> 日本 ]]>");
        let address = format!("{here}/blog/article/tea-cake-%E6%97%A5%E6%9C%AC/");
        assert_eq!((&entry.id, &entry.links[0].href), (&address, &address));
        assert_eq!(entry.authors[0].name, "Ada & Co <x>");
        assert!(entry.published.is_some());
        let html = entry.content.as_ref().unwrap().body.as_ref().unwrap();
        assert!(html.contains("<strong>Bold</strong> &amp; &lt;script&gt;"), "{html}");
        assert!(
            entry.summary.as_ref().unwrap().content.starts_with("Bold & <script>"),
            "{entry:?}"
        );
        assert_eq!(feed.entries[1].title.as_ref().unwrap().content, "Article 21");
        assert!(
            !text.contains("href=\"/") && !text.contains("<link>/"),
            "all addresses are absolute"
        );
        let slug = address.trim_start_matches(&here);
        assert_eq!(site.client().get(slug).await.status, 200);
    }
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn rss_follows_the_rules_of_its_validator(database: TestDatabase) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    for number in 1..=3 {
        publish(&site, &mut writer, &format!("Article {number}"), "Text").await;
    }
    let (text, _) = feed(&site, "/blog/feed/").await;
    assert!(text.starts_with("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<rss version=\"2.0\""));
    for date in each(&text, "pubDate").iter().chain(&each(&text, "lastBuildDate")) {
        let parsed = chrono::DateTime::parse_from_rfc2822(date)
            .unwrap_or_else(|error| panic!("{date}: {error}"));
        assert_eq!(
            parsed.format("%a, %d %b %Y %H:%M:%S %z").to_string(),
            *date,
            "RFC 822 with four digits"
        );
    }
    let (guids, links) = (each(&text, "guid"), each(&text, "link"));
    assert_eq!(guids.len(), 3);
    assert_eq!(guids, links[1..], "the guid is the permanent link");
    assert!(guids.iter().all(|guid| url::Url::parse(guid).is_ok()));
    assert_eq!(each(&text, "dc:creator").len(), 3, "`author` would have to be an e-mail address");
    assert_eq!(text.matches("<atom:link ").count(), 1);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn unchanged_documents_are_answered_with_not_modified(database: TestDatabase) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    publish(&site, &mut writer, "Tea", "Text").await;
    let mut other = site.client();
    for path in ["/blog/feed/", "/blog/atom/", "/sitemap.xml"] {
        let first = other.get(path).await;
        let (tag, date) =
            (first.header("etag").to_owned(), first.header("last-modified").to_owned());
        assert!(tag.starts_with("W/\"") && date.ends_with(" GMT"), "{tag} {date}");
        let again = other.get_with(path, &[("if-none-match", &tag)]).await;
        assert_eq!((again.status, &*again.text), (304, ""), "{tag}");
        assert_eq!((again.header("etag"), again.header("last-modified")), (&*tag, &*date));
        let undecided = other.get_with(path, &[("if-modified-since", &date)]).await;
        assert_eq!(undecided.status, 200, "a date does not reveal withdrawn articles");
        site.state().clock().advance(std::time::Duration::from_secs(2));
        publish(&site, &mut writer, &format!("More of {path}"), "Text").await;
        assert_eq!(other.get_with(path, &[("if-none-match", &tag)]).await.status, 200, "{tag}");
        let mine = writer.get(path).await;
        assert_eq!(mine.text, other.get(path).await.text, "the same for everyone");
    }
    site.stop().await;
}

/// Changes the tables directly.
async fn alter(site: &TestSite, statements: &'static [&'static str]) {
    let done = site.state().db().write(async move |tx: Tx| {
        for statement in statements {
            tx.execute_unprepared(statement).await?;
        }
        Ok::<_, DbError>(())
    });
    done.await.unwrap();
}

#[apply(on_databases)]
#[tokio::test]
async fn lists_and_not_modified_answers_read_no_article_texts(database: TestDatabase) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    publish(&site, &mut writer, "Tea", "Cups & **pots**").await;
    draft(&site, &mut writer, "Cake", "Of *plums*").await;
    let mut tags = Vec::new();
    for path in ["/blog/feed/", "/blog/atom/", "/sitemap.xml"] {
        let first = site.client().get(path).await;
        tags.push((path, first.header("etag").to_owned()));
    }
    // From here on every query that reads the text of an article fails.
    alter(&site, &["ALTER TABLE blog_articles RENAME COLUMN content TO out_of_reach"]).await;
    for (path, tag) in tags {
        assert_eq!(
            site.client().get_with(path, &[("if-none-match", &tag)]).await.status,
            304,
            "{path}"
        );
    }
    assert!(site.client().get("/blog/").await.text.contains("Cups &#38; pots"));
    assert!(writer.get("/blog/drafts/").await.text.contains("Of plums"));
    assert_eq!(site.client().get("/blog/feed/").await.status, 500, "the text cannot be read");
    site.stop().await;
}

/// Saves an article once more, published or as a draft.
async fn save(site: &TestSite, writer: &mut Client, article: &Article, button: &str) {
    let row = reload(site, article).await.row;
    let version = row.version.to_string();
    let fields =
        [("title", &*row.title), ("content", "Other"), ("version", &*version), ("do", button)];
    let saved = writer.post(&format!("{}edit/", article.path()), &fields).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
}

#[apply(on_databases)]
#[tokio::test]
async fn updated_and_withdrawn_articles_change_the_tag(database: TestDatabase) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    let old = publish(&site, &mut writer, "Old", "Text").await;
    let new = publish(&site, &mut writer, "New", "Text").await;
    for path in ["/blog/feed/", "/blog/atom/", "/sitemap.xml"] {
        for (button, change) in [("publish", "updated"), ("draft", "withdrawn")] {
            // The withdrawn article is not the last saved one, so the date stays the same.
            save(&site, &mut writer, &old, "publish").await;
            save(&site, &mut writer, &new, "publish").await;
            let tag = site.client().get(path).await.header("etag").to_owned();
            let known = [("if-none-match", &*tag)];
            assert_eq!(site.client().get_with(path, &known).await.status, 304, "{path}");
            save(&site, &mut writer, &old, button).await;
            assert_eq!(site.client().get_with(path, &known).await.status, 200, "{path}: {change}");
        }
    }
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn the_migration_adds_summaries_to_existing_articles(database: TestDatabase) {
    let site = blog(&database).await;
    let mut writer = staff(&site, "Ada").await;
    for number in 1..=3 {
        publish(&site, &mut writer, &format!("Article {number}"), &format!("**Number** {number}"))
            .await;
    }
    alter(
        &site,
        &[
            "ALTER TABLE blog_articles DROP COLUMN summary",
            "DELETE FROM blog_migrations WHERE version = 'm0003_summaries'",
        ],
    )
    .await;
    let site = site.restart(vec![bellwire_blog::app()]).await;
    let list = site.client().get("/blog/").await.text;
    for number in 1..=3 {
        assert!(list.contains(&format!("Number {number}")), "{list}");
    }
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn an_empty_blog_has_feeds_and_a_sitemap(database: TestDatabase) {
    let site = blog(&database).await;
    assert!(feed(&site, "/blog/feed/").await.1.entries.is_empty());
    assert!(feed(&site, "/blog/atom/").await.1.entries.is_empty());
    let map = site.client().get("/sitemap.xml").await.text;
    let here = site.url("");
    let robots = site.client().get("/robots.txt").await.text;
    assert!(
        robots.contains(&format!("\nSitemap: {here}/sitemap.xml\n")),
        "crawlers find it: {robots}"
    );
    assert_eq!(
        each(&map, "loc"),
        ["/", "/blog/", "/blog/about/"].map(|path| format!("{here}{path}"))
    );
    let mut writer = staff(&site, "Ada").await;
    publish(&site, &mut writer, "日本 & tea", "Text").await;
    let map = site.client().get("/sitemap.xml").await.text;
    assert_eq!(each(&map, "loc")[3], format!("{here}/blog/article/%E6%97%A5%E6%9C%AC-tea/"));
    assert!(chrono::DateTime::parse_from_rfc3339(&each(&map, "lastmod")[0]).is_ok());
    let page = site.client().get("/blog/").await.text;
    assert!(
        page.contains("type=\"application/rss+xml\"")
            && page.contains("type=\"application/atom+xml\"")
    );
    site.stop().await;
}
