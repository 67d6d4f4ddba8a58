//! A message: its place in the room, and the number of its latest change.

use std::collections::HashSet;

use bellwire_site::LookupExt;
use bellwire_site::accounts::users;
use bellwire_site::bellwire::IdempotencyKey;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait, LikeExpr};
use sea_orm::{ActiveValue::Set, DbBackend, PaginatorTrait, QueryOrder, QuerySelect, Unchanged};

use super::{Room, UNREAD, mention, room, search};
use crate::ChatError;
use crate::forms::MessageText;
use crate::markup::{self, Mention};

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
    /// Who is named in it, as JSON.
    pub mentions: Option<String>,
    /// What a search looks at: the text, folded.
    pub folded: String,
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
    pub client_id: Option<IdempotencyKey>,
    /// Who is named in it.
    pub mentions: Vec<Mention>,
    /// When.
    pub at: DateTimeUtc,
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
    /// Writes a message and gives it the room's next number, or finds the one that the same send
    /// made before.
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
            folded: Set(markup::folded(new.text.as_str())),
            seq: Set(seq),
            changed_seq: Set(seq),
            created_at: Set(new.at),
            mentions: Set(json(&new.mentions)),
            ..Default::default()
        };
        let row = row.insert(db).await?;
        mention::note(db, row.room_id, row.seq, &new.mentions).await?;
        search::note_new(db, row.id).await?;
        Ok(Written::New(Self { row, author: new.author }))
    }

    /// Writes many messages at once, in their order. Nobody is named in them, and none has an id of
    /// its sender's.
    ///
    /// # Errors
    /// The database's, or that the room is gone.
    pub(crate) async fn write_all(
        db: &impl ConnectionTrait,
        room: i64,
        messages: Vec<NewMessage>,
    ) -> Result<(), ChatError> {
        let count = i64::try_from(messages.len()).unwrap_or_default();
        let first = Room::next_seqs(db, room, count).await? - count + 1;
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
        Entity::insert_many(rows).exec_without_returning(db).await?;
        search::note_all(db).await
    }

    /// The senders' own ids in a room that begin so, of deleted messages as well.
    ///
    /// # Errors
    /// The database's.
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

    /// How many living messages a room has.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn count(db: &impl ConnectionTrait, room: i64) -> Result<u64, ChatError> {
        Ok(living(room).count(db).await?)
    }

    /// Who is named in it.
    pub fn mentions(&self) -> Vec<Mention> {
        self.row
            .mentions
            .as_deref()
            .and_then(|json| serde_json::from_str(json).ok())
            .unwrap_or_default()
    }

    /// The living message with this id.
    ///
    /// # Errors
    /// The database's.
    pub async fn by_id(db: &impl ConnectionTrait, id: i64) -> Result<Option<Self>, ChatError> {
        let living = Entity::find_by_id(id).filter(Column::DeletedAt.is_null());
        Ok(with_authors(db, living).await?.pop())
    }

    /// Gives the message another text, as the room's next change.
    ///
    /// # Errors
    /// The database's, or that message or room are gone.
    pub async fn edit(
        self,
        db: &impl ConnectionTrait,
        text: &MessageText,
        mentions: Vec<Mention>,
    ) -> Result<Self, ChatError> {
        let seq = Room::next_seq(db, self.row.room_id).await?;
        let edited = ActiveModel {
            id: Unchanged(self.row.id),
            text: Set(text.as_str().to_owned()),
            folded: Set(markup::folded(text.as_str())),
            mentions: Set(json(&mentions)),
            changed_seq: Set(seq),
            edited_at: Set(Some(chrono::Utc::now())),
            ..Default::default()
        };
        mention::note(db, self.row.room_id, self.row.seq, &mentions).await?;
        let row = edited.update(db).await?;
        search::note_changed(db, row.id).await?;
        Ok(Self { row, author: self.author })
    }

    /// Leaves a tombstone of it, as the room's next change.
    ///
    /// # Errors
    /// The database's, or that message or room are gone.
    pub async fn delete(self, db: &impl ConnectionTrait) -> Result<Self, ChatError> {
        let seq = Room::next_seq(db, self.row.room_id).await?;
        let deleted = ActiveModel {
            id: Unchanged(self.row.id),
            text: Set(String::new()),
            folded: Set(String::new()),
            mentions: Set(None),
            changed_seq: Set(seq),
            deleted_at: Set(Some(chrono::Utc::now())),
            ..Default::default()
        };
        mention::note(db, self.row.room_id, self.row.seq, &[]).await?;
        let row = deleted.update(db).await?;
        search::note_changed(db, row.id).await?;
        Ok(Self { row, author: self.author })
    }

    async fn sent_before(
        db: &impl ConnectionTrait,
        new: &NewMessage,
    ) -> Result<Option<Model>, ChatError> {
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
    pub async fn newest(
        db: &impl ConnectionTrait,
        room: i64,
        most: u64,
    ) -> Result<Vec<Self>, ChatError> {
        Self::before(db, room, i64::MAX, most).await
    }

    /// The living messages of a room before this place, the newest of them: the oldest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn before(
        db: &impl ConnectionTrait,
        room: i64,
        seq: i64,
        most: u64,
    ) -> Result<Vec<Self>, ChatError> {
        let newest =
            living(room).filter(Column::Seq.lt(seq)).order_by_desc(Column::Seq).limit(most);
        let mut messages = with_authors(db, newest).await?;
        messages.reverse();
        Ok(messages)
    }

    /// The living messages of a room from this place on, the oldest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn from(
        db: &impl ConnectionTrait,
        room: i64,
        seq: i64,
        most: u64,
    ) -> Result<Vec<Self>, ChatError> {
        let next = living(room).filter(Column::Seq.gte(seq)).order_by_asc(Column::Seq).limit(most);
        with_authors(db, next).await
    }

    /// The places of the first living messages of others after this one, up to 100 of them.
    ///
    /// # Errors
    /// The database's.
    pub async fn unread(
        db: &impl ConnectionTrait,
        room: i64,
        person: i64,
        since: i64,
    ) -> Result<Vec<i64>, ChatError> {
        let room_updates = living(room)
            .filter(Column::Seq.gt(since))
            .filter(Column::AuthorId.ne(person))
            .order_by_asc(Column::Seq)
            .limit(UNREAD);
        Ok(room_updates.select_only().column(Column::Seq).into_tuple::<i64>().all(db).await?)
    }

    /// The newest living messages that this person may read and that contain this text, whatever
    /// its case in any script.
    ///
    /// # Errors
    /// The database's.
    pub async fn search(
        db: &impl ConnectionTrait,
        person: i64,
        text: &str,
        most: u64,
    ) -> Result<Vec<Self>, ChatError> {
        let text = markup::folded(text);
        let pattern = format!("%{}%", super::literally(&text));
        let found = match db.get_database_backend() {
            DbBackend::Sqlite => {
                let found = search::on_sqlite_found(db, person, &text, &pattern, most).await?;
                Entity::find().filter(Column::Id.is_in(found))
            }
            _ => Entity::find()
                .filter(Column::RoomId.in_subquery(room::open_to_read(person)))
                .filter(Column::DeletedAt.is_null())
                .filter(
                    Expr::col((Entity, Column::Folded)).like(LikeExpr::new(pattern).escape('\\')),
                ),
        };
        let found = found.order_by_desc(Column::Id).limit(most);
        with_authors(db, found).await
    }

    /// How far someone is who sees these messages and knew the room's number `now` before they were
    /// read: a query sees whole commits, so whoever sees change 7 sees the changes before it, too.
    pub fn reached(shown: &[Self], now: i64) -> i64 {
        shown.iter().map(|message| message.row.changed_seq).fold(now, Ord::max)
    }

    /// What changed in a room after number `since`, in the order of the messages' places: at most
    /// `most`.
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

fn living(room: i64) -> Select<Entity> {
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
