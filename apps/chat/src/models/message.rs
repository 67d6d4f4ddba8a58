//! Messages, each with its sequence number in the room and the sequence number of its latest
//! change.

use std::collections::HashSet;

use bellwire_site::accounts::users;
use bellwire_site::bellwire::IdempotencyKey;
use bellwire_site::{FeedEpochs, LookupExt, Tx};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait, LikeExpr};
use sea_orm::{ActiveValue::Set, DbBackend, PaginatorTrait, QueryOrder, QuerySelect, Unchanged};

use super::{Room, UNREAD, mention, room, search};
use crate::ChatError;
use crate::forms::MessageText;
use crate::markup::{self, Mention};

/// A row of the table of messages.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "chat_messages")]
pub struct Model {
    /// The id, also in the HTML of the page.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The id of the room.
    pub room_id: i64,
    /// The id of the author.
    pub author_id: i64,
    /// The idempotency key of the send; unique per room and author.
    pub client_id: Option<String>,
    /// The text; empty after a deletion.
    pub text: String,
    /// The sequence number in the room, which never changes.
    pub seq: i64,
    /// The sequence number of the latest change.
    pub changed_seq: i64,
    /// The time of creation.
    pub created_at: DateTimeUtc,
    /// The time of the last edit.
    pub edited_at: Option<DateTimeUtc>,
    /// The time of the deletion, after which the row is a tombstone.
    pub deleted_at: Option<DateTimeUtc>,
    /// The mentioned users, as JSON.
    pub mentions: Option<String>,
    /// The folded text, for search.
    pub folded: String,
}

/// The relations of a message.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The author.
    #[sea_orm(belongs_to = "users::Entity", from = "Column::AuthorId", to = "users::Column::Id")]
    Author,
}

impl Related<users::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Author.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}

/// A message with the name of its author.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The row.
    pub row: Model,
    /// The author's name.
    pub author: String,
}

/// A message to be written.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// The id of the room.
    pub room_id: i64,
    /// The id of the author.
    pub author_id: i64,
    /// The author's name.
    pub author: String,
    /// The text.
    pub text: MessageText,
    /// The idempotency key of the send.
    pub client_id: Option<IdempotencyKey>,
    /// The mentioned users.
    pub mentions: Vec<Mention>,
    /// The time of creation.
    pub at: DateTimeUtc,
}

impl Message {
    /// Writes a message with the room's next sequence number. Returns `None` if an earlier send
    /// with the same idempotency key has written it.
    ///
    /// # Errors
    /// If the room does not exist, or the database fails.
    pub async fn write(
        tx: &Tx,
        epochs: &FeedEpochs,
        new: NewMessage,
    ) -> Result<Option<Self>, ChatError> {
        // The lock comes before the lookup, so that two concurrent equal sends are one message.
        Room::lock(tx, new.room_id).await?;
        if Self::was_sent_before(tx, &new).await? {
            return Ok(None);
        }
        let seq = Room::next_seq(tx, epochs, new.room_id).await?;
        let row = ActiveModel {
            room_id: Set(new.room_id),
            author_id: Set(new.author_id),
            client_id: Set(new.client_id.map(|id| id.as_str().to_owned())),
            text: Set(new.text.as_str().to_owned()),
            folded: Set(markup::folded(new.text.as_str())),
            seq: Set(seq),
            changed_seq: Set(seq),
            created_at: Set(new.at),
            mentions: Set(json(&new.mentions)),
            ..Default::default()
        };
        let row = row.insert(tx).await?;
        mention::replace(tx, row.room_id, row.seq, &new.mentions).await?;
        search::index_new(tx, row.id).await?;
        Ok(Some(Self { row, author: new.author }))
    }

    /// Writes many messages at once, in this order. Their mentions and idempotency keys are
    /// ignored.
    ///
    /// # Errors
    /// If the room does not exist, or the database fails.
    pub(crate) async fn write_all(
        tx: &Tx,
        epochs: &FeedEpochs,
        room: i64,
        messages: Vec<NewMessage>,
    ) -> Result<(), ChatError> {
        let count = i64::try_from(messages.len()).unwrap_or_default();
        let first = Room::next_seqs(tx, epochs, room, count).await?;
        let rows = (first..).zip(messages).map(|(seq, new)| ActiveModel {
            room_id: Set(room),
            author_id: Set(new.author_id),
            text: Set(new.text.as_str().to_owned()),
            folded: Set(markup::folded(new.text.as_str())),
            seq: Set(seq),
            changed_seq: Set(seq),
            created_at: Set(new.at),
            ..Default::default()
        });
        Entity::insert_many(rows).exec_without_returning(tx).await?;
        search::index_all(tx).await
    }

