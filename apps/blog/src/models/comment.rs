//! The comments table. Each comment has a permanent position below its article, and the number of
//! its latest change.

use bellwire_site::bellwire::IdempotencyKey;
use bellwire_site::{FeedEpochs, Tx};
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, FromQueryResult, QueryOrder, QuerySelect, Unchanged};

use super::Article;
use crate::BlogError;
use crate::forms::{AuthorName, CommentText};

/// A comment as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "blog_comments")]
pub struct Model {
    /// The id, also in the page.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The id of the article.
    pub article_id: i64,
    /// The submitted name.
    pub author: String,
    /// The id of the author, if signed in.
    pub author_id: Option<i64>,
    /// The idempotency key, unique per article.
    pub client_id: Option<String>,
    /// The text.
    pub content: String,
    /// The permanent position below the article.
    pub seq: i64,
    /// The number of the latest change.
    pub changed_seq: i64,
    /// The time of creation.
    pub created_at: DateTimeUtc,
    /// The time of removal. A removed comment is a tombstone without text.
    pub removed_at: Option<DateTimeUtc>,
}

/// No relation is declared: no query joins another table.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A comment.
pub type Comment = Model;

/// A comment to be inserted.
#[derive(Clone, Debug)]
pub struct NewComment {
    /// The id of the article.
    pub article_id: i64,
    /// The submitted name.
    pub author: AuthorName,
    /// The id of the author, if signed in.
    pub author_id: Option<i64>,
    /// The text.
    pub content: CommentText,
    /// The idempotency key.
    pub client_id: Option<IdempotencyKey>,
    /// The time of creation.
    pub at: DateTimeUtc,
}

/// The number of comments of an article.
#[derive(Debug, FromQueryResult)]
struct CommentCount {
    article_id: i64,
    comments: i64,
}

impl Model {
    /// Inserts a comment with the article's next number.
    ///
    /// # Errors
    /// [`BlogError::NoArticle`], or a database error.
    pub async fn write(tx: &Tx, epochs: &FeedEpochs, new: NewComment) -> Result<Self, BlogError> {
        let seq = Article::next_seq(tx, epochs, new.article_id).await?;
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
        Ok(row.insert(tx).await?)
    }

    /// The comment that was sent with this idempotency key.
    ///
    /// # Errors
    /// A database error.
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

    /// The comment with this id, also if it was removed.
    ///
    /// # Errors
    /// [`BlogError::NoComment`], or a database error.
    pub async fn by_id(db: &impl ConnectionTrait, id: i64) -> Result<Self, BlogError> {
        Entity::find_by_id(id).one(db).await?.ok_or(BlogError::NoComment)
    }

    /// Removes a comment and clears its name and text. `None` if it was removed before.
    ///
    /// # Errors
    /// [`BlogError::NoComment`], or a database error.
    pub async fn remove(
        tx: &Tx,
        epochs: &FeedEpochs,
        id: i64,
        at: DateTimeUtc,
    ) -> Result<Option<Self>, BlogError> {
        let found = Self::by_id(tx, id).await?;
        Article::lock(tx, found.article_id).await?;
        // Read again under the lock: another transaction may have removed it.
        let now = Self::by_id(tx, id).await?;
        if now.removed_at.is_some() {
            return Ok(None);
        }
        let changed_seq = Article::next_seq(tx, epochs, now.article_id).await?;
        let row = ActiveModel {
            id: Unchanged(id),
            author: Set(String::new()),
            content: Set(String::new()),
            changed_seq: Set(changed_seq),
            removed_at: Set(Some(at)),
            ..Default::default()
        };
        Ok(Some(row.update(tx).await?))
    }

    /// The newest comments of an article, or the newest before a position, in order. Without
    /// removed ones.
    ///
    /// # Errors
    /// A database error.
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

    /// The comments of an article that changed after this number, in the order of the changes.
    ///
    /// # Errors
    /// A database error.
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

    /// The number of comments of each of these articles, without removed ones.
    ///
    /// # Errors
    /// A database error.
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
            .into_model::<CommentCount>();
        let counted = counted.all(db).await?;
        Ok(counted
            .into_iter()
            .map(|CommentCount { article_id, comments }| (article_id, comments))
            .collect())
    }

    /// The feed number of a page that shows these comments, which were read after the number `now`.
    pub(crate) fn reached(shown: &[Self], now: i64) -> i64 {
        shown.iter().map(|comment| comment.changed_seq).fold(now, Ord::max)
    }
}
