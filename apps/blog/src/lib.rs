//! A blog: articles that staff write, and comments that everyone reading an article sees at the
//! same moment.

mod routes;
mod views;
mod consumers;
mod actions;
mod forms;
pub mod models;
mod pages;
mod fragments;
mod feeds;
mod pace;
mod error;
mod migrations;
mod seed;

use bellwire_site::{App, NavItem};
use rust_embed::RustEmbed;

pub use actions::Action;
pub use consumers::BlogConsumer;
pub use error::BlogError;

/// The blog's styles and scripts.
#[derive(RustEmbed)]
#[folder = "static/blog"]
struct Assets;

/// The blog, to be put into a site.
pub fn app() -> App {
    App::new("blog")
        .routes(routes::router)
        .migrations::<migrations::Migrator>()
        .assets::<Assets>()
        .nav_item(NavItem {
            title: "Blog",
            path: "/blog/",
            about: "Articles to read, and comments that appear while you read them.",
        })
        .sitemap(feeds::SITEMAP_PATH)
        .seed(|site, people, progress, _options| Box::pin(seed::fill(site, people, progress)))
}
