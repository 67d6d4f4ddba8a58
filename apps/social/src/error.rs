//! What can go wrong in the social network, and who can mend it.

use bellwire_site::bellwire::{Close, Error};
use bellwire_site::{AppError, SiteError};

/// Why the social network did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum SocialError {
    /// There is no such message, or not any more.
    #[error("there is no such message")]
    NoMessage,
    /// It was written by somebody who was signed in, and that is somebody else.
    #[error("this is somebody else's message")]
    NotYours,
    /// What can go wrong in every app.
    #[error(transparent)]
    AppError(AppError),
}

impl<E: Into<AppError>> From<E> for SocialError {
    fn from(error: E) -> Self {
        Self::AppError(error.into())
    }
}

impl SocialError {
    /// For what nobody asked for: a window that cannot be shown the list now comes back for it in a
    /// moment.
    pub(crate) fn at_connect(self) -> Error {
        match self {
            Self::AppError(fault) => fault.at_connect(),
            other => other.over_socket(),
        }
    }

    /// For what follows something that was done: it is not answered with an error. The window comes
    /// back for its list in a moment.
    pub(crate) fn after_commit(self) -> Self {
        if let Self::AppError(AppError::Socket(_)) = self {
            return self;
        }
        tracing::warn!(error = %self, "A window could not be shown what it did");
        Error::Close(Close::new(Close::TRY_AGAIN, "the list cannot be read at the moment")).into()
    }

    /// As an answer over a socket.
    pub(crate) fn over_socket(self) -> Error {
        match self {
            Self::NoMessage => Error::refused("That message is gone."),
            Self::NotYours => Error::refused(NOT_YOURS),
            Self::AppError(fault) => fault.over_socket(),
        }
    }
}

const NOT_YOURS: &str = "Only the one who wrote it may do that.";

impl From<SocialError> for SiteError {
    fn from(error: SocialError) -> Self {
        match error {
            SocialError::NoMessage => Self::NotFound,
            SocialError::NotYours => Self::Forbidden(NOT_YOURS.to_owned()),
            SocialError::AppError(fault) => fault.into(),
        }
    }
}
