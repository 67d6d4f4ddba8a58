//! The errors of the social network, and their conversion to socket and HTTP answers.

use bellwire_site::bellwire::{Close, Error};
use bellwire_site::{AppError, SiteError};

/// An error of the social network.
#[derive(Debug, thiserror::Error)]
pub enum SocialError {
    /// The message does not exist, or was deleted.
    #[error("there is no such message")]
    NoMessage,
    /// The message belongs to another signed-in author.
    #[error("the message belongs to another author")]
    NotYours,
    /// An error common to all apps.
    #[error(transparent)]
    AppError(AppError),
}

impl<E: Into<AppError>> From<E> for SocialError {
    fn from(error: E) -> Self {
        Self::AppError(error.into())
    }
}

impl SocialError {
    /// Converts an error of an update that the server started: if the list cannot be read now, the
    /// socket closes and the window reconnects shortly.
    pub(crate) fn at_connect(self) -> Error {
        match self {
            Self::AppError(error) => error.at_connect(),
            other => other.over_socket(),
        }
    }

    /// Converts an error that follows a committed action: the action succeeded, so the answer is no
    /// error. The socket closes, and the window reconnects shortly and receives the list.
    pub(crate) fn after_commit(self) -> Self {
        if let Self::AppError(AppError::Socket(_)) = self {
            return self;
        }
        tracing::warn!(error = %self, "Could not send the list after a committed action");
        Error::Close(Close::new(Close::TRY_AGAIN, "the list cannot be read at the moment")).into()
    }

    /// Converts the error to an answer over a socket.
    pub(crate) fn over_socket(self) -> Error {
        match self {
            Self::NoMessage => Error::refused("That message no longer exists."),
            Self::NotYours => Error::refused(NOT_YOURS),
            Self::AppError(error) => error.over_socket(),
        }
    }
}

const NOT_YOURS: &str = "Only the author of this message can do that.";

impl From<SocialError> for SiteError {
    fn from(error: SocialError) -> Self {
        match error {
            SocialError::NoMessage => Self::NotFound,
            SocialError::NotYours => Self::Forbidden(NOT_YOURS.to_owned()),
            SocialError::AppError(error) => error.into(),
        }
    }
}
