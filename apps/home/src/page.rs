//! Renders the front page.

use askama::Template;
use axum::extract::State;
use bellwire_site::bellwire::Html;
use bellwire_site::{MaybeUser, NavItem, Page, SiteAccounts, SiteError, SiteState};

use crate::counter::DemoCounter;

#[derive(Template)]
#[template(path = "home/page.html")]
struct HomePage {
    apps: Vec<AppCard>,
    needs_admin: bool,
    signed_in: bool,
    is_open: bool,
    rings: u64,
    windows: usize,
}

struct AppCard {
    name: &'static str,
    summary: &'static str,
    href: &'static str,
}

pub(crate) async fn show(
    State(site): State<SiteState>,
    MaybeUser(user): MaybeUser,
) -> Result<Page, SiteError> {
    let counter = DemoCounter::of(&site);
    let card = |card: &NavItem| AppCard { name: card.title, summary: card.about, href: card.path };
    let main = Html::from_template(&HomePage {
        apps: site.nav_items().iter().map(card).collect(),
        needs_admin: !site.accounts().has_administrator().await?,
        signed_in: user.is_some(),
        is_open: site.accounts().is_open(),
        rings: counter.rings(),
        windows: counter.windows(),
    })?;
    Ok(Page::new("", main).style("home/home.css").script("home/bell_controller.js"))
}
