//! A message: its place in the room, and the number of its latest change.

use bellwire_site::accounts::users;
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, QueryOrder, QuerySelect};

use super::Room;
use crate::ChatError;
use crate::forms::{ClientId, MessageText};

/// A message as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "chat_messages")]
pub struct Model {
    /// Its id, also in the page.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Its room.
    pub room_id: i64,
    /// Who wrote it.
    pub author_id: i64,
    /// The sender's own id; unique per room and author.
    pub client_id: Option<String>,
    /// What it says.
    pub text: String,
    /// Its place in the room, for ever.
    pub seq: i64,
    /// The number of its latest change.
    pub changed_seq: i64,
    /// When it was written.
    pub created_at: DateTimeUtc,
    /// When it was edited last.
    pub edited_at: Option<DateTimeUtc>,
    /// When it was deleted; what is left is a tombstone.
    pub deleted_at: Option<DateTimeUtc>,
}

/// Whom a message belongs to.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// Its author.
    #[sea_orm(belongs_to = "users::Entity", from = "Column::AuthorId", to = "users::Column::Id")]
    Author,
}

impl Related<users::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Author.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}

/// A message with what is shown of its author.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// As it is stored.
    pub row: Model,
    /// The author's name.
    pub author: String,
}

/// A message to be written.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// Into which room.
    pub room_id: i64,
    /// By whom.
    pub author_id: i64,
    /// The author's name.
    pub author: String,
    /// What it says.
    pub text: MessageText,
    /// The sender's own id.
    pub client_id: Option<ClientId>,
}

/// What became of a send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// A new message.
    New(Message),
    /// The message that the same send made before.
    Before(Message),
}

impl Message {
    /// Writes a message and gives it the room's next number, or finds the one that the same send made before.
    ///
    /// # Errors
    /// The database's, or that the room is gone.
    pub async fn write(db: &impl ConnectionTrait, new: NewMessage) -> Result<Written, ChatError> {
        // First the lock, then the look: two equal sends at once are one message.
        Room::lock(db, new.room_id).await?;
        if let Some(row) = Self::sent_before(db, &new).await? {
            return Ok(Written::Before(Self { row, author: new.author }));
        }
        let seq = Room::next_seq(db, new.room_id).await?;
        let row = ActiveModel {
            room_id: Set(new.room_id),
            author_id: Set(new.author_id),
            client_id: Set(new.client_id.map(|id| id.as_str().to_owned())),
            text: Set(new.text.as_str().to_owned()),
            seq: Set(seq),
            changed_seq: Set(seq),
            created_at: Set(chrono::Utc::now()),
            ..Default::default()
        };
        Ok(Written::New(Self { row: row.insert(db).await?, author: new.author }))
    }

    async fn sent_before(db: &impl ConnectionTrait, new: &NewMessage) -> Result<Option<Model>, ChatError> {
        let Some(client_id) = &new.client_id else { return Ok(None) };
        let same = Entity::find()
            .filter(Column::RoomId.eq(new.room_id))
            .filter(Column::AuthorId.eq(new.author_id))
            .filter(Column::ClientId.eq(client_id.as_str()));
        Ok(same.one(db).await?)
    }

    /// The newest living messages of a room, the oldest of them first.
    ///
    /// # Errors
    /// The database's.
    pub async fn newest(db: &impl ConnectionTrait, room: i64, most: u64) -> Result<Vec<Self>, ChatError> {
        let newest = Entity::find()
            .filter(Column::RoomId.eq(room))
            .filter(Column::DeletedAt.is_null())
            .order_by_desc(Column::Seq)
            .limit(most);
        let mut messages = with_authors(db, newest).await?;
        messages.reverse();
        Ok(messages)
    }

    /// How far someone is who sees these messages and knew the room's number `now` before they were read: a query sees whole commits,
    /// so whoever sees change 7 sees the changes before it, too.
    pub fn reached(shown: &[Self], now: i64) -> i64 {
        shown.iter().map(|message| message.row.changed_seq).fold(now, i64::max)
    }

    /// What changed in a room after number `since`, in the order of the messages' places: at most `most`.
    ///
    /// # Errors
    /// The database's.
    pub async fn changed_since(
        db: &impl ConnectionTrait,
        room: i64,
        since: i64,
        most: u64,
    ) -> Result<Vec<Self>, ChatError> {
        let changed = Entity::find()
            .filter(Column::RoomId.eq(room))
            .filter(Column::ChangedSeq.gt(since))
            .order_by_asc(Column::ChangedSeq)
            .limit(most);
        let mut messages = with_authors(db, changed).await?;
        messages.sort_by_key(|message| message.row.seq);
        Ok(messages)
    }
}

async fn with_authors(db: &impl ConnectionTrait, query: Select<Entity>) -> Result<Vec<Message>, ChatError> {
    let rows = query.find_also_related(users::Entity).all(db).await?;
    let named = |(row, author): (Model, Option<users::Model>)| Message {
        row,
        author: author.map(|author| author.name).unwrap_or_default(),
    };
    Ok(rows.into_iter().map(named).collect())
}
