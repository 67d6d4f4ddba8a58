//! Search: finds current texts, and reads the index rather than the whole history.

use bellwire_site::{DbError, Tx};
use bellwire_testkit::{Client, TestDatabase, TestSite, apply, on_databases};
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::support::{admin, chat, message_texts, open};

/// The number of messages: some are in the index, and the newest are not yet (`models/search.rs`
/// adds 64 at a time).
const MESSAGES: i64 = 70;

/// Opens a room with the messages `number <n>.`, 1 to 70, which have the same ids.
async fn room(site: &TestSite) -> (Client, String) {
    let mut ada = admin(site).await;
    let path = open(site, &mut ada, "hi").await.path();
    for n in 1..=MESSAGES {
        ada.post(&path, &[("message", &format!("number {n}."))]).await;
    }
    (ada, path)
}

async fn found(person: &mut Client, query: &str) -> Vec<String> {
    let page = person.get(&format!("/chat/-/search/?q={query}")).await.text;
    message_texts(&page.replace("found__text message__text", "message__text"))
}

#[apply(on_databases)]
#[tokio::test]
async fn a_search_finds_old_and_new_messages_the_newest_first_as_they_are_now(
    database: TestDatabase,
) {
    let site = chat(&database).await;
    let (mut ada, path) = room(&site).await;
    let newest: Vec<_> = (MESSAGES - 49..=MESSAGES).rev().map(|n| format!("number {n}.")).collect();
    assert_eq!(found(&mut ada, "NUMBER").await, newest);
    assert_eq!(found(&mut ada, "ber+7").await, ["number 70.", "number 7."]);
    assert_eq!(
        found(&mut ada, "7.").await,
        [
            "number 67.",
            "number 57.",
            "number 47.",
            "number 37.",
            "number 27.",
            "number 17.",
            "number 7."
        ]
    );
    assert!(found(&mut ada, "num+ber").await.is_empty());
    // A message in the index and one not yet in it: neither is found by its former text.
    for (id, word) in [(10, "walnut"), (69, "quokka")] {
        ada.post(&format!("/chat/-/messages/{id}/"), &[("message", word)]).await;
        assert_eq!(found(&mut ada, word).await, [word]);
        assert!(found(&mut ada, &format!("number+{id}.")).await.is_empty());
        ada.post(&format!("/chat/-/messages/{id}/delete/"), &[]).await;
        assert!(found(&mut ada, word).await.is_empty());
    }
    // After the next batches every message is found exactly once.
    for n in MESSAGES + 1..=2 * MESSAGES {
        ada.post(&path, &[("message", &format!("number {n}."))]).await;
    }
    for n in [1, 63, 64, 65, 70, 127, 128, 129, 140] {
        assert_eq!(found(&mut ada, &format!("number+{n}.")).await, [format!("number {n}.")]);
    }
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_search_treats_quotes_and_control_characters_literally(database: TestDatabase) {
    let site = chat(&database).await;
    let (mut ada, path) = room(&site).await;
    for n in 0..64 {
        ada.post(&path, &[("message", &format!("she said \"so{n}\" AND NOT *"))]).await;
    }
    assert_eq!(
        found(&mut ada, "%22so7%22").await,
        ["she said \"so7\" AND NOT *"].map(|text| text.replace('"', "&quot;"))
    );
    assert_eq!(found(&mut ada, "AND+NOT+*").await.len(), 50);
    for nothing in ["a%00bc%00", "%22%22%22", "*)(", "NOT+NOT"] {
        assert_eq!(ada.get(&format!("/chat/-/search/?q={nothing}")).await.status, 200, "{nothing}");
        assert!(found(&mut ada, nothing).await.is_empty(), "{nothing}");
    }
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn a_search_reads_the_index_and_not_the_history(database: TestDatabase) {
    let site = chat(&database).await;
    let (mut ada, _) = room(&site).await;
    match site.state().db().read().get_database_backend() {
        DbBackend::Sqlite => {
            // A search of the history would still find the message.
            let forget = site.state().db().write(async move |tx: Tx| {
                Ok::<_, DbError>(
                    tx.execute_unprepared("DELETE FROM chat_search WHERE rowid = 10").await?,
                )
            });
            forget.await.unwrap();
            assert!(found(&mut ada, "number+10.").await.is_empty());
            assert_eq!(found(&mut ada, "number+11.").await, ["number 11."]);
        }
        _ => {
            let plan = site.state().db().write(async move |tx: Tx| {
                // With so few rows PostgreSQL would prefer a sequential scan.
                tx.execute_unprepared("SET LOCAL enable_seqscan = off").await?;
                let sql = "EXPLAIN SELECT 1 FROM chat_messages \
                           WHERE lower(text) LIKE '%quokka%' AND deleted_at IS NULL";
                let explain = Statement::from_string(DbBackend::Postgres, sql);
                Ok::<_, DbError>(tx.query_all_raw(explain).await?)
            });
            let plan = plan.await.unwrap();
            let plan: Vec<String> =
                plan.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
            assert!(plan.join("\n").contains("chat_messages_by_text"), "{plan:#?}");
        }
    }
    site.stop().await;
}

#[apply(on_databases)]
#[tokio::test]
async fn deleting_a_room_removes_its_messages_from_the_index(database: TestDatabase) {
    let site = chat(&database).await;
    let (mut ada, _) = room(&site).await;
    assert_eq!(ada.post("/chat/-/rooms/1/delete/", &[("name", "hi")]).await.status, 303);
    assert!(found(&mut ada, "number").await.is_empty());
    let db = site.state().db().read();
    if db.get_database_backend() == DbBackend::Sqlite {
        let all = Statement::from_string(DbBackend::Sqlite, "SELECT rowid FROM chat_search");
        assert!(db.query_all_raw(all).await.unwrap().is_empty());
    }
    let path = open(&site, &mut ada, "again").await.path();
    ada.post(&path, &[("message", "number one")]).await;
    assert_eq!(found(&mut ada, "number").await, ["number one"]);
    site.stop().await;
}
