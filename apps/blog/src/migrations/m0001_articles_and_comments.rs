//! Creates the tables for articles, the search index, and comments numbered in the order of
//! writing.

#![allow(elided_lifetimes_in_paths, reason = "the traits of sea-orm-migration elide them")]

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, pk_auto, string_len, string_len_null, text,
    timestamp_with_time_zone, timestamp_with_time_zone_null,
};
use sea_orm_migration::sea_orm::DbBackend;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0001_articles_and_comments"
    }
}

#[derive(DeriveIden)]
enum BlogArticles {
    Table,
    Id,
    Title,
    Slug,
    AuthorId,
    Content,
    Seq,
    Version,
    CreatedAt,
    UpdatedAt,
    PublishedAt,
}

#[derive(DeriveIden)]
enum BlogComments {
    Table,
    Id,
    ArticleId,
    Author,
    AuthorId,
    ClientId,
    Content,
    Seq,
    ChangedSeq,
    CreatedAt,
    RemovedAt,
}

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(articles()).await?;
        manager.create_table(comments()).await?;
        for index in indexes() {
            manager.create_index(index).await?;
        }
        for statement in search(manager.get_database_backend()) {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("DROP TABLE blog_search").await?;
        manager.drop_table(Table::drop().table(BlogComments::Table).to_owned()).await?;
        manager.drop_table(Table::drop().table(BlogArticles::Table).to_owned()).await
    }
}

fn articles() -> TableCreateStatement {
    Table::create()
        .table(BlogArticles::Table)
        .col(pk_auto(BlogArticles::Id).big_integer())
        .col(string_len(BlogArticles::Title, 200).unique_key())
        .col(string_len(BlogArticles::Slug, 1024).unique_key())
        .col(big_integer(BlogArticles::AuthorId))
        .col(text(BlogArticles::Content))
        // The number of the latest change of its comments.
        .col(big_integer(BlogArticles::Seq).default(0))
        // Incremented on each save; detects conflicting edits.
        .col(big_integer(BlogArticles::Version).default(1))
        .col(timestamp_with_time_zone(BlogArticles::CreatedAt))
        .col(timestamp_with_time_zone(BlogArticles::UpdatedAt))
        // NULL: a draft.
        .col(timestamp_with_time_zone_null(BlogArticles::PublishedAt))
        .foreign_key(
            ForeignKey::create()
                .from(BlogArticles::Table, BlogArticles::AuthorId)
                .to(Users::Table, Users::Id),
        )
        .to_owned()
}

fn comments() -> TableCreateStatement {
    Table::create()
        .table(BlogComments::Table)
        .col(pk_auto(BlogComments::Id).big_integer())
        .col(big_integer(BlogComments::ArticleId))
        .col(string_len(BlogComments::Author, 100))
        .col(big_integer_null(BlogComments::AuthorId))
        .col(string_len_null(BlogComments::ClientId, 64))
        .col(text(BlogComments::Content))
        // Its permanent position below the article.
        .col(big_integer(BlogComments::Seq))
        // The number of its latest change: `seq` until it is removed.
        .col(big_integer(BlogComments::ChangedSeq))
        .col(timestamp_with_time_zone(BlogComments::CreatedAt))
        // A removed comment stays as a tombstone, so that reconnecting pages remove it.
        .col(timestamp_with_time_zone_null(BlogComments::RemovedAt))
        .foreign_key(
            ForeignKey::create()
                .from(BlogComments::Table, BlogComments::ArticleId)
                .to(BlogArticles::Table, BlogArticles::Id)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .foreign_key(
            ForeignKey::create()
                .from(BlogComments::Table, BlogComments::AuthorId)
                .to(Users::Table, Users::Id)
                .on_delete(ForeignKeyAction::SetNull),
        )
        .to_owned()
}

fn indexes() -> Vec<IndexCreateStatement> {
    let unique =
        |name: &str| Index::create().name(name).table(BlogComments::Table).unique().to_owned();
    vec![
        Index::create()
            .name("blog_articles_by_date")
            .table(BlogArticles::Table)
            .col(BlogArticles::PublishedAt)
            .col(BlogArticles::Id)
            .to_owned(),
        unique("blog_comments_by_seq")
            .col(BlogComments::ArticleId)
            .col(BlogComments::Seq)
            .to_owned(),
        unique("blog_comments_by_change")
            .col(BlogComments::ArticleId)
            .col(BlogComments::ChangedSeq)
            .to_owned(),
        unique("blog_comments_by_client_id")
            .col(BlogComments::ArticleId)
            .col(BlogComments::ClientId)
            .to_owned(),
    ]
}

/// The full-text index. `models/search.rs` encodes the words in plain ASCII, so that both databases
/// find the same.
fn search(backend: DbBackend) -> &'static [&'static str] {
    match backend {
        DbBackend::Postgres => &[
            "CREATE TABLE blog_search (article_id bigint PRIMARY KEY REFERENCES blog_articles (id) \
             ON DELETE CASCADE, words tsvector NOT NULL)",
            "CREATE INDEX blog_search_by_word ON blog_search USING gin (words)",
        ],
        _ => &["CREATE VIRTUAL TABLE blog_search USING fts5 (words, content = '', \
             contentless_delete = 1, tokenize = 'ascii')"],
    }
}
