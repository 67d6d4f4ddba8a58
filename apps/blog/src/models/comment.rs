//! A comment: its place below the article, and the number of its latest change.

use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, FromQueryResult, QueryOrder, QuerySelect, Unchanged};

use super::Article;
use bellwire_site::bellwire::IdempotencyKey;

use crate::BlogError;
use crate::forms::{AuthorName, CommentText};

/// A comment as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "blog_comments")]
pub struct Model {
    /// Its id, also in the page.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Below which article.
    pub article_id: i64,
    /// The name that was typed.
    pub author: String,
    /// Who was signed in.
    pub author_id: Option<i64>,
    /// The sender's own id; unique below an article.
    pub client_id: Option<String>,
    /// What it says.
    pub content: String,
    /// Its place below the article, for ever.
    pub seq: i64,
    /// The number of its latest change.
    pub changed_seq: i64,
    /// When it was written.
    pub created_at: DateTimeUtc,
    /// When it was removed; what is left is a tombstone.
    pub removed_at: Option<DateTimeUtc>,
}

/// The tables it points at; none is asked for with it.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A comment.
pub type Comment = Model;

/// A comment to be written.
#[derive(Clone, Debug)]
pub struct NewComment {
    /// Below which article.
    pub article_id: i64,
    /// The name that was typed.
    pub author: AuthorName,
    /// Who is signed in.
    pub author_id: Option<i64>,
    /// What it says.
    pub content: CommentText,
    /// The sender's own id.
    pub client_id: Option<IdempotencyKey>,
    /// When.
    pub at: DateTimeUtc,
}

/// What became of a send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// A new comment.
    New(Comment),
    /// The comment that the same send made before.
    Before(Comment),
}

/// How many comments an article has.
#[derive(Debug, FromQueryResult)]
struct Counted {
    article_id: i64,
    comments: i64,
}

impl Model {
    /// Writes a comment and gives it the article's next number, or finds the one that the same send
    /// made before.
    ///
    /// # Errors
    /// That the article is not there to be commented on, or the database's.
    pub async fn write(db: &impl ConnectionTrait, new: NewComment) -> Result<Written, BlogError> {
        // First the lock, then the look: two equal sends at once are one comment.
        Article::lock_published(db, new.article_id).await?;
        if let Some(before) = Self::sent_before(db, new.article_id, new.client_id.as_ref()).await? {
            return Ok(Written::Before(before));
        }
        let seq = Article::next_seq(db, new.article_id).await?;
        let row = ActiveModel {
            article_id: Set(new.article_id),
            author: Set(new.author.as_str().to_owned()),
            author_id: Set(new.author_id),
            client_id: Set(new.client_id.map(|id| id.as_str().to_owned())),
            content: Set(new.content.as_str().to_owned()),
            seq: Set(seq),
            changed_seq: Set(seq),
            created_at: Set(new.at),
            ..Default::default()
        };
        Ok(Written::New(row.insert(db).await?))
    }

    /// The comment that a send with this id made.
    ///
    /// # Errors
    /// The database's.
    pub async fn sent_before(
        db: &impl ConnectionTrait,
        article: i64,
        client_id: Option<&IdempotencyKey>,
    ) -> Result<Option<Self>, BlogError> {
        let Some(id) = client_id else { return Ok(None) };
        let found = Entity::find()
            .filter(Column::ArticleId.eq(article))
            .filter(Column::ClientId.eq(id.as_str()));
        Ok(found.one(db).await?)
    }

    /// The comment with this id.
    ///
    /// # Errors
    /// The database's.
    pub async fn by_id(db: &impl ConnectionTrait, id: i64) -> Result<Option<Self>, BlogError> {
        Ok(Entity::find_by_id(id).one(db).await?)
    }

    /// Removes a comment; what is left says nothing any more. `None` when it was removed before.
    ///
    /// # Errors
    /// That it is not there, or the database's.
    pub async fn remove(
        db: &impl ConnectionTrait,
        id: i64,
        at: DateTimeUtc,
    ) -> Result<Option<Self>, BlogError> {
        let found = Entity::find_by_id(id).one(db).await?.ok_or(BlogError::NoComment)?;
        Article::lock(db, found.article_id).await?;
        // Read again: somebody else may have removed it before the lock was ours.
        let now = Entity::find_by_id(id).one(db).await?.ok_or(BlogError::NoComment)?;
        if now.removed_at.is_some() {
            return Ok(None);
        }
        let changed_seq = Article::next_seq(db, now.article_id).await?;
        let row = ActiveModel {
            id: Unchanged(id),
            author: Set(String::new()),
            content: Set(String::new()),
            changed_seq: Set(changed_seq),
            removed_at: Set(Some(at)),
            ..Default::default()
        };
        Ok(Some(row.update(db).await?))
    }

    /// The newest living comments below an article, or the newest before a place, in their order.
    ///
    /// # Errors
    /// The database's.
    pub async fn newest(
        db: &impl ConnectionTrait,
        article: i64,
        before: Option<i64>,
        limit: u64,
    ) -> Result<Vec<Self>, BlogError> {
        let mut found = Entity::find()
            .filter(Column::ArticleId.eq(article))
            .filter(Column::RemovedAt.is_null());
        if let Some(seq) = before {
            found = found.filter(Column::Seq.lt(seq));
        }
        let mut found = found.order_by_desc(Column::Seq).limit(limit).all(db).await?;
        found.reverse();
        Ok(found)
    }

    /// What changed below an article after this number, in the order of the changes.
    ///
    /// # Errors
    /// The database's.
    pub async fn changed_since(
        db: &impl ConnectionTrait,
        article: i64,
        since: i64,
        limit: u64,
    ) -> Result<Vec<Self>, BlogError> {
        let found = Entity::find()
            .filter(Column::ArticleId.eq(article))
            .filter(Column::ChangedSeq.gt(since));
        Ok(found.order_by_asc(Column::ChangedSeq).limit(limit).all(db).await?)
    }

    /// How many living comments there are below each of these articles.
    ///
    /// # Errors
    /// The database's.
    pub async fn counts(
        db: &impl ConnectionTrait,
        articles: impl IntoIterator<Item = i64>,
    ) -> Result<Vec<(i64, i64)>, BlogError> {
        let counted = Entity::find()
            .select_only()
            .column(Column::ArticleId)
            .column_as(Column::Id.count(), "comments")
            .filter(Column::ArticleId.is_in(articles))
            .filter(Column::RemovedAt.is_null())
            .group_by(Column::ArticleId)
            .into_model::<Counted>();
        let counted = counted.all(db).await?;
        Ok(counted
            .into_iter()
            .map(|Counted { article_id, comments }| (article_id, comments))
            .collect())
    }

    /// The number that a page stands at that shows these changes, read after the number `now`.
    pub(crate) fn reached(shown: &[Self], now: i64) -> i64 {
        shown.iter().map(|comment| comment.changed_seq).fold(now, Ord::max)
    }
}
