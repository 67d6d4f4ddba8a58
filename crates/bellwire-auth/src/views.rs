//! The account pages for signing in, up and out. All of them work without JavaScript.

use std::time::Duration;

use axum::extract::{Form, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use serde::Deserialize;

use super::SiteAccounts;
use super::browser::Browser;
use super::form_pages::{SignInPage, SignUpPage};
use super::forms::{NewAccount, SignInForm, SignUpForm};
use super::session::{RequestSession, Token};
use super::sign_in::{SessionStart, redirect_with_cookie, sign_in};
use super::sign_up::{SignUpError, sign_up};
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
    fn path(&self) -> String {
        next::within_site(&self.next).unwrap_or_else(|| "/".to_owned())
    }
}

async fn show_sign_in(
    State(site): State<SiteState>,
    MaybeUser(user): MaybeUser,
    Query(params): Query<NextParam>,
) -> Result<Response, SiteError> {
    if user.is_some() {
        return Ok(Redirect::to(&params.path()).into_response());
    }
    Ok(SignInPage::new(&params.next, site.accounts().is_open())
        .show(StatusCode::OK)?
        .into_response())
}

async fn send_sign_in(
    State(site): State<SiteState>,
    browser: Browser,
    Form(form): Form<SignInForm>,
) -> Result<Response, SiteError> {
    let mut page = SignInPage::of(&form, site.accounts().is_open());
    if !page.is_valid() {
        return Ok(page.show(StatusCode::UNPROCESSABLE_ENTITY)?.into_response());
    }
    let token = Token::random().map_err(SiteError::internal)?;
    let (cookie, from) = (site.accounts().sessions().cookie(&token)?, browser.address);
    let start = SessionStart::Session(token, browser);
    match sign_in(site.accounts(), from, &form.username, form.password, start).await {
        Ok(()) => Ok(redirect_with_cookie(&form.next, cookie)),
        Err(error) => {
            let wait = page.refuse(error)?;
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
    Query(params): Query<NextParam>,
) -> Result<Response, SiteError> {
    if user.is_some() {
        return Ok(Redirect::to(&params.path()).into_response());
    }
    site.accounts().may_sign_up()?;
    Ok(SignUpPage::new(&params.next).show(StatusCode::OK)?.into_response())
}

async fn send_sign_up(
    State(site): State<SiteState>,
    browser: Browser,
    Form(form): Form<SignUpForm>,
) -> Result<Response, SiteError> {
    site.accounts().may_sign_up()?;
    let (new_account, page) = match SignUpPage::check(form) {
        Ok(checked) => checked,
        Err(page) => return Ok(page.show(StatusCode::UNPROCESSABLE_ENTITY)?.into_response()),
    };
    create_account(&site, browser, new_account, page, false).await
}

async fn create_account(
    site: &SiteState,
    browser: Browser,
    new_account: NewAccount,
    mut page: SignUpPage,
    is_first: bool,
) -> Result<Response, SiteError> {
    let token = Token::random().map_err(SiteError::internal)?;
    let (cookie, from) = (site.accounts().sessions().cookie(&token)?, browser.address);
    match sign_up(
        site.accounts(),
        from,
        new_account,
        is_first,
        SessionStart::Session(token, browser),
    )
    .await
    {
        Ok(()) => Ok(redirect_with_cookie(&page.next, cookie)),
        Err(SignUpError::AdministratorExists) => Ok(redirect_to_sign_in(&page.next)),
        Err(error) => {
            let wait = page.refuse(error)?;
            refused(
                wait,
                |status| if is_first { page.show_first(status) } else { page.show(status) },
            )
        }
    }
}

impl Accounts {
    /// Checks whether the operator's settings allow a new account.
    pub(super) fn may_sign_up(&self) -> Result<(), SiteError> {
        match self.inner.sign_up {
            SignUp::Open => Ok(()),
            SignUp::Invite => Err(SiteError::Forbidden(
                "New accounts are by invitation only. Ask the administrator of this site."
                    .to_owned(),
            )),
            SignUp::Closed => {
                Err(SiteError::Forbidden("This site takes no new accounts.".to_owned()))
            }
        }
    }
}

async fn show_first(
    State(site): State<SiteState>,
    Query(params): Query<NextParam>,
) -> Result<Response, SiteError> {
    match site.accounts().has_administrator().await? {
        true => Ok(redirect_to_sign_in(&params.next)),
        false => Ok(SignUpPage::new(&params.next).show_first(StatusCode::OK)?.into_response()),
    }
}

async fn send_first(
    State(site): State<SiteState>,
    browser: Browser,
    Form(form): Form<SignUpForm>,
) -> Result<Response, SiteError> {
    if site.accounts().has_administrator().await? {
        return Ok(redirect_to_sign_in(&form.next));
    }
    let (new_account, page) = match SignUpPage::check(form) {
        Ok(checked) => checked,
        Err(page) => return Ok(page.show_first(StatusCode::UNPROCESSABLE_ENTITY)?.into_response()),
    };
    create_account(&site, browser, new_account, page, true).await
}

fn redirect_to_sign_in(next: &str) -> Response {
    Redirect::to(&next::with("/accounts/login/", next)).into_response()
}

/// The form again with its errors: 422, or 429 after too many attempts.
fn refused(
    wait: Option<Duration>,
    show: impl FnOnce(StatusCode) -> Result<Page, SiteError>,
) -> Result<Response, SiteError> {
    match wait {
        None => Ok(show(StatusCode::UNPROCESSABLE_ENTITY)?.into_response()),
        Some(wait) => {
            let retry_after = [(header::RETRY_AFTER, HeaderValue::from(seconds(wait)))];
            Ok((retry_after, show(StatusCode::TOO_MANY_REQUESTS)?).into_response())
        }
    }
}
