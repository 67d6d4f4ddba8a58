//! What an article is about, made when it is saved: a list need not read every article for that.

#![allow(elided_lifetimes_in_paths, reason = "the trait of sea-orm-migration is written so")]

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::text;

use crate::models::article::summary_of;

/// How many articles are read at once.
const AT_ONCE: u64 = 100;

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
        while let Some(last) = sum_up_some(manager.get_connection(), after).await? {
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

/// Sums up the next articles after this id, and returns the last id of them.
async fn sum_up_some(db: &SchemaManagerConnection<'_>, after: i64) -> Result<Option<i64>, DbErr> {
    let some = Query::select()
        .columns([BlogArticles::Id, BlogArticles::Content])
        .from(BlogArticles::Table)
        .and_where(Expr::col(BlogArticles::Id).gt(after))
        .order_by(BlogArticles::Id, Order::Asc)
        .limit(AT_ONCE)
        .to_owned();
    let mut last = None;
    for row in db.query_all(&some).await? {
        let (id, content): (i64, String) = (row.try_get_by("id")?, row.try_get_by("content")?);
        let one = Query::update()
            .table(BlogArticles::Table)
            .value(BlogArticles::Summary, summary_of(&content))
            .and_where(Expr::col(BlogArticles::Id).eq(id))
            .to_owned();
        db.execute(&one).await?;
        last = Some(id);
    }
    Ok(last)
}
