//! The list of articles, and who we are.

use axum::extract::{Query, State};
use bellwire_site::{MaybeUser, Page, SiteError, SiteState};

use crate::BlogError;
use crate::forms::Sought;
use crate::pages::{self, List};

/// What the address says.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Shown {
    search: String,
    page: String,
}

/// `GET /blog/?search=…&page=…`
pub(crate) async fn all(
    MaybeUser(user): MaybeUser,
    Query(shown): Query<Shown>,
    State(site): State<SiteState>,
) -> Result<Page, SiteError> {
    let page = match &*shown.page {
        "" => 1,
        page => page.parse().map_err(|_| BlogError::NoMore)?,
    };
    let list = List::to(&site, Sought::parse(&shown.search), page).await?;
    Ok(pages::all(user.as_ref(), &list)?)
}

/// `GET /blog/about/`
pub(crate) async fn about(MaybeUser(user): MaybeUser) -> Result<Page, SiteError> {
    Ok(pages::about(user.as_ref())?)
}
