//! The front page of Bellwire's own site: a list of the apps, links to sign in or sign up, and the
//! demo counter.

mod consumer;
mod counter;
mod page;

use axum::Router;
use axum::routing::{get, post};
use bellwire_site::{App, SiteState};
use rust_embed::RustEmbed;

/// The styles and scripts of the front page.
#[derive(RustEmbed)]
#[folder = "static/home"]
struct Assets;

/// The front page, for `Site::builder(…).home(…)`.
pub fn app() -> App {
    App::new("home").router(routes()).assets::<Assets>()
}

fn routes() -> Router<SiteState> {
    Router::new()
        .route("/", get(page::show))
        .route("/ring/", post(consumer::ring))
        .route("/ws/", get(consumer::live))
}

#[cfg(test)]
mod tests {
    use bellwire_site::bellwire::Action as _;
    use bellwire_testkit::{TestDatabase, TestSite, check_actions};

    use crate::consumer::HomeAction;

    #[tokio::test]
    async fn the_page_names_only_actions_that_the_consumer_reads() {
        let site = TestSite::start(&TestDatabase::Sqlite, vec![super::app()]).await;
        check_actions(&mut site.client(), "/", &[("/ws/", HomeAction::SPECS)]).await;
        site.stop().await;
    }
}
