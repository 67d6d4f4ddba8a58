//! The table of sessions: one for each browser that is signed in.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;
use sea_orm::{Condition, ConnectionTrait, DbErr, QueryFilter, QueryOrder, Set};

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
    counting(now)
        .filter(Column::TokenHash.eq(token_hash))
        .find_also_related(users::Entity)
        .one(db)
        .await
        .map(|found| found.and_then(|(session, user)| Some((session, user?))))
}

/// Whether a session still counts.
pub(super) async fn counts(db: &impl ConnectionTrait, id: i64, now: DateTime<Utc>) -> Result<bool, DbErr> {
    let found = counting(now).filter(Column::Id.eq(id)).find_also_related(users::Entity).one(db).await?;
    Ok(found.is_some())
}

/// The sessions of a person, the one used last first.
pub(super) async fn of(
    db: &impl ConnectionTrait,
    user_id: i64,
    now: DateTime<Utc>,
) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::UserId.eq(user_id))
        .filter(Column::LastSeenAt.gt(now - LIFETIME))
        .order_by_desc(Column::LastSeenAt)
        .order_by_desc(Column::Id)
        .all(db)
        .await
}

/// Those that were used lately and whose person may be here; needs the person's table beside it.
fn counting(now: DateTime<Utc>) -> Select<Entity> {
    Entity::find().filter(Column::LastSeenAt.gt(now - LIFETIME)).filter(users::Column::IsActive.eq(true))
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

/// Whether there is a session that nobody has used for too long.
pub(super) async fn any_expired(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<bool, DbErr> {
    Ok(Entity::find().filter(Which::Expired(now).condition()).one(db).await?.is_some())
}

/// Which sessions are to end.
#[derive(Debug, Clone, Copy)]
pub(super) enum Which {
    /// This one.
    One(i64),
    /// This one, if it belongs to this person.
    Own { user_id: i64, session: i64 },
    /// All of a person but this one.
    Others { user_id: i64, session: i64 },
    /// All of a person.
    All { user_id: i64 },
    /// Those that nobody used for too long.
    Expired(DateTime<Utc>),
}

impl Which {
    fn condition(self) -> Condition {
        let all = Condition::all();
        match self {
            Self::One(session) => all.add(Column::Id.eq(session)),
            Self::Own { user_id, session } => all.add(Column::UserId.eq(user_id)).add(Column::Id.eq(session)),
            Self::Others { user_id, session } => {
                all.add(Column::UserId.eq(user_id)).add(Column::Id.ne(session))
            }
            Self::All { user_id } => all.add(Column::UserId.eq(user_id)),
            Self::Expired(now) => all.add(Column::LastSeenAt.lte(now - LIFETIME)),
        }
    }
}

/// Removes sessions, and says which there were. Only [`Accounts::end`](super::Accounts::end) does so: it also closes their sockets.
pub(super) async fn end(db: &impl ConnectionTrait, which: Which) -> Result<Vec<i64>, DbErr> {
    let ended = Entity::delete_many().filter(which.condition()).exec_with_returning(db).await?;
    Ok(ended.into_iter().map(|session| session.id).collect())
}
