//! What can go wrong in the social network, and who can mend it.

use std::time::Duration;

use bellwire_site::{DbError, SiteError};
use sea_orm::DbErr;

/// Why the social network did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum SocialError {
    /// What was typed will not do; the one who typed it can mend it.
    #[error("{}", .0.message)]
    Invalid(bellwire::Invalid),
    /// There is no such message, or not any more.
    #[error("there is no such message")]
    NoMessage,
    /// It was written by somebody who was signed in, and that is somebody else.
    #[error("this is somebody else's message")]
    NotYours,
    /// More was written from there than anybody writes. Whoever waits may go on.
    #[error("too often")]
    TooMany(Duration),
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

impl SocialError {
    pub(crate) fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(bellwire::Invalid { field: Some(field.to_owned()), message: message.into() })
    }

    /// For what nobody asked for: a window that cannot be shown the list now comes back for it in a moment.
    pub(crate) fn at_connect(self) -> bellwire::Error {
        match self {
            Self::Db(error) if error.for_people().is_some() => {
                let close = bellwire::Close::new(bellwire::Close::TRY_AGAIN, "too much to do at the moment");
                bellwire::Error::Close(close)
            }
            other => other.over_socket(),
        }
    }

    /// For what follows something that was done: it is not answered with an error. The window comes back for its list in a moment.
    pub(crate) fn after_commit(self) -> Self {
        if let Self::Socket(_) = self {
            return self;
        }
        tracing::warn!(error = %self, "A window could not be shown what it did");
        Self::Socket(bellwire::Error::Close(bellwire::Close::new(
            bellwire::Close::TRY_AGAIN,
            "the list cannot be read at the moment",
        )))
    }

    /// As an answer over a socket.
    pub(crate) fn over_socket(self) -> bellwire::Error {
        match self {
            Self::Invalid(invalid) => invalid.into(),
            Self::NoMessage => bellwire::Error::refused("That message is gone."),
            Self::NotYours => bellwire::Error::refused(NOT_YOURS),
            Self::TooMany(retry_after) => {
                bellwire::Error::refused(SiteError::TooMany { retry_after }.to_string())
            }
            Self::Db(error) => match error.for_people() {
                Some(sentence) => bellwire::Error::refused(sentence),
                None => error.into(),
            },
            Self::Template(error) => error.into(),
            Self::Socket(error) => error,
        }
    }
}

const NOT_YOURS: &str = "Only the one who wrote it may do that.";

impl From<bellwire::Invalid> for SocialError {
    fn from(invalid: bellwire::Invalid) -> Self {
        Self::Invalid(invalid)
    }
}

impl From<DbErr> for SocialError {
    fn from(error: DbErr) -> Self {
        Self::Db(error.into())
    }
}

impl From<SocialError> for SiteError {
    fn from(error: SocialError) -> Self {
        match error {
            SocialError::Invalid(invalid) => Self::Invalid(invalid.message),
            SocialError::NoMessage => Self::NotFound,
            SocialError::NotYours => Self::Forbidden(NOT_YOURS.to_owned()),
            SocialError::TooMany(retry_after) => Self::TooMany { retry_after },
            SocialError::Db(error) => error.into(),
            SocialError::Template(error) => Self::internal(error),
            SocialError::Socket(_) => Self::internal("a page has no socket"),
        }
    }
}
