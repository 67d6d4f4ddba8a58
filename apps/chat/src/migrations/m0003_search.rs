//! Adds the trigram index of messages (`models/search.rs`).

#![allow(elided_lifetimes_in_paths, reason = "the trait of sea-orm-migration is written so")]

use sea_orm::DbBackend;
use sea_orm_migration::prelude::*;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0003_search"
    }
}

/// The index stores neither the texts, which are in `chat_messages`, nor the positions in them,
/// which reduces it to two fifths of the size.
const ON_SQLITE: [&str; 3] = [
    "CREATE VIRTUAL TABLE chat_search USING fts5(text, content='', contentless_delete=1, tokenize='trigram', detail='none')",
    "INSERT INTO chat_search (rowid, text) SELECT id, text FROM chat_messages",
    // Deleting a room deletes all its messages at once; the trigger removes their entries.
    "CREATE TRIGGER chat_search_gone AFTER DELETE ON chat_messages BEGIN DELETE FROM chat_search WHERE rowid = old.id; END",
];

/// If the extension is missing or may not be created, there is no index, and a search reads the
/// whole history.
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
            // Others may use the extension, so it stays.
            _ => "DROP INDEX IF EXISTS chat_messages_by_text",
        };
        manager.get_connection().execute_unprepared(statement).await.map(|_| ())
    }
}
