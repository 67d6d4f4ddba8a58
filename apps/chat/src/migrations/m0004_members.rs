//! Adds a column that distinguishes members of a room from users who have only read it.

#![allow(elided_lifetimes_in_paths, reason = "the trait of sea-orm-migration is written so")]

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::boolean;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0004_members"
    }
}

#[derive(DeriveIden)]
enum ChatRooms {
    Table,
    Id,
    Kind,
}

#[derive(DeriveIden)]
enum ChatMemberships {
    Table,
    RoomId,
    IsMember,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let is_member = boolean(ChatMemberships::IsMember).default(false).take();
        let table = Table::alter().table(ChatMemberships::Table).add_column(is_member).to_owned();
        manager.alter_table(table).await?;
        // Until now every row of a room that is not open granted access to it.
        let closed = Query::select()
            .column(ChatRooms::Id)
            .from(ChatRooms::Table)
            .and_where(Expr::col(ChatRooms::Kind).ne("open"))
            .to_owned();
        let members = Query::update()
            .table(ChatMemberships::Table)
            .value(ChatMemberships::IsMember, true)
            .and_where(Expr::col(ChatMemberships::RoomId).in_subquery(closed))
            .to_owned();
        manager.execute(members).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let without = Table::alter()
            .table(ChatMemberships::Table)
            .drop_column(ChatMemberships::IsMember)
            .to_owned();
        manager.alter_table(without).await
    }
}
