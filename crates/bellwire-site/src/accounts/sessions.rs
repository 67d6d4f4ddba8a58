//! The table of sessions: one for each browser that is signed in.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;
use sea_orm::{ConnectionTrait, DbErr, QueryFilter, Set};

use super::users;

/// A session that was not used for so long is over.
pub(super) const LIFETIME: TimeDelta = TimeDelta::days(30);

/// How exactly it is known when a session was last used; so often at most it is written down.
pub(super) const TOUCH: TimeDelta = TimeDelta::minutes(1);

/// A browser that is signed in.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: i64,
    /// Only the hash of what the cookie holds: whoever reads this table cannot sign in with it.
    #[sea_orm(unique)]
    pub(crate) token_hash: Vec<u8>,
    pub(crate) user_id: i64,
    pub(crate) user_agent: String,
    pub(crate) address: String,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) last_seen_at: DateTime<Utc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {
    #[sea_orm(belongs_to = "users::Entity", from = "Column::UserId", to = "users::Column::Id")]
    User,
}

impl Related<users::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::User.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}

/// The browser a session is for.
#[derive(Debug, Clone)]
pub(super) struct Device {
    pub(super) user_agent: String,
    pub(super) address: String,
}

pub(super) async fn begin(
    db: &impl ConnectionTrait,
    user_id: i64,
    token_hash: Vec<u8>,
    device: Device,
    now: DateTime<Utc>,
) -> Result<Model, DbErr> {
    let session = ActiveModel {
        token_hash: Set(token_hash),
        user_id: Set(user_id),
        user_agent: Set(device.user_agent),
        address: Set(device.address),
        created_at: Set(now),
        last_seen_at: Set(now),
        ..Default::default()
    };
    session.insert(db).await
}

/// The session with this token and its person, if both still count.
pub(super) async fn find(
    db: &impl ConnectionTrait,
    token_hash: Vec<u8>,
    now: DateTime<Utc>,
) -> Result<Option<(Model, users::Model)>, DbErr> {
    let found = Entity::find()
        .filter(Column::TokenHash.eq(token_hash))
        .filter(Column::LastSeenAt.gt(now - LIFETIME))
        .filter(users::Column::IsActive.eq(true))
        .find_also_related(users::Entity)
        .one(db)
        .await?;
    Ok(found.and_then(|(session, user)| Some((session, user?))))
}

/// Notes that a session was used. One that has ended meanwhile stays ended.
pub(super) async fn touch(db: &impl ConnectionTrait, id: i64, now: DateTime<Utc>) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::LastSeenAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(Column::LastSeenAt.lt(now - TOUCH))
        .exec(db)
        .await?;
    Ok(())
}

pub(super) async fn end(db: &impl ConnectionTrait, id: i64) -> Result<(), DbErr> {
    Entity::delete_by_id(id).exec(db).await?;
    Ok(())
}

/// Removes what has expired.
pub(super) async fn sweep(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::LastSeenAt.lte(now - LIFETIME)).exec(db).await?;
    Ok(())
}
