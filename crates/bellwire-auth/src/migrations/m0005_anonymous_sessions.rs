//! Moves anonymous sessions into `sessions`, and drops their former table `visits`.
//!
//! Rows keep the hashes of their tokens, so that existing cookies stay valid. The rows of
//! `sessions` keep their ids; those of `visits` get new ones.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, binary_len, string_len, text, timestamp_with_time_zone,
};
use sea_orm_migration::sea_orm::DbBackend;

#[derive(Debug, DeriveMigrationName)]
pub(super) struct Migration;

#[derive(Clone, Copy, DeriveIden)]
enum Sessions {
    Table,
    Id,
    TokenHash,
    UserId,
    UserAgent,
    Address,
    Data,
    CreatedAt,
    LastSeenAt,
}

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
}

#[allow(
    elided_lifetimes_in_paths,
    reason = "the trait writes its lifetimes so, and async-trait needs the same"
)]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        match manager.get_database_backend() {
            DbBackend::Postgres => alter_in_place(manager).await?,
            _ => rebuild(manager).await?,
        }
        let index = Index::create()
            .name("sessions_address")
            .table(Sessions::Table)
            .col(Sessions::Address)
            .to_owned();
        manager.create_index(index).await?;
        if manager.has_table("visits").await? {
            move_visits(manager).await?;
        }
        Ok(())
    }
}

/// PostgreSQL alters the table in place.
async fn alter_in_place(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let alter = Table::alter()
        .table(Sessions::Table)
        .modify_column(big_integer_null(Sessions::UserId))
        .add_column(text(Sessions::Data).default(""))
        .to_owned();
    manager.alter_table(alter).await
}

/// SQLite cannot make an existing column nullable: this rebuilds the table, and keeps the sequence
/// so that no id is reused.
async fn rebuild(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let next = Alias::new("next_sessions");
    let table = Table::create()
        .table(next.clone())
        .col(big_integer(Sessions::Id).primary_key().auto_increment())
        .col(binary_len(Sessions::TokenHash, 32).unique_key())
        .col(big_integer_null(Sessions::UserId))
        .col(string_len(Sessions::UserAgent, 512))
        .col(string_len(Sessions::Address, 64))
        .col(text(Sessions::Data).default(""))
        .col(timestamp_with_time_zone(Sessions::CreatedAt))
        .col(timestamp_with_time_zone(Sessions::LastSeenAt))
        .foreign_key(
            ForeignKey::create()
                .from(next, Sessions::UserId)
                .to(Users::Table, Users::Id)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned();
    manager.create_table(table).await?;
    run(
        manager,
        &[
            "INSERT INTO next_sessions (id, token_hash, user_id, user_agent, address, created_at, last_seen_at)
             SELECT id, token_hash, user_id, user_agent, address, created_at, last_seen_at FROM sessions",
            "DELETE FROM sqlite_sequence WHERE name = 'next_sessions'",
            "INSERT INTO sqlite_sequence (name, seq)
             SELECT 'next_sessions', seq FROM sqlite_sequence WHERE name = 'sessions'",
            "DROP TABLE sessions",
            "ALTER TABLE next_sessions RENAME TO sessions",
        ],
    )
    .await?;
    for (name, column) in
        [("sessions_user", Sessions::UserId), ("sessions_last_seen", Sessions::LastSeenAt)]
    {
        let index = Index::create().name(name).table(Sessions::Table).col(column).to_owned();
        manager.create_index(index).await?;
    }
    Ok(())
}

async fn move_visits(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    run(
        manager,
        &[
            "INSERT INTO sessions (token_hash, user_agent, address, data, created_at, last_seen_at)
             SELECT token_hash, '', address, data, created_at, last_seen_at FROM visits ORDER BY id",
            "DROP TABLE visits",
            "DROP TABLE visits_migrations",
        ],
    )
    .await
}

async fn run(manager: &SchemaManager<'_>, statements: &[&str]) -> Result<(), DbErr> {
    for sql in statements {
        manager.get_connection().execute_unprepared(sql).await?;
    }
    Ok(())
}
