//! Creates the tables of rooms and messages, with sequence numbers in the order of writing.

#![allow(elided_lifetimes_in_paths, reason = "the trait of sea-orm-migration is written so")]

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, pk_auto, string_len, string_len_null, text,
    timestamp_with_time_zone, timestamp_with_time_zone_null,
};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0001_rooms_and_messages"
    }
}

#[derive(DeriveIden)]
enum ChatRooms {
    Table,
    Id,
    Name,
    Slug,
    Seq,
    CreatedBy,
    CreatedAt,
}

#[derive(DeriveIden)]
enum ChatMessages {
    Table,
    Id,
    RoomId,
    AuthorId,
    ClientId,
    Text,
    Seq,
    ChangedSeq,
    CreatedAt,
    EditedAt,
    DeletedAt,
}

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(rooms()).await?;
        manager.create_table(messages()).await?;
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(ChatMessages::Table).to_owned()).await?;
        manager.drop_table(Table::drop().table(ChatRooms::Table).to_owned()).await
    }
}

fn rooms() -> TableCreateStatement {
    Table::create()
        .table(ChatRooms::Table)
        .col(pk_auto(ChatRooms::Id).big_integer())
        .col(string_len(ChatRooms::Name, 128))
        .col(string_len(ChatRooms::Slug, 512).unique_key())
        // The sequence number of the room's latest change.
        .col(big_integer(ChatRooms::Seq).default(0))
        .col(big_integer_null(ChatRooms::CreatedBy))
        .col(timestamp_with_time_zone(ChatRooms::CreatedAt))
        .foreign_key(
            ForeignKey::create()
                .from(ChatRooms::Table, ChatRooms::CreatedBy)
                .to(Users::Table, Users::Id)
                .on_delete(ForeignKeyAction::SetNull),
        )
        .to_owned()
}

fn messages() -> TableCreateStatement {
    Table::create()
        .table(ChatMessages::Table)
        .col(pk_auto(ChatMessages::Id).big_integer())
        .col(big_integer(ChatMessages::RoomId))
        .col(big_integer(ChatMessages::AuthorId))
        .col(string_len_null(ChatMessages::ClientId, 64))
        .col(text(ChatMessages::Text))
        // The sequence number in the room, which never changes.
        .col(big_integer(ChatMessages::Seq))
        // The sequence number of the latest change: `seq` until an edit or a deletion.
        .col(big_integer(ChatMessages::ChangedSeq))
        .col(timestamp_with_time_zone(ChatMessages::CreatedAt))
        .col(timestamp_with_time_zone_null(ChatMessages::EditedAt))
        // A deleted message stays as a tombstone, so that the catch-up of a page removes it.
        .col(timestamp_with_time_zone_null(ChatMessages::DeletedAt))
        .foreign_key(
            ForeignKey::create()
                .from(ChatMessages::Table, ChatMessages::RoomId)
                .to(ChatRooms::Table, ChatRooms::Id)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .foreign_key(
            ForeignKey::create()
                .from(ChatMessages::Table, ChatMessages::AuthorId)
                .to(Users::Table, Users::Id),
        )
        .to_owned()
}

fn indexes() -> Vec<IndexCreateStatement> {
    let unique =
        |name: &str| Index::create().name(name).table(ChatMessages::Table).unique().to_owned();
    vec![
        unique("chat_messages_by_seq").col(ChatMessages::RoomId).col(ChatMessages::Seq).to_owned(),
        unique("chat_messages_by_change")
            .col(ChatMessages::RoomId)
            .col(ChatMessages::ChangedSeq)
            .to_owned(),
        unique("chat_messages_by_client_id")
            .col(ChatMessages::RoomId)
            .col(ChatMessages::AuthorId)
            .col(ChatMessages::ClientId)
            .to_owned(),
    ]
}
