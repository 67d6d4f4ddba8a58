//! HTTP handlers of the list of articles and of the page about the authors.

use axum::extract::{Query, State};
use bellwire_site::{MaybeUser, Page, SiteError, SiteState};

use crate::BlogError;
use crate::forms::SearchQuery;
use crate::pages::{self, List};

/// The query of the list.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct ListQuery {
    search: String,
    page: String,
}

/// `GET /blog/?search=…&page=…`
pub(crate) async fn all(
    MaybeUser(user): MaybeUser,
    Query(query): Query<ListQuery>,
    State(site): State<SiteState>,
) -> Result<Page, SiteError> {
    let page = match &*query.page {
        "" => 1,
        page => page.parse().map_err(|_| BlogError::NoMore)?,
    };
    let list = List::up_to(&site, SearchQuery::parse(&query.search), page).await?;
    Ok(pages::all(user.as_ref(), &list)?)
}

/// `GET /blog/about/`
pub(crate) async fn about(MaybeUser(user): MaybeUser) -> Result<Page, SiteError> {
    Ok(pages::about(user.as_ref())?)
}
