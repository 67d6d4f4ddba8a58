//! What crawlers are asked: what to leave alone, and where the apps have a map of what is there to
//! read.

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;

use crate::SiteState;

/// What is somebody's own, and the sockets. Everything else that needs an account leads to a form
/// below the first.
const LEFT_ALONE: [&str; 2] = ["/accounts/", "/ws/"];

pub(crate) fn routes() -> Router<SiteState> {
    Router::new().route("/robots.txt", get(show))
}

async fn show(State(site): State<SiteState>) -> impl IntoResponse {
    ([(header::CACHE_CONTROL, "public, max-age=3600")], text(&site))
}

fn text(site: &SiteState) -> String {
    let left_alone = LEFT_ALONE.map(|path| format!("Disallow: {path}\n")).concat();
    let map = |path: &&str| format!("\nSitemap: {}\n", site.public_url().absolute(path));
    let maps: String = site.sitemaps().iter().map(map).collect();
    format!("User-agent: *\n{left_alone}{maps}")
}
