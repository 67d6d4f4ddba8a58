//! Team chat: rooms whose messages reach every member live and in the same order, without loss.

mod routes;
mod views;
mod consumers;
pub mod actions;
mod forms;
mod feed;
mod fragments;
mod panel;
mod sidebar;
mod dot;
mod message_view;
mod room_updates;
mod online;
pub mod models;
pub mod markup;
mod events;
mod error;
mod migrations;
pub mod seed;

use bellwire_site::{App, NavItem};
use rust_embed::RustEmbed;

pub use consumers::ChatConsumer;
pub use error::ChatError;
pub use events::Event;
pub use forms::{MessageText, RoomName};

/// The chat's styles and scripts.
#[derive(RustEmbed)]
#[folder = "static/chat"]
struct Assets;

/// Returns the chat as an app to add to a site.
pub fn app() -> App {
    App::new("chat")
        .routes(routes::router)
        .migrations::<migrations::Migrator>()
        .assets::<Assets>()
        .background("presence of the chat", |site, stop| {
            let changes = site.bellwire().layer().presence().changes();
            async move {
                stop.run_until_cancelled(online::publish(site, changes)).await;
            }
        })
        .nav_item(NavItem { title: "Chat", path: "/chat/", about: "Rooms with live messages." })
        .seed_options::<seed::LongRoom>()
        .seed(|site, people, progress, options| {
            Box::pin(seed::fill(site, people, progress, options))
        })
}
