//! The account page: signed-in devices and the password.

use askama::Template;
use axum::extract::{Form, Path, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use bellwire_web::bellwire::Html;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use super::SiteAccounts;
use super::browser::Browser;
use super::new_password::{PasswordChangeError, new_password};
use super::session::{self, EndReason, RequestSession, SessionFilter, device_name};
use super::users;
use crate::{Field, Page, SiteError, SiteState, User};
use bellwire_web::wait::in_words;

/// The header of the [Clear Site Data](https://www.w3.org/TR/clear-site-data/) specification.
const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

pub(super) fn routes() -> Router<SiteState> {
    Router::new()
        .route("/accounts/", get(show))
        .route("/accounts/sessions/end/", post(end_others))
        .route("/accounts/sessions/{id}/end/", post(end_one))
        .route("/accounts/password/", get(redirect_to_account).post(change_password))
}

#[derive(Template)]
#[template(path = "accounts/account.html")]
struct AccountPage {
    name: String,
    email: Option<String>,
    is_admin: bool,
    is_staff: bool,
    sessions: Vec<SessionRow>,
    form: PasswordForm,
}

/// The password form with its errors.
#[derive(Debug, Default)]
struct PasswordForm {
    current: Field,
    password: Field,
    password_confirm: Field,
    error: Option<String>,
}

/// The submitted fields of the password form.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SubmittedFields {
    current: String,
    password: String,
    password_confirm: String,
}

/// A session in the list of devices.
struct SessionRow {
    id: i64,
    device: String,
    address: String,
    since: Moment,
    last_seen: Moment,
    is_this: bool,
}

/// A point in time, relative ("2 hours ago") and absolute.
struct Moment {
    iso: String,
    utc: String,
    words: String,
}

impl Moment {
    fn new(date: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        let iso = date.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        Self { iso, utc: date.format("%-d %B %Y, %H:%M UTC").to_string(), words: ago(now - date) }
    }
}

fn ago(time: TimeDelta) -> String {
    let (number, unit) = match (time.num_minutes(), time.num_hours(), time.num_days()) {
        (..=1, _, _) => return "just now".to_owned(),
        (minutes @ ..60, _, _) => (minutes, "minute"),
        (_, hours @ ..24, _) => (hours, "hour"),
        (_, _, days) => (days, "day"),
    };
    format!("{number} {unit}{} ago", if number == 1 { "" } else { "s" })
}

async fn show(State(site): State<SiteState>, user: User) -> Result<Page, SiteError> {
    page(&site, &user, PasswordForm::default(), StatusCode::OK).await
}

/// Redirects when the form's address is loaded with GET, for example by a reload.
async fn redirect_to_account(_: User) -> Redirect {
    Redirect::to("/accounts/")
}

async fn page(
    site: &SiteState,
    user: &User,
    form: PasswordForm,
    status: StatusCode,
) -> Result<Page, SiteError> {
    let now = site.clock().date();
    let account = users::by_id(site.db().read(), user.id).await?.ok_or(SiteError::Unauthorized)?;
    let mut sessions = session::of(site.db().read(), user.id, now).await?;
    // This session first, then the most recently used.
    sessions.sort_by_key(|session| session.id != user.session());
    let row = |session: session::Model| SessionRow {
        id: session.id,
        device: device_name(&session.user_agent),
        address: session.address,
        since: Moment::new(session.created_at, now),
        last_seen: Moment::new(session.last_seen_at, now),
        is_this: session.id == user.session(),
    };
    let sessions = sessions.into_iter().map(row).collect();
    let users::Model { name, email, is_admin, is_staff, .. } = account;
    let main = AccountPage { name, email, is_admin, is_staff, sessions, form };
    Ok(Page::new("Your account", Html::from_template(&main)?).status(status))
}

/// Ends one of the person's own sessions. The sessions of others are answered with 404.
async fn end_one(
    State(site): State<SiteState>,
    user: User,
    Path(session): Path<i64>,
    Extension(own): Extension<RequestSession>,
) -> Result<Response, SiteError> {
    if session == user.session() {
        return sign_out(&site, &own).await;
    }
    let filter = SessionFilter::Own { user_id: user.id, session };
    match site.accounts().sessions().end_now(filter, EndReason::EndedElsewhere).await? {
        0 => Err(SiteError::NotFound),
        _ => Ok(Redirect::to("/accounts/").into_response()),
    }
}

async fn end_others(State(site): State<SiteState>, user: User) -> Result<Redirect, SiteError> {
    let filter = SessionFilter::Others { user_id: user.id, session: user.session() };
    site.accounts().sessions().end_now(filter, EndReason::EndedElsewhere).await?;
    Ok(Redirect::to("/accounts/"))
}

/// Ends this browser's session, signed in or anonymous, and deletes its data. Redirects to the
/// front page and clears the cookie and the browser's cache, so that the next person at this
/// computer cannot go back to the pages.
pub(super) async fn sign_out(
    site: &SiteState,
    own: &RequestSession,
) -> Result<Response, SiteError> {
    let sessions = site.accounts().sessions();
    sessions.sign_out(own).await?;
    let forget = HeaderValue::from_static("\"cache\"");
    let no_cookie = [(header::SET_COOKIE, sessions.no_cookie()?)];
    Ok(([(CLEAR_SITE_DATA, forget)], no_cookie, Redirect::to("/")).into_response())
}

async fn change_password(
    State(site): State<SiteState>,
    user: User,
    browser: Browser,
    Form(submitted): Form<SubmittedFields>,
) -> Result<Response, SiteError> {
    let mut form = PasswordForm::default();
    if submitted.current.is_empty() {
        form.current.wrong("Please type your current password.");
    }
    if submitted.password != submitted.password_confirm {
        form.password_confirm.wrong("The two passwords are not the same.");
    }
    if form.current.error.is_none() && form.password_confirm.error.is_none() {
        match new_password(&site, &user, browser, submitted.current, submitted.password).await {
            Ok(cookie) => {
                return Ok(
                    ([(header::SET_COOKIE, cookie)], Redirect::to("/accounts/")).into_response()
                );
            }
            Err(PasswordChangeError::Wrong) => form.current.wrong("This is not your password."),
            Err(PasswordChangeError::Weak(reason)) => form.password.wrong(reason),
            Err(PasswordChangeError::Error(SiteError::TooMany { retry_after })) => {
                form.error =
                    Some(format!("Too many attempts. Try again in {}.", in_words(retry_after)));
                let page = page(&site, &user, form, StatusCode::TOO_MANY_REQUESTS).await?;
                let wait = HeaderValue::from(bellwire_web::wait::seconds(retry_after));
                return Ok(([(header::RETRY_AFTER, wait)], page).into_response());
            }
            Err(PasswordChangeError::Error(error)) => return Err(error),
        }
    }
    Ok(page(&site, &user, form, StatusCode::UNPROCESSABLE_ENTITY).await?.into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_span_is_shown_in_words() {
        for (seconds, expected) in [
            (-5, "just now"),
            (0, "just now"),
            (119, "just now"),
            (120, "2 minutes ago"),
            (59 * 60 + 59, "59 minutes ago"),
            (3600, "1 hour ago"),
            (23 * 3600, "23 hours ago"),
            (24 * 3600, "1 day ago"),
            (29 * 24 * 3600, "29 days ago"),
        ] {
            assert_eq!(ago(TimeDelta::seconds(seconds)), expected);
        }
    }
}
