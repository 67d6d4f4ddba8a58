//! Creating an account.

use std::net::IpAddr;

use bellwire_web::bellwire::rate::network;
use bellwire_web::db::{DbError, Tx};
use sea_orm::SqlErr;

use super::Accounts;
use super::forms::NewAccount;
use super::sign_in::SessionStart;
use super::users::{self, NewUser, Taken};
use crate::SiteError;

/// The key of the advisory lock that serialises creating the first account: "1st user" in ASCII.
const FIRST: i64 = i64::from_be_bytes(*b"1st user");

/// The reason why no account was created.
#[derive(Debug)]
pub(super) enum SignUpError {
    Taken(Taken),
    /// The password is easy to guess.
    Weak(&'static str),
    /// The site already has an administrator.
    AdministratorExists,
    Error(SiteError),
}

impl From<SiteError> for SignUpError {
    fn from(error: SiteError) -> Self {
        Self::Error(error)
    }
}

impl From<DbError> for SignUpError {
    fn from(error: DbError) -> Self {
        Self::Error(error.into())
    }
}

/// If two sign-ups take the same name concurrently, the database's unique constraint rejects one.
impl From<sea_orm::DbErr> for SignUpError {
    fn from(error: sea_orm::DbErr) -> Self {
        match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(what)) if what.contains("email_key") => {
                Self::Taken(Taken::Email)
            }
            Some(SqlErr::UniqueConstraintViolation(_)) => Self::Taken(Taken::Name),
            _ => Self::Error(error.into()),
        }
    }
}

/// Creates an account and begins its session, in one transaction. `is_first` makes it the
/// administrator, and fails if there is one.
pub(super) async fn sign_up(
    accounts: &Accounts,
    address: IpAddr,
    new_account: NewAccount,
    is_first: bool,
    start: SessionStart,
) -> Result<(), SignUpError> {
    let limiter = &accounts.inner.sign_ups;
    let from = network(address);
    if let Err(retry_after) = limiter.take(&from) {
        return Err(SiteError::TooMany { retry_after }.into());
    }
    let created = create(accounts, from, new_account, is_first, start).await;
    if matches!(created, Err(SignUpError::Error(_) | SignUpError::Weak(_))) {
        limiter.take_back(&from);
    }
    created
}

async fn create(
    accounts: &Accounts,
    from: IpAddr,
    new_account: NewAccount,
    is_first: bool,
    start: SessionStart,
) -> Result<(), SignUpError> {
    let inner = &accounts.inner;
    let _slot = inner.hasher.reserve(from)?;
    let NewAccount { name, email, password } = new_account;
    let own = [name.shown.as_str(), email.as_ref().map_or("", |(shown, _)| shown)];
    accounts.check_password(&password, &own).await?.map_err(SignUpError::Weak)?;
    let password_hash = inner.hasher.hash(password).await?;
    let now = inner.clock.date();
    let new = NewUser { name, email, password_hash, is_admin: is_first, created_at: now };
    let accounts = accounts.clone();
    let created = inner.db.write(async move |tx: Tx| {
        if is_first {
            ensure_no_administrator(&tx).await?;
        }
        let user = insert(&tx, new).await?;
        start.run(&accounts, &tx, &user).await?;
        Ok::<_, SignUpError>(())
    });
    created.await
}

async fn insert(tx: &Tx, new: NewUser) -> Result<users::Model, SignUpError> {
    let email = new.email.as_ref().map(|(_, key)| key.as_str());
    match users::taken(tx, &new.name, email).await? {
        Some(taken) => Err(SignUpError::Taken(taken)),
        None => Ok(users::insert(tx, new).await?),
    }
}

/// Ensures that there is no administrator, and that no other transaction creates one until this one
/// ends.
async fn ensure_no_administrator(tx: &Tx) -> Result<(), SignUpError> {
    tx.lock(FIRST).await?;
    if users::has_administrator(tx).await? { Err(SignUpError::AdministratorExists) } else { Ok(()) }
}
