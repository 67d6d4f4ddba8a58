//! A social network: short messages of anyone, five a page, newest first. Everyone sees them come,
//! change and go at once, on whatever page they are, and nobody is led anywhere by what somebody
//! else does.

mod routes;
mod views;
mod visitor;
mod consumers;
pub mod actions;
mod forms;
pub mod models;
mod fragments;
mod board;
mod news;
mod error;
mod migrations;
mod seed;

use bellwire_site::{App, NavItem};
use rust_embed::RustEmbed;

pub use consumers::{Event, SocialConsumer};
pub use error::SocialError;
pub use forms::{Author, MessageText};
pub use visitor::Visitor;

/// The network's styles and scripts.
#[derive(RustEmbed)]
#[folder = "static/social"]
struct Assets;

/// The social network, to be put into a site.
pub fn app() -> App {
    App::new("social")
        .routes(routes::router)
        .migrations::<migrations::Migrator>()
        .assets::<Assets>()
        .nav_item(NavItem {
            title: "Social",
            path: "/social/",
            about: "Short messages of anyone, to be read, answered and mended by everyone at once.",
        })
        .seed(|site, people, progress, _options| Box::pin(seed::fill(site, people, progress)))
}
