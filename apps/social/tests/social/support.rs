//! A site with the social network, and windows that look at it.

use bellwire::Dialect;
use bellwire::testing::Communicator;
use bellwire_social::SocialConsumer;
use bellwire_testkit::{Client, TestDatabase, TestSite};
use serde_json::{Value, json};

/// A site with nothing but the social network.
pub(crate) async fn social(database: &TestDatabase) -> TestSite {
    TestSite::start(database, vec![bellwire_social::app()]).await
}

/// A client written for the original, of nobody in particular; what it hears first is taken off.
pub(crate) async fn client(site: &TestSite) -> Communicator {
    let mut client = quiet_client(site).await;
    hear_list(&mut client).await;
    client
}

/// The same, that has not yet heard anything.
pub(crate) async fn quiet_client(site: &TestSite) -> Communicator {
    Communicator::to(site.state().bellwire(), "/ws/social-network/")
        .connect(SocialConsumer::new(site.state().clone(), None))
        .await
}

/// The same, of this person.
pub(crate) async fn client_of(site: &TestSite, person: &Client) -> Communicator {
    let user = site.user(person).await;
    let mut client = Communicator::to(site.state().bellwire(), "/ws/social-network/")
        .person(user.key())
        .session(user.session_key())
        .connect(SocialConsumer::new(site.state().clone(), Some(user)))
        .await;
    hear_list(&mut client).await;
    client
}

/// Our own page, which says that it is at this page of the list.
pub(crate) async fn window(site: &TestSite, page: u64) -> Communicator {
    let mut window = quiet_window(site, &page.to_string()).await;
    window.receive_text().await;
    window
}

/// The same, that has not yet heard anything.
pub(crate) async fn quiet_window(site: &TestSite, at: &str) -> Communicator {
    Communicator::to(site.state().bellwire(), &format!("/ws/social-network/?dialect=htmx&at={at}"))
        .dialect(Dialect::Htmx)
        .connect(SocialConsumer::new(site.state().clone(), None))
        .await
}

/// Writes so many messages, `m1` first, as somebody who is signed in, and returns whose they are.
pub(crate) async fn filled(site: &TestSite, count: usize) -> Client {
    let mut filler = site.person("Filler").await;
    for n in 1..=count {
        let answer = filler.post("/social/", &[("author", ""), ("text", &format!("m{n}"))]).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
    }
    filler
}

pub(crate) fn ask(action: &str, data: Value) -> Value {
    json!({"action": action, "data": data})
}

pub(crate) fn add(author: &str, text: &str) -> Value {
    ask("add message", json!({"author": author, "text": text}))
}

/// The next frame, which is the list; returns its HTML.
pub(crate) async fn hear_list(client: &mut Communicator) -> String {
    let frame: Value = client.receive_json().await;
    assert_eq!(frame["selector"], "#messages__list", "{frame}");
    frame["html"].as_str().unwrap().to_owned()
}

/// Frames until a list that shows exactly these texts; whatever came before is older.
pub(crate) async fn hears(client: &mut Communicator, expected: &[&str]) -> String {
    loop {
        let html = hear_list(client).await;
        if texts(&html) == expected {
            return html;
        }
    }
}

/// Text frames until one contains this.
pub(crate) async fn hears_of(window: &mut Communicator, word: &str) -> String {
    loop {
        let frame = window.receive_text().await;
        if frame.contains(word) {
            return frame;
        }
    }
}

/// The texts of the messages in this HTML, in their order.
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

/// The words of the way to other pages.
pub(crate) fn paging(html: &str) -> String {
    let Some((_, nav)) = html.split_once("<nav class=\"paging\"") else { return String::new() };
    let words =
        nav.split('<').filter_map(|piece| piece.split_once('>')).map(|(_, words)| words.trim());
    words.filter(|words| !words.is_empty()).collect::<Vec<_>>().join(" | ")
}
