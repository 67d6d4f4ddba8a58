//! Signing in and out.

use std::net::IpAddr;
use std::time::Duration;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use bellwire_web::bellwire::rate::network;
use bellwire_web::db::Tx;

use super::forms::Browser;
use super::session::{NewSession, Token};
use super::{Accounts, Inner, Who, login_tokens, next, users};
use crate::SiteError;

/// Why somebody was not signed in.
#[derive(Debug)]
pub(super) enum NotSignedIn {
    /// There is no such name, or it has another password. It is not said which.
    Wrong,
    Error(SiteError),
}

impl<E: Into<SiteError>> From<E> for NotSignedIn {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// How it goes on for somebody who has shown who they are.
pub(super) enum SessionStart {
    /// The session begins, in this browser.
    Session(Token, Browser),
    /// It begins when the page redeems this.
    LoginToken(Token),
}

impl SessionStart {
    pub(super) async fn run(
        self,
        accounts: &Accounts,
        tx: &Tx,
        user: &users::Model,
    ) -> Result<(), SiteError> {
        match self {
            Self::Session(token, browser) => accounts.begin(tx, user.id, &token, browser).await,
            Self::LoginToken(token) => {
                Ok(login_tokens::make(tx, &token, user, accounts.inner.clock.date()).await?)
            }
        }
    }
}

/// Lets whoever has this name and password go on.
pub(super) async fn sign_in(
    people: &Accounts,
    address: IpAddr,
    username: &str,
    password: String,
    begin: SessionStart,
) -> Result<(), NotSignedIn> {
    let accounts = &people.inner;
    let from = network(address);
    accounts.strangers.take(&from).map_err(too_many)?;
    // Taken back below, unless it turns out that the password is wrong, or whoever asked does not
    // wait for it.
    let checked = check(accounts, from, username, password).await;
    if !matches!(checked, Err(NotSignedIn::Wrong)) {
        accounts.strangers.take_back(&from);
    }
    let user = checked?;
    let people = people.clone();
    let begun = accounts.db.write(async move |tx: Tx| {
        let same = users::is_still(&tx, &user).await?;
        if same {
            begin.run(&people, &tx, &user).await?;
        }
        Ok::<_, SiteError>(same)
    });
    if begun.await? { Ok(()) } else { Err(NotSignedIn::Wrong) }
}

/// Whoever has this name and this password. Failures are counted by person where there is one, so
/// that a second name is no second try, and by the name as typed otherwise; the work is the same.
async fn check(
    accounts: &Inner,
    from: IpAddr,
    username: &str,
    password: String,
) -> Result<users::Model, NotSignedIn> {
    let user = users::called(accounts.db.read(), username.trim()).await?;
    let user = user.filter(|user| user.is_active);
    let attempt = (from, Who::of(user.as_ref().map(|user| user.id), username));
    let hash = user.as_ref().map(|user| user.password_hash.clone());
    accounts.sign_ins.take(&attempt).map_err(too_many)?;
    let fits = match accounts.hasher.place(from) {
        Ok(_place) => accounts.hasher.fits(password, hash).await,
        Err(busy) => Err(busy),
    };
    match (user, fits) {
        (Some(user), Ok(true)) => {
            accounts.sign_ins.forget(&attempt);
            Ok(user)
        }
        (_, Ok(_)) => Err(NotSignedIn::Wrong),
        (_, Err(error)) => {
            accounts.sign_ins.take_back(&attempt);
            Err(error.into())
        }
    }
}

fn too_many(retry_after: Duration) -> SiteError {
    SiteError::TooMany { retry_after }
}

/// Away from a form that has done its work, to where the person was going.
pub(super) fn go_on(to: &str, cookie: HeaderValue) -> Response {
    let to = next::within_site(to).unwrap_or_else(|| "/".to_owned());
    ([(header::SET_COOKIE, cookie)], Redirect::to(&to)).into_response()
}

impl Accounts {
    /// Begins the session of a person in this browser, in a transaction.
    pub(super) async fn begin(
        &self,
        tx: &Tx,
        user_id: i64,
        token: &Token,
        browser: Browser,
    ) -> Result<(), SiteError> {
        let new = NewSession { user_id, token, device: browser.device };
        self.sessions().begin(tx, new, browser.old).await
    }
}
