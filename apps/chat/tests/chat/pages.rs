//! Pages and forms without JavaScript.

use bellwire::{Action as _, Consumer};
use bellwire_chat::ChatConsumer;
use bellwire_testkit::{TestDatabase, apply, check_actions, on_databases};

use crate::support::{admin, attribute, chat, message_texts, open, page_texts, position};

#[apply(on_databases)]
#[tokio::test]
async fn without_an_administrator_the_chat_redirects_to_the_first_account(database: TestDatabase) {
    let site = chat(&database).await;
    let answer = site.client().get("/chat/").await;
    assert_eq!((answer.status, answer.location()), (303, "/accounts/first/?next=%2Fchat%2F"));
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn reading_and_writing_require_a_signed_in_user(database: TestDatabase) {
    let site = chat(&database).await;
    let mut ada = site.client();
    let password = "a bell for every test";
    let fields = [("username", "Ada"), ("password", password), ("password_confirm", password)];
    assert_eq!(ada.post("/accounts/first/", &fields).await.status, 303);
    let room = open(&site, &mut ada, "secret").await;
    let mut stranger = site.client();
    for path in ["/chat/", "/chat/secret/", "/chat/nowhere/"] {
        let answer = stranger.get(path).await;
        assert_eq!(answer.status, 303, "{path}");
        assert!(answer.location().starts_with("/accounts/login/?next="), "{}", answer.location());
        let answer = stranger.post(path, &[("name", "x"), ("message", "x")]).await;
        assert_eq!(answer.status, 401, "{path}");
    }
    assert!(page_texts(&mut ada, &room).await.is_empty());
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_name_opens_its_room_and_creates_it_only_once(database: TestDatabase) {
    let site = chat(&database).await;
    let (mut ada, mut ben) = (site.person("Ada").await, site.person("Ben").await);
    let first = open(&site, &mut ada, "Off Topic").await;
    let again = open(&site, &mut ben, "  off   topic ").await;
    assert_eq!(first, again);
    assert_eq!(first.path(), "/chat/off-topic/");
    let japanese = open(&site, &mut ada, "日本語").await;
    assert_eq!(ada.get(&japanese.path()).await.status, 200);
    let list = ada.get("/chat/").await.text;
    assert!(list.contains("Off Topic") && list.contains("日本語"), "{list}");
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn an_invalid_name_is_explained_beside_its_field(database: TestDatabase) {
    let site = chat(&database).await;
    let mut ada = site.person("Ada").await;
    let long = "<b>".repeat(50);
    for (bad, error) in
        [("", "Enter a name for the room."), ("///", "other than dots"), (&long, "at most 128")]
    {
        let answer = ada.post("/chat/", &[("name", bad)]).await;
        assert_eq!(answer.status, 422, "{bad}");
        assert!(answer.text.contains(error), "{bad}: {}", answer.text);
    }
    let kept = ada.post("/chat/", &[("name", &long)]).await.text;
    assert!(
        kept.contains("&#60;b&#62;") && !kept.contains("<b><b>"),
        "the typed text is kept and escaped"
    );
    assert_eq!(ada.post("/chat/", &[]).await.status, 422, "no name at all");
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn the_page_of_an_unknown_room_offers_to_create_it(database: TestDatabase) {
    let site = chat(&database).await;
    let mut ada = site.person("Ada").await;
    let answer = ada.get("/chat/garden/").await;
    assert_eq!(answer.status, 404);
    assert!(answer.text.contains("name=\"name\" value=\"garden\""), "{}", answer.text);
    assert_eq!(ada.get("/chat/The%20Garden/").await.location(), "/chat/the-garden/");
    for nothing in ["/chat/-/", "/chat/.../", "/chat/%2e%2e/"] {
        assert_eq!(ada.get(nothing).await.status, 404, "{nothing}");
    }
    assert_eq!(ada.post("/chat/garden/", &[("message", "hello")]).await.status, 404);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_room_shows_its_newest_50_messages_and_its_position(database: TestDatabase) {
    let site = chat(&database).await;
    let mut ada = site.person("Ada").await;
    let room = open(&site, &mut ada, "hi").await;
    for i in 1..=55 {
        let answer = ada.post(&room.path(), &[("message", &i.to_string())]).await;
        assert_eq!((answer.status, answer.location()), (303, "/chat/hi/"));
    }
    let page = ada.get(&room.path()).await.text;
    assert_eq!(message_texts(&page), (6..=55).map(|i| i.to_string()).collect::<Vec<_>>());
    assert_eq!(attribute(&page, "data-seq"), position(&site, 55).to_string());
    assert_eq!(attribute(&page, "data-feed"), format!("chat.room.{}", room.id));
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn an_invalid_message_is_explained_and_its_text_is_kept(database: TestDatabase) {
    let site = chat(&database).await;
    let mut ada = site.person("Ada").await;
    let room = open(&site, &mut ada, "hi").await;
    for bad in ["", "  \r\n ", "\u{200b}"] {
        let answer = ada.post(&room.path(), &[("message", bad)]).await;
        assert_eq!(answer.status, 422);
        assert!(answer.text.contains("Write something first."));
    }
    let long = "ü<".repeat(4_001);
    let answer = ada.post(&room.path(), &[("message", &long)]).await;
    assert_eq!(answer.status, 422);
    assert!(answer.text.contains("at most 8000 characters; this one has 8002"));
    assert!(answer.text.contains(&"ü&#60;".repeat(4_001)), "the typed text is kept");
    assert!(page_texts(&mut ada, &room).await.is_empty());
    let just_fits = "ü".repeat(8_000);
    assert_eq!(ada.post(&room.path(), &[("message", &just_fits)]).await.status, 303);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn hostile_texts_and_names_are_inert(database: TestDatabase) {
    let site = chat(&database).await;
    let mut eve = site.person("<i onclick=x>").await;
    let room = open(&site, &mut eve, "\"><script>alert(1)</script>").await;
    let hostile = "</div><img src=x onerror=alert(1)><p hx-get=\"/\" hx-swap-oob=\"true\">";
    eve.post(&room.path(), &[("message", hostile)]).await;
    for page in [eve.get(&room.path()).await.text, eve.get("/chat/").await.text] {
        for tag in ["<script>alert", "<img src=x", "<i onclick", "<p hx-get"] {
            assert!(!page.contains(tag), "{tag} in {page}");
        }
    }
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_form_sent_twice_with_one_client_id_is_one_message(database: TestDatabase) {
    let site = chat(&database).await;
    let (mut ada, mut ben) = (site.person("Ada").await, site.person("Ben").await);
    let room = open(&site, &mut ada, "hi").await;
    for _ in 0..3 {
        let fields = [("message", "once"), ("client_id", "c-1")];
        assert_eq!(ada.post(&room.path(), &fields).await.location(), room.path());
    }
    ben.post(&room.path(), &[("message", "mine, with the same id"), ("client_id", "c-1")]).await;
    assert_eq!(page_texts(&mut ada, &room).await, ["once", "mine, with the same id"]);
    let answer = ada.post(&room.path(), &[("message", "x"), ("client_id", "not an id")]).await;
    assert_eq!(answer.status, 422);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_form_sends_to_the_room_it_was_typed_in_even_after_a_rename(database: TestDatabase) {
    let site = chat(&database).await;
    let (mut ada, mut ben) = (site.person("Ada").await, site.person("Ben").await);
    let room = open(&site, &mut ada, "hi").await;
    let id = room.id.to_string();
    let settings = format!("/chat/-/rooms/{id}/");
    assert_eq!(ada.post(&settings, &[("name", "hello")]).await.status, 303);
    let sent = ben.post("/chat/hi/", &[("message", "to an old address")]).await;
    assert_eq!((sent.status, sent.location()), (303, "/chat/hello/"));
    let refused = ben.post("/chat/hi/", &[("message", &"x".repeat(8_001))]).await;
    assert_eq!(refused.status, 422);
    // Another room takes the name while a page of the first is still open.
    let other = open(&site, &mut ada, "hi").await;
    let sent = ben.post("/chat/hi/", &[("message", "typed in the first"), ("room", &id)]).await;
    assert_eq!((sent.status, sent.location()), (303, "/chat/hello/"));
    let renamed = bellwire_chat::models::Room::by_id(site.state().db().read(), room.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(page_texts(&mut ben, &renamed).await, ["to an old address", "typed in the first"]);
    assert!(page_texts(&mut ben, &other).await.is_empty());
    ada.post(&format!("{settings}members/"), &[("kind", "closed")]).await;
    for id in [id.as_str(), "99", "x"] {
        let refused = ben.post("/chat/hi/", &[("message", "not there"), ("room", id)]).await;
        assert!(matches!(refused.status, 404 | 422), "{id}: {}", refused.status);
    }
    assert!(page_texts(&mut ben, &other).await.is_empty());
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_form_that_a_script_sends_is_answered_by_a_header_and_only_for_its_person(
    database: TestDatabase,
) {
    let site = chat(&database).await;
    let (mut ada, ben) = (site.person("Ada").await, site.person("Ben").await);
    let (adas, bens) = (site.user(&ada).await.key(), site.user(&ben).await.key());
    let room = open(&site, &mut ada, "hi").await;
    let origin = site.state().public_url().as_str().to_owned();
    let (mut reader, mut script) = (ada.clone(), ada);
    let mut post = async |path: &str, person: &str, message: &str| {
        let headers = [
            ("origin", origin.as_str()),
            ("bellwire-request", "1"),
            ("bellwire-person", person),
            ("accept", "*/*"),
        ];
        let answer = script.post_with(path, &headers, &[("message", message)]).await;
        (answer.status, answer.header("bellwire-answer").to_owned())
    };
    let (ok, refused) = ((204, "ok".to_owned()), |status| (status, "refused".to_owned()));
    assert_eq!(post("/chat/hi/", &adas, "one").await, ok);
    assert_eq!(post("/chat/hi/", &adas, " ").await, refused(422));
    assert_eq!(post("/chat/hi/", &bens, "two").await, (401, String::new()));
    assert_eq!(post("/chat/-/messages/1/", &adas, "first").await, ok);
    assert_eq!(post("/chat/-/messages/1/", &adas, " ").await, refused(422));
    assert_eq!(post("/chat/-/messages/1/delete/", &bens, "").await, (401, String::new()));
    assert_eq!(post("/chat/-/messages/9/delete/", &adas, "").await, refused(404));
    assert_eq!(page_texts(&mut reader, &room).await, ["first"]);
    assert_eq!(post("/chat/-/messages/1/delete/", &adas, "").await, ok);
    site.stop().await;
}

#[tokio::test]
async fn pages_name_only_actions_that_the_consumer_reads() {
    let site = chat(&TestDatabase::Sqlite).await;
    let mut ada = admin(&site).await;
    let mut ben = site.person("Ben").await;
    open(&site, &mut ada, "secret").await;
    for text in ["one", "two"] {
        ada.post("/chat/secret/", &[("message", text)]).await;
    }
    let specs = <ChatConsumer as Consumer>::Action::SPECS;
    for client in [&mut ada, &mut ben] {
        check_actions(client, "/chat/", &[("/ws/chat/", specs)]).await;
    }
    site.stop().await;
}
