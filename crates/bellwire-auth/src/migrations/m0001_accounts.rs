//! Creates the tables of people and sessions.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, binary_len, boolean, string, string_len, string_null, text,
    timestamp_with_time_zone,
};

#[derive(Debug, DeriveMigrationName)]
pub(super) struct Migration;

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
    Name,
    NameKey,
    Email,
    EmailKey,
    PasswordHash,
    IsAdmin,
    IsActive,
    CreatedAt,
}

#[derive(DeriveIden)]
enum Sessions {
    Table,
    Id,
    TokenHash,
    UserId,
    UserAgent,
    Address,
    CreatedAt,
    LastSeenAt,
}

#[allow(
    elided_lifetimes_in_paths,
    reason = "the trait writes its lifetimes so, and async-trait needs the same"
)]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let users = Table::create()
            .table(Users::Table)
            .col(big_integer(Users::Id).primary_key().auto_increment())
            .col(string(Users::Name))
            .col(string(Users::NameKey).unique_key())
            .col(string_null(Users::Email))
            .col(string_null(Users::EmailKey).unique_key())
            .col(text(Users::PasswordHash))
            .col(boolean(Users::IsAdmin).default(false))
            .col(boolean(Users::IsActive).default(true))
            .col(timestamp_with_time_zone(Users::CreatedAt))
            .to_owned();
        manager.create_table(users).await?;
        let sessions = Table::create()
            .table(Sessions::Table)
            .col(big_integer(Sessions::Id).primary_key().auto_increment())
            .col(binary_len(Sessions::TokenHash, 32).unique_key())
            .col(big_integer(Sessions::UserId))
            .col(string_len(Sessions::UserAgent, 512))
            .col(string_len(Sessions::Address, 64))
            .col(timestamp_with_time_zone(Sessions::CreatedAt))
            .col(timestamp_with_time_zone(Sessions::LastSeenAt))
            .foreign_key(
                ForeignKey::create()
                    .from(Sessions::Table, Sessions::UserId)
                    .to(Users::Table, Users::Id)
                    .on_delete(ForeignKeyAction::Cascade),
            )
            .to_owned();
        manager.create_table(sessions).await?;
        for (name, column) in
            [("sessions_user", Sessions::UserId), ("sessions_last_seen", Sessions::LastSeenAt)]
        {
            manager
                .create_index(
                    Index::create().name(name).table(Sessions::Table).col(column).to_owned(),
                )
                .await?;
        }
        Ok(())
    }
}
