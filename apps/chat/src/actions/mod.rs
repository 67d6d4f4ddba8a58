//! Actions of the chat: one enum, and one file for each kind.

mod change_group;
mod change_message;
mod new_message;
mod open_room;
mod read;
mod manage_room;

use serde::Deserialize;

pub use change_group::{ChangeGroupData, find_room};
pub use change_message::{delete_message, edit_message};
pub use manage_room::{Members, delete_room, rename_room, set_members};
pub(crate) use new_message::mentioned;
pub use new_message::{NewMessageData, new_message};
pub use open_room::{open_conversation, open_room};
pub use read::{read, unread};

/// An action that a page sends over its socket. Numbers may be text, as forms send them.
#[derive(Debug, Deserialize)]
#[serde(tag = "action", content = "data")]
pub enum Action {
    /// Sends a message.
    #[serde(rename = "New message")]
    NewMessage(NewMessageData),
    /// Changes the text of a message.
    #[serde(rename = "Edit message")]
    EditMessage {
        /// The id of the message.
        #[serde(deserialize_with = "bellwire_site::bellwire::serde::lenient_int")]
        id: i64,
        /// The new text.
        message: String,
    },
    /// Deletes a message.
    #[serde(rename = "Delete message")]
    DeleteMessage {
        /// The id of the message.
        #[serde(deserialize_with = "bellwire_site::bellwire::serde::lenient_int")]
        id: i64,
    },
    /// Switches to another room or conversation.
    #[serde(rename = "Change group")]
    ChangeGroup(ChangeGroupData),
    /// Notifies the others in the room that the user is typing.
    Typing {},
    /// Marks messages as read.
    Read {
        /// The id of the room.
        #[serde(deserialize_with = "bellwire_site::bellwire::serde::lenient_int")]
        room: i64,
        /// The sequence number of the last message that was read.
        #[serde(deserialize_with = "bellwire_site::bellwire::serde::lenient_int")]
        seq: i64,
    },
    /// Marks messages as unread again.
    #[serde(rename = "Mark unread")]
    MarkUnread {
        /// The id of the room.
        #[serde(deserialize_with = "bellwire_site::bellwire::serde::lenient_int")]
        room: i64,
        /// The sequence number of the first unread message.
        #[serde(deserialize_with = "bellwire_site::bellwire::serde::lenient_int")]
        seq: i64,
    },
}

impl bellwire_site::bellwire::Action for Action {
    const FORM: Option<&'static str> = Some("New message");
}
