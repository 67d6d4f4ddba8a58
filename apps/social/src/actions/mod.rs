//! The actions of the socket: one enum, and one file per action that writes.

mod add_message;
mod delete_message;
mod update_message;

use serde::Deserialize;

pub use add_message::{Draft, add_message};
pub use delete_message::delete_message;
pub use update_message::{Edit, update_message};

/// An action that a page sends over its socket. Numbers may be strings, as HTML forms send them.
#[derive(Debug, Deserialize)]
#[serde(tag = "action", content = "data")]
pub enum Action {
    /// Adds a message.
    #[serde(rename = "add message")]
    AddMessage(Draft),
    /// Shows another page of the list.
    #[serde(rename = "list messages")]
    ListMessages {
        /// The page number, from 1.
        #[serde(deserialize_with = "bellwire_site::bellwire::serde::lenient_int")]
        page: i64,
    },
    /// Deletes a message.
    #[serde(rename = "delete message")]
    DeleteMessage {
        /// The id of the message.
        #[serde(deserialize_with = "bellwire_site::bellwire::serde::lenient_int")]
        id: i64,
    },
    /// Opens the edit form of a message.
    #[serde(rename = "open edit page")]
    OpenEditPage {
        /// The id of the message.
        #[serde(deserialize_with = "bellwire_site::bellwire::serde::lenient_int")]
        id: i64,
    },
    /// Changes a message.
    #[serde(rename = "update message")]
    UpdateMessage(Edit),
}

impl bellwire_site::bellwire::Action for Action {
    const FORM: Option<&'static str> = Some("add message");
}
