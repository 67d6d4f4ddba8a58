//! Helpers: a site with the chat, users, rooms and windows.

use bellwire::testing::Communicator;
use bellwire::{Dialect, FeedPosition, Html};
use bellwire_chat::ChatConsumer;
use bellwire_chat::models::Room;
use bellwire_site::accounts::users;
use bellwire_site::{DbError, Tx, User};
use bellwire_testkit::{Client, TestDatabase, TestSite};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

/// Starts a site with the chat only.
pub(crate) async fn chat(database: &TestDatabase) -> TestSite {
    TestSite::start(database, vec![bellwire_chat::app()]).await
}

/// Creates the first account, which is the administrator's.
pub(crate) async fn admin(site: &TestSite) -> Client {
    let mut admin = site.client();
    let password = "a bell for every test";
    let fields = [("username", "Admin"), ("password", password), ("password_confirm", password)];
    assert_eq!(admin.post("/accounts/first/", &fields).await.status, 303);
    admin
}

/// Opens a room through the form, as this user.
pub(crate) async fn open(site: &TestSite, person: &mut Client, name: &str) -> Room {
    let answer = person.post("/chat/", &[("name", name)]).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let slug = answer.location().trim_start_matches("/chat/").trim_end_matches('/').to_owned();
    let slug = percent_encoding::percent_decode_str(&slug).decode_utf8().unwrap().into_owned();
    Room::by_slug(site.state().db().read(), &slug).await.unwrap().expect("the room that was opened")
}

/// Opens a closed room through the form, as this user.
pub(crate) async fn open_closed(site: &TestSite, person: &mut Client, name: &str) -> Room {
    let answer = person.post("/chat/", &[("name", name), ("closed", "1")]).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    Room::by_slug(site.state().db().read(), name).await.unwrap().expect("the room that was opened")
}

/// Creates `count` users who never sign in, named by this name and a number. Returns their ids in
/// that order.
pub(crate) async fn crowd(site: &TestSite, name: &str, count: usize) -> Vec<i64> {
    let person = |n: usize| users::ActiveModel {
        name: Set(format!("{name} {n:04}")),
        name_key: Set(format!("{} {n:04}", name.to_lowercase())),
        password_hash: Set("none".to_owned()),
        is_admin: Set(false),
        is_active: Set(true),
        created_at: Set(chrono::Utc::now()),
        ..Default::default()
    };
    let people: Vec<_> = (0..count).map(person).collect();
    let all = async move |tx: Tx| {
        for some in people.chunks(500) {
            users::Entity::insert_many(some.to_vec())
                .exec_without_returning(&tx)
                .await
                .map_err(DbError::from)?;
        }
        Ok::<_, DbError>(())
    };
    site.state().db().write(all).await.unwrap();
    let theirs = users::Entity::find().filter(users::Column::PasswordHash.eq("none"));
    let theirs =
        theirs.filter(users::Column::Name.starts_with(name)).order_by_asc(users::Column::Name);
    let ids = theirs.all(site.state().db().read()).await.unwrap();
    ids.into_iter().map(|user| user.id).collect()
}

/// Connects a socket of this user in the room, with this query.
pub(crate) async fn enter(
    site: &TestSite,
    person: &Client,
    room: &Room,
    query: &str,
) -> Communicator {
    let user = site.user(person).await;
    let key = user.key();
    enter_as(site, user, room, query, &key).await
}

/// Connects a window of this user with the list of rooms, as our own page does, at this place.
pub(crate) async fn window(site: &TestSite, person: &Client, at: &str) -> Communicator {
    let user = site.user(person).await;
    Communicator::to(site.state().bellwire(), &format!("/ws/chat/?dialect=htmx&sidebar=1&at={at}"))
        .person(user.key())
        .session(user.session_key())
        .dialect(Dialect::Htmx)
        .connect(ChatConsumer::new(site.state().clone(), user, None))
        .await
}

/// Receives frames until their text contains `word`, and returns all of it.
pub(crate) async fn receive_until(window: &mut Communicator, word: &str) -> String {
    let mut received = String::new();
    while !received.contains(word) {
        received.push_str(&window.receive_text().await);
    }
    received
}

/// Connects a socket in the room, with this key for presence.
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
        .connect(ChatConsumer::new(site.state().clone(), user, Some(room.clone())))
        .await
}

/// Returns an event for the page's scripts, as frames contain it.
pub(crate) fn event(name: &str, detail: &Value) -> String {
    let detail = Html::text(&detail.to_string());
    format!("data-bw-event=\"{name}\" data-bw-detail=\"{detail}\"")
}

/// Returns the details of the events of this name in these frames.
pub(crate) fn events(received: &str, name: &str) -> Vec<Value> {
    let start = format!("data-bw-event=\"{name}\" data-bw-detail=\"");
    let details = received.split(&start).skip(1).map(|rest| rest.split('"').next().unwrap());
    details.map(|json| serde_json::from_str(&json.replace("&quot;", "\"")).unwrap()).collect()
}

/// Returns the query parameter of a page at this position in the room's feed.
pub(crate) fn since(site: &TestSite, room: &Room, seq: i64) -> String {
    format!("since={}:{}", room.group().name(), position(site, seq))
}

/// Returns the position of a change that this process has written, as pages have it.
pub(crate) fn position(site: &TestSite, seq: i64) -> FeedPosition {
    FeedPosition { epoch: site.state().bellwire().layer().epoch(), seq }
}

/// Receives the answer to the action with this client id.
pub(crate) async fn receive_answer(socket: &mut Communicator, client_id: &str) {
    assert_eq!(socket.receive_json::<Value>().await, json!({"answer": client_id}));
}

/// Returns the frame that sends a message.
pub(crate) fn new_message(message: &str, client_id: &str) -> Value {
    json!({"action": "New message", "data": {"message": message, "client_id": client_id}})
}

/// Returns the texts of the messages in this HTML, in their order.
pub(crate) fn message_texts(html: &str) -> Vec<String> {
    let texts = html.split("class=\"message__text\"").skip(1);
    let text =
        |rest: &str| rest.split_once('>').unwrap().1.split("</div>").next().unwrap().to_owned();
    texts.map(|rest| text(rest).replace("<p>", "").replace("</p>", "").trim().to_owned()).collect()
}

/// Returns the texts of the messages on a fresh page of the room.
pub(crate) async fn page_texts(person: &mut Client, room: &Room) -> Vec<String> {
    message_texts(&person.get(&room.path()).await.text)
}

/// Returns the value of the first occurrence of an attribute.
pub(crate) fn attribute(html: &str, name: &str) -> String {
    let start = format!("{name}=\"");
    html.split_once(&start).expect(name).1.split('"').next().unwrap().to_owned()
}
