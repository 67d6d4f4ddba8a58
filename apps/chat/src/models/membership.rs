//! Who belongs to a room, and how far they have read it.

use std::collections::HashSet;

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait, OnConflict, SelectStatement};
use sea_orm::{PaginatorTrait, QuerySelect, QueryTrait, Set};

use crate::ChatError;

/// How many rows one statement writes or names.
const AT_ONCE: usize = 1_000;

/// What somebody has to do with a room: whether they belong to it, and how far they have read it.
/// These are two things: whoever was taken out of a room, or was in it while it was open, has read
/// it and may not any more.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "chat_memberships")]
pub struct Model {
    /// Where.
    #[sea_orm(primary_key, auto_increment = false)]
    pub room_id: i64,
    /// Who.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: i64,
    /// The place of the last message they have read.
    pub last_read_seq: i64,
    /// Since when.
    pub created_at: DateTimeUtc,
    /// Whether they belong to it, which is what lets them in. Nobody belongs to an open room:
    /// everybody may be there.
    pub is_member: bool,
}

/// A membership.
pub type Membership = Model;

/// The tables it points at: none that is queried.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Membership {
    /// This person's membership of this room.
    ///
    /// # Errors
    /// The database's.
    pub async fn of(
        db: &impl ConnectionTrait,
        room: i64,
        person: i64,
    ) -> Result<Option<Self>, ChatError> {
        Ok(Entity::find_by_id((room, person)).one(db).await?)
    }

    /// Whether this person belongs to this room.
    ///
    /// # Errors
    /// The database's.
    pub async fn is_member(
        db: &impl ConnectionTrait,
        room: i64,
        person: i64,
    ) -> Result<bool, ChatError> {
        Ok(members(room).filter(Column::UserId.eq(person)).count(db).await? > 0)
    }

    /// The ids of all who belong to this room.
    ///
    /// # Errors
    /// The database's.
    pub async fn members(db: &impl ConnectionTrait, room: i64) -> Result<Vec<i64>, ChatError> {
        Ok(members(room).select_only().column(Column::UserId).into_tuple().all(db).await?)
    }

    /// Makes these people members. Who was here before reads on from where they were; to others
    /// nothing before now is news.
    ///
    /// # Errors
    /// The database's.
    pub async fn add(
        db: &impl ConnectionTrait,
        room: i64,
        people: &[i64],
    ) -> Result<(), ChatError> {
        let seq = super::Room::current_seq(db, room).await?;
        for some in people.chunks(AT_ONCE) {
            let rows = some
                .iter()
                .map(|person| ActiveModel { is_member: Set(true), ..new(room, *person, seq) });
            let again = OnConflict::columns([Column::RoomId, Column::UserId])
                .update_column(Column::IsMember)
                .to_owned();
            Entity::insert_many(rows).on_conflict(again).exec_without_returning(db).await?;
        }
        Ok(())
    }

    /// Ends it for these people.
    ///
    /// # Errors
    /// The database's.
    pub async fn remove(
        db: &impl ConnectionTrait,
        room: i64,
        people: &[i64],
    ) -> Result<(), ChatError> {
        for some in people.chunks(AT_ONCE) {
            let these = Column::UserId.is_in(some.iter().copied());
            no_members().filter(Column::RoomId.eq(room)).filter(these).exec(db).await?;
        }
        Ok(())
    }

    /// Ends it for everyone.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn remove_all(db: &impl ConnectionTrait, room: i64) -> Result<(), ChatError> {
        no_members().filter(Column::RoomId.eq(room)).exec(db).await?;
        Ok(())
    }

    /// Notes that this person has read up to the message at this place. Returns whether that is
    /// news: nobody unreads by reading.
    ///
    /// # Errors
    /// The database's.
    pub async fn read(
        db: &impl ConnectionTrait,
        room: i64,
        person: i64,
        seq: i64,
    ) -> Result<bool, ChatError> {
        let further = Entity::update_many()
            .col_expr(Column::LastReadSeq, Expr::value(seq))
            .filter(Column::RoomId.eq(room))
            .filter(Column::UserId.eq(person))
            .filter(Column::LastReadSeq.lt(seq));
        if further.exec(db).await?.rows_affected > 0 {
            return Ok(true);
        }
        let there = OnConflict::columns([Column::RoomId, Column::UserId]).do_nothing().to_owned();
        let made = Entity::insert(new(room, person, seq))
            .on_conflict(there)
            .exec_without_returning(db)
            .await?;
        Ok(made > 0)
    }

    /// Takes the reading back to before the message at this place.
    ///
    /// # Errors
    /// The database's.
    pub async fn unread(
        db: &impl ConnectionTrait,
        room: i64,
        person: i64,
        seq: i64,
    ) -> Result<(), ChatError> {
        Entity::update_many()
            .col_expr(Column::LastReadSeq, Expr::value(seq - 1))
            .filter(Column::RoomId.eq(room))
            .filter(Column::UserId.eq(person))
            .exec(db)
            .await?;
        Ok(())
    }
}

fn members(room: i64) -> Select<Entity> {
    Entity::find().filter(Column::RoomId.eq(room)).filter(Column::IsMember.eq(true))
}

fn no_members() -> sea_orm::UpdateMany<Entity> {
    Entity::update_many()
        .col_expr(Column::IsMember, Expr::value(false))
        .filter(Column::IsMember.eq(true))
}

/// Those of these people who belong to this room.
pub(super) async fn among(
    db: &impl ConnectionTrait,
    room: i64,
    people: Vec<i64>,
) -> Result<HashSet<i64>, ChatError> {
    let among =
        members(room).filter(Column::UserId.is_in(people)).select_only().column(Column::UserId);
    Ok(among.into_tuple::<i64>().all(db).await?.into_iter().collect())
}

/// The ids of the rooms that this person belongs to, for another query.
pub(super) fn rooms_of(person: i64) -> SelectStatement {
    let theirs = Entity::find().filter(Column::UserId.eq(person)).filter(Column::IsMember.eq(true));
    theirs.select_only().column(Column::RoomId).into_query()
}

/// Whether this person has been in the room that another query looks at.
pub(super) fn of_person_here(person: i64) -> SelectStatement {
    let here =
        Expr::col((Entity, Column::RoomId)).equals((super::room::Entity, super::room::Column::Id));
    Entity::find()
        .filter(Column::UserId.eq(person))
        .filter(here)
        .select_only()
        .column(Column::RoomId)
        .into_query()
}

/// The ids of the people who belong to this room, for another query.
pub(super) fn people_of(room: i64) -> SelectStatement {
    members(room).select_only().column(Column::UserId).into_query()
}

/// Somebody who has read, which lets nobody in.
fn new(room: i64, person: i64, seq: i64) -> ActiveModel {
    ActiveModel {
        room_id: Set(room),
        user_id: Set(person),
        last_read_seq: Set(seq),
        created_at: Set(chrono::Utc::now()),
        is_member: Set(false),
    }
}
