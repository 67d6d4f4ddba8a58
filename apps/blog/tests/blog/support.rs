//! Helpers: a site with the blog, staff, and the windows of readers.

use bellwire::Dialect;
use bellwire::testing::Communicator;
use bellwire_blog::BlogConsumer;
use bellwire_blog::models::Article;
use bellwire_blog::models::article::ARTICLE;
use bellwire_site::{FeedEpochs, SiteAccounts as _};
use bellwire_testkit::{Answer, Client, TestDatabase, TestSite};
use serde_json::{Value, json};

/// A site with the blog as its only app.
pub(crate) async fn blog(database: &TestDatabase) -> TestSite {
    TestSite::start(database, vec![bellwire_blog::app()]).await
}

/// A new person with the staff role.
pub(crate) async fn staff(site: &TestSite, name: &str) -> Client {
    let person = site.person(name).await;
    site.state().accounts().set_staff(name, true).await.unwrap();
    person
}

/// Submits the form for a new article with the button `publish`, `draft` or `preview`.
pub(crate) async fn send(writer: &mut Client, title: &str, content: &str, button: &str) -> Answer {
    writer.post("/blog/write/", &[("title", title), ("content", content), ("do", button)]).await
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

/// Reads the article from the database again.
pub(crate) async fn reload(site: &TestSite, article: &Article) -> Article {
    Article::by_id(site.state().db().read(), article.row.id).await.unwrap().unwrap()
}

/// A JSON window with this query, of a person or of an anonymous visitor.
pub(crate) async fn window(site: &TestSite, person: Option<&Client>, query: &str) -> Communicator {
    open(site, person, query, Dialect::Json).await
}

/// As [`window`], in the htmx dialect of our own pages.
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

/// An anonymous JSON window that shows this article and follows its feed after `since`.
pub(crate) async fn reader(site: &TestSite, article: &Article, since: i64) -> Communicator {
    window(site, None, &showing(site, article, since).await).await
}

/// The query of a window that shows this article, with its comments up to number `since`.
pub(crate) async fn showing(site: &TestSite, article: &Article, since: i64) -> String {
    let (feed, layer) = (ARTICLE.of(article.row.id), site.state().bellwire().layer());
    let epochs = FeedEpochs::of(site.state().db().read(), feed.name()).await.unwrap();
    let position = epochs.position(since, layer.epoch());
    format!("at={}&since={}:{position}", article.path(), feed.name())
}

/// The frame that adds a comment to an article.
pub(crate) fn comment(article: &Article, author: &str, content: &str) -> Value {
    let data = json!({"author": author, "content": content, "post_id": article.row.id});
    json!({"action": "Add comment", "data": data})
}

/// The frame that changes the page to an article.
pub(crate) fn change_to(article: &Article) -> Value {
    json!({"action": "Change page", "data": {"page": "single post", "id": article.row.id}})
}

/// Sends an action that must be refused with a readable error, and returns the error.
pub(crate) async fn refused(window: &mut Communicator, action: &Value) -> String {
    window.send_json(action).await;
    let frame: Value = window.receive_json().await;
    let error =
        frame["error"].as_str().unwrap_or_else(|| panic!("{action} was answered with {frame}"));
    assert!(!error.is_empty() && frame.get("selector").is_none(), "{frame}");
    window.receive_nothing().await;
    error.to_owned()
}

/// Sends an action and returns the next `N` frames, none of which may be an error.
pub(crate) async fn send_action<const N: usize>(
    window: &mut Communicator,
    action: &Value,
) -> [Value; N] {
    window.send_json(action).await;
    let mut frames = [const { Value::Null }; N];
    for frame in &mut frames {
        *frame = window.receive_json().await;
        assert!(frame.get("error").is_none(), "{action} was answered with {frame}");
    }
    window.receive_nothing().await;
    frames
}

/// The titles of a list, in order.
pub(crate) fn titles(html: &str) -> Vec<String> {
    let titles = html.split("class=\"post__title\"").skip(1);
    titles
        .map(|rest| rest.split("}'>").nth(1).unwrap().split("</a>").next().unwrap().to_owned())
        .collect()
}

/// The texts of the comments, in order.
pub(crate) fn comment_texts(html: &str) -> Vec<String> {
    let texts = html.split("class=\"comment__text prose\" dir=\"auto\">").skip(1);
    texts
        .map(|rest| rest.split("</div>").next().unwrap().replace("<p>", "").replace("</p>", ""))
        .collect()
}
