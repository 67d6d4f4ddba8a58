//! The list of articles.

use bellwire_site::bellwire::{Html, Patch};
use serde_json::json;

use crate::BlogError;
use crate::pages::{List, Paginator, Teasers};

/// The list of articles.
const ARTICLES: &str = "#all-posts";
/// The pagination below the list.
const PAGINATOR: &str = "#paginator";

/// Replaces the list with search results.
pub(crate) fn search_results(list: &List) -> Result<[Patch; 3], BlogError> {
    Ok([Patch::inner(ARTICLES, teasers(list)?), paginator(list)?, address(list)])
}

/// Appends the next articles to the list.
pub(crate) fn next_articles(list: &List) -> Result<[Patch; 3], BlogError> {
    Ok([Patch::append(ARTICLES, teasers(list)?), paginator(list)?, address(list)])
}

fn teasers(list: &List) -> Result<Html, BlogError> {
    Ok(Html::from_template(&Teasers::of(list))?)
}

fn paginator(list: &List) -> Result<Patch, BlogError> {
    Ok(Patch::inner(PAGINATOR, Html::from_template(&Paginator::of(list))?))
}

/// Tells the page the address of the list as it is shown now.
fn address(list: &List) -> Patch {
    Patch::event("blog:address", json!({ "url": list.address() }))
}
