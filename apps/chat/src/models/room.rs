//! A room, and the number of its latest change.

use bellwire_site::bellwire::{Group, GroupName, Layer};
use bellwire_site::{LookupExt, User};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait, OnConflict, SelectStatement};
use sea_orm::{ActiveValue::Set, QueryOrder, QuerySelect, QueryTrait, Unchanged};

use super::membership::{self, Membership};
use super::{message, old_slug};
use crate::ChatError;
use crate::consumers::Event;
use crate::forms::RoomName;

/// What stands for itself in a path; everything else is percent-encoded.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What the address of a conversation of two begins with.
const DIRECT: &str = "-direct-";

/// The most open rooms that are listed, as many more that somebody was in, and as many rooms and
/// conversations that they belong to.
const LISTED: u64 = 500;

/// Who may be in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(8))")]
pub enum Kind {
    /// Everyone.
    #[sea_orm(string_value = "open")]
    Open,
    /// Its members.
    #[sea_orm(string_value = "closed")]
    Closed,
    /// Two people, and it has no name of its own.
    #[sea_orm(string_value = "direct")]
    Direct,
}

/// A room.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "chat_rooms")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Its name, as shown.
    pub name: String,
    /// Its name, as an address; unique.
    #[sea_orm(unique)]
    pub slug: String,
    /// Who may be in it.
    pub kind: Kind,
    /// The number of its latest change; 0 when nothing happened yet.
    pub seq: i64,
    /// Who made it.
    pub created_by: Option<i64>,
    /// When.
    pub created_at: DateTimeUtc,
}

/// A room.
pub type Room = Model;

