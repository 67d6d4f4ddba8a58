//! Adds summaries, computed when an article is saved, so that lists need not read whole articles.

#![allow(elided_lifetimes_in_paths, reason = "the traits of sea-orm-migration elide them")]

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::text;

use crate::models::article::summary_of;

/// Articles per batch.
const BATCH: u64 = 100;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0003_summaries"
    }
}

#[derive(DeriveIden)]
enum BlogArticles {
    Table,
    Id,
    Content,
    Summary,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = text(BlogArticles::Summary).default("").take();
        let table = Table::alter().table(BlogArticles::Table).add_column(column).to_owned();
        manager.alter_table(table).await?;
        let mut after = 0;
        while let Some(last) = summarize_batch(manager.get_connection(), after).await? {
            after = last;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table =
            Table::alter().table(BlogArticles::Table).drop_column(BlogArticles::Summary).to_owned();
        manager.alter_table(table).await
    }
}

/// Adds the summaries of the next articles after this id, and returns the last id of the batch.
async fn summarize_batch(
    db: &SchemaManagerConnection<'_>,
    after: i64,
) -> Result<Option<i64>, DbErr> {
    let batch = Query::select()
        .columns([BlogArticles::Id, BlogArticles::Content])
        .from(BlogArticles::Table)
        .and_where(Expr::col(BlogArticles::Id).gt(after))
        .order_by(BlogArticles::Id, Order::Asc)
        .limit(BATCH)
        .to_owned();
    let mut last = None;
    for row in db.query_all(&batch).await? {
        let (id, content): (i64, String) = (row.try_get_by("id")?, row.try_get_by("content")?);
        let update = Query::update()
            .table(BlogArticles::Table)
            .value(BlogArticles::Summary, summary_of(&content))
            .and_where(Expr::col(BlogArticles::Id).eq(id))
            .to_owned();
        db.execute(&update).await?;
        last = Some(id);
    }
    Ok(last)
}
