//! What a browser may ask: one enum, and one file for each thing.

mod change_group;
mod change_message;
mod new_message;
mod open_room;
mod read;
mod manage_room;

use serde::Deserialize;

pub use change_group::{Where, find};
pub use change_message::{delete_message, edit_message};
pub use manage_room::{Members, delete_room, rename_room, set_members};
pub(crate) use new_message::mentioned;
pub use new_message::{Asked, new_message};
pub use open_room::{open_conversation, open_room};
pub use read::{read, unread};

/// What a page may ask over its socket. Numbers may come as text, as forms send them.
#[derive(Debug, Deserialize)]
#[serde(tag = "action", content = "data")]
pub enum Action {
    /// To say something.
    #[serde(rename = "New message")]
    NewMessage(Asked),
    /// To say something else instead.
    #[serde(rename = "Edit message")]
    EditMessage {
        /// Which message.
        #[serde(deserialize_with = "bellwire_site::bellwire::serde::lenient_int")]
        id: i64,
        /// What it is to say.
        message: String,
    },
    /// To take something back.
    #[serde(rename = "Delete message")]
    DeleteMessage {
        /// Which message.
        #[serde(deserialize_with = "bellwire_site::bellwire::serde::lenient_int")]
        id: i64,
    },
    /// To look at another room or conversation.
    #[serde(rename = "Change group")]
    ChangeGroup(Where),
    /// Something is being typed.
    Typing {},
    /// What is shown was read.
    Read {
        /// In which room.
        #[serde(deserialize_with = "bellwire_site::bellwire::serde::lenient_int")]
        room: i64,
        /// Up to the message at this place.
        #[serde(deserialize_with = "bellwire_site::bellwire::serde::lenient_int")]
        seq: i64,
    },
    /// What comes from here on is to be unread again.
    #[serde(rename = "Mark unread")]
    MarkUnread {
        /// In which room.
        #[serde(deserialize_with = "bellwire_site::bellwire::serde::lenient_int")]
        room: i64,
        /// From the message at this place on.
        #[serde(deserialize_with = "bellwire_site::bellwire::serde::lenient_int")]
        seq: i64,
    },
}

impl bellwire_site::bellwire::Action for Action {
    const FORM: Option<&'static str> = Some("New message");
}
