//! Finding messages in any script, and users and rooms among many.

use bellwire_chat::models::room::{self, Kind};
use bellwire_site::{DbError, Tx};
use bellwire_testkit::{Client, TestDatabase, TestSite, apply, on_databases};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait};

use crate::support::{chat, crowd, message_texts, open, open_closed};

async fn found(person: &mut Client, query: &str) -> Vec<String> {
    let query = percent_encoding::utf8_percent_encode(query, percent_encoding::NON_ALPHANUMERIC);
    message_texts(
        &person.get(&format!("/chat/-/search/?q={query}")).await.text.replace("found__text ", ""),
    )
}

#[apply(on_databases)]
#[tokio::test]
async fn messages_are_found_regardless_of_case_in_any_script(database: TestDatabase) {
    let site = chat(&database).await;
    let mut ada = site.person("Ada").await;
    open(&site, &mut ada, "hi").await;
    let texts =
        ["Überraschung Привет straße ÄRGER", "ΟΔΟΣ İstanbul ｆｕｌｌ", "Cafe\u{301} 100% a_b c\\d"];
    for text in texts {
        ada.post("/chat/hi/", &[("message", text)]).await;
    }
    for (query, index) in [
        ("Überraschung", 0),
        ("überRASCHUNG", 0),
        ("u\u{308}berraschung", 0),
        ("привет", 0),
        ("ПРИВЕТ", 0),
        ("Straße", 0),
        ("STRASSE", 0),
        ("ärger", 0),
        ("οδος", 1),
        ("οδοσ", 1),
        ("full", 1),
        ("CAFÉ", 2),
        ("100%", 2),
        ("A_B", 2),
        ("C\\D", 2),
    ] {
        assert_eq!(found(&mut ada, query).await.len(), 1, "{query} in {}", texts[index]);
    }
    for nothing in ["1%0", "a%b", "axb", "arger", "c%d", "\\\\"] {
        assert_eq!(found(&mut ada, nothing).await, [""; 0], "{nothing}");
    }
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn edited_messages_are_found_by_their_new_text_and_deleted_ones_are_not_found(
    database: TestDatabase,
) {
    let site = chat(&database).await;
    let mut ada = site.person("Ada").await;
    open(&site, &mut ada, "hi").await;
    ada.post("/chat/hi/", &[("message", "Ärger")]).await;
    ada.post("/chat/-/messages/1/", &[("message", "Übermut")]).await;
    assert_eq!(
        (found(&mut ada, "ärger").await.len(), found(&mut ada, "ÜBERMUT").await.len()),
        (0, 1)
    );
    ada.post("/chat/-/messages/1/delete/", &[]).await;
    assert_eq!(found(&mut ada, "übermut").await.len(), 0);
    let left = "SELECT COUNT(*) AS n FROM chat_messages WHERE folded <> ''";
    let row = site.state().db().read().query_one_raw(sea_orm::Statement::from_string(
        site.state().db().read().get_database_backend(),
        left,
    ));
    let left: i64 = row.await.unwrap().unwrap().try_get("", "n").unwrap();
    assert_eq!(left, 0, "no folded text remains of a deleted message");
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn messages_from_before_the_folded_text_migration_are_found_after_it(database: TestDatabase) {
    let site = chat(&database).await;
    let mut ada = site.person("Ada").await;
    open(&site, &mut ada, "hi").await;
    for n in 0..5 {
        ada.post("/chat/hi/", &[("message", &format!("ÄRGER {n}"))]).await;
    }
    ada.post("/chat/-/messages/1/delete/", &[]).await;
    site.state()
        .db()
        .write(async move |tx: Tx| {
            for undo in [
                "ALTER TABLE chat_messages DROP COLUMN folded",
                "DELETE FROM chat_migrations WHERE version = 'm0005_folded_texts'",
            ] {
                tx.execute_unprepared(undo).await.map_err(DbError::from)?;
            }
            Ok::<_, DbError>(())
        })
        .await
        .unwrap();
    let site = site.restart(vec![bellwire_chat::app()]).await;
    assert_eq!(found(&mut ada, "ärger").await.len(), 4);
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_search_shows_the_newest_50_and_states_that_there_are_more(database: TestDatabase) {
    let site = chat(&database).await;
    let mut ada = site.person("Ada").await;
    open(&site, &mut ada, "hi").await;
    for n in 1..=51 {
        ada.post("/chat/hi/", &[("message", &format!("Ärger {n}"))]).await;
    }
    let newest: Vec<_> = (2..=51).rev().map(|n| format!("Ärger {n}")).collect();
    assert_eq!(found(&mut ada, "ärger").await, newest);
    let page = ada.get("/chat/-/search/?q=%C3%A4rger").await.text;
    assert!(page.contains("These are the newest 50 results"));
    site.stop().await;
}

/// Creates `count` open rooms, newer than all others.
async fn many_rooms(site: &TestSite, count: usize) {
    let rows = (0..count).map(|n| room::ActiveModel {
        name: Set(format!("newer {n}")),
        slug: Set(format!("newer-{n}")),
        kind: Set(Kind::Open),
        seq: Set(0),
        created_at: Set(chrono::Utc::now()),
        ..Default::default()
    });
    let rows: Vec<_> = rows.collect();
    let many = async move |tx: Tx| {
        room::Entity::insert_many(rows)
            .exec_without_returning(&tx)
            .await
            .map(|_| ())
            .map_err(DbError::from)
    };
    site.state().db().write(many).await.unwrap();
}

#[apply(on_databases)]
#[tokio::test]
async fn newer_open_rooms_do_not_push_memberships_out_of_list_and_search(database: TestDatabase) {
    let site = chat(&database).await;
    let (mut ada, mut ben) = (site.person("Ada").await, site.person("Ben").await);
    let ben_id = site.user(&ben).await.id;
    let conversation =
        ada.post(&format!("/chat/-/people/{ben_id}/"), &[]).await.location().to_owned();
    ada.post(&conversation, &[("message", "the old conversation")]).await;
    open(&site, &mut ada, "first").await;
    ada.post("/chat/first/", &[("message", "the old room")]).await;
    open_closed(&site, &mut ada, "board").await;
    many_rooms(&site, 501).await;
    let list = ada.get("/chat/").await.text;
    assert!(
        list.contains(&conversation) && list.contains("/chat/board/"),
        "memberships are listed"
    );
    assert_eq!(list.matches("id=\"room-link--").count(), 502, "and 500 open rooms");
    assert_eq!(found(&mut ada, "old conversation").await.len(), 1);
    assert_eq!(
        found(&mut ben, "OLD ROOM").await.len(),
        1,
        "rooms that are not listed are searched as well"
    );
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn online_users_are_listed_first_and_everyone_is_found_by_name(database: TestDatabase) {
    let site = chat(&database).await;
    let mut ada = site.person("Ada").await;
    crowd(&site, "Member", 600).await;
    let zoe = site.person("Zoe").await;
    let mut zoes = crate::support::window(&site, &zoe, "/chat/").await;
    crate::support::receive_until(&mut zoes, "sidebar-rooms").await;
    let page = ada.get("/chat/-/people/").await.text;
    let (zoe, ada_at) =
        (page.find(">Zoe<").expect("Zoe is listed"), page.find(">Member 0000<").unwrap());
    assert!(zoe < ada_at, "online users come first");
    assert!(page.matches("class=\"person\"").count() <= 501 && !page.contains(">Member 0599<"));
    assert!(ada.get("/chat/-/people/?q=MEMBER%200599").await.text.contains(">Member 0599<"));
    assert!(!ada.get("/chat/-/people/?q=%25").await.text.contains(">Member"));
    site.stop().await;
}
