//! What can go wrong in the chat, and who can mend it.

use bellwire_site::{DbError, SiteError};
use sea_orm::DbErr;

/// Why the chat did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum ChatError {
    /// What was typed will not do; the one who typed it can mend it.
    #[error("{}", .0.message)]
    Invalid(bellwire::Invalid),
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
    /// The database, or the way to it.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A template.
    #[error(transparent)]
    Template(#[from] askama::Error),
    /// The socket that was to be told.
    #[error("the socket is closed")]
    Socket(bellwire::Error),
}

impl ChatError {
    pub(crate) fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(bellwire::Invalid { field: Some(field.to_owned()), message: message.into() })
    }

    /// As the end of a socket that has just begun: what a page cannot have now it may have in a moment.
    pub(crate) fn at_connect(self) -> bellwire::Error {
        match self {
            Self::Db(error) if error.for_people().is_some() && !matches!(error, DbError::Unstorable) => {
                let close = bellwire::Close::new(bellwire::Close::TRY_AGAIN, "too much to do at the moment");
                bellwire::Error::Close(close)
            }
            other => other.over_socket(),
        }
    }

    /// As an answer over a socket.
    pub(crate) fn over_socket(self) -> bellwire::Error {
        match self {
            Self::Invalid(invalid) => invalid.into(),
            Self::NoRoom => bellwire::Error::refused("There is no such room, or it is not open to you."),
            Self::NoMessage => bellwire::Error::refused("That message is gone."),
            Self::NoPerson => bellwire::Error::refused("There is nobody of that name."),
            Self::NotYours => bellwire::Error::refused("Only its owner may do that."),
            Self::Db(error) => match error.for_people() {
                Some(sentence) => bellwire::Error::refused(sentence),
                None => error.into(),
            },
            Self::Template(error) => error.into(),
            Self::Socket(error) => error,
        }
    }
}

impl From<bellwire::Invalid> for ChatError {
    fn from(invalid: bellwire::Invalid) -> Self {
        Self::Invalid(invalid)
    }
}

impl From<DbErr> for ChatError {
    fn from(error: DbErr) -> Self {
        Self::Db(error.into())
    }
}

impl From<ChatError> for SiteError {
    fn from(error: ChatError) -> Self {
        match error {
            ChatError::Invalid(invalid) => Self::Invalid(invalid.message),
            ChatError::NoRoom | ChatError::NoMessage | ChatError::NoPerson => Self::NotFound,
            ChatError::NotYours => Self::Forbidden("Only its owner may do that.".to_owned()),
            ChatError::Db(error) => error.into(),
            ChatError::Template(error) => Self::internal(error),
            ChatError::Socket(_) => Self::internal("a page has no socket"),
        }
    }
}
