//! The page on which administrators manage the staff role.

use askama::Template;
use axum::Router;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use bellwire_web::bellwire::Html;
use serde::Deserialize;

use super::SiteAccounts;
use super::{OperatorError, users};
use crate::{Field, Page, SiteError, SiteState, User};

/// The maximum number of people on the page. `bellwire user list` lists all.
const SHOWN: u64 = 500;

pub(super) fn routes() -> Router<SiteState> {
    Router::new()
        .route("/accounts/staff/", get(show).post(grant))
        .route("/accounts/staff/{id}/revoke/", post(revoke))
}

#[derive(Template)]
#[template(path = "accounts/staff.html")]
struct StaffPage {
    people: Vec<users::Model>,
    who: Field,
}

/// The submitted fields of the form.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SubmittedFields {
    who: String,
}

async fn show(State(site): State<SiteState>, user: User) -> Result<Page, SiteError> {
    require_admin(&user)?;
    page(&site, Field::default()).await
}

async fn grant(
    State(site): State<SiteState>,
    user: User,
    Form(submitted): Form<SubmittedFields>,
) -> Result<Response, SiteError> {
    require_admin(&user)?;
    let mut who = Field::typed(&*submitted.who);
    if submitted.who.trim().is_empty() {
        who.wrong("Please type a name or an e-mail address.");
    } else {
        match site.accounts().set_staff(&submitted.who, true).await {
            Ok(_) => return Ok(Redirect::to("/accounts/staff/").into_response()),
            Err(OperatorError::Site(error)) => return Err(error),
            Err(_) => who.wrong("There is no account with this name or e-mail address."),
        }
    }
    Ok(page(&site, who).await?.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
}

async fn revoke(
    State(site): State<SiteState>,
    user: User,
    Path(person): Path<i64>,
) -> Result<Redirect, SiteError> {
    require_admin(&user)?;
    let person = users::by_id(site.db().read(), person).await?.ok_or(SiteError::NotFound)?;
    site.accounts().change_staff(person.into(), false).await.map_err(|error| match error {
        OperatorError::Site(error) => error,
        _ => SiteError::NotFound,
    })?;
    Ok(Redirect::to("/accounts/staff/"))
}

fn require_admin(user: &User) -> Result<(), SiteError> {
    match user.is_admin {
        true => Ok(()),
        false => Err(SiteError::Forbidden("Only administrators can manage staff.".to_owned())),
    }
}

async fn page(site: &SiteState, who: Field) -> Result<Page, SiteError> {
    let people = users::staff(site.db().read(), SHOWN).await?;
    Ok(Page::new("Staff", Html::from_template(&StaffPage { people, who })?))
}
