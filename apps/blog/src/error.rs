//! What can go wrong in the blog, and who can mend it.

use bellwire_site::bellwire::Error;
use bellwire_site::{AppError, SiteError};

/// Why the blog did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum BlogError {
    /// There is no such article, or none that may be read.
    #[error("there is no such article")]
    NoArticle,
    /// There is no such comment, or not any more.
    #[error("there is no such comment")]
    NoComment,
    /// There are fewer pages.
    #[error("there are no more articles")]
    NoMore,
    /// Only staff may do that.
    #[error("only staff may do that")]
    NotStaff,
    /// What can go wrong in every app.
    #[error(transparent)]
    AppError(AppError),
}

impl<E: Into<AppError>> From<E> for BlogError {
    fn from(error: E) -> Self {
        Self::AppError(error.into())
    }
}

impl BlogError {
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
            Self::NoArticle => Error::refused("There is no such article."),
            Self::NoComment => Error::refused("That comment is gone."),
            Self::NoMore => Error::refused("There are no more articles."),
            Self::NotStaff => Error::refused("Only staff may do that."),
            Self::AppError(fault) => fault.over_socket(),
        }
    }
}

impl From<BlogError> for SiteError {
    fn from(error: BlogError) -> Self {
        match error {
            BlogError::NoArticle | BlogError::NoComment | BlogError::NoMore => Self::NotFound,
            BlogError::NotStaff => Self::Forbidden("Only staff may do that.".to_owned()),
            BlogError::AppError(fault) => fault.into(),
        }
    }
}
