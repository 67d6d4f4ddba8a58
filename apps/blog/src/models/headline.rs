//! Articles as lists, feeds and the map know them: what they say is read only where it is asked for
//! by itself.

use std::collections::HashMap;

use bellwire_site::LookupExt as _;
use bellwire_site::accounts::users;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::ExprTrait;
use sea_orm::{FromQueryResult, JoinType, QueryOrder, QuerySelect, SelectModel, Selector};

use super::article::{Column, Entity, Relation, path_of};
use super::search;
use crate::BlogError;
use crate::forms::Sought;

/// An article as lists and feeds know it: all but what it says.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Headline {
    /// Its id.
    pub id: i64,
    /// Its title.
    pub title: String,
    /// Its address.
    pub slug: String,
    /// Who wrote it.
    pub author: String,
    /// What it is about.
    pub summary: String,
    /// How often it was saved.
    pub version: i64,
    /// When it was saved last.
    pub updated_at: DateTimeUtc,
    /// Since when everyone may read it.
    pub published_at: Option<DateTimeUtc>,
}

/// By which one knows whether any published article has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// How many there are.
    pub count: i64,
    /// How often they were saved, all together.
    pub saved: i64,
    /// When the last of them was.
    pub changed: DateTimeUtc,
}

/// Which articles are listed, the newest first.
#[derive(Clone, Debug, Default)]
pub struct Listed {
    /// What is looked for in them.
    pub sought: Sought,
    /// How many are left out.
    pub offset: u64,
    /// How many are wanted.
    pub limit: u64,
}

impl Headline {
    /// The published articles of a list.
    ///
    /// # Errors
    /// The database's.
    pub async fn list(
        db: &impl ConnectionTrait,
        listed: &Listed,
    ) -> Result<Vec<Headline>, BlogError> {
        let mut found = Entity::find().filter(Column::PublishedAt.is_not_null());
        if !listed.sought.is_empty() {
            found = found.filter(search::has(db.get_database_backend(), listed.sought.as_str()));
        }
        let found = found
            .order_by_desc(Column::PublishedAt)
            .order_by_desc(Column::Id)
            .offset(listed.offset)
            .limit(listed.limit);
        Ok(headlines(found).all(db).await.none_if_unstorable()?)
    }

    /// What is not published, the latest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn drafts(db: &impl ConnectionTrait, limit: u64) -> Result<Vec<Headline>, BlogError> {
        let found = Entity::find()
            .filter(Column::PublishedAt.is_null())
            .order_by_desc(Column::UpdatedAt)
            .limit(limit);
        Ok(headlines(found).all(db).await?)
    }

    /// What these articles say, by their ids, as far as they are published.
    ///
    /// # Errors
    /// The database's.
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

    /// What the published articles are known by.
    ///
    /// # Errors
    /// The database's.
    pub async fn state(db: &impl ConnectionTrait) -> Result<State, BlogError> {
        let found = Entity::find()
            .filter(Column::PublishedAt.is_not_null())
            .select_only()
            .column_as(Column::Id.count(), "count")
            // PostgreSQL's sum of whole numbers is a decimal one.
            .column_as(Column::Version.sum().cast_as("bigint"), "saved")
            .column_as(Column::UpdatedAt.max(), "changed");
        let found: Option<(i64, Option<i64>, Option<DateTimeUtc>)> =
            found.into_tuple().one(db).await?;
        let (count, saved, changed) = found.unwrap_or_default();
        Ok(State { count, saved: saved.unwrap_or_default(), changed: changed.unwrap_or_default() })
    }

    /// The addresses of all published articles and when they changed, the newest first.
    ///
    /// # Errors
    /// The database's.
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

    /// Where it is read.
    pub fn path(&self) -> String {
        path_of(&self.slug)
    }

    /// The day that stands beside it.
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
