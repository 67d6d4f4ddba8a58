//! A site with the chat, people in it, and rooms they meet in.

use bellwire::Dialect;
use bellwire::testing::Communicator;
use bellwire_chat::RoomConsumer;
use bellwire_chat::models::Room;
use bellwire_site::User;
use bellwire_site::testing::{Client, TestDatabase, TestSite};
use serde_json::{Value, json};

/// A site with nothing but the chat.
pub(crate) async fn chat(database: &TestDatabase) -> TestSite {
    TestSite::start(database, vec![bellwire_chat::app()]).await
}

/// Opens a room through the form, as this person.
pub(crate) async fn open(site: &TestSite, person: &mut Client, name: &str) -> Room {
    let answer = person.post("/chat/", &[("name", name)]).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let slug = answer.location().trim_start_matches("/chat/").trim_end_matches('/').to_owned();
    let slug = percent_encoding::percent_decode_str(&slug).decode_utf8().unwrap().into_owned();
    Room::by_slug(site.state().db().read(), &slug).await.unwrap().expect("the room that was opened")
}

/// This person's socket in the room, with this query.
pub(crate) async fn enter(site: &TestSite, person: &Client, room: &Room, query: &str) -> Communicator {
    let user = site.user(person).await;
    let key = user.key();
    enter_as(site, user, room, query, &key).await
}

/// The same, counted as somebody of this key.
pub(crate) async fn enter_as(
    site: &TestSite,
    user: User,
    room: &Room,
    query: &str,
    key: &str,
) -> Communicator {
    let dialect = if query.contains("dialect=htmx") { Dialect::Htmx } else { Dialect::Json };
    Communicator::to(site.state().bellwire(), &format!("/ws{}?{query}", room.path()))
        .person(key)
        .session(user.session_key())
        .dialect(dialect)
        .connect(RoomConsumer::new(site.state().clone(), user, room.clone()))
        .await
}

/// The frame that says something.
pub(crate) fn say(message: &str, client_id: &str) -> Value {
    json!({"action": "New message", "data": {"message": message, "client_id": client_id}})
}

/// The words of the messages in this HTML, in their order.
pub(crate) fn words(html: &str) -> Vec<String> {
    let texts = html.split("class=\"message__text\"").skip(1);
    texts.map(|rest| rest.split_once('>').unwrap().1.split("</div>").next().unwrap().to_owned()).collect()
}

/// The messages that a fresh page of the room shows.
pub(crate) async fn page_words(person: &mut Client, room: &Room) -> Vec<String> {
    words(&person.get(&room.path()).await.text)
}

/// The value of an attribute's first occurrence.
pub(crate) fn attribute(html: &str, name: &str) -> String {
    let start = format!("{name}=\"");
    html.split_once(&start).expect(name).1.split('"').next().unwrap().to_owned()
}
