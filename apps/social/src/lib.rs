//! A small social network: short messages from anyone, five per page, newest first. New, changed
//! and deleted messages appear live on every page of the list, and no window changes its page
//! because of another visitor's action.

mod routes;
mod views;
mod visitor;
mod consumers;
pub mod actions;
mod forms;
mod events;
pub mod models;
mod fragments;
mod page_cache;
mod updates;
mod error;
mod migrations;
mod seed;

use bellwire_site::{App, NavItem};
use rust_embed::RustEmbed;

pub use consumers::SocialConsumer;
pub use error::SocialError;
pub use events::Event;
pub use forms::{Author, MessageText};
pub use visitor::Visitor;

/// The styles and scripts of the social network.
#[derive(RustEmbed)]
#[folder = "static/social"]
struct Assets;

/// The social network, as an app of a site.
pub fn app() -> App {
    App::new("social")
        .routes(routes::router)
        .migrations::<migrations::Migrator>()
        .assets::<Assets>()
        .nav_item(NavItem {
            title: "Social",
            path: "/social/",
            about: "Short messages that anyone can post, read and edit, updated live.",
        })
        .seed(|site, people, progress, _options| Box::pin(seed::fill(site, people, progress)))
}
