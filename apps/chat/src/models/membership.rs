//! Memberships: the members of each room, and how far each user has read it.

use std::collections::HashSet;

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait, OnConflict, SelectStatement};
use sea_orm::{PaginatorTrait, QuerySelect, QueryTrait, Set};

use crate::ChatError;

/// The maximum number of rows or ids in one statement.
const AT_ONCE: usize = 1_000;

/// A user's state in a room: whether the user is a member, and how far the user has read. The two
/// are independent: a former member, and a user who was in the room while it was open, has read it
/// but is not a member.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "chat_memberships")]
pub struct Model {
    /// The id of the room.
    #[sea_orm(primary_key, auto_increment = false)]
    pub room_id: i64,
    /// The id of the user.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: i64,
    /// The sequence number of the last message that the user has read.
    pub last_read_seq: i64,
    /// The time when the row was created.
    pub created_at: DateTimeUtc,
    /// Whether the user is a member, which grants access. Open rooms have no members, because
    /// everyone may read them.
    pub is_member: bool,
}

/// A membership.
pub type Membership = Model;

/// The relations of a membership: none is queried.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Membership {
    /// Finds the row of a user and a room, whether or not the user is a member.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn of(
        db: &impl ConnectionTrait,
        room: i64,
        person: i64,
    ) -> Result<Option<Self>, ChatError> {
        Ok(Entity::find_by_id((room, person)).one(db).await?)
    }

    /// Returns whether the user is a member of the room.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn is_member(
        db: &impl ConnectionTrait,
        room: i64,
        person: i64,
    ) -> Result<bool, ChatError> {
        Ok(members(room).filter(Column::UserId.eq(person)).count(db).await? > 0)
    }

    /// Returns the ids of all members of a room.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn members(db: &impl ConnectionTrait, room: i64) -> Result<Vec<i64>, ChatError> {
        Ok(members(room).select_only().column(Column::UserId).into_tuple().all(db).await?)
    }

    /// Makes these users members. A user who has read the room before keeps the position; for the
    /// others all earlier messages count as read.
    ///
    /// # Errors
    /// If the database fails.
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

    /// Ends the membership of these users.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn remove(
        db: &impl ConnectionTrait,
        room: i64,
        people: &[i64],
    ) -> Result<(), ChatError> {
        for some in people.chunks(AT_ONCE) {
            let these = Column::UserId.is_in(some.iter().copied());
            clear_members().filter(Column::RoomId.eq(room)).filter(these).exec(db).await?;
        }
        Ok(())
    }

    /// Ends the membership of all users.
    ///
    /// # Errors
    /// If the database fails.
    pub(super) async fn remove_all(db: &impl ConnectionTrait, room: i64) -> Result<(), ChatError> {
        clear_members().filter(Column::RoomId.eq(room)).exec(db).await?;
        Ok(())
    }

    /// Stores that the user has read up to this sequence number, and returns whether that changed
    /// anything. A lower number than the stored one has no effect.
    ///
    /// # Errors
    /// If the database fails.
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
        let existing =
            OnConflict::columns([Column::RoomId, Column::UserId]).do_nothing().to_owned();
        let inserted = Entity::insert(new(room, person, seq))
            .on_conflict(existing)
            .exec_without_returning(db)
            .await?;
        Ok(inserted > 0)
    }

    /// Moves the position back to before the message with this sequence number.
    ///
    /// # Errors
    /// If the database fails.
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

/// Updates members to no longer be members.
fn clear_members() -> sea_orm::UpdateMany<Entity> {
    Entity::update_many()
        .col_expr(Column::IsMember, Expr::value(false))
        .filter(Column::IsMember.eq(true))
}

/// Returns those of these users who are members of the room.
pub(super) async fn among(
    db: &impl ConnectionTrait,
    room: i64,
    people: Vec<i64>,
) -> Result<HashSet<i64>, ChatError> {
    let among =
        members(room).filter(Column::UserId.is_in(people)).select_only().column(Column::UserId);
    Ok(among.into_tuple::<i64>().all(db).await?.into_iter().collect())
}

/// A subquery for the ids of the rooms that the user is a member of.
pub(super) fn rooms_of(person: i64) -> SelectStatement {
    let theirs = Entity::find().filter(Column::UserId.eq(person)).filter(Column::IsMember.eq(true));
    theirs.select_only().column(Column::RoomId).into_query()
}

/// A subquery for whether the user has been in the room of the outer query.
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

/// A subquery for the ids of the members of a room.
pub(super) fn people_of(room: i64) -> SelectStatement {
    members(room).select_only().column(Column::UserId).into_query()
}

/// Creates a row for a reading position, without membership.
fn new(room: i64, person: i64, seq: i64) -> ActiveModel {
    ActiveModel {
        room_id: Set(room),
        user_id: Set(person),
        last_read_seq: Set(seq),
        created_at: Set(chrono::Utc::now()),
        is_member: Set(false),
    }
}
