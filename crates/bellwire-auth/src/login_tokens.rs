//! The `tickets` table of login tokens: each begins one session, once, within a minute.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::{ConnectionTrait, DbErr, PaginatorTrait, QueryFilter, Set};
use sha2::{Digest, Sha256};

use super::session::Token;
use super::users;

/// The lifetime of a login token. Pages redeem it immediately.
const LIFETIME: TimeDelta = TimeDelta::seconds(60);

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tickets")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: i64,
    /// The hash of the token that the page holds.
    #[sea_orm(unique)]
    pub(crate) token_hash: Vec<u8>,
    pub(crate) user_id: i64,
    /// A hash of the password hash, which detects a password change since the token was created.
    pub(crate) password_mark: Vec<u8>,
    pub(crate) made_at: DateTime<Utc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Stores a login token for this person, and deletes expired ones.
pub(super) async fn create(
    db: &impl ConnectionTrait,
    token: &Token,
    user: &users::Model,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::MadeAt.lte(now - LIFETIME)).exec(db).await?;
    let login_token = ActiveModel {
        token_hash: Set(token.hash()),
        user_id: Set(user.id),
        password_mark: Set(mark(user)),
        made_at: Set(now),
        ..Default::default()
    };
    login_token.insert(db).await.map(|_| ())
}

/// Whether the login token exists and has not expired. Another request may still redeem it first.
pub(super) async fn exists(
    db: &impl ConnectionTrait,
    token: &Token,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let matching = Entity::find().filter(Column::TokenHash.eq(token.hash()));
    Ok(matching.filter(Column::MadeAt.gt(now - LIFETIME)).count(db).await? > 0)
}

/// Deletes a login token, so that it cannot be redeemed again. Returns its person if they are still
/// active and have the same password.
pub(super) async fn redeem(
    db: &impl ConnectionTrait,
    token: &Token,
    now: DateTime<Utc>,
) -> Result<Option<users::Model>, DbErr> {
    let deleted = Entity::delete_many()
        .filter(Column::TokenHash.eq(token.hash()))
        .exec_with_returning(db)
        .await?;
    let Some(row) = deleted.into_iter().find(|row| row.made_at > now - LIFETIME) else {
        return Ok(None);
    };
    let Some(user) = users::by_id(db, row.user_id).await? else { return Ok(None) };
    let unchanged = mark(&user) == row.password_mark && users::is_unchanged(db, &user).await?;
    Ok(unchanged.then_some(user))
}

fn mark(user: &users::Model) -> Vec<u8> {
    Sha256::digest(&user.password_hash).to_vec()
}
