//! Actions of the chat: one enum, and one file for each kind.

mod change_group;
mod change_message;
mod new_message;
mod open_room;
mod read;
mod typing;
mod manage_room;

use bellwire_site::bellwire::serde::lenient_int;
use bellwire_site::bellwire::{Action, Group, Layer};

use crate::Event;
use crate::models::people::PERSON;

pub use change_group::{ChangeGroupData, find_room};
pub use change_message::{delete_message, edit_message};
pub use manage_room::{Members, delete_room, rename_room, set_members};
pub(crate) use new_message::mentioned;
pub use new_message::{NewMessageData, new_message};
pub use open_room::{open_conversation, open_room};
pub use read::{read, unread};
pub(crate) use typing::{begin_typing, end_typing};

/// An action that a page sends over its socket. Numbers may be text, as forms send them.
#[derive(Debug, Action)]
pub enum ChatAction {
    /// Sends a message.
    #[action(form)]
    #[serde(rename = "New message")]
    NewMessage(NewMessageData),
    /// Changes the text of a message.
    #[serde(rename = "Edit message")]
    EditMessage {
        /// The id of the message.
        #[serde(deserialize_with = "lenient_int")]
        id: i64,
        /// The new text.
        message: String,
    },
    /// Deletes a message.
    #[serde(rename = "Delete message")]
    DeleteMessage {
        /// The id of the message.
        #[serde(deserialize_with = "lenient_int")]
        id: i64,
    },
    /// Switches to another room or conversation.
    #[serde(rename = "Change group")]
    ChangeGroup(ChangeGroupData),
    /// Shows the others in the room that the user is typing.
    Typing {},
    /// Marks messages as read.
    Read {
        /// The id of the room.
        #[serde(deserialize_with = "lenient_int")]
        room: i64,
        /// The sequence number of the last message that was read.
        #[serde(deserialize_with = "lenient_int")]
        seq: i64,
    },
    /// Marks messages as unread again.
    #[serde(rename = "Mark unread")]
    MarkUnread {
        /// The id of the room.
        #[serde(deserialize_with = "lenient_int")]
        room: i64,
        /// The sequence number of the first unread message.
        #[serde(deserialize_with = "lenient_int")]
        seq: i64,
    },
}

/// Notifies these users that their lists of rooms have changed.
fn notify_rooms_changed(layer: &Layer, people: &[i64]) {
    for each in people {
        send(layer, PERSON.of(*each), Event::Rooms);
    }
}

/// Sends an event after a commit, when an error can only be logged.
fn send(layer: &Layer, group: Group<Event>, event: Event) {
    if let Err(error) = layer.group(group).send(event) {
        tracing::error!(%error, ?event, "An event could not be sent");
    }
}
