//! Who belongs to a room, and how far they have read it.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{QueryOrder, QuerySelect, Set};

use crate::ChatError;

/// The most members of a closed room that are listed.
const LISTED: u64 = 1_000;

/// A member of a closed or direct room, or somebody who was in an open one.
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
    pub async fn of(db: &impl ConnectionTrait, room: i64, person: i64) -> Result<Option<Self>, ChatError> {
        Ok(Entity::find_by_id((room, person)).one(db).await?)
    }

    /// All memberships of a person, the newest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn of_person(db: &impl ConnectionTrait, person: i64) -> Result<Vec<Self>, ChatError> {
        let theirs = Entity::find().filter(Column::UserId.eq(person)).order_by_desc(Column::CreatedAt);
        Ok(theirs.limit(LISTED).all(db).await?)
    }

    /// The ids of a room's members.
    ///
    /// # Errors
    /// The database's.
    pub async fn people(db: &impl ConnectionTrait, room: i64) -> Result<Vec<i64>, ChatError> {
        let members = Entity::find().filter(Column::RoomId.eq(room)).order_by_asc(Column::UserId);
        Ok(members.select_only().column(Column::UserId).limit(LISTED).into_tuple().all(db).await?)
    }

    /// Makes this person a member, unless they are one; nothing before now is news to them.
    ///
    /// # Errors
    /// The database's.
    pub async fn add(db: &impl ConnectionTrait, room: i64, person: i64) -> Result<(), ChatError> {
        let seq = super::Room::current_seq(db, room).await?;
        let there = OnConflict::columns([Column::RoomId, Column::UserId]).do_nothing().to_owned();
        Entity::insert(new(room, person, seq)).on_conflict(there).exec_without_returning(db).await?;
        Ok(())
    }

    /// Ends it.
    ///
    /// # Errors
    /// The database's.
    pub async fn remove(db: &impl ConnectionTrait, room: i64, person: i64) -> Result<(), ChatError> {
        Entity::delete_by_id((room, person)).exec(db).await?;
        Ok(())
    }

    /// Notes that this person has read up to the message at this place. Returns whether that is news: nobody unreads by reading.
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
        let made =
            Entity::insert(new(room, person, seq)).on_conflict(there).exec_without_returning(db).await?;
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

fn new(room: i64, person: i64, seq: i64) -> ActiveModel {
    let created_at = Set(chrono::Utc::now());
    ActiveModel { room_id: Set(room), user_id: Set(person), last_read_seq: Set(seq), created_at }
}
