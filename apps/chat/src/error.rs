//! Errors of the chat: each has its sentence for the user, and its status by HTTP.

use bellwire_site::SiteError;
use bellwire_site::bellwire::Refusal;

/// An error of an action or a page of the chat.
#[derive(Debug, Refusal)]
pub enum ChatError {
    /// The room does not exist, or the user may not read it.
    #[refusal("There is no such room, or you are not a member.", status = 404)]
    NoRoom,
    /// The message does not exist or was deleted, or the user may not read it.
    #[refusal("This message was deleted.", status = 404)]
    NoMessage,
    /// No user has this name or id, or the account is inactive.
    #[refusal("There is no person with that name.", status = 404)]
    NoPerson,
    /// The user may read it, but may not change it.
    #[refusal("Only the owner can do that.", status = 403)]
    NotYours,
    /// An error that every app can have.
    #[refusal(other)]
    Other(SiteError),
}
