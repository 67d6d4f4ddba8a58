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
    /// The database, or the way to it.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A template.
    #[error(transparent)]
    Template(#[from] askama::Error),
}

impl ChatError {
    pub(crate) fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(bellwire::Invalid { field: Some(field.to_owned()), message: message.into() })
    }

    /// As an answer over a socket.
    pub(crate) fn over_socket(self) -> bellwire::Error {
        match self {
            Self::Invalid(invalid) => invalid.into(),
            Self::NoRoom => bellwire::Close::policy("this room is gone").into(),
            Self::Db(error) => match error.for_people() {
                Some(sentence) => bellwire::Error::refused(sentence),
                None => error.into(),
            },
            Self::Template(error) => error.into(),
        }
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
            ChatError::NoRoom => Self::NotFound,
            ChatError::Db(error) => error.into(),
            ChatError::Template(error) => Self::internal(error),
        }
    }
}
