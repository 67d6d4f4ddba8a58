//! What a room costs does not grow with its history: every query finds its rows by an index, in the
//! order it needs them.

use bellwire_testkit::{Log, TestDatabase, TestSite, apply, on_postgres};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::json;

use crate::support::{chat, hear, open, window};

/// Each statement in this log of the driver that reads messages, mentions or memberships, once.
fn reading(log: &str) -> Vec<String> {
    // Quoted as Rust quotes, which is as JSON does where there is nothing but letters, quotes and
    // line ends.
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

/// What Ben's browser does in a long room, with what it reads logged.
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
    let mut bens = window(site, &ben, &format!("/chat/hi/&since=chat.room.{}:40", room.id)).await;
    hear(&mut bens, "message--60").await;
    bens.send_json(&json!({"action": "Read", "data": {"room": room.id, "seq": 20}})).await;
    hear(&mut bens, "read--").await;
    assert!(ben.get("/chat/").await.text.contains("data-unread=\"40\""));
    reading(&statements.text())
}

// One thread, so that the log of this thread is the log of everything; PostgreSQL's, since SQLite's
// driver has a thread of its own. The same statements are then explained by SQLite, whose plans do
// not depend on how full the tables are.
#[apply(on_postgres)]
#[tokio::test(flavor = "current_thread")]
async fn page_catch_up_unread_and_permalink_find_their_rows_by_an_index(database: TestDatabase) {
    let site = chat(&database).await;
    let reading = statements(&site).await;
    site.stop().await;
    assert!(reading.len() >= 8, "the log shows what was asked: {reading:#?}");
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
