//! Rooms, each with the sequence number of its latest change.

use bellwire_site::bellwire::{Group, Topic};
use bellwire_site::{FeedEpochs, LookupExt, Tx, User};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait, OnConflict, SelectStatement};
use sea_orm::{ActiveValue::Set, QueryOrder, QuerySelect, QueryTrait, Unchanged};

use super::membership::{self, Membership};
use super::{message, old_slug};
use crate::forms::RoomName;
use crate::{ChatError, Event};

/// A room's numbered changes, and the people present in it, for windows that show the room.
pub const ROOM: Topic<i64, Event> = Topic::new("chat.room");

/// Presence and typing, which are not stored, for pages that show the room.
pub const EPHEMERAL: Topic<i64> = Topic::new("chat.passing");

/// Updates about a closed room or a conversation, for the windows of its members.
const UPDATES: Topic<i64> = Topic::new("chat.news");

const LOBBY: Topic<u8> = Topic::new("chat.lobby");

/// The characters that a path contains as they are; all others are percent-encoded.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The prefix of the slug of a conversation between two users.
const DIRECT: &str = "-direct-";

/// The maximum number of open rooms in a list, of further open rooms that the user was in, and of
/// rooms and conversations that the user is a member of.
const LISTED: u64 = 500;

/// The kind of a room, which states who may read and write in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(8))")]
pub enum Kind {
    /// Everyone.
    #[sea_orm(string_value = "open")]
    Open,
    /// Its members only.
    #[sea_orm(string_value = "closed")]
    Closed,
    /// Two users. It has no name.
    #[sea_orm(string_value = "direct")]
    Direct,
}

/// A room.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "chat_rooms")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The name for display.
    pub name: String,
    /// The name as a path segment; unique.
    #[sea_orm(unique)]
    pub slug: String,
    /// The kind.
    pub kind: Kind,
    /// The sequence number of the latest change; 0 before the first.
    pub seq: i64,
    /// The id of the user who created it.
    pub created_by: Option<i64>,
    /// The time of creation.
    pub created_at: DateTimeUtc,
}

/// A room.
pub type Room = Model;

