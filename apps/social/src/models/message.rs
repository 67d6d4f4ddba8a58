//! A message.

use bellwire_site::bellwire::IdempotencyKey;
use bellwire_site::{LookupExt, User};
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, PaginatorTrait, QueryOrder, QuerySelect, Unchanged};

use crate::SocialError;
use crate::forms::{Author, MessageText};

/// A message as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "social_messages")]
pub struct Model {
    /// Its id, also in the page. Of two messages the newer has the greater.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Whose it is. Nobody's is everybody's.
    pub author_id: Option<i64>,
    /// The name above it.
    pub author: String,
    /// What it says.
    pub text: String,
    /// The sender's own id, unique.
    pub client_id: Option<String>,
    /// When it was written.
    pub created_at: DateTimeUtc,
    /// When it was edited last.
    pub edited_at: Option<DateTimeUtc>,
    /// When it was deleted. What is left says nothing; a send that is repeated finds it.
    pub deleted_at: Option<DateTimeUtc>,
}

/// Its author is known by a number only; their name at the time stands in it.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A message to be written.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// Whose it is to be.
    pub author_id: Option<i64>,
    /// The name above it.
    pub author: Author,
    /// What it says.
    pub text: MessageText,
    /// The sender's own id.
    pub client_id: Option<IdempotencyKey>,
    /// When.
    pub at: DateTimeUtc,
}

impl Model {
    /// Whether this visitor may edit it: what somebody wrote who was signed in is theirs alone.
    pub fn may_be_edited_by(&self, visitor: Option<&User>) -> bool {
        self.author_id.is_none_or(|author| visitor.is_some_and(|visitor| visitor.id == author))
    }

    /// Whether this visitor may delete it. An administrator takes away what must not stand here,
    /// and puts words into nobody's mouth.
    pub fn may_be_deleted_by(&self, visitor: Option<&User>) -> bool {
        self.may_be_edited_by(visitor) || visitor.is_some_and(|visitor| visitor.is_admin)
    }

    /// How many there are.
    ///
    /// # Errors
    /// The database's.
    pub async fn count(db: &impl ConnectionTrait) -> Result<u64, SocialError> {
        Ok(living().count(db).await?)
    }

    /// The newest, without so many: at most `most`, the newest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn newest(
        db: &impl ConnectionTrait,
        without: u64,
        most: u64,
    ) -> Result<Vec<Self>, SocialError> {
        Ok(living().order_by_desc(Column::Id).offset(without).limit(most).all(db).await?)
    }

    /// How many are newer.
    ///
    /// # Errors
    /// The database's.
    pub async fn newer_than(db: &impl ConnectionTrait, id: i64) -> Result<u64, SocialError> {
        Ok(living().filter(Column::Id.gt(id)).count(db).await?)
    }

    /// The message with this id, if it was not deleted.
    ///
    /// # Errors
    /// The database's, or that there is none.
    pub async fn find(db: &impl ConnectionTrait, id: i64) -> Result<Self, SocialError> {
        living().filter(Column::Id.eq(id)).one(db).await?.ok_or(SocialError::NoMessage)
    }

    /// The message that was sent with this id, be it deleted.
    ///
    /// # Errors
    /// The database's.
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

    /// The senders' own ids that begin so, of deleted messages as well.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn client_ids(
        db: &impl ConnectionTrait,
        beginning: &str,
    ) -> Result<Vec<String>, SocialError> {
        let sent = Entity::find().filter(Column::ClientId.starts_with(beginning));
        Ok(sent.select_only().column(Column::ClientId).into_tuple().all(db).await?)
    }

    /// Writes a message.
    ///
    /// # Errors
    /// The database's.
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

    /// Gives it another author's name and another text.
    ///
    /// # Errors
    /// The database's.
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

    /// Leaves nothing of it but that it was there.
    ///
    /// # Errors
    /// The database's.
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

fn living() -> Select<Entity> {
    Entity::find().filter(Column::DeletedAt.is_null())
}
