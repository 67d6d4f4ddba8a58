//! The `users` table.

use bellwire_web::db::LookupExt;
use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::{
    Condition, ConnectionTrait, DbErr, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Set,
    Unchanged,
};

use super::name::{Name, email_key, name_key};

/// A person with an account.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    /// The id, never reused.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// As the person typed it.
    pub name: String,
    /// The normalised name, unique. See [`name_key`].
    #[sea_orm(unique)]
    pub name_key: String,
    /// As the person typed it, if they gave one.
    pub email: Option<String>,
    /// The normalised e-mail address, unique.
    #[sea_orm(unique)]
    pub email_key: Option<String>,
    /// Argon2id, in the PHC string format.
    pub password_hash: String,
    /// Whether the person is an administrator.
    pub is_admin: bool,
    /// Whether the person has the staff role. Administrators do not need it.
    pub is_staff: bool,
    /// Whether the person may sign in.
    pub is_active: bool,
    /// When the account was created.
    pub created_at: DateTime<Utc>,
}

/// The table has no foreign keys.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The values of a new row.
#[derive(Debug, Clone)]
pub(super) struct NewUser {
    pub(super) name: Name,
    pub(super) email: Option<(String, String)>,
    pub(super) password_hash: String,
    pub(super) is_admin: bool,
    pub(super) created_at: DateTime<Utc>,
}

/// The unique value that another account already has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    Name,
    Email,
}

pub(super) async fn insert(db: &impl ConnectionTrait, new: NewUser) -> Result<Model, DbErr> {
    let (email, email_key) = new.email.unzip();
    let user = ActiveModel {
        name: Set(new.name.shown),
        name_key: Set(new.name.key),
        email: Set(email),
        email_key: Set(email_key),
        password_hash: Set(new.password_hash),
        is_admin: Set(new.is_admin),
        is_active: Set(true),
        created_at: Set(new.created_at),
        ..Default::default()
    };
    user.insert(db).await
}

pub(super) async fn taken(
    db: &impl ConnectionTrait,
    name: &Name,
    email: Option<&str>,
) -> Result<Option<Taken>, DbErr> {
    if Entity::find().filter(Column::NameKey.eq(&*name.key)).count(db).await? > 0 {
        return Ok(Some(Taken::Name));
    }
    match email {
        Some(key) if Entity::find().filter(Column::EmailKey.eq(key)).count(db).await? > 0 => {
            Ok(Some(Taken::Email))
        }
        _ => Ok(None),
    }
}

pub(super) async fn has_administrator(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    Ok(Entity::find().filter(Column::IsAdmin.eq(true)).one(db).await?.is_some())
}

/// The person with this name or e-mail address. Names cannot contain `@`, so it is never both.
pub(super) async fn find_by_login(
    db: &impl ConnectionTrait,
    typed: &str,
) -> Result<Option<Model>, DbErr> {
    let matches = match typed.contains('@') {
        true => Column::EmailKey.eq(email_key(typed)),
        false => Column::NameKey.eq(name_key(typed)),
    };
    Entity::find().filter(matches).one(db).await.none_if_unstorable()
}

pub(super) async fn by_id(db: &impl ConnectionTrait, id: i64) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// Whether this person is staff or an administrator now. Actions reserved for staff check this
/// again in their own transaction.
///
/// # Errors
/// If the database fails.
pub async fn is_staff(db: &impl ConnectionTrait, person: i64) -> Result<bool, DbErr> {
    let found = Entity::find_by_id(person)
        .filter(Column::IsActive.eq(true))
        .filter(has_role())
        .count(db)
        .await?;
    Ok(found > 0)
}

fn has_role() -> Condition {
    Condition::any().add(Column::IsStaff.eq(true)).add(Column::IsAdmin.eq(true))
}

/// Up to `most` staff members and administrators, ordered by name.
pub(super) async fn staff(db: &impl ConnectionTrait, most: u64) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(has_role()).order_by_asc(Column::NameKey).limit(most).all(db).await
}

pub(super) async fn all(db: &impl ConnectionTrait) -> Result<Vec<Model>, DbErr> {
    Entity::find().order_by_asc(Column::Id).all(db).await
}

/// A change to one column of an account.
#[derive(Debug, Clone)]
pub(super) enum Changed {
    Password(String),
    Admin(bool),
    Staff(bool),
    Active(bool),
}

pub(super) async fn change(
    db: &impl ConnectionTrait,
    id: i64,
    changed: Changed,
) -> Result<Model, DbErr> {
    let mut user = ActiveModel { id: Unchanged(id), ..Default::default() };
    match changed {
        Changed::Password(hash) => user.password_hash = Set(hash),
        Changed::Admin(is_admin) => user.is_admin = Set(is_admin),
        Changed::Staff(is_staff) => user.is_staff = Set(is_staff),
        Changed::Active(is_active) => user.is_active = Set(is_active),
    }
    user.update(db).await
}

/// Whether the account is still active and has the same password as when the password was checked.
/// On PostgreSQL this locks the row until the transaction ends, so that no session begins
/// concurrently with a password change.
pub(super) async fn is_unchanged(db: &impl ConnectionTrait, user: &Model) -> Result<bool, DbErr> {
    let now = Entity::find_by_id(user.id).lock_exclusive().one(db).await?;
    Ok(now.is_some_and(|now| now.is_active && now.password_hash == user.password_hash))
}
