//! What a browser may ask: one enum, and one file for each thing.

mod new_message;
mod open_room;

pub use new_message::{Asked, new_message};
pub use open_room::open_room;

/// What a room's page may ask over its socket.
#[derive(Debug, serde::Deserialize)]
#[serde(tag = "action", content = "data")]
pub enum Action {
    /// To say something.
    #[serde(rename = "New message")]
    NewMessage(Asked),
}

impl bellwire::Action for Action {
    const FORM: Option<&'static str> = Some("New message");
}