/// The relations of a room: none is queried.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Room {
    /// Returns the newest `LISTED` rooms and conversations that the user is a member of.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn of_member(db: &impl ConnectionTrait, person: i64) -> Result<Vec<Self>, ChatError> {
        let theirs = Entity::find().filter(Column::Id.in_subquery(membership::rooms_of(person)));
        Ok(theirs.order_by_desc(Column::Id).limit(LISTED).all(db).await?)
    }

    /// Returns the newest `LISTED` open rooms that the user was in, and as many others.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn open_to(db: &impl ConnectionTrait, person: i64) -> Result<Vec<Self>, ChatError> {
        let was_in_it = || Expr::exists(membership::of_person_here(person));
        let open = |those: Expr| Entity::find().filter(Column::Kind.eq(Kind::Open)).filter(those);
        let mut rooms = Vec::new();
        for those in [open(was_in_it()), open(was_in_it().not())] {
            rooms.extend(those.order_by_desc(Column::Id).limit(LISTED).all(db).await?);
        }
        Ok(rooms)
    }

    /// Returns the rooms with these ids.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn among(db: &impl ConnectionTrait, ids: Vec<i64>) -> Result<Vec<Self>, ChatError> {
        Ok(Entity::find().filter(Column::Id.is_in(ids)).all(db).await?)
    }

    /// Finds the room with this id.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn by_id(db: &impl ConnectionTrait, id: i64) -> Result<Option<Self>, ChatError> {
        Ok(Entity::find_by_id(id).one(db).await?)
    }

    /// Finds the room that had this slug before it was renamed.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn by_old_slug(
        db: &impl ConnectionTrait,
        slug: &str,
    ) -> Result<Option<Self>, ChatError> {
        match old_slug::Entity::find_by_id(slug.to_owned()).one(db).await.none_if_unstorable()? {
            Some(old) => Self::by_id(db, old.room_id).await,
            None => Ok(None),
        }
    }

    /// Finds the room with this slug or former slug.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn at(db: &impl ConnectionTrait, slug: &str) -> Result<Option<Self>, ChatError> {
        match Self::by_slug(db, slug).await? {
            Some(room) => Ok(Some(room)),
            None => Self::by_old_slug(db, slug).await,
        }
    }

    /// Returns the room with this id if the user may read and write in it.
    ///
    /// # Errors
    /// [`ChatError::NoRoom`] if the room does not exist or the user may not read it.
    pub async fn for_person(
        db: &impl ConnectionTrait,
        id: i64,
        person: i64,
    ) -> Result<Self, ChatError> {
        let room = Self::by_id(db, id).await?.ok_or(ChatError::NoRoom)?;
        room.admit(db, person).await?;
        Ok(room)
    }

    /// Renames the room and keeps its old slug as a former one. Returns `None` if another room has
    /// the name.
    ///
    /// # Errors
    /// If the room does not exist, or the database fails.
    pub async fn rename(
        db: &impl ConnectionTrait,
        id: i64,
        name: &RoomName,
    ) -> Result<Option<Self>, ChatError> {
        Self::lock(db, id).await?;
        let room = Self::by_id(db, id).await?.ok_or(ChatError::NoRoom)?;
        if Self::by_slug(db, name.slug()).await?.is_some_and(|other| other.id != id) {
            return Ok(None);
        }
        if room.slug != name.slug() {
            old_slug::remember(db, &room.slug, id).await?;
            old_slug::forget(db, name.slug()).await?;
        }
        let renamed = ActiveModel {
            id: Unchanged(id),
            name: Set(name.name().to_owned()),
            slug: Set(name.slug().to_owned()),
            ..Default::default()
        };
        Ok(Some(renamed.update(db).await?))
    }

    /// Changes the kind and ends all memberships. The caller adds the new members.
    ///
    /// # Errors
    /// If the room does not exist, or the database fails.
    pub async fn set_kind(
        db: &impl ConnectionTrait,
        id: i64,
        kind: Kind,
    ) -> Result<Self, ChatError> {
        Membership::remove_all(db, id).await?;
        let room = ActiveModel { id: Unchanged(id), kind: Set(kind), ..Default::default() };
        Ok(room.update(db).await?)
    }

    /// Deletes the room with all its messages.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn delete(db: &impl ConnectionTrait, id: i64) -> Result<(), ChatError> {
        message::Entity::delete_many().filter(message::Column::RoomId.eq(id)).exec(db).await?;
        Entity::delete_by_id(id).exec(db).await?;
        Ok(())
    }

    /// Finds or creates the conversation of two users. The order of the two does not matter.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn open_direct(
        db: &impl ConnectionTrait,
        one: i64,
        other: i64,
    ) -> Result<Self, ChatError> {
        let room = ActiveModel {
            name: Set(String::new()),
            slug: Set(direct_slug(one, other)),
            kind: Set(Kind::Direct),
            seq: Set(0),
            created_by: Set(Some(one)),
            created_at: Set(chrono::Utc::now()),
            ..Default::default()
        };
        let existing = OnConflict::column(Column::Slug).do_nothing().to_owned();
        Entity::insert(room).on_conflict(existing).exec_without_returning(db).await?;
        let room = Self::by_slug(db, &direct_slug(one, other)).await?.ok_or(ChatError::NoRoom)?;
        Membership::add(db, room.id, &[one, other]).await?;
        Ok(room)
    }

    /// Finds the conversation of two users.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn find_direct(
        db: &impl ConnectionTrait,
        one: i64,
        other: i64,
    ) -> Result<Option<Self>, ChatError> {
        Self::by_slug(db, &direct_slug(one, other)).await
    }

    /// Returns the id of the other user of a conversation, or `None` if this is not a conversation.
    pub fn other_than(&self, person: i64) -> Option<i64> {
        let (one, other) = self.slug.strip_prefix(DIRECT)?.split_once('-')?;
        let (one, other) = (one.parse().ok()?, other.parse().ok()?);
        Some(if one == person { other } else { one })
    }

    /// Returns whether the user may read and write in the room.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn admits(&self, db: &impl ConnectionTrait, person: i64) -> Result<bool, ChatError> {
        Ok(self.kind == Kind::Open || Membership::is_member(db, self.id, person).await?)
    }

    /// Checks that the user may read and write in the room.
    ///
    /// # Errors
    /// [`ChatError::NoRoom`] otherwise, which does not reveal that the room exists.
    pub async fn admit(&self, db: &impl ConnectionTrait, person: i64) -> Result<(), ChatError> {
        self.admits(db, person).await?.then_some(()).ok_or(ChatError::NoRoom)
    }

    /// Returns whether the user is a manager of the room, who may rename it, delete it, and change
    /// its members: its creator, while permitted to read it, and every administrator. The
    /// permission does not let administrators read the room.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn is_managed_by(
        &self,
        db: &impl ConnectionTrait,
        person: &User,
    ) -> Result<bool, ChatError> {
        if self.kind == Kind::Direct || person.is_admin {
            return Ok(self.kind != Kind::Direct);
        }
        Ok(self.created_by == Some(person.id) && self.admits(db, person.id).await?)
    }

    /// Finds the room with this slug.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn by_slug(db: &impl ConnectionTrait, slug: &str) -> Result<Option<Self>, ChatError> {
        Ok(Entity::find().filter(Column::Slug.eq(slug)).one(db).await.none_if_unstorable()?)
    }

    /// Finds or creates the room with this name.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn open(
        db: &impl ConnectionTrait,
        name: &RoomName,
        kind: Kind,
        by: i64,
    ) -> Result<Self, ChatError> {
        let room = ActiveModel {
            name: Set(name.name().to_owned()),
            slug: Set(name.slug().to_owned()),
            kind: Set(kind),
            seq: Set(0),
            created_by: Set(Some(by)),
            created_at: Set(chrono::Utc::now()),
            ..Default::default()
        };
        let existing = OnConflict::column(Column::Slug).do_nothing().to_owned();
        let inserted =
            Entity::insert(room).on_conflict(existing).exec_without_returning(db).await?;
        let room = Self::by_slug(db, name.slug()).await?.ok_or(ChatError::NoRoom)?;
        // Only if this call created the room: the creator of an existing room may have been
        // removed.
        if inserted > 0 && kind == Kind::Closed {
            Membership::add(db, room.id, &[by]).await?;
        }
        Ok(room)
    }

    /// Reads the sequence number of the room's latest change.
    ///
    /// # Errors
    /// If the room does not exist, or the database fails.
    pub async fn current_seq(db: &impl ConnectionTrait, room: i64) -> Result<i64, ChatError> {
        let seq =
            Entity::find_by_id(room).select_only().column(Column::Seq).into_tuple().one(db).await?;
        seq.ok_or(ChatError::NoRoom)
    }

    /// Takes the room's next sequence number. No other transaction can take one until this one
    /// ends, which makes the order total.
    ///
    /// # Errors
    /// If the room does not exist, or the database fails.
    pub(crate) async fn next_seq(
        tx: &Tx,
        epochs: &FeedEpochs,
        room: i64,
    ) -> Result<i64, ChatError> {
        Self::next_seqs(tx, epochs, room, 1).await
    }

    /// Takes the room's next `count` sequence numbers, and returns the first of them.
    ///
    /// # Errors
    /// If the room does not exist, or the database fails.
    pub(crate) async fn next_seqs(
        tx: &Tx,
        epochs: &FeedEpochs,
        room: i64,
        count: i64,
    ) -> Result<i64, ChatError> {
        let raised = Entity::update_many()
            .col_expr(Column::Seq, Expr::col(Column::Seq).add(count))
            .filter(Column::Id.eq(room))
            .exec_with_returning(tx)
            .await?;
        let first = raised.first().map(|room| room.seq - count + 1).ok_or(ChatError::NoRoom)?;
        epochs.note(tx, ROOM.of(room).name(), first).await?;
        Ok(first)
    }

    /// Locks the room against writes of other transactions until this one ends, and returns it.
    ///
    /// # Errors
    /// If the room does not exist, or the database fails.
    pub(crate) async fn lock(db: &impl ConnectionTrait, room: i64) -> Result<Self, ChatError> {
        Entity::find_by_id(room).lock_exclusive().one(db).await?.ok_or(ChatError::NoRoom)
    }

    /// The group of the room's feed.
    pub fn group(&self) -> Group<Event> {
        ROOM.of(self.id)
    }

    /// The group for presence and typing in the room.
    pub fn ephemeral(&self) -> Group {
        EPHEMERAL.of(self.id)
    }

    /// The group for updates about new messages, for windows of users who may read the room,
    /// whichever room they show. For open rooms this is [`everyone`].
    pub fn updates(&self) -> Group {
        match self.kind {
            Kind::Open => everyone(),
            Kind::Closed | Kind::Direct => UPDATES.of(self.id),
        }
    }

    /// The path of the room's page and, with the prefix `/ws`, of its socket.
    pub fn path(&self) -> String {
        path_of(&self.slug)
    }
}

/// The group of all windows of the chat.
pub fn everyone() -> Group {
    LOBBY.of(0)
}

/// A subquery for the ids of the rooms that the user may read, by the same rule as
/// [`Room::admits`].
pub(super) fn readable_by(person: i64) -> SelectStatement {
    let theirs = Column::Id.in_subquery(membership::rooms_of(person));
    let open = Entity::find().filter(Column::Kind.eq(Kind::Open).or(theirs));
    open.select_only().column(Column::Id).into_query()
}

/// Returns the slug of a conversation. No name of a room yields a slug with this prefix.
fn direct_slug(one: i64, other: i64) -> String {
    let (first, second) = if one < other { (one, other) } else { (other, one) };
    format!("{DIRECT}{first}-{second}")
}

/// Returns the path of the room with this slug.
pub(crate) fn path_of(slug: &str) -> String {
    format!("/chat/{}/", utf8_percent_encode(slug, PATH))
}
