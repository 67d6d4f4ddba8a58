//! The actions of the socket: one enum, and one file per action that writes.

mod add_message;
mod delete_message;
mod update_message;

use bellwire_site::bellwire::serde::lenient_int;

pub use add_message::{Draft, add_message};
pub use delete_message::delete_message;
pub use update_message::{Edit, update_message};

/// An action that a page sends over its socket. Numbers may be strings, as HTML forms send them.
#[derive(Debug, bellwire_site::bellwire::Action)]
pub enum Action {
    /// Adds a message.
    #[action(form)]
    #[serde(rename = "add message")]
    AddMessage(Draft),
    /// Shows another page of the list.
    #[serde(rename = "list messages")]
    ListMessages {
        /// The page number, from 1.
        #[serde(deserialize_with = "lenient_int")]
        page: i64,
    },
    /// Deletes a message.
    #[serde(rename = "delete message")]
    DeleteMessage {
        /// The id of the message.
        #[serde(deserialize_with = "lenient_int")]
        id: i64,
    },
    /// Opens the edit form of a message.
    #[serde(rename = "open edit page")]
    OpenEditPage {
        /// The id of the message.
        #[serde(deserialize_with = "lenient_int")]
        id: i64,
    },
    /// Changes a message.
    #[serde(rename = "update message")]
    UpdateMessage(Edit),
}
