//! Creates the table of ended sessions, so that every process can close their sockets.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, string_len, timestamp_with_time_zone};

#[derive(Debug, DeriveMigrationName)]
pub(super) struct Migration;

#[derive(DeriveIden)]
enum EndedSessions {
    Table,
    Id,
    SessionId,
    Why,
    EndedAt,
}

#[allow(
    elided_lifetimes_in_paths,
    reason = "the trait writes its lifetimes so, and async-trait needs the same"
)]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let ended = Table::create()
            .table(EndedSessions::Table)
            .col(big_integer(EndedSessions::Id).primary_key().auto_increment())
            .col(big_integer(EndedSessions::SessionId))
            .col(string_len(EndedSessions::Why, 32))
            .col(timestamp_with_time_zone(EndedSessions::EndedAt))
            .to_owned();
        manager.create_table(ended).await?;
        let index = Index::create()
            .name("ended_sessions_ended_at")
            .table(EndedSessions::Table)
            .col(EndedSessions::EndedAt)
            .to_owned();
        manager.create_index(index).await
    }
}
