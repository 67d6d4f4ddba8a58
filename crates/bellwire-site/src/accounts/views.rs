//! The pages of accounts. All of them work without JavaScript.

use axum::Router;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use super::forms::{Browser, SignInForm, SignInPage, SignUpForm, SignUpPage};
use super::sign_in::{self, NotSignedIn, go_on};
use super::sign_up::{NoAccount, sign_up};
use super::users::Taken;
use super::{MaybeUser, account, next};
use crate::errors::{in_words, seconds};
use crate::{Page, SignUp, SiteError, SiteState};

pub(crate) fn routes() -> Router<SiteState> {
    Router::new()
        .route("/accounts/signup/", get(show_sign_up).post(send_sign_up))
        .route("/accounts/login/", get(show_sign_in).post(send_sign_in))
        .route("/accounts/logout/", post(sign_out))
        .route("/accounts/first/", get(show_first).post(send_first))
        .merge(account::routes())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Whither {
    next: String,
}

impl Whither {
    fn address(&self) -> String {
        next::within_site(&self.next).unwrap_or_else(|| "/".to_owned())
    }
}

async fn show_sign_in(
    State(site): State<SiteState>,
    MaybeUser(user): MaybeUser,
    Query(whither): Query<Whither>,
) -> Result<Response, SiteError> {
    if user.is_some() {
        return Ok(Redirect::to(&whither.address()).into_response());
    }
    Ok(SignInPage::new(&whither.next, site.accounts().is_open()).show(StatusCode::OK)?.into_response())
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
    match sign_in::sign_in(&site, browser, &form.username, form.password).await {
        Ok(cookie) => Ok(go_on(&form.next, cookie)),
        Err(NotSignedIn::Wrong) => {
            page.error = Some("There is no account with this name and this password.".to_owned());
            Ok(page.show(StatusCode::UNPROCESSABLE_ENTITY)?.into_response())
        }
        Err(NotSignedIn::Error(SiteError::TooMany { retry_after })) => {
            page.error = Some(format!("Too many attempts. Try again in {}.", in_words(retry_after)));
            Ok(later(page.show(StatusCode::TOO_MANY_REQUESTS)?, seconds(retry_after)))
        }
        Err(NotSignedIn::Error(error)) => Err(error),
    }
}

async fn sign_out(
    State(site): State<SiteState>,
    MaybeUser(user): MaybeUser,
    headers: HeaderMap,
) -> Result<Response, SiteError> {
    match user {
        Some(user) => account::sign_out(&site, &user, &headers).await,
        None => account::signed_out(&site, &headers).await,
    }
}

async fn show_sign_up(
    State(site): State<SiteState>,
    MaybeUser(user): MaybeUser,
    Query(whither): Query<Whither>,
) -> Result<Response, SiteError> {
    if user.is_some() {
        return Ok(Redirect::to(&whither.address()).into_response());
    }
    may_sign_up(&site)?;
    Ok(SignUpPage::new(&whither.next).show(StatusCode::OK)?.into_response())
}

async fn send_sign_up(
    State(site): State<SiteState>,
    browser: Browser,
    Form(form): Form<SignUpForm>,
) -> Result<Response, SiteError> {
    may_sign_up(&site)?;
    let (wanted, page) = match SignUpPage::check(form) {
        Ok(checked) => checked,
        Err(page) => return Ok(page.show(StatusCode::UNPROCESSABLE_ENTITY)?.into_response()),
    };
    match sign_up(&site, browser, wanted, false).await {
        Ok(cookie) => Ok(go_on(&page.next, cookie)),
        Err(why) => refused(page, why, |page, status| page.show(status)),
    }
}

/// Who may make an account is up to the operator.
fn may_sign_up(site: &SiteState) -> Result<(), SiteError> {
    match site.accounts().inner.sign_up {
        SignUp::Open => Ok(()),
        SignUp::Invite => Err(SiteError::Forbidden(
            "New accounts are made by invitation. Ask whoever runs this site.".to_owned(),
        )),
        SignUp::Closed => Err(SiteError::Forbidden("This site takes no new accounts.".to_owned())),
    }
}

async fn show_first(
    State(site): State<SiteState>,
    Query(whither): Query<Whither>,
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
    match sign_up(&site, browser, wanted, true).await {
        Ok(cookie) => Ok(go_on(&page.next, cookie)),
        Err(why) => refused(page, why, SignUpPage::show_first),
    }
}

fn not_first(next: &str) -> Response {
    Redirect::to(&next::with("/accounts/login/", next)).into_response()
}

fn refused(
    mut page: SignUpPage,
    why: NoAccount,
    show: fn(SignUpPage, StatusCode) -> Result<Page, SiteError>,
) -> Result<Response, SiteError> {
    match why {
        NoAccount::NotFirst => return Ok(not_first(&page.next)),
        NoAccount::Taken(Taken::Name) => page.username.wrong("This name is taken."),
        NoAccount::Taken(Taken::Email) => page.email.wrong("There is an account with this address already."),
        NoAccount::Error(SiteError::TooMany { retry_after }) => {
            let wait = in_words(retry_after);
            page.error = Some(format!("Too many new accounts from your address. Try again in {wait}."));
            return Ok(later(show(page, StatusCode::TOO_MANY_REQUESTS)?, seconds(retry_after)));
        }
        NoAccount::Error(error) => return Err(error),
    }
    Ok(show(page, StatusCode::UNPROCESSABLE_ENTITY)?.into_response())
}

fn later(page: Page, seconds: u64) -> Response {
    ([(header::RETRY_AFTER, HeaderValue::from(seconds))], page).into_response()
}
