//! Adds the staff role.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::boolean;

#[derive(Debug, DeriveMigrationName)]
pub(super) struct Migration;

#[derive(DeriveIden)]
enum Users {
    Table,
    IsStaff,
}

#[allow(
    elided_lifetimes_in_paths,
    reason = "the trait writes its lifetimes so, and async-trait needs the same"
)]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let is_staff = boolean(Users::IsStaff).default(false).take();
        manager
            .alter_table(Table::alter().table(Users::Table).add_column(is_staff).to_owned())
            .await
    }
}
