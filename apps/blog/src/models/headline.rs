//! Articles without their text, for lists, feeds and the sitemap. The text is read separately, only
//! where it is needed.

use std::collections::HashMap;

use bellwire_site::LookupExt as _;
use bellwire_site::accounts::users;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::ExprTrait;
use sea_orm::{FromQueryResult, JoinType, QueryOrder, QuerySelect, SelectModel, Selector};

use super::article::{Column, Entity, Relation, path_of};
use super::search;
use crate::BlogError;
use crate::forms::SearchQuery;

/// An article without its text.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Headline {
    /// The id.
    pub id: i64,
    /// The title.
    pub title: String,
    /// The slug in its address.
    pub slug: String,
    /// The name of the author.
    pub author: String,
    /// The summary.
    pub summary: String,
    /// The version, incremented on each save.
    pub version: i64,
    /// The time of the last save.
    pub updated_at: DateTimeUtc,
    /// The time of publication.
    pub published_at: Option<DateTimeUtc>,
}

/// A fingerprint of all published articles: it differs after any of them has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// The number of articles.
    pub count: i64,
    /// The sum of their versions.
    pub versions: i64,
    /// The time of the last save.
    pub changed: DateTimeUtc,
}

/// Selects the articles of a list, newest first.
#[derive(Clone, Debug, Default)]
pub struct ListFilter {
    /// The search query.
    pub search: SearchQuery,
    /// The number of articles to skip.
    pub offset: u64,
    /// The most articles to return.
    pub limit: u64,
}

impl Headline {
    /// The published articles of a list.
    ///
    /// # Errors
    /// A database error.
    pub async fn list(
        db: &impl ConnectionTrait,
        filter: &ListFilter,
    ) -> Result<Vec<Headline>, BlogError> {
        let mut found = Entity::find().filter(Column::PublishedAt.is_not_null());
        if !filter.search.is_empty() {
            let backend = db.get_database_backend();
            found = found.filter(search::matches(backend, filter.search.as_str()));
        }
        let found = found
            .order_by_desc(Column::PublishedAt)
            .order_by_desc(Column::Id)
            .offset(filter.offset)
            .limit(filter.limit);
        Ok(headlines(found).all(db).await.none_if_unstorable()?)
    }

    /// The drafts, last saved first.
    ///
    /// # Errors
    /// A database error.
    pub async fn drafts(db: &impl ConnectionTrait, limit: u64) -> Result<Vec<Headline>, BlogError> {
        let found = Entity::find()
            .filter(Column::PublishedAt.is_null())
            .order_by_desc(Column::UpdatedAt)
            .limit(limit);
        Ok(headlines(found).all(db).await?)
    }

    /// The texts of these articles by id, if published.
    ///
    /// # Errors
    /// A database error.
    pub async fn contents(
        db: &impl ConnectionTrait,
        ids: impl IntoIterator<Item = i64>,
    ) -> Result<HashMap<i64, String>, BlogError> {
        let found = Entity::find()
            .filter(Column::Id.is_in(ids))
            .filter(Column::PublishedAt.is_not_null())
            .select_only();
        let found = found.columns([Column::Id, Column::Content]).into_tuple().all(db).await?;
        Ok(found.into_iter().collect())
    }

    /// The fingerprint of the published articles.
    ///
    /// # Errors
    /// A database error.
    pub async fn fingerprint(db: &impl ConnectionTrait) -> Result<Fingerprint, BlogError> {
        let found = Entity::find()
            .filter(Column::PublishedAt.is_not_null())
            .select_only()
            .column_as(Column::Id.count(), "count")
            // In PostgreSQL the sum of integers is a decimal number.
            .column_as(Column::Version.sum().cast_as("bigint"), "versions")
            .column_as(Column::UpdatedAt.max(), "changed");
        let found: Option<(i64, Option<i64>, Option<DateTimeUtc>)> =
            found.into_tuple().one(db).await?;
        let (count, versions, changed) = found.unwrap_or_default();
        Ok(Fingerprint {
            count,
            versions: versions.unwrap_or_default(),
            changed: changed.unwrap_or_default(),
        })
    }

    /// The paths of the published articles with the time of their last save, newest first.
    ///
    /// # Errors
    /// A database error.
    pub async fn addresses(
        db: &impl ConnectionTrait,
        limit: u64,
    ) -> Result<Vec<(String, DateTimeUtc)>, BlogError> {
        let found = Entity::find()
            .filter(Column::PublishedAt.is_not_null())
            .order_by_desc(Column::PublishedAt)
            .limit(limit)
            .select_only()
            .columns([Column::Slug, Column::UpdatedAt]);
        let found: Vec<(String, DateTimeUtc)> = found.into_tuple().all(db).await?;
        Ok(found.into_iter().map(|(slug, at)| (path_of(&slug), at)).collect())
    }

    /// The path of its page.
    pub fn path(&self) -> String {
        path_of(&self.slug)
    }

    /// The date to display.
    pub fn date(&self) -> DateTimeUtc {
        self.published_at.unwrap_or(self.updated_at)
    }
}

fn headlines(found: Select<Entity>) -> Selector<SelectModel<Headline>> {
    use Column::{Id, PublishedAt, Slug, Summary, Title, UpdatedAt, Version};
    found
        .join(JoinType::InnerJoin, Relation::Author.def())
        .select_only()
        .columns([Id, Title, Slug, Summary, Version, UpdatedAt, PublishedAt])
        .column_as(users::Column::Name, "author")
        .into_model()
}