    /// Returns the idempotency keys in a room that begin with `beginning`, including those of
    /// deleted messages.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn client_ids(
        db: &impl ConnectionTrait,
        room: i64,
        beginning: &str,
    ) -> Result<HashSet<String>, ChatError> {
        let sent = Entity::find()
            .filter(Column::RoomId.eq(room))
            .filter(Column::ClientId.starts_with(beginning));
        let ids =
            sent.select_only().column(Column::ClientId).into_tuple::<String>().all(db).await?;
        Ok(ids.into_iter().collect())
    }

    /// Counts the messages of a room that are not deleted.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn count(db: &impl ConnectionTrait, room: i64) -> Result<u64, ChatError> {
        Ok(existing(room).count(db).await?)
    }

    /// Returns the mentioned users.
    pub fn mentions(&self) -> Vec<Mention> {
        self.row
            .mentions
            .as_deref()
            .and_then(|json| serde_json::from_str(json).ok())
            .unwrap_or_default()
    }

    /// Returns the users whom the message concerns in particular: those it mentions, and the other
    /// user of a conversation.
    pub(crate) fn concerns(&self, room: &Room) -> HashSet<i64> {
        let mentioned = self.mentions().into_iter().map(|mention| mention.user_id);
        let people = mentioned.chain(room.other_than(self.row.author_id));
        people.filter(|person| *person != self.row.author_id).collect()
    }

    /// Finds the message with this id, unless it was deleted.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn by_id(db: &impl ConnectionTrait, id: i64) -> Result<Option<Self>, ChatError> {
        let existing = Entity::find_by_id(id).filter(Column::DeletedAt.is_null());
        Ok(with_authors(db, existing).await?.pop())
    }

    /// Changes the text, as the room's next change.
    ///
    /// # Errors
    /// If the message or the room does not exist, or the database fails.
    pub async fn edit(
        self,
        tx: &Tx,
        epochs: &FeedEpochs,
        text: &MessageText,
        mentions: Vec<Mention>,
    ) -> Result<Self, ChatError> {
        let seq = Room::next_seq(tx, epochs, self.row.room_id).await?;
        let edited = ActiveModel {
            id: Unchanged(self.row.id),
            text: Set(text.as_str().to_owned()),
            folded: Set(markup::folded(text.as_str())),
            mentions: Set(json(&mentions)),
            changed_seq: Set(seq),
            edited_at: Set(Some(chrono::Utc::now())),
            ..Default::default()
        };
        mention::replace(tx, self.row.room_id, self.row.seq, &mentions).await?;
        let row = edited.update(tx).await?;
        search::index_changed(tx, row.id).await?;
        Ok(Self { row, author: self.author })
    }

    /// Replaces the message with a tombstone, as the room's next change.
    ///
    /// # Errors
    /// If the message or the room does not exist, or the database fails.
    pub async fn delete(self, tx: &Tx, epochs: &FeedEpochs) -> Result<Self, ChatError> {
        let seq = Room::next_seq(tx, epochs, self.row.room_id).await?;
        let deleted = ActiveModel {
            id: Unchanged(self.row.id),
            text: Set(String::new()),
            folded: Set(String::new()),
            mentions: Set(None),
            changed_seq: Set(seq),
            deleted_at: Set(Some(chrono::Utc::now())),
            ..Default::default()
        };
        mention::replace(tx, self.row.room_id, self.row.seq, &[]).await?;
        let row = deleted.update(tx).await?;
        search::index_changed(tx, row.id).await?;
        Ok(Self { row, author: self.author })
    }

    async fn was_sent_before(tx: &Tx, new: &NewMessage) -> Result<bool, ChatError> {
        let Some(client_id) = &new.client_id else { return Ok(false) };
        let same = Entity::find()
            .filter(Column::RoomId.eq(new.room_id))
            .filter(Column::AuthorId.eq(new.author_id))
            .filter(Column::ClientId.eq(client_id.as_str()));
        Ok(same.count(tx).await? > 0)
    }

    /// Returns the newest `most` messages of a room, the oldest first, without deleted ones.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn newest(
        db: &impl ConnectionTrait,
        room: i64,
        most: u64,
    ) -> Result<Vec<Self>, ChatError> {
        Self::before(db, room, i64::MAX, most).await
    }

    /// Returns the newest `most` messages before sequence number `seq`, the oldest first, without
    /// deleted ones.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn before(
        db: &impl ConnectionTrait,
        room: i64,
        seq: i64,
        most: u64,
    ) -> Result<Vec<Self>, ChatError> {
        let newest =
            existing(room).filter(Column::Seq.lt(seq)).order_by_desc(Column::Seq).limit(most);
        let mut messages = with_authors(db, newest).await?;
        messages.reverse();
        Ok(messages)
    }

    /// Returns at most `most` messages from sequence number `seq` on, the oldest first, without
    /// deleted ones.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn from(
        db: &impl ConnectionTrait,
        room: i64,
        seq: i64,
        most: u64,
    ) -> Result<Vec<Self>, ChatError> {
        let next =
            existing(room).filter(Column::Seq.gte(seq)).order_by_asc(Column::Seq).limit(most);
        with_authors(db, next).await
    }

    /// Returns the sequence numbers of the first messages of others after `since`, at most 100,
    /// without deleted ones.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn unread(
        db: &impl ConnectionTrait,
        room: i64,
        person: i64,
        since: i64,
    ) -> Result<Vec<i64>, ChatError> {
        let unread = existing(room)
            .filter(Column::Seq.gt(since))
            .filter(Column::AuthorId.ne(person))
            .order_by_asc(Column::Seq)
            .limit(UNREAD);
        Ok(unread.select_only().column(Column::Seq).into_tuple::<i64>().all(db).await?)
    }

    /// Returns the newest `most` messages that the user may read and that contain this text,
    /// regardless of case in any script. Deleted messages are excluded.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn search(
        db: &impl ConnectionTrait,
        person: i64,
        text: &str,
        most: u64,
    ) -> Result<Vec<Self>, ChatError> {
        let text = markup::folded(text);
        let pattern = format!("%{}%", super::escape_like(&text));
        let found = match db.get_database_backend() {
            DbBackend::Sqlite => {
                let found = search::find_on_sqlite(db, person, &text, &pattern, most).await?;
                Entity::find().filter(Column::Id.is_in(found))
            }
            _ => Entity::find()
                .filter(Column::RoomId.in_subquery(room::readable_by(person)))
                .filter(Column::DeletedAt.is_null())
                .filter(
                    Expr::col((Entity, Column::Folded)).like(LikeExpr::new(pattern).escape('\\')),
                ),
        };
        let found = found.order_by_desc(Column::Id).limit(most);
        with_authors(db, found).await
    }

    /// Returns the sequence number that is reached with these messages, if the room's number was
    /// `now` before they were read. A query sees whole commits: if it sees change 7, it sees all
    /// changes before it.
    pub fn reached(shown: &[Self], now: i64) -> i64 {
        shown.iter().map(|message| message.row.changed_seq).fold(now, Ord::max)
    }

    /// Returns at most `most` messages of a room that changed after sequence number `since`, sorted
    /// by their own sequence numbers, including deleted ones.
    ///
    /// # Errors
    /// If the database fails.
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

/// Selects the messages of a room that are not deleted.
fn existing(room: i64) -> Select<Entity> {
    Entity::find().filter(Column::RoomId.eq(room)).filter(Column::DeletedAt.is_null())
}

fn json(mentions: &[Mention]) -> Option<String> {
    (!mentions.is_empty()).then(|| serde_json::to_string(mentions).unwrap_or_default())
}

async fn with_authors(
    db: &impl ConnectionTrait,
    query: Select<Entity>,
) -> Result<Vec<Message>, ChatError> {
    let rows = query.find_also_related(users::Entity).all(db).await.none_if_unstorable()?;
    let named = |(row, author): (Model, Option<users::Model>)| Message {
        row,
        author: author.map(|author| author.name).unwrap_or_default(),
    };
    Ok(rows.into_iter().map(named).collect())
}