/// What rooms belong to: nothing that is queried yet.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Room {
    /// The rooms and conversations that this person belongs to, the newest `LISTED` of them.
    ///
    /// # Errors
    /// The database's.
    pub async fn of_member(db: &impl ConnectionTrait, person: i64) -> Result<Vec<Self>, ChatError> {
        let theirs = Entity::find().filter(Column::Id.in_subquery(membership::rooms_of(person)));
        Ok(theirs.order_by_desc(Column::Id).limit(LISTED).all(db).await?)
    }

    /// The open rooms that this person was in, the newest `LISTED` of them, and as many others.
    ///
    /// # Errors
    /// The database's.
    pub async fn open_to(db: &impl ConnectionTrait, person: i64) -> Result<Vec<Self>, ChatError> {
        let was_there = || Expr::exists(membership::of_person_here(person));
        let open = |those: Expr| Entity::find().filter(Column::Kind.eq(Kind::Open)).filter(those);
        let mut rooms = Vec::new();
        for those in [open(was_there()), open(was_there().not())] {
            rooms.extend(those.order_by_desc(Column::Id).limit(LISTED).all(db).await?);
        }
        Ok(rooms)
    }

    /// The rooms with these ids.
    ///
    /// # Errors
    /// The database's.
    pub async fn among(db: &impl ConnectionTrait, ids: Vec<i64>) -> Result<Vec<Self>, ChatError> {
        Ok(Entity::find().filter(Column::Id.is_in(ids)).all(db).await?)
    }

    /// The room with this id.
    ///
    /// # Errors
    /// The database's.
    pub async fn by_id(db: &impl ConnectionTrait, id: i64) -> Result<Option<Self>, ChatError> {
        Ok(Entity::find_by_id(id).one(db).await?)
    }

    /// The room that had this address before it was renamed.
    ///
    /// # Errors
    /// The database's.
    pub async fn once_called(
        db: &impl ConnectionTrait,
        slug: &str,
    ) -> Result<Option<Self>, ChatError> {
        match old_slug::Entity::find_by_id(slug.to_owned()).one(db).await.none_if_unstorable()? {
            Some(old) => Self::by_id(db, old.room_id).await,
            None => Ok(None),
        }
    }

    /// The room at this address: its own, or one that it had before.
    ///
    /// # Errors
    /// The database's.
    pub async fn at(db: &impl ConnectionTrait, slug: &str) -> Result<Option<Self>, ChatError> {
        match Self::by_slug(db, slug).await? {
            Some(room) => Ok(Some(room)),
            None => Self::once_called(db, slug).await,
        }
    }

    /// The room with this id, for a person who may read and write there as things are now.
    ///
    /// # Errors
    /// [`ChatError::NoRoom`] where there is none, or none for them.
    pub async fn for_person(
        db: &impl ConnectionTrait,
        id: i64,
        person: i64,
    ) -> Result<Self, ChatError> {
        let room = Self::by_id(db, id).await?.ok_or(ChatError::NoRoom)?;
        room.admit(db, person).await?;
        Ok(room)
    }

    /// Gives the room another name; its old address goes on leading here. `None` when another room
    /// has the name.
    ///
    /// # Errors
    /// The database's, or that the room is gone.
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

    /// Who may be in it, from now on. Whoever belonged to it does not any more: it is said anew.
    ///
    /// # Errors
    /// The database's, or that the room is gone.
    pub async fn set_kind(
        db: &impl ConnectionTrait,
        id: i64,
        kind: Kind,
    ) -> Result<Self, ChatError> {
        Membership::remove_all(db, id).await?;
        let room = ActiveModel { id: Unchanged(id), kind: Set(kind), ..Default::default() };
        Ok(room.update(db).await?)
    }

    /// Removes the room with all that was said in it.
    ///
    /// # Errors
    /// The database's.
    pub async fn delete(db: &impl ConnectionTrait, id: i64) -> Result<(), ChatError> {
        message::Entity::delete_many().filter(message::Column::RoomId.eq(id)).exec(db).await?;
        Entity::delete_by_id(id).exec(db).await?;
        Ok(())
    }

    /// The conversation of two people, made unless it is there. Whoever begins it, it is the same.
    ///
    /// # Errors
    /// The database's.
    pub async fn between(
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
        let there = OnConflict::column(Column::Slug).do_nothing().to_owned();
        Entity::insert(room).on_conflict(there).exec_without_returning(db).await?;
        let room = Self::by_slug(db, &direct_slug(one, other)).await?.ok_or(ChatError::NoRoom)?;
        Membership::add(db, room.id, &[one, other]).await?;
        Ok(room)
    }

    /// The conversation of two people, if it was begun.
    ///
    /// # Errors
    /// The database's.
    pub async fn of_two(
        db: &impl ConnectionTrait,
        one: i64,
        other: i64,
    ) -> Result<Option<Self>, ChatError> {
        Self::by_slug(db, &direct_slug(one, other)).await
    }

    /// Whose conversation with this person it is, if it is one.
    pub fn other_than(&self, person: i64) -> Option<i64> {
        let (one, other) = self.slug.strip_prefix(DIRECT)?.split_once('-')?;
        let (one, other) = (one.parse().ok()?, other.parse().ok()?);
        Some(if one == person { other } else { one })
    }

    /// Whether this person may read and write here.
    ///
    /// # Errors
    /// The database's.
    pub async fn admits(&self, db: &impl ConnectionTrait, person: i64) -> Result<bool, ChatError> {
        Ok(self.kind == Kind::Open || Membership::is_member(db, self.id, person).await?)
    }

    /// Lets through who may read and write here.
    ///
    /// # Errors
    /// [`ChatError::NoRoom`] for everyone else: who may not be there does not learn that it is
    /// there.
    pub async fn admit(&self, db: &impl ConnectionTrait, person: i64) -> Result<(), ChatError> {
        self.admits(db, person).await?.then_some(()).ok_or(ChatError::NoRoom)
    }

    /// Whether this person may rename it, remove it, and say who belongs to it: whoever made it, as
    /// long as they may be in it, and an administrator, who does not come to read it by that.
    ///
    /// # Errors
    /// The database's.
    pub async fn is_run_by(
        &self,
        db: &impl ConnectionTrait,
        person: &User,
    ) -> Result<bool, ChatError> {
        if self.kind == Kind::Direct || person.is_admin {
            return Ok(self.kind != Kind::Direct);
        }
        Ok(self.created_by == Some(person.id) && self.admits(db, person.id).await?)
    }

    /// The room with this address.
    ///
    /// # Errors
    /// The database's.
    pub async fn by_slug(db: &impl ConnectionTrait, slug: &str) -> Result<Option<Self>, ChatError> {
        Ok(Entity::find().filter(Column::Slug.eq(slug)).one(db).await.none_if_unstorable()?)
    }

    /// Makes the room unless it is there, and returns it.
    ///
    /// # Errors
    /// The database's.
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
        let there = OnConflict::column(Column::Slug).do_nothing().to_owned();
        let made = Entity::insert(room).on_conflict(there).exec_without_returning(db).await?;
        let room = Self::by_slug(db, name.slug()).await?.ok_or(ChatError::NoRoom)?;
        // Only whoever made it now: who made it once may have been taken out of it.
        if made > 0 && kind == Kind::Closed {
            Membership::add(db, room.id, &[by]).await?;
        }
        Ok(room)
    }

    /// The number of the room's latest change, as it is now.
    ///
    /// # Errors
    /// The database's, or that the room is gone.
    pub async fn current_seq(db: &impl ConnectionTrait, room: i64) -> Result<i64, ChatError> {
        let seq =
            Entity::find_by_id(room).select_only().column(Column::Seq).into_tuple().one(db).await?;
        seq.ok_or(ChatError::NoRoom)
    }

    /// Takes the room's next number. From here to the end of the transaction nobody else can: that
    /// is what makes the order total.
    ///
    /// # Errors
    /// The database's, or that the room is gone.
    pub(crate) async fn next_seq(db: &impl ConnectionTrait, room: i64) -> Result<i64, ChatError> {
        Self::next_seqs(db, room, 1).await
    }

    /// Takes so many of the room's next numbers, and returns the last of them.
    ///
    /// # Errors
    /// The database's, or that the room is gone.
    pub(crate) async fn next_seqs(
        db: &impl ConnectionTrait,
        room: i64,
        count: i64,
    ) -> Result<i64, ChatError> {
        let raised = Entity::update_many()
            .col_expr(Column::Seq, Expr::col(Column::Seq).add(count))
            .filter(Column::Id.eq(room))
            .exec_with_returning(db)
            .await?;
        raised.first().map(|room| room.seq).ok_or(ChatError::NoRoom)
    }

    /// The room, once no other transaction writes into it: as it is until this one ends.
    ///
    /// # Errors
    /// The database's, or that the room is gone.
    pub(crate) async fn lock(db: &impl ConnectionTrait, room: i64) -> Result<Self, ChatError> {
        Entity::find_by_id(room).lock_exclusive().one(db).await?.ok_or(ChatError::NoRoom)
    }

    /// The numbered changes of this room, for those who look at it.
    pub fn feed(&self, layer: &Layer) -> Group<Event> {
        layer.group(GroupName::of("chat.room", self.id))
    }

    /// What passes: who comes and goes, and who types. For pages that show it.
    pub fn ephemeral(&self, layer: &Layer) -> Group<Event> {
        layer.group(GroupName::of("chat.passing", self.id))
    }

    /// What those who do not look at it, but may, are told: that there is something new.
    pub fn room_updates(&self, layer: &Layer) -> Group<Event> {
        match self.kind {
            Kind::Open => everyone(layer),
            Kind::Closed | Kind::Direct => layer.group(GroupName::of("chat.news", self.id)),
        }
    }

    /// Where the room is read and, with `/ws` before it, where its socket is.
    pub fn path(&self) -> String {
        path_of(&self.slug)
    }
}

/// Everyone who has the chat open.
pub fn everyone(layer: &Layer) -> Group<Event> {
    layer.group(GroupName::of("chat.lobby", 0))
}

/// All windows of one person.
pub fn person(layer: &Layer, id: i64) -> Group<Event> {
    layer.group(GroupName::of("chat.person", id))
}

/// The ids of the rooms that this person may read, for another query: what [`Room::admits`] says of
/// one.
pub(super) fn open_to_read(person: i64) -> SelectStatement {
    let theirs = Column::Id.in_subquery(membership::rooms_of(person));
    let open = Entity::find().filter(Column::Kind.eq(Kind::Open).or(theirs));
    open.select_only().column(Column::Id).into_query()
}

/// No name makes an address that begins so.
fn direct_slug(one: i64, other: i64) -> String {
    let (first, second) = if one < other { (one, other) } else { (other, one) };
    format!("{DIRECT}{first}-{second}")
}

/// The path of the room with this slug.
pub(crate) fn path_of(slug: &str) -> String {
    format!("/chat/{}/", utf8_percent_encode(slug, PATH))
}
