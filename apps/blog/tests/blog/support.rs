//! A site with the blog, somebody who writes, and readers.

use bellwire::Dialect;
use bellwire::testing::Communicator;
use bellwire_blog::BlogConsumer;
use bellwire_blog::models::Article;
use bellwire_site::SiteAccounts as _;
use bellwire_testkit::{Answer, Client, TestDatabase, TestSite};
use serde_json::{Value, json};

/// A site with nothing but the blog.
pub(crate) async fn blog(database: &TestDatabase) -> TestSite {
    TestSite::start(database, vec![bellwire_blog::app()]).await
}

/// Somebody with the role of staff.
pub(crate) async fn staff(site: &TestSite, name: &str) -> Client {
    let person = site.person(name).await;
    site.state().accounts().set_staff(name, true).await.unwrap();
    person
}

/// Sends the form for a new article: `publish`, `draft` or `preview`.
pub(crate) async fn send(writer: &mut Client, title: &str, content: &str, wanted: &str) -> Answer {
    writer.post("/blog/write/", &[("title", title), ("content", content), ("do", wanted)]).await
}

/// Publishes an article, and returns it.
pub(crate) async fn publish(
    site: &TestSite,
    writer: &mut Client,
    title: &str,
    content: &str,
) -> Article {
    written(site, send(writer, title, content, "publish").await).await
}

/// Writes a draft, and returns it.
pub(crate) async fn draft(
    site: &TestSite,
    writer: &mut Client,
    title: &str,
    content: &str,
) -> Article {
    written(site, send(writer, title, content, "draft").await).await
}

async fn written(site: &TestSite, answer: Answer) -> Article {
    assert_eq!(answer.status, 303, "{}", answer.text);
    at(site, answer.location()).await
}

/// The article at this address.
pub(crate) async fn at(site: &TestSite, path: &str) -> Article {
    let slug = path.trim_start_matches("/blog/article/").trim_end_matches('/');
    let slug = percent_encoding::percent_decode_str(slug).decode_utf8().unwrap().into_owned();
    Article::by_slug(site.state().db().read(), &slug)
        .await
        .unwrap()
        .expect("an article at this address")
}

/// The same article as it is stored now.
pub(crate) async fn again(site: &TestSite, article: &Article) -> Article {
    Article::by_id(site.state().db().read(), article.row.id).await.unwrap().unwrap()
}

/// A window at this address, of somebody or of a stranger, that speaks JSON.
pub(crate) async fn window(site: &TestSite, person: Option<&Client>, query: &str) -> Communicator {
    open(site, person, query, Dialect::Json).await
}

/// The same as our own pages have it.
pub(crate) async fn htmx_window(
    site: &TestSite,
    person: Option<&Client>,
    query: &str,
) -> Communicator {
    open(site, person, query, Dialect::Htmx).await
}

async fn open(
    site: &TestSite,
    person: Option<&Client>,
    query: &str,
    dialect: Dialect,
) -> Communicator {
    let user = match person {
        Some(person) => Some(site.user(person).await),
        None => None,
    };
    let mut dial =
        Communicator::to(site.state().bellwire(), &format!("/ws/blog/?{query}")).dialect(dialect);
    if let Some(user) = &user {
        dial = dial.person(user.key()).session(user.session_key());
    }
    dial.connect(BlogConsumer::new(site.state().clone(), user)).await
}

/// A stranger's window that shows this article, from this number on.
pub(crate) async fn reader(site: &TestSite, article: &Article, since: i64) -> Communicator {
    let query = format!("at={}&since=blog.article.{}:{since}", article.path(), article.row.id);
    window(site, None, &query).await
}

/// The frame that says something below an article.
pub(crate) fn say(article: &Article, author: &str, content: &str) -> Value {
    json!({"action": "Add comment", "data": {"author": author, "content": content, "post_id": article.row.id}})
}

/// The frame that leads to an article.
pub(crate) fn go(article: &Article) -> Value {
    json!({"action": "Change page", "data": {"page": "single post", "id": article.row.id}})
}

/// Asks, and expects a readable refusal: its sentence.
pub(crate) async fn refused(window: &mut Communicator, ask: &Value) -> String {
    window.send_json(ask).await;
    let frame: Value = window.receive_json().await;
    let error =
        frame["error"].as_str().unwrap_or_else(|| panic!("{ask} was answered with {frame}"));
    assert!(!error.is_empty() && frame.get("selector").is_none(), "{frame}");
    window.receive_nothing().await;
    error.to_owned()
}

/// Asks, and returns so many frames.
pub(crate) async fn ask<const N: usize>(window: &mut Communicator, ask: &Value) -> [Value; N] {
    window.send_json(ask).await;
    let mut frames = [const { Value::Null }; N];
    for frame in &mut frames {
        *frame = window.receive_json().await;
        assert!(frame.get("error").is_none(), "{ask} was answered with {frame}");
    }
    window.receive_nothing().await;
    frames
}

/// The titles in a list, in its order.
pub(crate) fn titles(html: &str) -> Vec<String> {
    let titles = html.split("class=\"post__title\"").skip(1);
    titles
        .map(|rest| rest.split("}'>").nth(1).unwrap().split("</a>").next().unwrap().to_owned())
        .collect()
}

/// The texts of the comments, in their order.
pub(crate) fn said(html: &str) -> Vec<String> {
    let texts = html.split("class=\"comment__text prose\" dir=\"auto\">").skip(1);
    texts
        .map(|rest| rest.split("</div>").next().unwrap().replace("<p>", "").replace("</p>", ""))
        .collect()
}
