//! Adds the time of first publication, which an article keeps when it becomes a draft again.

#![allow(elided_lifetimes_in_paths, reason = "the traits of sea-orm-migration elide them")]

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::timestamp_with_time_zone_null;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0002_first_published"
    }
}

#[derive(DeriveIden)]
enum BlogArticles {
    Table,
    FirstPublishedAt,
    PublishedAt,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = timestamp_with_time_zone_null(BlogArticles::FirstPublishedAt);
        let table = Table::alter().table(BlogArticles::Table).add_column(column).to_owned();
        manager.alter_table(table).await?;
        let since = Query::update()
            .table(BlogArticles::Table)
            .value(BlogArticles::FirstPublishedAt, Expr::col(BlogArticles::PublishedAt))
            .to_owned();
        manager.execute(since).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::alter()
            .table(BlogArticles::Table)
            .drop_column(BlogArticles::FirstPublishedAt)
            .to_owned();
        manager.alter_table(table).await
    }
}
