//! Adds the folded text of each message, which search uses because no database folds the case of
//! every script.

#![allow(elided_lifetimes_in_paths, reason = "the trait of sea-orm-migration is written so")]

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::text;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend, Statement, Value};

use crate::markup::folded;

/// The number of messages that one statement reads or writes.
const AT_ONCE: u64 = 500;

/// Recreates the trigram index (`m0003_search`) for the folded texts.
const ON_SQLITE: [&str; 3] = [
    "DROP TABLE chat_search",
    "CREATE VIRTUAL TABLE chat_search USING fts5(text, content='', contentless_delete=1, tokenize='trigram', detail='none')",
    "INSERT INTO chat_search (rowid, text) SELECT id, folded FROM chat_messages",
];

/// As in `m0003_search`, there is no index without the extension.
const ON_POSTGRES: [&str; 2] = [
    "DROP INDEX IF EXISTS chat_messages_by_text",
    "DO $$ BEGIN \
     CREATE INDEX chat_messages_by_text ON chat_messages USING gin (folded gin_trgm_ops) WHERE deleted_at IS NULL; \
     EXCEPTION WHEN undefined_object THEN \
     RAISE WARNING 'searches will be slow: %', SQLERRM; \
     END $$",
];

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0005_folded_texts"
    }
}

#[derive(DeriveIden)]
enum ChatMessages {
    Table,
    Id,
    Text,
    Folded,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let folded = text(ChatMessages::Folded).default("").take();
        let table = Table::alter().table(ChatMessages::Table).add_column(folded).to_owned();
        manager.alter_table(table).await?;
        let mut after = 0;
        while let Some(last) = fold_some(manager.get_connection(), after).await? {
            after = last;
        }
        recreate_index(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let without =
            Table::alter().table(ChatMessages::Table).drop_column(ChatMessages::Folded).to_owned();
        manager.alter_table(without).await
    }
}

async fn recreate_index(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let statements: &[&str] = match manager.get_database_backend() {
        DbBackend::Sqlite => &ON_SQLITE,
        _ => &ON_POSTGRES,
    };
    for statement in statements {
        manager.get_connection().execute_unprepared(statement).await?;
    }
    Ok(())
}

/// Folds the next texts after this id, and returns the last id that it processed.
async fn fold_some(db: &SchemaManagerConnection<'_>, after: i64) -> Result<Option<i64>, DbErr> {
    let some = Query::select()
        .columns([ChatMessages::Id, ChatMessages::Text])
        .from(ChatMessages::Table)
        .and_where(Expr::col(ChatMessages::Id).gt(after))
        .order_by(ChatMessages::Id, Order::Asc)
        .limit(AT_ONCE)
        .to_owned();
    let mut values: Vec<Value> = Vec::new();
    let mut last = None;
    for row in db.query_all(&some).await? {
        let (id, text): (i64, String) = (row.try_get_by("id")?, row.try_get_by("text")?);
        values.extend([id.into(), folded(&text).into()]);
        last = Some(id);
    }
    if last.is_some() {
        let is_postgres = db.get_database_backend() == DbBackend::Postgres;
        let place = |n: usize| if is_postgres { format!("${n}") } else { format!("?{n}") };
        let rows: Vec<_> = (1..=values.len())
            .step_by(2)
            .map(|n| format!("({}, {})", place(n), place(n + 1)))
            .collect();
        let update = format!(
            "UPDATE chat_messages SET folded = v.column2 FROM (VALUES {}) AS v WHERE chat_messages.id = v.column1",
            rows.join(", ")
        );
        db.execute_raw(Statement::from_sql_and_values(db.get_database_backend(), update, values))
            .await?;
    }
    Ok(last)
}
