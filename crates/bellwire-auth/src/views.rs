//! The pages of accounts. All of them work without JavaScript.

use std::time::Duration;

use axum::extract::{Form, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use serde::Deserialize;

use super::SiteAccounts;
use super::forms::{Browser, NewAccount, SignInForm, SignInPage, SignUpForm, SignUpPage};
use super::session::{RequestSession, Token};
use super::sign_in::{SessionStart, go_on, sign_in};
use super::sign_up::{NoAccount, sign_up};
use super::{Accounts, MaybeUser, account, next, over_socket, staff};
use crate::{Page, SignUp, SiteError, SiteState};
use bellwire_web::wait::seconds;

/// The pages under `/accounts/`. All of them work without JavaScript.
pub fn routes() -> Router<SiteState> {
    Router::new()
        .route("/accounts/signup/", get(show_sign_up).post(send_sign_up))
        .route("/accounts/login/", get(show_sign_in).post(send_sign_in))
        .route("/accounts/logout/", post(sign_out))
        .route("/accounts/first/", get(show_first).post(send_first))
        .route("/accounts/ticket/", post(over_socket::redeem))
        .merge(account::routes())
        .merge(staff::routes())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NextParam {
    next: String,
}

impl NextParam {
    fn address(&self) -> String {
        next::within_site(&self.next).unwrap_or_else(|| "/".to_owned())
    }
}

async fn show_sign_in(
    State(site): State<SiteState>,
    MaybeUser(user): MaybeUser,
    Query(whither): Query<NextParam>,
) -> Result<Response, SiteError> {
    if user.is_some() {
        return Ok(Redirect::to(&whither.address()).into_response());
    }
    Ok(SignInPage::new(&whither.next, site.accounts().is_open())
        .show(StatusCode::OK)?
        .into_response())
}

async fn send_sign_in(
    State(site): State<SiteState>,
    browser: Browser,
    Form(form): Form<SignInForm>,
) -> Result<Response, SiteError> {
    let mut page = SignInPage::of(&form, site.accounts().is_open());
    if !page.is_right() {
        return Ok(page.show(StatusCode::UNPROCESSABLE_ENTITY)?.into_response());
    }
    let token = Token::random().map_err(SiteError::internal)?;
    let (cookie, from) = (site.accounts().sessions().cookie(&token)?, browser.address);
    let begin = SessionStart::Session(token, browser);
    match sign_in(site.accounts(), from, &form.username, form.password, begin).await {
        Ok(()) => Ok(go_on(&form.next, cookie)),
        Err(why) => {
            let wait = page.refuse(why)?;
            refused(wait, |status| page.show(status))
        }
    }
}

async fn sign_out(
    State(site): State<SiteState>,
    Extension(own): Extension<RequestSession>,
) -> Result<Response, SiteError> {
    account::sign_out(&site, &own).await
}

async fn show_sign_up(
    State(site): State<SiteState>,
    MaybeUser(user): MaybeUser,
    Query(whither): Query<NextParam>,
) -> Result<Response, SiteError> {
    if user.is_some() {
        return Ok(Redirect::to(&whither.address()).into_response());
    }
    site.accounts().may_sign_up()?;
    Ok(SignUpPage::new(&whither.next).show(StatusCode::OK)?.into_response())
}

async fn send_sign_up(
    State(site): State<SiteState>,
    browser: Browser,
    Form(form): Form<SignUpForm>,
) -> Result<Response, SiteError> {
    site.accounts().may_sign_up()?;
    let (wanted, page) = match SignUpPage::check(form) {
        Ok(checked) => checked,
        Err(page) => return Ok(page.show(StatusCode::UNPROCESSABLE_ENTITY)?.into_response()),
    };
    send_wanted(&site, browser, wanted, page, false).await
}

async fn send_wanted(
    site: &SiteState,
    browser: Browser,
    wanted: NewAccount,
    mut page: SignUpPage,
    first: bool,
) -> Result<Response, SiteError> {
    let token = Token::random().map_err(SiteError::internal)?;
    let (cookie, from) = (site.accounts().sessions().cookie(&token)?, browser.address);
    match sign_up(site.accounts(), from, wanted, first, SessionStart::Session(token, browser)).await
    {
        Ok(()) => Ok(go_on(&page.next, cookie)),
        Err(NoAccount::NotFirst) => Ok(not_first(&page.next)),
        Err(why) => {
            let wait = page.refuse(why)?;
            refused(wait, |status| if first { page.show_first(status) } else { page.show(status) })
        }
    }
}

impl Accounts {
    /// Who may make an account is up to the operator.
    pub(super) fn may_sign_up(&self) -> Result<(), SiteError> {
        match self.inner.sign_up {
            SignUp::Open => Ok(()),
            SignUp::Invite => Err(SiteError::Forbidden(
                "New accounts are made by invitation. Ask whoever runs this site.".to_owned(),
            )),
            SignUp::Closed => {
                Err(SiteError::Forbidden("This site takes no new accounts.".to_owned()))
            }
        }
    }
}

async fn show_first(
    State(site): State<SiteState>,
    Query(whither): Query<NextParam>,
) -> Result<Response, SiteError> {
    match site.accounts().has_administrator().await? {
        true => Ok(not_first(&whither.next)),
        false => Ok(SignUpPage::new(&whither.next).show_first(StatusCode::OK)?.into_response()),
    }
}

async fn send_first(
    State(site): State<SiteState>,
    browser: Browser,
    Form(form): Form<SignUpForm>,
) -> Result<Response, SiteError> {
    if site.accounts().has_administrator().await? {
        return Ok(not_first(&form.next));
    }
    let (wanted, page) = match SignUpPage::check(form) {
        Ok(checked) => checked,
        Err(page) => return Ok(page.show_first(StatusCode::UNPROCESSABLE_ENTITY)?.into_response()),
    };
    send_wanted(&site, browser, wanted, page, true).await
}

fn not_first(next: &str) -> Response {
    Redirect::to(&next::with("/accounts/login/", next)).into_response()
}

/// The form once more, with what is wrong: 422, or 429 where it was too often.
fn refused(
    wait: Option<Duration>,
    show: impl FnOnce(StatusCode) -> Result<Page, SiteError>,
) -> Result<Response, SiteError> {
    match wait {
        None => Ok(show(StatusCode::UNPROCESSABLE_ENTITY)?.into_response()),
        Some(wait) => {
            let later = [(header::RETRY_AFTER, HeaderValue::from(seconds(wait)))];
            Ok((later, show(StatusCode::TOO_MANY_REQUESTS)?).into_response())
        }
    }
}
