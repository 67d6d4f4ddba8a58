//! `AppError`: the errors that all apps have in common.

use bellwire::{Close, Error, Invalid};
use bellwire_db::DbError;
use sea_orm::DbErr;

use crate::errors::SiteError;
use crate::rate::TooOften;

/// The errors that all apps have in common. An app's own error enum contains this as one variant,
/// so that the common errors are answered alike everywhere.
///
/// ```
/// use bellwire::{Error, Invalid};
/// use bellwire_web::{AppError, SiteError};
///
/// /// An error of the guest book.
/// #[derive(Debug, thiserror::Error)]
/// enum GuestError {
///     #[error("there is no such page")]
///     NoPage,
///     #[error(transparent)]
///     AppError(AppError),
/// }
///
/// // Errors of validation, the database, templates and sockets convert with `?`.
/// impl<E: Into<AppError>> From<E> for GuestError {
///     fn from(error: E) -> Self {
///         Self::AppError(error.into())
///     }
/// }
///
/// impl GuestError {
///     fn over_socket(self) -> Error {
///         match self {
///             Self::NoPage => Error::refused("There is no such page."),
///             Self::AppError(error) => error.over_socket(),
///         }
///     }
/// }
///
/// impl From<GuestError> for SiteError {
///     fn from(error: GuestError) -> Self {
///         match error {
///             GuestError::NoPage => Self::NotFound,
///             GuestError::AppError(error) => error.into(),
///         }
///     }
/// }
///
/// fn sign(name: &str) -> Result<(), GuestError> {
///     if name.is_empty() {
///         return Err(Invalid::field("name", "Enter your name.").into());
///     }
///     Ok(())
/// }
/// let over_socket = sign("").unwrap_err().over_socket();
/// assert!(matches!(over_socket, Error::Invalid(error) if error.field.as_deref() == Some("name")));
/// let by_http = SiteError::from(sign("").unwrap_err());
/// assert!(matches!(by_http, SiteError::Invalid(text) if text == "Enter your name."));
/// assert!(matches!(GuestError::NoPage.into(), SiteError::NotFound));
/// ```
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The input is invalid; the person can correct it.
    #[error("{}", .0.message)]
    Invalid(Invalid),
    /// The rate limit is exceeded; a later retry can succeed.
    #[error(transparent)]
    TooOften(#[from] TooOften),
    /// An error of the database, or of the connection to it.
    #[error(transparent)]
    Db(#[from] DbError),
    /// An error of a template.
    #[error(transparent)]
    Template(#[from] askama::Error),
    /// An error of the socket that a message was for.
    #[error("the socket is closed")]
    Socket(Error),
}

impl AppError {
    /// Converts the error to an answer over a socket.
    pub fn over_socket(self) -> Error {
        match self {
            Self::Invalid(invalid) => invalid.into(),
            Self::TooOften(often) => SiteError::from(often).over_socket(),
            Self::Db(error) => match error.for_people() {
                Some(sentence) => Error::refused(sentence),
                None => error.into(),
            },
            Self::Template(error) => error.into(),
            Self::Socket(error) => error,
        }
    }

    /// Converts the error when there is no request to answer, such as in `connect`. A temporary
    /// error closes the socket with [`Close::TRY_AGAIN`], so that the page reconnects.
    pub fn at_connect(self) -> Error {
        match self {
            // The page would reconnect with the same text again and again.
            Self::Db(DbError::Unstorable) => self.over_socket(),
            Self::Db(error) if error.for_people().is_some() => {
                Error::Close(Close::new(Close::TRY_AGAIN, "The server is busy."))
            }
            other => other.over_socket(),
        }
    }
}

impl From<Invalid> for AppError {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(invalid)
    }
}

impl From<DbErr> for AppError {
    fn from(error: DbErr) -> Self {
        Self::Db(error.into())
    }
}

impl From<Error> for AppError {
    fn from(error: Error) -> Self {
        Self::Socket(error)
    }
}

impl From<AppError> for SiteError {
    fn from(error: AppError) -> Self {
        match error {
            AppError::Invalid(invalid) => Self::Invalid(invalid.message),
            AppError::TooOften(often) => often.into(),
            AppError::Db(error) => error.into(),
            AppError::Template(error) => error.into(),
            AppError::Socket(_) => Self::internal("a page has no socket"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn answer(error: Error) -> (Option<String>, String) {
        let Error::Invalid(Invalid { field, message }) = error else {
            panic!("not an answer for the person: {error:?}")
        };
        (field, message)
    }

    #[test]
    fn a_person_sees_the_errors_they_can_correct_and_no_internal_errors() {
        let invalid = AppError::from(Invalid::field("name", "Enter your name."));
        assert_eq!(answer(invalid.over_socket()), (Some("name".into()), "Enter your name.".into()));
        let often = AppError::from(TooOften { retry_after: Duration::from_secs(60) });
        assert_eq!(answer(often.over_socket()).1, "Too many requests. Try again in a minute.");
        let busy = DbError::Busy.for_people().unwrap();
        assert_eq!(answer(AppError::from(DbError::Busy).over_socket()), (None, busy.to_owned()));
        for internal in [AppError::from(DbError::Panicked), AppError::from(askama::Error::Fmt)] {
            assert!(matches!(internal.over_socket(), Error::Internal(_)));
        }
    }

    #[test]
    fn a_page_reconnects_after_temporary_errors_only() {
        for temporary in [DbError::Busy, DbError::TimedOut, DbError::Closed] {
            let error = AppError::from(temporary).at_connect();
            assert!(
                matches!(&error, Error::Close(close) if close.code() == Close::TRY_AGAIN),
                "{error:?}"
            );
        }
        assert!(answer(AppError::from(DbError::Unstorable).at_connect()).1.contains("U+0000"));
        assert!(matches!(AppError::from(DbError::Panicked).at_connect(), Error::Internal(_)));
        let closed = AppError::from(Error::Close(Close::policy("the room is gone"))).at_connect();
        assert!(
            matches!(&closed, Error::Close(close) if close.code() == Close::POLICY),
            "{closed:?}"
        );
    }

    #[test]
    fn an_http_response_has_the_same_errors() {
        let refused: SiteError = AppError::from(Invalid::field("name", "Enter your name.")).into();
        assert!(matches!(refused, SiteError::Invalid(message) if message == "Enter your name."));
        let often: SiteError =
            AppError::from(TooOften { retry_after: Duration::from_secs(9) }).into();
        assert!(matches!(often, SiteError::TooMany { retry_after } if retry_after.as_secs() == 9));
        assert!(matches!(SiteError::from(AppError::from(DbError::Busy)), SiteError::Busy));
        let closed = AppError::from(Error::Close(Close::policy("the room is gone")));
        assert!(matches!(SiteError::from(closed), SiteError::Internal(_)));
    }
}
