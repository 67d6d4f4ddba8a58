//! People, as the chat sees them: their names.

use std::collections::HashMap;

use bellwire_site::Sought;
use bellwire_site::accounts::users::{Column, Entity, Model};
use sea_orm::entity::prelude::*;
use sea_orm::{QueryOrder, QuerySelect};

use crate::ChatError;

/// The most people who are listed.
const LISTED: u64 = 500;

/// Everyone with an account, by name; whose name begins with `typed` if that is given.
///
/// # Errors
/// The database's.
pub async fn all(db: &impl ConnectionTrait, typed: Option<&str>) -> Result<Vec<Model>, ChatError> {
    let mut people = Entity::find().filter(Column::IsActive.eq(true)).order_by_asc(Column::NameKey);
    if let Some(typed) = typed {
        people = people.filter(Column::NameKey.starts_with(typed));
    }
    Ok(people.limit(LISTED).all(db).await.or_nothing()?)
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
    let key = bellwire_site::accounts::name_key(name);
    Ok(Entity::find().filter(Column::NameKey.eq(key)).one(db).await.or_nothing()?)
}

/// What the people with these ids are called.
///
/// # Errors
/// The database's.
pub async fn names(db: &impl ConnectionTrait, ids: Vec<i64>) -> Result<HashMap<i64, String>, ChatError> {
    let people = Entity::find().filter(Column::Id.is_in(ids)).all(db).await?;
    Ok(people.into_iter().map(|person| (person.id, person.name)).collect())
}
