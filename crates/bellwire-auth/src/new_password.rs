//! A new password, from the one who has the old one.

use axum::http::HeaderValue;
use bellwire_web::bellwire::rate::network;
use bellwire_web::db::Tx;

use super::SiteAccounts;
use super::Who;
use super::forms::Browser;
use super::session::{EndReason, NewSession, SessionFilter, Token};
use super::users::{self, Changed};
use crate::{SiteError, SiteState, User};

/// Why the password stays as it is.
#[derive(Debug)]
pub(super) enum NoNewPassword {
    /// The current one is another.
    Wrong,
    /// The new one will not do.
    Bad(&'static str),
    Error(SiteError),
}

impl<E: Into<SiteError>> From<E> for NoNewPassword {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// Changes the password and ends every session of the person; this browser goes on in a new one,
/// whose cookie is returned.
///
/// The old session ends too: a new password is no use against somebody who has this browser's
/// cookie otherwise.
pub(super) async fn new_password(
    site: &SiteState,
    user: &User,
    browser: Browser,
    current: String,
    new: String,
) -> Result<HeaderValue, NoNewPassword> {
    let accounts = &site.accounts().inner;
    let attempt = (network(browser.address), Who::User(user.id));
    if let Err(retry_after) = accounts.sign_ins.take(&attempt) {
        return Err(SiteError::TooMany { retry_after }.into());
    }
    let account =
        users::by_id(accounts.db.read(), user.id).await?.ok_or(SiteError::Unauthorized)?;
    let fits = accounts.hasher.fits(current, Some(account.password_hash.clone())).await;
    if fits.is_err() {
        accounts.sign_ins.take_back(&attempt);
    }
    if !fits? {
        return Err(NoNewPassword::Wrong);
    }
    accounts.sign_ins.forget(&attempt);
    let email = account.email.as_deref().unwrap_or_default();
    let checked = site.accounts().check_password(&new, &[&account.name, email]).await?;
    checked.map_err(NoNewPassword::Bad)?;
    let hash = accounts.hasher.hash(new).await?;
    let token = Token::random().map_err(|error| SiteError::internal(error.to_string()))?;
    let sessions = site.accounts().sessions().clone();
    let (cookie, session) = (sessions.cookie(&token)?, user.session());
    let changed = accounts.db.write(async move |tx: Tx| {
        if !users::is_still(&tx, &account).await? {
            return Err(NoNewPassword::Wrong);
        }
        users::change(&tx, account.id, Changed::Password(hash)).await?;
        let all_others = SessionFilter::Others { user_id: account.id, session };
        sessions.end(&tx, all_others, EndReason::NewPassword).await?;
        let new = NewSession { user_id: account.id, token: &token, device: browser.device };
        match sessions.renew(&tx, new, session).await? {
            true => Ok(()),
            false => Err(SiteError::Unauthorized.into()),
        }
    });
    changed.await.map(|()| cookie)
}
