//! Serves `robots.txt`: the disallowed paths, and the sitemaps of the apps.

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;

use crate::SiteState;

/// Account pages and sockets. Other pages that require an account redirect to a form under
/// `/accounts/`.
const DISALLOWED: [&str; 2] = ["/accounts/", "/ws/"];

pub(crate) fn routes() -> Router<SiteState> {
    Router::new().route("/robots.txt", get(show))
}

async fn show(State(site): State<SiteState>) -> impl IntoResponse {
    ([(header::CACHE_CONTROL, "public, max-age=3600")], text(&site))
}

fn text(site: &SiteState) -> String {
    let disallowed = DISALLOWED.map(|path| format!("Disallow: {path}\n")).concat();
    let sitemap = |path: &&str| format!("\nSitemap: {}\n", site.public_url().absolute(path));
    let sitemaps: String = site.sitemaps().iter().map(sitemap).collect();
    format!("User-agent: *\n{disallowed}{sitemaps}")
}
