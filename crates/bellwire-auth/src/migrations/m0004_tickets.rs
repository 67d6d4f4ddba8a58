//! Creates the table of login tokens, which begin a session after signing in over a socket.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, binary_len, timestamp_with_time_zone};

#[derive(Debug, DeriveMigrationName)]
pub(super) struct Migration;

#[derive(DeriveIden)]
enum Tickets {
    Table,
    Id,
    TokenHash,
    UserId,
    PasswordMark,
    MadeAt,
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
        let tickets = Table::create()
            .table(Tickets::Table)
            .col(big_integer(Tickets::Id).primary_key().auto_increment())
            .col(binary_len(Tickets::TokenHash, 32).unique_key())
            .col(big_integer(Tickets::UserId))
            .col(binary_len(Tickets::PasswordMark, 32))
            .col(timestamp_with_time_zone(Tickets::MadeAt))
            .foreign_key(
                ForeignKey::create()
                    .from(Tickets::Table, Tickets::UserId)
                    .to(Users::Table, Users::Id)
                    .on_delete(ForeignKeyAction::Cascade),
            )
            .to_owned();
        manager.create_table(tickets).await?;
        let index = Index::create()
            .name("tickets_made_at")
            .table(Tickets::Table)
            .col(Tickets::MadeAt)
            .to_owned();
        manager.create_index(index).await
    }
}
