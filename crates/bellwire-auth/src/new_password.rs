//! Changing the password of the signed-in person.

use axum::http::HeaderValue;
use bellwire_web::bellwire::rate::network;
use bellwire_web::db::Tx;

use super::LoginTarget;
use super::SiteAccounts;
use super::browser::Browser;
use super::session::{EndReason, NewSession, SessionFilter, Token};
use super::users::{self, Changed};
use crate::{SiteError, SiteState, User};

/// The reason why a password was not changed.
#[derive(Debug)]
pub(super) enum PasswordChangeError {
    /// The current password is wrong.
    Wrong,
    /// The new password is refused, with the text for the person.
    Weak(&'static str),
    Error(SiteError),
}

impl<E: Into<SiteError>> From<E> for PasswordChangeError {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// Changes the password and ends all sessions of the person. This browser continues in a new
/// session, whose cookie is returned.
///
/// The old session ends too, because somebody who has stolen this browser's cookie would otherwise
/// stay signed in.
pub(super) async fn new_password(
    site: &SiteState,
    user: &User,
    browser: Browser,
    current: String,
    new: String,
) -> Result<HeaderValue, PasswordChangeError> {
    let accounts = &site.accounts().inner;
    let attempt = (network(browser.address), LoginTarget::User(user.id));
    if let Err(retry_after) = accounts.sign_ins.take(&attempt) {
        return Err(SiteError::TooMany { retry_after }.into());
    }
    let account =
        users::by_id(accounts.db.read(), user.id).await?.ok_or(SiteError::Unauthorized)?;
    let matches = accounts.hasher.verify(current, Some(account.password_hash.clone())).await;
    if matches.is_err() {
        accounts.sign_ins.take_back(&attempt);
    }
    if !matches? {
        return Err(PasswordChangeError::Wrong);
    }
    accounts.sign_ins.forget(&attempt);
    let email = account.email.as_deref().unwrap_or_default();
    let checked = site.accounts().check_password(&new, &[&account.name, email]).await?;
    checked.map_err(PasswordChangeError::Weak)?;
    let hash = accounts.hasher.hash(new).await?;
    let token = Token::random().map_err(|error| SiteError::internal(error.to_string()))?;
    let sessions = site.accounts().sessions().clone();
    let (cookie, session) = (sessions.cookie(&token)?, user.session());
    let changed = accounts.db.write(async move |tx: Tx| {
        if !users::is_unchanged(&tx, &account).await? {
            return Err(PasswordChangeError::Wrong);
        }
        users::change(&tx, account.id, Changed::Password(hash)).await?;
        let others = SessionFilter::Others { user_id: account.id, session };
        sessions.end(&tx, others, EndReason::NewPassword).await?;
        let new = NewSession { user_id: account.id, token: &token, device: browser.device };
        match sessions.renew(&tx, new, session).await? {
            true => Ok(()),
            false => Err(SiteError::Unauthorized.into()),
        }
    });
    changed.await.map(|()| cookie)
}
