//! The default home page: the name of the site and its apps.

use askama::Template;
use bellwire::Html;

use crate::{NavItem, Page, SiteError, SiteState};

#[derive(Template)]
#[template(path = "pages/index.html")]
struct IndexPage<'a> {
    name: &'a str,
    apps: &'a [NavItem],
}

pub(crate) fn page(site: &SiteState) -> Result<Page, SiteError> {
    let main = Html::from_template(&IndexPage { name: site.name(), apps: site.nav_items() })?;
    Ok(Page::new("", main))
}
