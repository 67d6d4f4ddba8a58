//! The routes of the blog.

use axum::Router;
use axum::routing::{get, post};
use bellwire_site::SiteState;

use crate::{consumers, feeds, views};

pub(crate) fn router(_: &SiteState) -> Router<SiteState> {
    Router::new()
        .route("/blog/", get(views::all))
        .route("/blog/about/", get(views::about))
        .route("/blog/article/{slug}/", get(views::article).post(views::add_comment))
        .route("/blog/comment/{id}/remove/", post(views::remove_comment))
        .route("/blog/drafts/", get(views::drafts))
        .route("/blog/write/", get(views::write).post(views::send_new))
        .route("/blog/article/{slug}/edit/", get(views::edit).post(views::send_edited))
        .route("/blog/feed/", get(feeds::rss))
        .route("/blog/atom/", get(feeds::atom))
        .route(feeds::SITEMAP_PATH, get(feeds::sitemap))
        .route("/ws/blog/", get(consumers::blog))
}
