//! Making an account.

use axum::http::HeaderValue;
use sea_orm::SqlErr;

use super::Accounts;
use super::forms::{Browser, Wanted};
use super::name::Name;
use super::token::Token;
use super::users::{self, NewUser, Taken};
use crate::client::network;
use crate::db::{DbError, Tx};
use crate::{SiteError, SiteState};

/// The number two processes agree on while one of them makes the first account: "1st user" in ASCII.
const FIRST: i64 = i64::from_be_bytes(*b"1st user");

/// Why there is no new account.
#[derive(Debug)]
pub(super) enum NoAccount {
    Taken(Taken),
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

/// Makes an account and signs its browser in, both or neither. `first` makes the administrator, once.
pub(super) async fn sign_up(
    site: &SiteState,
    browser: Browser,
    wanted: Wanted,
    first: bool,
) -> Result<HeaderValue, NoAccount> {
    let accounts = &site.accounts().inner;
    let from = network(browser.address);
    if let Err(retry_after) = accounts.sign_ups.count(&from) {
        return Err(SiteError::TooMany { retry_after }.into());
    }
    let made = make(site, browser, wanted, first).await;
    if matches!(made, Err(NoAccount::Error(_))) {
        accounts.sign_ups.take_back(&from);
    }
    made
}

async fn make(
    site: &SiteState,
    browser: Browser,
    wanted: Wanted,
    first: bool,
) -> Result<HeaderValue, NoAccount> {
    let accounts = &site.accounts().inner;
    let _place = accounts.hasher.place(network(browser.address))?;
    let Wanted { name, email, password } = wanted;
    let password_hash = accounts.hasher.hash(password).await?;
    let now = accounts.clock.date();
    let new = NewUser { name, email, password_hash, is_admin: first, created_at: now };
    let token = Token::random().map_err(|error| SiteError::internal(error.to_string()))?;
    let cookie = site.accounts().cookie(&token)?;
    let people = site.accounts().clone();
    let made = accounts.db.write(async move |tx: Tx| {
        if first {
            alone(&tx).await?;
        }
        let id = insert(&tx, new).await?;
        people.begin(&tx, id, &token, browser).await?;
        Ok::<_, NoAccount>(())
    });
    made.await.map(|()| cookie)
}

async fn insert(tx: &Tx, new: NewUser) -> Result<i64, NoAccount> {
    let email = new.email.as_ref().map(|(_, key)| key.as_str());
    match users::taken(tx, &new.name, email).await? {
        Some(taken) => Err(NoAccount::Taken(taken)),
        None => Ok(users::insert(tx, new).await?.id),
    }
}

/// Makes sure that there is no administrator, and will be none before this transaction ends.
async fn alone(tx: &Tx) -> Result<(), NoAccount> {
    tx.lock(FIRST).await?;
    if users::has_administrator(tx).await? { Err(NoAccount::NotFirst) } else { Ok(()) }
}

impl Accounts {
    /// Makes an account whose password is [`PASSWORD`](crate::testing::PASSWORD) and signs it in, past the form and its limits.
    pub(crate) async fn for_test(&self, name: &str) -> Result<HeaderValue, SiteError> {
        let name = Name::new(name).map_err(|wrong| SiteError::Invalid(wrong.to_owned()))?;
        let password_hash = self.inner.hasher.hash(crate::testing::PASSWORD.to_owned()).await?;
        let (people, now) = (self.clone(), self.inner.clock.date());
        let new = NewUser { name, email: None, password_hash, is_admin: false, created_at: now };
        let token = Token::random().map_err(|error| SiteError::internal(error.to_string()))?;
        let cookie = self.cookie(&token)?;
        let made = self.inner.db.write(async move |tx: Tx| {
            let id = users::insert(&tx, new).await?.id;
            people.begin(&tx, id, &token, Browser::for_test()).await
        });
        made.await.map(|()| cookie)
    }
}
