//! Making an account.

use std::net::IpAddr;

use bellwire_web::bellwire::rate::network;
use bellwire_web::db::{DbError, Tx};
use sea_orm::SqlErr;

use super::Accounts;
use super::forms::NewAccount;
use super::sign_in::SessionStart;
use super::users::{self, NewUser, Taken};
use crate::SiteError;

/// The number two processes agree on while one of them makes the first account: "1st user" in
/// ASCII.
const FIRST: i64 = i64::from_be_bytes(*b"1st user");

/// Why there is no new account.
#[derive(Debug)]
pub(super) enum NoAccount {
    Taken(Taken),
    /// The password is easy to guess.
    Weak(&'static str),
    /// Somebody else was first.
    NotFirst,
    Error(SiteError),
}

impl From<SiteError> for NoAccount {
    fn from(error: SiteError) -> Self {
        Self::Error(error)
    }
}

impl From<DbError> for NoAccount {
    fn from(error: DbError) -> Self {
        Self::Error(error.into())
    }
}

/// Two who take the same name at once: the database lets one through.
impl From<sea_orm::DbErr> for NoAccount {
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

/// Makes an account and lets its person go on, both or neither. `first` makes the administrator,
/// once.
pub(super) async fn sign_up(
    people: &Accounts,
    address: IpAddr,
    wanted: NewAccount,
    first: bool,
    begin: SessionStart,
) -> Result<(), NoAccount> {
    let accounts = &people.inner;
    let from = network(address);
    if let Err(retry_after) = accounts.sign_ups.take(&from) {
        return Err(SiteError::TooMany { retry_after }.into());
    }
    let made = make(people, from, wanted, first, begin).await;
    if matches!(made, Err(NoAccount::Error(_) | NoAccount::Weak(_))) {
        accounts.sign_ups.take_back(&from);
    }
    made
}

async fn make(
    people: &Accounts,
    from: IpAddr,
    wanted: NewAccount,
    first: bool,
    begin: SessionStart,
) -> Result<(), NoAccount> {
    let accounts = &people.inner;
    let _place = accounts.hasher.place(from)?;
    let NewAccount { name, email, password } = wanted;
    let own = [name.shown.as_str(), email.as_ref().map_or("", |(shown, _)| shown)];
    people.check_password(&password, &own).await?.map_err(NoAccount::Weak)?;
    let password_hash = accounts.hasher.hash(password).await?;
    let now = accounts.clock.date();
    let new = NewUser { name, email, password_hash, is_admin: first, created_at: now };
    let people = people.clone();
    let made = accounts.db.write(async move |tx: Tx| {
        if first {
            alone(&tx).await?;
        }
        let user = insert(&tx, new).await?;
        begin.run(&people, &tx, &user).await?;
        Ok::<_, NoAccount>(())
    });
    made.await
}

async fn insert(tx: &Tx, new: NewUser) -> Result<users::Model, NoAccount> {
    let email = new.email.as_ref().map(|(_, key)| key.as_str());
    match users::taken(tx, &new.name, email).await? {
        Some(taken) => Err(NoAccount::Taken(taken)),
        None => Ok(users::insert(tx, new).await?),
    }
}

/// Makes sure that there is no administrator, and will be none before this transaction ends.
async fn alone(tx: &Tx) -> Result<(), NoAccount> {
    tx.lock(FIRST).await?;
    if users::has_administrator(tx).await? { Err(NoAccount::NotFirst) } else { Ok(()) }
}
