//! What messages say, by every three characters in a row (`models/search.rs`).

#![allow(elided_lifetimes_in_paths, reason = "the trait of sea-orm-migration is written so")]

use sea_orm::DbBackend;
use sea_orm_migration::prelude::*;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0003_search"
    }
}

/// Without the texts, which are in `chat_messages`, and without their places in them: two fifths of
/// the size.
const ON_SQLITE: [&str; 3] = [
    "CREATE VIRTUAL TABLE chat_search USING fts5(text, content='', contentless_delete=1, tokenize='trigram', detail='none')",
    "INSERT INTO chat_search (rowid, text) SELECT id, text FROM chat_messages",
    // With a room its messages go, without anybody asking for each.
    "CREATE TRIGGER chat_search_gone AFTER DELETE ON chat_messages BEGIN DELETE FROM chat_search WHERE rowid = old.id; END",
];

/// Where the extension is not there, or not ours to add, the site goes without: a search then reads
/// the whole history.
const ON_POSTGRES: [&str; 1] = ["DO $$ BEGIN \
     CREATE EXTENSION IF NOT EXISTS pg_trgm; \
     CREATE INDEX chat_messages_by_text ON chat_messages USING gin (lower(text) gin_trgm_ops) WHERE deleted_at IS NULL; \
     EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported OR undefined_object THEN \
     RAISE WARNING 'searches will be slow: %', SQLERRM; \
     END $$"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let statements: &[&str] = match manager.get_database_backend() {
            DbBackend::Sqlite => &ON_SQLITE,
            _ => &ON_POSTGRES,
        };
        for statement in statements {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let statement = match manager.get_database_backend() {
            DbBackend::Sqlite => "DROP TRIGGER chat_search_gone; DROP TABLE chat_search",
            // The extension may be used by others.
            _ => "DROP INDEX IF EXISTS chat_messages_by_text",
        };
        manager.get_connection().execute_unprepared(statement).await.map(|_| ())
    }
}
