//! A blog: articles by staff, with comments that appear live for every reader of an article.

mod routes;
mod views;
mod consumers;
mod actions;
mod forms;
pub mod models;
mod pages;
mod comment_feed;
mod fragments;
mod feeds;
mod rate_limit;
mod error;
mod migrations;
mod seed;

use bellwire_site::{App, NavItem};
use rust_embed::RustEmbed;

pub use actions::Action;
pub use consumers::BlogConsumer;
pub use error::BlogError;

/// The styles and scripts of the blog.
#[derive(RustEmbed)]
#[folder = "static/blog"]
struct Assets;

/// The blog, as an app of a site.
pub fn app() -> App {
    App::new("blog")
        .routes(routes::router)
        .migrations::<migrations::Migrator>()
        .assets::<Assets>()
        .nav_item(NavItem {
            title: "Blog",
            path: "/blog/",
            about: "Articles, with comments that appear while you read.",
        })
        .sitemap(feeds::SITEMAP_PATH)
        .seed(|site, people, progress, _options| Box::pin(seed::fill(site, people, progress)))
}
