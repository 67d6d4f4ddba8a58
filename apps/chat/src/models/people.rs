//! People, as the chat sees them: their names.

use std::collections::HashMap;

use bellwire_site::LookupExt;
use bellwire_site::accounts::name_key;
use bellwire_site::accounts::users::{Column, Entity, Model};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait, LikeExpr};
use sea_orm::{Condition, Order, QueryOrder, QuerySelect};

use super::{Room, membership, room::Kind};
use crate::ChatError;

/// The most people who are listed at once: beyond that they are sought by name.
const LISTED: u64 = 500;
/// The most people of a room on a page of them.
const PAGE: u64 = 100;
/// How many ids one statement names.
const AT_ONCE: usize = 1_000;

/// Everyone with an account, those of `first` before the others, and then by name: in whose name a
/// word begins as `typed`.
///
/// # Errors
/// The database's.
pub async fn all(
    db: &impl ConnectionTrait,
    first: Vec<i64>,
    typed: &str,
) -> Result<Vec<Model>, ChatError> {
    let mut people = active().filter(word_begins(typed));
    if !first.is_empty() {
        people = people.order_by(before(Column::Id.is_in(first)), Order::Asc);
    }
    Ok(people.order_by_asc(Column::NameKey).limit(LISTED).all(db).await.none_if_unstorable()?)
}

/// Whom one may name in this room, or anywhere: whose name begins as `typed`, at most so many, by
/// name.
///
/// # Errors
/// The database's.
pub async fn to_be_named(
    db: &impl ConnectionTrait,
    room: Option<&Room>,
    typed: &str,
    most: u64,
) -> Result<Vec<Model>, ChatError> {
    let mut people = active().filter(Column::NameKey.like(beginning("", typed)));
    if let Some(room) = room.filter(|room| room.kind != Kind::Open) {
        people = people.filter(Column::Id.in_subquery(membership::people_of(room.id)));
    }
    Ok(people.order_by_asc(Column::NameKey).limit(most).all(db).await.none_if_unstorable()?)
}

/// A page of people, and whether there are others after them.
#[derive(Debug)]
pub struct Page<T> {
    /// Those on it.
    pub people: Vec<T>,
    /// Whether there is a page after it.
    pub is_more: bool,
}

/// Who belongs to this room, by name.
///
/// # Errors
/// The database's.
pub async fn members(
    db: &impl ConnectionTrait,
    room: i64,
    typed: &str,
    page: u64,
) -> Result<Page<Model>, ChatError> {
    let members = Entity::find().filter(Column::Id.in_subquery(membership::people_of(room)));
    let members = members.filter(word_begins(typed)).order_by_asc(Column::NameKey);
    Ok(cut(members.offset(page * PAGE).limit(PAGE + 1).all(db).await.none_if_unstorable()?))
}

/// Everyone, with whether they belong to this room: those who do first, and then by name.
///
/// # Errors
/// The database's.
pub async fn and_members(
    db: &impl ConnectionTrait,
    room: i64,
    typed: &str,
    page: u64,
) -> Result<Page<(Model, bool)>, ChatError> {
    let is_member = || Column::Id.in_subquery(membership::people_of(room));
    let people =
        Entity::find().filter(Column::IsActive.eq(true).or(is_member())).filter(word_begins(typed));
    let people = people.order_by(before(is_member()), Order::Asc).order_by_asc(Column::NameKey);
    let Page { people, is_more } =
        cut(people.offset(page * PAGE).limit(PAGE + 1).all(db).await.none_if_unstorable()?);
    let ids: Vec<_> = people.iter().map(|person| person.id).collect();
    let members = membership::among(db, room, ids).await?;
    let people = people.into_iter().map(|person| (members.contains(&person.id), person));
    Ok(Page { people: people.map(|(is_member, person)| (person, is_member)).collect(), is_more })
}

/// Those of these ids that somebody with an account has.
///
/// # Errors
/// The database's.
pub async fn existing(db: &impl ConnectionTrait, ids: &[i64]) -> Result<Vec<i64>, ChatError> {
    let mut existing = Vec::new();
    for some in ids.chunks(AT_ONCE) {
        let people = active().filter(Column::Id.is_in(some.iter().copied()));
        existing.extend(people.select_only().column(Column::Id).into_tuple::<i64>().all(db).await?);
    }
    Ok(existing)
}

fn active() -> Select<Entity> {
    Entity::find().filter(Column::IsActive.eq(true))
}

/// Sorts those for whom this holds before all others.
fn before(holds: Expr) -> Expr {
    Expr::case(holds, 0).finally(1).into()
}

fn cut<T>(mut people: Vec<T>) -> Page<T> {
    let is_more = people.len() as u64 > PAGE;
    people.truncate(usize::try_from(PAGE).unwrap_or(usize::MAX));
    Page { people, is_more }
}

fn word_begins(typed: &str) -> Condition {
    let begins = |after: &str| Column::NameKey.like(beginning(after, typed));
    Condition::any().add(begins("")).add(begins("% "))
}

/// What begins as `typed`, taken literally.
fn beginning(after: &str, typed: &str) -> LikeExpr {
    LikeExpr::new(format!("{after}{}%", super::literally(&name_key(typed)))).escape('\\')
}

/// The person with this id.
///
/// # Errors
/// The database's.
pub async fn by_id(db: &impl ConnectionTrait, id: i64) -> Result<Option<Model>, ChatError> {
    Ok(Entity::find_by_id(id).one(db).await?)
}

/// The person of this name.
///
/// # Errors
/// The database's.
pub async fn called(db: &impl ConnectionTrait, name: &str) -> Result<Option<Model>, ChatError> {
    Ok(Entity::find()
        .filter(Column::NameKey.eq(name_key(name)))
        .one(db)
        .await
        .none_if_unstorable()?)
}

/// What the people with these ids are called.
///
/// # Errors
/// The database's.
pub async fn names(
    db: &impl ConnectionTrait,
    ids: Vec<i64>,
) -> Result<HashMap<i64, String>, ChatError> {
    let people = Entity::find().filter(Column::Id.is_in(ids)).all(db).await?;
    Ok(people.into_iter().map(|person| (person.id, person.name)).collect())
}
