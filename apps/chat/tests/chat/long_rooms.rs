//! Cost of long rooms: every query finds its rows by an index, in the order that it needs.

use bellwire_testkit::{Log, TestDatabase, TestSite, apply, on_postgres};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::json;

use crate::support::{chat, open, receive_until, since, window};

/// Returns the distinct statements in this log of the driver that read tables of the chat.
fn select_statements(log: &str) -> Vec<String> {
    // The statements are quoted by Rust, whose syntax equals JSON for letters, quotes and line
    // ends.
    let quoted = log.lines().filter_map(|line| {
        let (_, rest) = line.split_once("db.statement=")?;
        let text = serde_json::Deserializer::from_str(rest).into_iter::<String>().next()?.ok()?;
        Some(text.trim().to_owned())
    });
    let mut found: Vec<_> =
        quoted.filter(|sql| sql.starts_with("SELECT") && sql.contains("chat_")).collect();
    found.sort();
    found.dedup();
    found
}

/// Acts like Ben's browser in a long room, and returns the statements that read.
async fn statements(site: &TestSite) -> Vec<String> {
    let (mut ada, mut ben) = (site.person("Ada").await, site.person("Ben").await);
    let room = open(site, &mut ada, "hi").await;
    for n in 1..=60 {
        ada.post("/chat/hi/", &[("message", &format!("{n} @Ben"))]).await;
    }
    let statements = Log::listen("sqlx=debug");
    for path in ["/chat/hi/", "/chat/hi/?before=50", "/chat/hi/?at=30", "/chat/-/messages/30/"] {
        ben.get(path).await;
    }
    let mut bens = window(site, &ben, &format!("/chat/hi/&{}", since(site, &room, 40))).await;
    receive_until(&mut bens, "message--60").await;
    bens.send_json(&json!({"action": "Read", "data": {"room": room.id, "seq": 20}})).await;
    receive_until(&mut bens, "chat:read").await;
    assert!(ben.get("/chat/").await.text.contains("data-unread=\"40\""));
    select_statements(&statements.text())
}

// One thread, because the log captures only this thread. Only on PostgreSQL, because SQLite's
// driver has its own thread. SQLite then explains the same statements, because its plans do not
// depend on the sizes of the tables.
#[apply(on_postgres)]
#[tokio::test(flavor = "current_thread")]
async fn page_catch_up_unread_and_permalink_find_their_rows_by_an_index(database: TestDatabase) {
    let site = chat(&database).await;
    let reading = statements(&site).await;
    site.stop().await;
    assert!(reading.len() >= 8, "the log contains the statements: {reading:#?}");
    let site = chat(&TestDatabase::Sqlite).await;
    for sql in reading {
        let plan = Statement::from_string(DbBackend::Sqlite, format!("EXPLAIN QUERY PLAN {sql}"));
        let plan = site.state().db().read().query_all_raw(plan).await.unwrap();
        let plan: Vec<String> = plan.iter().map(|row| row.try_get("", "detail").unwrap()).collect();
        for step in &plan {
            let tables = ["chat_messages", "chat_mentions", "chat_memberships"];
            let scans = step.starts_with("SCAN") && tables.iter().any(|table| step.contains(table));
            let sorts = step.contains("TEMP B-TREE") && sql.contains("FROM \"chat_messages\"");
            assert!(!scans && !sorts, "{sql}\n{plan:#?}");
        }
    }
    site.stop().await;
}
