//! Creates the tables for messages and for the number of their latest change.

#![allow(elided_lifetimes_in_paths, reason = "the traits of sea-orm-migration elide them")]

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, pk_auto, string_len, string_len_null, text,
    timestamp_with_time_zone, timestamp_with_time_zone_null,
};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0001_messages"
    }
}

#[derive(DeriveIden)]
enum SocialMessages {
    Table,
    Id,
    AuthorId,
    Author,
    Text,
    ClientId,
    CreatedAt,
    EditedAt,
    DeletedAt,
}

#[derive(DeriveIden)]
enum SocialChanges {
    Table,
    Id,
    Seq,
}

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(messages()).await?;
        // For the pages of the list: messages that are not deleted, in order.
        let by_page = Index::create()
            .name("social_messages_by_page")
            .table(SocialMessages::Table)
            .col(SocialMessages::DeletedAt)
            .col(SocialMessages::Id)
            .to_owned();
        manager.create_index(by_page).await?;
        manager.create_table(changes()).await?;
        let row = Query::insert()
            .into_table(SocialChanges::Table)
            .columns([SocialChanges::Id, SocialChanges::Seq])
            .values_panic([1.into(), 0.into()])
            .to_owned();
        manager.execute(row).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(SocialChanges::Table).to_owned()).await?;
        manager.drop_table(Table::drop().table(SocialMessages::Table).to_owned()).await
    }
}

fn messages() -> TableCreateStatement {
    Table::create()
        .table(SocialMessages::Table)
        .col(pk_auto(SocialMessages::Id).big_integer())
        .col(big_integer_null(SocialMessages::AuthorId))
        .col(string_len(SocialMessages::Author, 100))
        .col(text(SocialMessages::Text))
        .col(string_len_null(SocialMessages::ClientId, 64).unique_key())
        .col(timestamp_with_time_zone(SocialMessages::CreatedAt))
        .col(timestamp_with_time_zone_null(SocialMessages::EditedAt))
        .col(timestamp_with_time_zone_null(SocialMessages::DeletedAt))
        .foreign_key(
            ForeignKey::create()
                .from(SocialMessages::Table, SocialMessages::AuthorId)
                .to(Users::Table, Users::Id),
        )
        .to_owned()
}

fn changes() -> TableCreateStatement {
    Table::create()
        .table(SocialChanges::Table)
        .col(big_integer(SocialChanges::Id).primary_key())
        .col(big_integer(SocialChanges::Seq))
        .to_owned()
}
