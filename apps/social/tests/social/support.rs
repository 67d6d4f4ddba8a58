//! Helpers: a site with the social network, and its windows.

use bellwire::Dialect;
use bellwire::testing::Communicator;
use bellwire_social::SocialConsumer;
use bellwire_testkit::{Client, TestDatabase, TestSite};
use serde_json::{Value, json};

/// A site with the social network as its only app.
pub(crate) async fn social(database: &TestDatabase) -> TestSite {
    TestSite::start(database, vec![bellwire_social::app()]).await
}

/// An anonymous plain client, as written for the original app. Its first list has been received.
pub(crate) async fn client(site: &TestSite) -> Communicator {
    let mut client = unread_client(site).await;
    next_list(&mut client).await;
    client
}

/// As above, before its first list is received.
pub(crate) async fn unread_client(site: &TestSite) -> Communicator {
    Communicator::to(site.state().bellwire(), "/ws/social-network/")
        .connect(SocialConsumer::new(site.state().clone(), None))
        .await
}

/// A plain client of this person. Its first list has been received.
pub(crate) async fn client_of(site: &TestSite, person: &Client) -> Communicator {
    let user = site.user(person).await;
    let mut client = Communicator::to(site.state().bellwire(), "/ws/social-network/")
        .person(user.key())
        .session(user.session_key())
        .connect(SocialConsumer::new(site.state().clone(), Some(user)))
        .await;
    next_list(&mut client).await;
    client
}

/// Our own page, which shows this page of the list. Its first list has been received.
pub(crate) async fn window(site: &TestSite, page: u64) -> Communicator {
    let mut window = unread_window(site, &page.to_string()).await;
    window.receive_text().await;
    window
}

/// As above, before its first list is received.
pub(crate) async fn unread_window(site: &TestSite, at: &str) -> Communicator {
    Communicator::to(site.state().bellwire(), &format!("/ws/social-network/?dialect=htmx&at={at}"))
        .dialect(Dialect::Htmx)
        .connect(SocialConsumer::new(site.state().clone(), None))
        .await
}

/// Adds `count` messages, `m1` first, as a signed-in user, and returns that user's client.
pub(crate) async fn with_messages(site: &TestSite, count: usize) -> Client {
    let mut filler = site.person("Filler").await;
    for n in 1..=count {
        let answer = filler.post("/social/", &[("author", ""), ("text", &format!("m{n}"))]).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
    }
    filler
}

pub(crate) fn action_frame(action: &str, data: Value) -> Value {
    json!({"action": action, "data": data})
}

pub(crate) fn add(author: &str, text: &str) -> Value {
    action_frame("add message", json!({"author": author, "text": text}))
}

/// The HTML of the next frame, which must be the list.
pub(crate) async fn next_list(client: &mut Communicator) -> String {
    let frame: Value = client.receive_json().await;
    assert_eq!(frame["selector"], "#messages__list", "{frame}");
    frame["html"].as_str().unwrap().to_owned()
}

/// Receives lists until one shows exactly these texts, and returns its HTML.
pub(crate) async fn until_list(client: &mut Communicator, expected: &[&str]) -> String {
    loop {
        let html = next_list(client).await;
        if texts(&html) == expected {
            return html;
        }
    }
}

/// Receives text frames until one contains `word`, and returns it.
pub(crate) async fn until_text(window: &mut Communicator, word: &str) -> String {
    loop {
        let frame = window.receive_text().await;
        if frame.contains(word) {
            return frame;
        }
    }
}

/// The texts of the messages in this HTML, in order.
pub(crate) fn texts(html: &str) -> Vec<String> {
    let texts = html.split("class=\"post__text\"").skip(1);
    texts
        .map(|rest| rest.split_once('>').unwrap().1.split("</p>").next().unwrap().to_owned())
        .collect()
}

/// The ids of the messages in this HTML.
pub(crate) fn ids(html: &str) -> Vec<i64> {
    let ids = html.split("id=\"message--").skip(1);
    ids.map(|rest| rest.split('"').next().unwrap().parse().unwrap()).collect()
}

/// The visible words of the pagination.
pub(crate) fn paging(html: &str) -> String {
    let Some((_, nav)) = html.split_once("<nav class=\"paging\"") else { return String::new() };
    let words =
        nav.split('<').filter_map(|piece| piece.split_once('>')).map(|(_, words)| words.trim());
    words.filter(|words| !words.is_empty()).collect::<Vec<_>>().join(" | ")
}
