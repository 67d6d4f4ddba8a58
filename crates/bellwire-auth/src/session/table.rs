//! The `sessions` table: one row per browser, signed in or anonymous.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{
    Condition, ConnectionTrait, DbErr, FromQueryResult, QueryFilter, QueryOrder, QuerySelect, Set,
};

use crate::users;

use super::device::Device;

/// A session expires when it has not been used for this long.
const LIFETIME: TimeDelta = TimeDelta::days(30);

/// The precision of `last_seen_at`: it is written at most this often.
pub(super) const TOUCH: TimeDelta = TimeDelta::minutes(1);

/// A session.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub(crate) struct Model {
    /// The id, never reused.
    #[sea_orm(primary_key)]
    pub(crate) id: i64,
    /// The hash of the cookie's token, so that reading this table does not allow signing in.
    #[sea_orm(unique)]
    pub(crate) token_hash: Vec<u8>,
    /// The person who is signed in; `None` for an anonymous session.
    pub(crate) user_id: Option<i64>,
    /// Empty for an anonymous session.
    pub(crate) user_agent: String,
    /// The address from which the person signed in. For an anonymous session, the network in which
    /// it began.
    pub(crate) address: String,
    /// The data that apps store, as JSON.
    pub(crate) data: String,
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

/// The columns that a request needs, with the person's.
#[derive(Debug, Clone, FromQueryResult)]
pub(crate) struct Found {
    pub(crate) id: i64,
    pub(super) token_hash: Vec<u8>,
    pub(super) last_seen_at: DateTime<Utc>,
    pub(crate) user_id: Option<i64>,
    pub(crate) name: Option<String>,
    pub(crate) is_admin: Option<bool>,
    pub(crate) is_staff: Option<bool>,
}

pub(super) async fn insert(
    db: &impl ConnectionTrait,
    user_id: Option<i64>,
    token_hash: Vec<u8>,
    device: Device,
    data: String,
    now: DateTime<Utc>,
) -> Result<i64, DbErr> {
    let session = ActiveModel {
        token_hash: Set(token_hash),
        user_id: Set(user_id),
        user_agent: Set(device.user_agent),
        address: Set(device.address),
        data: Set(data),
        created_at: Set(now),
        last_seen_at: Set(now),
        ..Default::default()
    };
    Ok(session.insert(db).await?.id)
}

/// The valid sessions with these tokens.
pub(super) async fn find(
    db: &impl ConnectionTrait,
    token_hashes: Vec<Vec<u8>>,
    now: DateTime<Utc>,
) -> Result<Vec<Found>, DbErr> {
    valid(now)
        .select_only()
        .columns([Column::Id, Column::TokenHash, Column::LastSeenAt, Column::UserId])
        .columns([users::Column::Name, users::Column::IsAdmin, users::Column::IsStaff])
        .filter(Column::TokenHash.is_in(token_hashes))
        .into_model()
        .all(db)
        .await
}

/// Whether a session is still valid.
pub(super) async fn is_valid(
    db: &impl ConnectionTrait,
    id: i64,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let found = valid(now).select_only().column(Column::Id).filter(Column::Id.eq(id));
    Ok(found.into_tuple::<i64>().one(db).await?.is_some())
}

/// The valid sessions: not expired, and with an active person unless they are anonymous.
fn valid(now: DateTime<Utc>) -> Select<Entity> {
    let person =
        Condition::any().add(Column::UserId.is_null()).add(users::Column::IsActive.eq(true));
    Entity::find()
        .left_join(users::Entity)
        .filter(Column::LastSeenAt.gt(now - LIFETIME))
        .filter(person)
}

/// The sessions of a person, most recently used first.
pub(crate) async fn of(
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

/// The data of a session.
pub(super) async fn data(db: &impl ConnectionTrait, id: i64) -> Result<Option<String>, DbErr> {
    Entity::find_by_id(id).select_only().column(Column::Data).into_tuple().one(db).await
}

/// A session, with its row locked until the transaction ends.
pub(super) async fn lock(db: &impl ConnectionTrait, id: i64) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).lock_exclusive().one(db).await
}

