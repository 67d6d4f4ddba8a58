//! The errors of the blog, and their conversion to socket and HTTP answers.

use bellwire_site::bellwire::Error;
use bellwire_site::{AppError, SiteError};

/// An error of the blog.
#[derive(Debug, thiserror::Error)]
pub enum BlogError {
    /// The article does not exist, or the visitor may not read it.
    #[error("there is no such article")]
    NoArticle,
    /// The comment does not exist, or was removed.
    #[error("there is no such comment")]
    NoComment,
    /// The list has fewer pages.
    #[error("there are no more articles")]
    NoMore,
    /// The action requires the staff role.
    #[error("only staff may do that")]
    NotStaff,
    /// An error common to all apps.
    #[error(transparent)]
    AppError(AppError),
}

impl<E: Into<AppError>> From<E> for BlogError {
    fn from(error: E) -> Self {
        Self::AppError(error.into())
    }
}

impl BlogError {
    /// Converts an error in `connect`: after a temporary error the socket closes, and the page
    /// reconnects shortly.
    pub(crate) fn at_connect(self) -> Error {
        match self {
            Self::AppError(error) => error.at_connect(),
            other => other.over_socket(),
        }
    }

    /// Converts the error to an answer over a socket.
    pub(crate) fn over_socket(self) -> Error {
        match self {
            Self::NoArticle => Error::refused("There is no such article."),
            Self::NoComment => Error::refused("That comment no longer exists."),
            Self::NoMore => Error::refused("There are no more articles."),
            Self::NotStaff => Error::refused("Only staff may do that."),
            Self::AppError(error) => error.over_socket(),
        }
    }
}

impl From<BlogError> for SiteError {
    fn from(error: BlogError) -> Self {
        match error {
            BlogError::NoArticle | BlogError::NoComment | BlogError::NoMore => Self::NotFound,
            BlogError::NotStaff => Self::Forbidden("Only staff may do that.".to_owned()),
            BlogError::AppError(error) => error.into(),
        }
    }
}
