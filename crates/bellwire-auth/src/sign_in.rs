//! Signing in and out.

use std::net::IpAddr;
use std::time::Duration;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use bellwire_web::bellwire::rate::network;
use bellwire_web::db::Tx;

use super::browser::Browser;
use super::session::{NewSession, Token};
use super::{Accounts, Inner, LoginTarget, login_tokens, next, users};
use crate::SiteError;

/// The reason why a sign-in failed.
#[derive(Debug)]
pub(super) enum SignInError {
    /// The name is unknown or the password is wrong. The answer does not say which.
    Wrong,
    Error(SiteError),
}

impl<E: Into<SiteError>> From<E> for SignInError {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// How the session of an authenticated person begins.
pub(super) enum SessionStart {
    /// It begins now, in this browser.
    Session(Token, Browser),
    /// It begins when the page redeems this token by HTTP.
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
                Ok(login_tokens::create(tx, &token, user, accounts.inner.clock.date()).await?)
            }
        }
    }
}

/// Checks a name and a password, and begins a session as `start` says.
pub(super) async fn sign_in(
    accounts: &Accounts,
    address: IpAddr,
    username: &str,
    password: String,
    start: SessionStart,
) -> Result<(), SignInError> {
    let inner = &accounts.inner;
    let from = network(address);
    inner.sign_ins_by_address.take(&from).map_err(too_many)?;
    // Refunded below unless the password is wrong or the client disconnects before the answer.
    let checked = check(inner, from, username, password).await;
    if !matches!(checked, Err(SignInError::Wrong)) {
        inner.sign_ins_by_address.take_back(&from);
    }
    let user = checked?;
    let accounts = accounts.clone();
    let begun = inner.db.write(async move |tx: Tx| {
        let unchanged = users::is_unchanged(&tx, &user).await?;
        if unchanged {
            start.run(&accounts, &tx, &user).await?;
        }
        Ok::<_, SiteError>(unchanged)
    });
    if begun.await? { Ok(()) } else { Err(SignInError::Wrong) }
}

/// The person with this name and this password. Failures are counted by person if the name exists,
/// so that trying the e-mail address as well gives no further attempts, and otherwise by the name
/// as typed. Both cases cost the same time.
async fn check(
    accounts: &Inner,
    from: IpAddr,
    username: &str,
    password: String,
) -> Result<users::Model, SignInError> {
    let user = users::find_by_login(accounts.db.read(), username.trim()).await?;
    let user = user.filter(|user| user.is_active);
    let attempt = (from, LoginTarget::of(user.as_ref().map(|user| user.id), username));
    let hash = user.as_ref().map(|user| user.password_hash.clone());
    accounts.sign_ins.take(&attempt).map_err(too_many)?;
    let matches = match accounts.hasher.reserve(from) {
        Ok(_slot) => accounts.hasher.verify(password, hash).await,
        Err(busy) => Err(busy),
    };
    match (user, matches) {
        (Some(user), Ok(true)) => {
            accounts.sign_ins.forget(&attempt);
            Ok(user)
        }
        (_, Ok(_)) => Err(SignInError::Wrong),
        (_, Err(error)) => {
            accounts.sign_ins.take_back(&attempt);
            Err(error.into())
        }
    }
}

fn too_many(retry_after: Duration) -> SiteError {
    SiteError::TooMany { retry_after }
}

/// Sets the session cookie and redirects to `to`, or to the front page if `to` is not within the
/// site.
pub(super) fn redirect_with_cookie(to: &str, cookie: HeaderValue) -> Response {
    let to = next::within_site(to).unwrap_or_else(|| "/".to_owned());
    ([(header::SET_COOKIE, cookie)], Redirect::to(&to)).into_response()
}

impl Accounts {
    /// Begins a person's session in this browser, within a transaction.
    pub(super) async fn begin(
        &self,
        tx: &Tx,
        user_id: i64,
        token: &Token,
        browser: Browser,
    ) -> Result<(), SiteError> {
        let new = NewSession { user_id, token, device: browser.device };
        self.sessions().begin(tx, new, browser.previous).await
    }
}