/// Stores the data of a session.
pub(super) async fn store(
    db: &impl ConnectionTrait,
    id: i64,
    data: String,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let update = Entity::update_many()
        .col_expr(Column::Data, Expr::value(data))
        .col_expr(Column::LastSeenAt, Expr::value(now));
    update.filter(Column::Id.eq(id)).exec(db).await.map(|_| ())
}

/// Records that a session was used. A session that has ended in the meantime stays ended.
pub(super) async fn touch(
    db: &impl ConnectionTrait,
    id: i64,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::LastSeenAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(Column::LastSeenAt.lt(now - TOUCH))
        .exec(db)
        .await?;
    Ok(())
}

/// Whether any session has expired.
pub(super) async fn any_expired(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let expired = Entity::find().select_only().column(Column::Id).filter(expired(now));
    Ok(expired.into_tuple::<i64>().one(db).await?.is_some())
}

fn expired(now: DateTime<Utc>) -> Condition {
    Condition::all().add(Column::LastSeenAt.lte(now - LIFETIME))
}

/// The number of anonymous sessions of this address.
pub(super) async fn count_anonymous(
    db: &impl ConnectionTrait,
    address: &str,
) -> Result<u64, DbErr> {
    Entity::find().filter(anonymous(address)).count(db).await
}

/// The ids of `number` anonymous sessions of this address to evict: those without data first, then
/// the least recently used.
pub(super) async fn to_evict(
    db: &impl ConnectionTrait,
    address: &str,
    number: u64,
) -> Result<Vec<i64>, DbErr> {
    Entity::find()
        .filter(anonymous(address))
        .select_only()
        .column(Column::Id)
        .order_by_desc(Column::Data.eq(""))
        .order_by_asc(Column::LastSeenAt)
        .order_by_asc(Column::Id)
        .limit(number)
        .into_tuple()
        .all(db)
        .await
}

fn anonymous(address: &str) -> Condition {
    Condition::all().add(Column::UserId.is_null()).add(Column::Address.eq(address))
}

/// The sessions to end.
#[derive(Debug, Clone)]
pub(crate) enum SessionFilter {
    /// This session.
    One(i64),
    /// These sessions.
    These(Vec<i64>),
    /// This session, if it belongs to this person.
    Own { user_id: i64, session: i64 },
    /// All sessions of a person except this one.
    Others { user_id: i64, session: i64 },
    /// All sessions of a person.
    All { user_id: i64 },
    /// All expired sessions of signed-in people.
    Expired(DateTime<Utc>),
    /// All expired anonymous sessions.
    ExpiredAnonymous(DateTime<Utc>),
}

impl SessionFilter {
    fn condition(self) -> Condition {
        let all = Condition::all();
        match self {
            Self::One(session) => all.add(Column::Id.eq(session)),
            Self::These(sessions) => all.add(Column::Id.is_in(sessions)),
            Self::Own { user_id, session } => {
                all.add(Column::UserId.eq(user_id)).add(Column::Id.eq(session))
            }
            Self::Others { user_id, session } => {
                all.add(Column::UserId.eq(user_id)).add(Column::Id.ne(session))
            }
            Self::All { user_id } => all.add(Column::UserId.eq(user_id)),
            Self::Expired(now) => expired(now).add(Column::UserId.is_not_null()),
            Self::ExpiredAnonymous(now) => expired(now).add(Column::UserId.is_null()),
        }
    }
}

/// Deletes sessions with their data and returns their ids. Only
/// [`Sessions::end`](super::Sessions::end) calls this, because it also closes their sockets.
pub(super) async fn remove(
    db: &impl ConnectionTrait,
    filter: SessionFilter,
) -> Result<Vec<i64>, DbErr> {
    let mut delete = Query::delete();
    delete
        .from_table(Entity)
        .cond_where(filter.condition())
        .returning(Query::returning().column(Column::Id));
    let removed = db.query_all(&delete).await?;
    removed.iter().map(|row| row.try_get("", "id")).collect()
}
