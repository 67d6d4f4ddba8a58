//! What can go wrong in the chat, and who can mend it.

use bellwire_site::bellwire::Error;
use bellwire_site::{AppError, SiteError};

/// Why the chat did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum ChatError {
    /// There is no such room.
    #[error("there is no such room")]
    NoRoom,
    /// There is no such message, or not any more.
    #[error("there is no such message")]
    NoMessage,
    /// There is nobody of that name, or not any more.
    #[error("there is no such person")]
    NoPerson,
    /// It belongs to somebody else.
    #[error("this is somebody else's")]
    NotYours,
    /// What can go wrong in every app.
    #[error(transparent)]
    AppError(AppError),
}

impl<E: Into<AppError>> From<E> for ChatError {
    fn from(error: E) -> Self {
        Self::AppError(error.into())
    }
}

impl ChatError {
    /// As the end of a socket that has just begun: what a page cannot have now it may have in a
    /// moment.
    pub(crate) fn at_connect(self) -> Error {
        match self {
            Self::AppError(fault) => fault.at_connect(),
            other => other.over_socket(),
        }
    }

    /// As an answer over a socket.
    pub(crate) fn over_socket(self) -> Error {
        match self {
            Self::NoRoom => Error::refused("There is no such room, or it is not open to you."),
            Self::NoMessage => Error::refused("That message is gone."),
            Self::NoPerson => Error::refused("There is nobody of that name."),
            Self::NotYours => Error::refused("Only its owner may do that."),
            Self::AppError(fault) => fault.over_socket(),
        }
    }
}

impl From<ChatError> for SiteError {
    fn from(error: ChatError) -> Self {
        match error {
            ChatError::NoRoom | ChatError::NoMessage | ChatError::NoPerson => Self::NotFound,
            ChatError::NotYours => Self::Forbidden("Only its owner may do that.".to_owned()),
            ChatError::AppError(fault) => fault.into(),
        }
    }
}
