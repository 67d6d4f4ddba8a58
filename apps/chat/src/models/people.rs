//! Queries for users: by name, by id, and by membership.

use std::collections::HashMap;

use bellwire_site::LookupExt;
use bellwire_site::accounts::users::{Column, Entity, Model};
use bellwire_site::accounts::{name_key, person_of};
use bellwire_site::bellwire::{Presence, Topic};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait, LikeExpr};
use sea_orm::{Condition, Order, QueryOrder, QuerySelect};

use super::{Room, membership, room::Kind};
use crate::{ChatError, Event};

/// All windows of a user.
pub const PERSON: Topic<i64, Event> = Topic::new("chat.person");

/// The maximum number of users in a list; the others are found by name.
const LISTED: u64 = 500;
/// The number of users on a page of a room's members.
const PAGE: u64 = 100;
/// The maximum number of people in a room who are listed by name.
const PRESENT: usize = 200;
/// The maximum number of ids in one statement.
const AT_ONCE: usize = 1_000;

/// Returns active users in whose name a word begins with `typed`: those in `first` before the
/// others, then by name.
///
/// # Errors
/// If the database fails.
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

/// Returns at most `most` users who can be mentioned in this room, or anywhere without a room, and
/// whose name begins with `typed`, sorted by name.
///
/// # Errors
/// If the database fails.
pub async fn mentionable(
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

/// A page of users.
#[derive(Debug)]
pub struct Page<T> {
    /// The users on this page.
    pub people: Vec<T>,
    /// Whether there is a next page.
    pub is_more: bool,
}

/// Returns a page of the members of a room, sorted by name, in whose name a word begins with
/// `typed`. Pages are numbered from 0.
///
/// # Errors
/// If the database fails.
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

/// Returns a page of users with whether each is a member of the room: members first, then by name.
///
/// # Errors
/// If the database fails.
pub async fn with_membership(
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

/// Returns those of these ids that belong to active users.
///
/// # Errors
/// If the database fails.
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

/// Sorts rows for which the condition holds before all others.
fn before(holds: Expr) -> Expr {
    Expr::case(holds, 0).finally(1).into()
}

/// Makes a page of `PAGE + 1` rows or fewer.
fn cut<T>(mut people: Vec<T>) -> Page<T> {
    let is_more = people.len() as u64 > PAGE;
    people.truncate(usize::try_from(PAGE).unwrap_or(usize::MAX));
    Page { people, is_more }
}

fn word_begins(typed: &str) -> Condition {
    let begins = |after: &str| Column::NameKey.like(beginning(after, typed));
    Condition::any().add(begins("")).add(begins("% "))
}

/// A pattern for what begins with `typed`, without wildcards of its own.
fn beginning(after: &str, typed: &str) -> LikeExpr {
    LikeExpr::new(format!("{after}{}%", super::escape_like(&name_key(typed)))).escape('\\')
}

/// Finds the user with this id.
///
/// # Errors
/// If the database fails.
pub async fn by_id(db: &impl ConnectionTrait, id: i64) -> Result<Option<Model>, ChatError> {
    Ok(Entity::find_by_id(id).one(db).await?)
}

/// Finds the user with this name.
///
/// # Errors
/// If the database fails.
pub async fn by_name(db: &impl ConnectionTrait, name: &str) -> Result<Option<Model>, ChatError> {
    Ok(Entity::find()
        .filter(Column::NameKey.eq(name_key(name)))
        .one(db)
        .await
        .none_if_unstorable()?)
}

/// Returns the names of the users with these ids.
///
/// # Errors
/// If the database fails.
pub async fn names(
    db: &impl ConnectionTrait,
    ids: Vec<i64>,
) -> Result<HashMap<i64, String>, ChatError> {
    let people = Entity::find().filter(Column::Id.is_in(ids)).all(db).await?;
    Ok(people.into_iter().map(|person| (person.id, person.name)).collect())
}

/// Returns the ids and names of the people who are present in a room, sorted by name.
///
/// # Errors
/// If the database fails.
pub async fn present(
    db: &impl ConnectionTrait,
    presence: &Presence,
    room: &Room,
) -> Result<Vec<(i64, String)>, ChatError> {
    let keys = presence.people(room.group());
    let ids = keys.iter().filter_map(|key| person_of(key)).take(PRESENT).collect();
    let mut people: Vec<_> = names(db, ids).await?.into_iter().collect();
    people.sort_by_key(|(_, name)| name.to_lowercase());
    Ok(people)
}
