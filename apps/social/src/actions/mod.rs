//! What a browser may ask: one enum, and one file for each thing that changes something.

mod add_message;
mod delete_message;
mod update_message;

use serde::Deserialize;

pub use add_message::{Draft, add_message};
pub use delete_message::delete_message;
pub use update_message::{Edit, update_message};

/// What a page may ask over its socket. Numbers may come as text, as forms send them.
#[derive(Debug, Deserialize)]
#[serde(tag = "action", content = "data")]
pub enum Action {
    /// To say something.
    #[serde(rename = "add message")]
    AddMessage(Draft),
    /// To look at another page.
    #[serde(rename = "list messages")]
    ListMessages {
        /// Which, from 1.
        #[serde(deserialize_with = "bellwire_site::bellwire::serde::lenient_int")]
        page: i64,
    },
    /// To take a message away.
    #[serde(rename = "delete message")]
    DeleteMessage {
        /// Which message.
        #[serde(deserialize_with = "bellwire_site::bellwire::serde::lenient_int")]
        id: i64,
    },
    /// To have a message in a form.
    #[serde(rename = "open edit page")]
    OpenEditPage {
        /// Which message.
        #[serde(deserialize_with = "bellwire_site::bellwire::serde::lenient_int")]
        id: i64,
    },
    /// To give a message another text.
    #[serde(rename = "update message")]
    UpdateMessage(Edit),
}

impl bellwire_site::bellwire::Action for Action {
    const FORM: Option<&'static str> = Some("add message");
}
