//! The table of tickets: each begins one session, once, within a minute.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::{ConnectionTrait, DbErr, PaginatorTrait, QueryFilter, Set};
use sha2::{Digest, Sha256};

use super::session::Token;
use super::users;

/// How long a ticket is good for: the page redeems it at once.
const LIFETIME: TimeDelta = TimeDelta::seconds(60);

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tickets")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: i64,
    /// Only the hash of what the page has.
    #[sea_orm(unique)]
    pub(crate) token_hash: Vec<u8>,
    pub(crate) user_id: i64,
    /// Tells whether the password is still the one that was shown: a hash of its hash.
    pub(crate) password_mark: Vec<u8>,
    pub(crate) made_at: DateTime<Utc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Keeps a ticket for this person, and forgets those that nobody redeemed.
pub(super) async fn make(
    db: &impl ConnectionTrait,
    token: &Token,
    user: &users::Model,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::MadeAt.lte(now - LIFETIME)).exec(db).await?;
    let ticket = ActiveModel {
        token_hash: Set(token.hash()),
        user_id: Set(user.id),
        password_mark: Set(mark(user)),
        made_at: Set(now),
        ..Default::default()
    };
    ticket.insert(db).await.map(|_| ())
}

/// Whether there is such a ticket to be taken. Somebody else may be quicker.
pub(super) async fn is_there(
    db: &impl ConnectionTrait,
    token: &Token,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let these = Entity::find().filter(Column::TokenHash.eq(token.hash()));
    Ok(these.filter(Column::MadeAt.gt(now - LIFETIME)).count(db).await? > 0)
}

/// Takes a ticket, so that nobody takes it again, and says whose it is: somebody who is still
/// active and has the same password.
pub(super) async fn take(
    db: &impl ConnectionTrait,
    token: &Token,
    now: DateTime<Utc>,
) -> Result<Option<users::Model>, DbErr> {
    let taken = Entity::delete_many()
        .filter(Column::TokenHash.eq(token.hash()))
        .exec_with_returning(db)
        .await?;
    let Some(ticket) = taken.into_iter().find(|ticket| ticket.made_at > now - LIFETIME) else {
        return Ok(None);
    };
    let Some(user) = users::by_id(db, ticket.user_id).await? else { return Ok(None) };
    let same = mark(&user) == ticket.password_mark && users::is_still(db, &user).await?;
    Ok(same.then_some(user))
}

fn mark(user: &users::Model) -> Vec<u8> {
    Sha256::digest(&user.password_hash).to_vec()
}
