//! Adds memberships with reading positions, former slugs of rooms, and mentions.

#![allow(elided_lifetimes_in_paths, reason = "the trait of sea-orm-migration is written so")]

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, string_len, text_null, timestamp_with_time_zone};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0002_people_and_places"
    }
}

#[derive(DeriveIden)]
enum ChatRooms {
    Table,
    Id,
    Kind,
}

#[derive(DeriveIden)]
enum ChatMessages {
    Table,
    Mentions,
}

#[derive(DeriveIden)]
enum ChatMemberships {
    Table,
    RoomId,
    UserId,
    LastReadSeq,
    CreatedAt,
}

#[derive(DeriveIden)]
enum ChatOldSlugs {
    Table,
    Slug,
    RoomId,
}

#[derive(DeriveIden)]
enum ChatMentions {
    Table,
    UserId,
    RoomId,
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
        // Open, closed, or direct (a conversation of two users).
        let kind = string_len(ChatRooms::Kind, 8).default("open").take();
        manager
            .alter_table(Table::alter().table(ChatRooms::Table).add_column(kind).to_owned())
            .await?;
        // The mentioned users, as JSON, because they are only read together with the message.
        let mentions = text_null(ChatMessages::Mentions);
        manager
            .alter_table(Table::alter().table(ChatMessages::Table).add_column(mentions).to_owned())
            .await?;
        for table in [memberships(), old_slugs(), mentioned()] {
            manager.create_table(table).await?;
        }
        let by_person = Index::create()
            .name("chat_memberships_by_person")
            .table(ChatMemberships::Table)
            .col(ChatMemberships::UserId)
            .to_owned();
        manager.create_index(by_person).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(ChatMentions::Table).to_owned()).await?;
        manager.drop_table(Table::drop().table(ChatOldSlugs::Table).to_owned()).await?;
        manager.drop_table(Table::drop().table(ChatMemberships::Table).to_owned()).await?;
        manager
            .alter_table(
                Table::alter()
                    .table(ChatMessages::Table)
                    .drop_column(ChatMessages::Mentions)
                    .to_owned(),
            )
            .await?;
        manager
            .alter_table(
                Table::alter().table(ChatRooms::Table).drop_column(ChatRooms::Kind).to_owned(),
            )
            .await
    }
}

/// Creates the table of members of closed and direct rooms and of users who were in open rooms,
/// with how far each has read.
fn memberships() -> TableCreateStatement {
    Table::create()
        .table(ChatMemberships::Table)
        .col(big_integer(ChatMemberships::RoomId))
        .col(big_integer(ChatMemberships::UserId))
        .col(big_integer(ChatMemberships::LastReadSeq).default(0))
        .col(timestamp_with_time_zone(ChatMemberships::CreatedAt))
        .primary_key(Index::create().col(ChatMemberships::RoomId).col(ChatMemberships::UserId))
        .foreign_key(&mut of_room(ChatMemberships::Table, ChatMemberships::RoomId))
        .foreign_key(&mut of_person(ChatMemberships::Table, ChatMemberships::UserId))
        .to_owned()
}

/// Creates the table of former slugs, which still lead to the rooms.
fn old_slugs() -> TableCreateStatement {
    Table::create()
        .table(ChatOldSlugs::Table)
        .col(string_len(ChatOldSlugs::Slug, 512).primary_key())
        .col(big_integer(ChatOldSlugs::RoomId))
        .foreign_key(&mut of_room(ChatOldSlugs::Table, ChatOldSlugs::RoomId))
        .to_owned()
}

/// Creates the table of mentions, which is used to count unread ones.
fn mentioned() -> TableCreateStatement {
    Table::create()
        .table(ChatMentions::Table)
        .col(big_integer(ChatMentions::UserId))
        .col(big_integer(ChatMentions::RoomId))
        .col(big_integer(ChatMentions::Seq))
        .primary_key(
            Index::create()
                .col(ChatMentions::UserId)
                .col(ChatMentions::RoomId)
                .col(ChatMentions::Seq),
        )
        .foreign_key(&mut of_room(ChatMentions::Table, ChatMentions::RoomId))
        .foreign_key(&mut of_person(ChatMentions::Table, ChatMentions::UserId))
        .to_owned()
}

fn of_room(table: impl Iden + 'static, column: impl Iden + 'static) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .from(table, column)
        .to(ChatRooms::Table, ChatRooms::Id)
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned()
}

fn of_person(table: impl Iden + 'static, column: impl Iden + 'static) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .from(table, column)
        .to(Users::Table, Users::Id)
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned()
}
