//! The messages table.

use bellwire_site::bellwire::{IdempotencyKey, Topic};
use bellwire_site::{LookupExt, User};
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, PaginatorTrait, QueryOrder, QuerySelect, Unchanged};

use crate::SocialError;
use crate::forms::{Author, MessageText};

/// The windows that edit a message, by its id.
pub const EDITORS: Topic<i64> = Topic::new("social.editors");

/// A message as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "social_messages")]
pub struct Model {
    /// The id, also in the page. Newer messages have greater ids.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The id of the signed-in author. Without one, everyone may edit the message.
    pub author_id: Option<i64>,
    /// The author's name at the time.
    pub author: String,
    /// The text.
    pub text: String,
    /// The idempotency key, unique.
    pub client_id: Option<String>,
    /// The time of creation.
    pub created_at: DateTimeUtc,
    /// The time of the last edit.
    pub edited_at: Option<DateTimeUtc>,
    /// The time of deletion. The row stays without name and text, so that a repeated send finds it.
    pub deleted_at: Option<DateTimeUtc>,
}

/// The author is stored as an id only; no relation is declared.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A message to be inserted.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// The id of the signed-in author.
    pub author_id: Option<i64>,
    /// The author's name.
    pub author: Author,
    /// The text.
    pub text: MessageText,
    /// The idempotency key.
    pub client_id: Option<IdempotencyKey>,
    /// The time of creation.
    pub at: DateTimeUtc,
}

impl Model {
    /// Whether this visitor may edit the message: only its author may, if it has a signed-in one.
    pub fn may_be_edited_by(&self, visitor: Option<&User>) -> bool {
        self.author_id.is_none_or(|author| visitor.is_some_and(|visitor| visitor.id == author))
    }

    /// Whether this visitor may delete the message. Administrators may delete every message, but
    /// edit none but their own.
    pub fn may_be_deleted_by(&self, visitor: Option<&User>) -> bool {
        self.may_be_edited_by(visitor) || visitor.is_some_and(|visitor| visitor.is_admin)
    }

    /// The number of messages.
    ///
    /// # Errors
    /// A database error.
    pub async fn count(db: &impl ConnectionTrait) -> Result<u64, SocialError> {
        Ok(not_deleted().count(db).await?)
    }

    /// At most `limit` messages after the first `offset`, newest first.
    ///
    /// # Errors
    /// A database error.
    pub async fn newest(
        db: &impl ConnectionTrait,
        offset: u64,
        limit: u64,
    ) -> Result<Vec<Self>, SocialError> {
        Ok(not_deleted().order_by_desc(Column::Id).offset(offset).limit(limit).all(db).await?)
    }

    /// The number of messages newer than this one.
    ///
    /// # Errors
    /// A database error.
    pub async fn newer_than(db: &impl ConnectionTrait, id: i64) -> Result<u64, SocialError> {
        Ok(not_deleted().filter(Column::Id.gt(id)).count(db).await?)
    }

    /// The message with this id, unless deleted.
    ///
    /// # Errors
    /// [`SocialError::NoMessage`], or a database error.
    pub async fn find(db: &impl ConnectionTrait, id: i64) -> Result<Self, SocialError> {
        not_deleted().filter(Column::Id.eq(id)).one(db).await?.ok_or(SocialError::NoMessage)
    }

    /// The message that was sent with this idempotency key, also if it was deleted.
    ///
    /// # Errors
    /// A database error.
    pub async fn sent_as(
        db: &impl ConnectionTrait,
        id: &IdempotencyKey,
    ) -> Result<Option<Self>, SocialError> {
        Ok(Entity::find()
            .filter(Column::ClientId.eq(id.as_str()))
            .one(db)
            .await
            .none_if_unstorable()?)
    }

    /// The idempotency keys with this prefix, including those of deleted messages.
    ///
    /// # Errors
    /// A database error.
    pub(crate) async fn client_ids(
        db: &impl ConnectionTrait,
        prefix: &str,
    ) -> Result<Vec<String>, SocialError> {
        let sent = Entity::find().filter(Column::ClientId.starts_with(prefix));
        Ok(sent.select_only().column(Column::ClientId).into_tuple().all(db).await?)
    }

    /// Inserts a message.
    ///
    /// # Errors
    /// A database error.
    pub async fn write(db: &impl ConnectionTrait, new: NewMessage) -> Result<Self, SocialError> {
        let message = ActiveModel {
            author_id: Set(new.author_id),
            author: Set(new.author.as_str().to_owned()),
            text: Set(new.text.as_str().to_owned()),
            client_id: Set(new.client_id.map(|id| id.as_str().to_owned())),
            created_at: Set(new.at),
            ..Default::default()
        };
        Ok(message.insert(db).await?)
    }

    /// Changes the author's name and the text.
    ///
    /// # Errors
    /// A database error.
    pub async fn edit(
        self,
        db: &impl ConnectionTrait,
        author: &Author,
        text: &MessageText,
        at: DateTimeUtc,
    ) -> Result<Self, SocialError> {
        let edited = ActiveModel {
            id: Unchanged(self.id),
            author: Set(author.as_str().to_owned()),
            text: Set(text.as_str().to_owned()),
            edited_at: Set(Some(at)),
            ..Default::default()
        };
        Ok(edited.update(db).await?)
    }

    /// Deletes the message: clears the name and the text, and keeps the row.
    ///
    /// # Errors
    /// A database error.
    pub async fn delete(
        self,
        db: &impl ConnectionTrait,
        at: DateTimeUtc,
    ) -> Result<(), SocialError> {
        let deleted = ActiveModel {
            id: Unchanged(self.id),
            author: Set(String::new()),
            text: Set(String::new()),
            deleted_at: Set(Some(at)),
            ..Default::default()
        };
        deleted.update(db).await?;
        Ok(())
    }
}

fn not_deleted() -> Select<Entity> {
    Entity::find().filter(Column::DeletedAt.is_null())
}
