//! What can go wrong in the blog, and who can mend it.

use std::time::Duration;

use bellwire_site::{DbError, SiteError, TooOften};
use sea_orm::DbErr;

/// Why the blog did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum BlogError {
    /// What was typed will not do; the one who typed it can mend it.
    #[error("{}", .0.message)]
    Invalid(bellwire::Invalid),
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
    /// A stranger writes too much.
    #[error("too many comments from one address")]
    TooMany {
        /// When it may be tried again.
        retry_after: Duration,
    },
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

impl BlogError {
    pub(crate) fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(bellwire::Invalid { field: Some(field.to_owned()), message: message.into() })
    }

    /// As the end of a socket that has just begun: what a page cannot have now it may have in a moment.
    pub(crate) fn at_connect(self) -> bellwire::Error {
        match self {
            Self::Db(error) if error.for_people().is_some() => {
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
            Self::NoArticle => bellwire::Error::refused("There is no such article."),
            Self::NoComment => bellwire::Error::refused("That comment is gone."),
            Self::NoMore => bellwire::Error::refused("There are no more articles."),
            Self::NotStaff => bellwire::Error::refused("Only staff may do that."),
            Self::TooMany { retry_after } => bellwire::Error::refused(too_many(retry_after)),
            Self::Db(error) => match error.for_people() {
                Some(sentence) => bellwire::Error::refused(sentence),
                None => error.into(),
            },
            Self::Template(error) => error.into(),
            Self::Socket(error) => error,
        }
    }
}

fn too_many(retry_after: Duration) -> String {
    SiteError::TooMany { retry_after }.to_string()
}

impl From<bellwire::Invalid> for BlogError {
    fn from(invalid: bellwire::Invalid) -> Self {
        Self::Invalid(invalid)
    }
}

impl From<TooOften> for BlogError {
    fn from(TooOften { retry_after }: TooOften) -> Self {
        Self::TooMany { retry_after }
    }
}

impl From<DbErr> for BlogError {
    fn from(error: DbErr) -> Self {
        Self::Db(error.into())
    }
}

impl From<BlogError> for SiteError {
    fn from(error: BlogError) -> Self {
        match error {
            BlogError::Invalid(invalid) => Self::Invalid(invalid.message),
            BlogError::NoArticle | BlogError::NoComment | BlogError::NoMore => Self::NotFound,
            BlogError::NotStaff => Self::Forbidden("Only staff may do that.".to_owned()),
            BlogError::TooMany { retry_after } => Self::TooMany { retry_after },
            BlogError::Db(error) => error.into(),
            BlogError::Template(error) => Self::internal(error),
            BlogError::Socket(_) => Self::internal("a page has no socket"),
        }
    }
}
