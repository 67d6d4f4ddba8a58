//! The table of visits: one for each browser, and what the apps keep for it.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, IntoCondition};
use sea_orm::{ConnectionTrait, DbErr, QueryFilter, QueryOrder, QuerySelect, Set};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::SiteError;

/// A visit that was not used for so long is over.
pub(super) const LIFETIME: TimeDelta = TimeDelta::days(30);

/// How exactly it is known when a visit was last used; so often at most it is written down.
pub(super) const TOUCH: TimeDelta = TimeDelta::minutes(1);

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "visits")]
pub(super) struct Model {
    /// Never given to another visit.
    #[sea_orm(primary_key)]
    pub(super) id: i64,
    /// Only the hash of what the cookie holds.
    #[sea_orm(unique)]
    pub(super) token_hash: Vec<u8>,
    /// The network it began from.
    pub(super) address: String,
    /// A JSON object, one field for each key; nothing at all as long as nothing is kept.
    pub(super) data: String,
    pub(super) created_at: DateTime<Utc>,
    pub(super) last_seen_at: DateTime<Utc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(super) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

pub(super) async fn make(
    db: &impl ConnectionTrait,
    token_hash: Vec<u8>,
    address: &str,
    now: DateTime<Utc>,
) -> Result<i64, DbErr> {
    let visit = ActiveModel {
        token_hash: Set(token_hash),
        address: Set(address.to_owned()),
        data: Set(String::new()),
        created_at: Set(now),
        last_seen_at: Set(now),
        ..Default::default()
    };
    Ok(visit.insert(db).await?.id)
}

/// The visit with this token, if it still counts, and when it was last used.
pub(super) async fn find(
    db: &impl ConnectionTrait,
    token_hash: Vec<u8>,
    now: DateTime<Utc>,
) -> Result<Option<(i64, DateTime<Utc>)>, DbErr> {
    Entity::find()
        .select_only()
        .columns([Column::Id, Column::LastSeenAt])
        .filter(Column::TokenHash.eq(token_hash))
        .filter(Column::LastSeenAt.gt(now - LIFETIME))
        .into_tuple()
        .one(db)
        .await
}

pub(super) async fn by_id(db: &impl ConnectionTrait, id: i64) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// The same, and nobody else changes it until the transaction is over.
pub(super) async fn lock(db: &impl ConnectionTrait, id: i64) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).lock_exclusive().one(db).await
}

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

/// Notes that a visit goes on. One that has ended meanwhile stays ended.
pub(super) async fn touch(db: &impl ConnectionTrait, id: i64, now: DateTime<Utc>) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::LastSeenAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(Column::LastSeenAt.lt(now - TOUCH))
        .exec(db)
        .await
        .map(|_| ())
}

/// Removes the visits with these tokens, and says which there were.
pub(super) async fn end(db: &impl ConnectionTrait, tokens: Vec<Vec<u8>>) -> Result<Vec<i64>, DbErr> {
    remove(db, Column::TokenHash.is_in(tokens)).await
}

/// Removes those that nobody used for too long, and says which.
pub(super) async fn sweep(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<Vec<i64>, DbErr> {
    remove(db, Column::LastSeenAt.lte(now - LIFETIME)).await
}

/// Makes room for one more of this address, and says which had to go: those with nothing in them first, then those that were away for longest.
pub(super) async fn make_room(
    db: &impl ConnectionTrait,
    address: &str,
    most: u64,
) -> Result<Vec<i64>, DbErr> {
    let theirs = || Entity::find().filter(Column::Address.eq(address));
    let surplus = (theirs().count(db).await? + 1).saturating_sub(most);
    if surplus == 0 {
        return Ok(Vec::new());
    }
    let oldest = theirs()
        .select_only()
        .column(Column::Id)
        .order_by_desc(Column::Data.eq(""))
        .order_by_asc(Column::LastSeenAt)
        .order_by_asc(Column::Id)
        .limit(surplus);
    let oldest: Vec<i64> = oldest.into_tuple().all(db).await?;
    remove(db, Column::Id.is_in(oldest)).await
}

async fn remove(db: &impl ConnectionTrait, which: impl IntoCondition) -> Result<Vec<i64>, DbErr> {
    let removed = Entity::delete_many().filter(which.into_condition()).exec_with_returning(db).await?;
    Ok(removed.into_iter().map(|visit| visit.id).collect())
}

/// What is kept under a key.
pub(super) fn get<T: DeserializeOwned + Default>(data: &str, key: &str) -> Result<T, SiteError> {
    let value = object(data)?.remove(key);
    value.map_or_else(|| Ok(T::default()), |value| serde_json::from_value(value).map_err(SiteError::internal))
}

/// All of it, with this under the key.
pub(super) fn set(data: &str, key: &str, value: &impl Serialize) -> Result<String, SiteError> {
    let mut all = object(data)?;
    all.insert(key.to_owned(), serde_json::to_value(value).map_err(SiteError::internal)?);
    serde_json::to_string(&all).map_err(SiteError::internal)
}

fn object(data: &str) -> Result<Map<String, Value>, SiteError> {
    match data {
        "" => Ok(Map::new()),
        data => serde_json::from_str(data).map_err(SiteError::internal),
    }
}
