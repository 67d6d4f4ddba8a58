//! Errors of the chat, and their responses over HTTP and sockets.

use bellwire_site::bellwire::Error;
use bellwire_site::{AppError, SiteError};

/// An error of an action or a page of the chat.
#[derive(Debug, thiserror::Error)]
pub enum ChatError {
    /// The room does not exist, or the user may not read it.
    #[error("there is no such room")]
    NoRoom,
    /// The message does not exist, or was deleted.
    #[error("there is no such message")]
    NoMessage,
    /// No user has this name or id, or the account is inactive.
    #[error("there is no such person")]
    NoPerson,
    /// The user may read it, but may not change it.
    #[error("this belongs to another user")]
    NotYours,
    /// An error that every app can have.
    #[error(transparent)]
    AppError(AppError),
}

impl<E: Into<AppError>> From<E> for ChatError {
    fn from(error: E) -> Self {
        Self::AppError(error.into())
    }
}

impl ChatError {
    /// Converts to an error that closes a socket which is connecting. The page may succeed when it
    /// reconnects.
    pub(crate) fn at_connect(self) -> Error {
        match self {
            Self::AppError(fault) => fault.at_connect(),
            other => other.over_socket(),
        }
    }

    /// Converts to an error response over a socket.
    pub(crate) fn over_socket(self) -> Error {
        match self {
            Self::NoRoom => Error::refused("There is no such room, or you are not a member."),
            Self::NoMessage => Error::refused("This message was deleted."),
            Self::NoPerson => Error::refused("There is no person with that name."),
            Self::NotYours => Error::refused("Only the owner can do that."),
            Self::AppError(fault) => fault.over_socket(),
        }
    }
}

impl From<ChatError> for SiteError {
    fn from(error: ChatError) -> Self {
        match error {
            ChatError::NoRoom | ChatError::NoMessage | ChatError::NoPerson => Self::NotFound,
            ChatError::NotYours => Self::Forbidden("Only the owner can do that.".to_owned()),
            ChatError::AppError(fault) => fault.into(),
        }
    }
}
