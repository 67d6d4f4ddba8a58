//! What can go wrong in every app.

use bellwire::{Close, Error, Invalid};
use bellwire_db::DbError;
use sea_orm::DbErr;

use crate::errors::SiteError;
use crate::rate::TooOften;

/// What can go wrong in every app, as one variant of the app's own error: the app says what else
/// there is, and this is answered alike everywhere.
///
/// ```
/// use bellwire::{Error, Invalid};
/// use bellwire_web::{AppError, SiteError};
///
/// /// Why the guest book did not do as asked.
/// #[derive(Debug, thiserror::Error)]
/// enum GuestError {
///     #[error("there is no such page")]
///     NoPage,
///     #[error(transparent)]
///     AppError(AppError),
/// }
///
/// // What is typed, the database, a template, a socket: all of it comes in by `?`.
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
///             Self::AppError(fault) => fault.over_socket(),
///         }
///     }
/// }
///
/// impl From<GuestError> for SiteError {
///     fn from(error: GuestError) -> Self {
///         match error {
///             GuestError::NoPage => Self::NotFound,
///             GuestError::AppError(fault) => fault.into(),
///         }
///     }
/// }
///
/// fn sign(name: &str) -> Result<(), GuestError> {
///     if name.is_empty() {
///         return Err(Invalid::field("name", "Say who you are.").into());
///     }
///     Ok(())
/// }
/// assert!(matches!(sign("").unwrap_err().over_socket(), Error::Invalid(said) if said.field.as_deref() == Some("name")));
/// assert!(matches!(sign("").unwrap_err().into(), SiteError::Invalid(said) if said == "Say who you are."));
/// assert!(matches!(GuestError::NoPage.into(), SiteError::NotFound));
/// ```
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// What was typed will not do; the one who typed it can mend it.
    #[error("{}", .0.message)]
    Invalid(Invalid),
    /// It was done too often. Whoever waits may go on.
    #[error(transparent)]
    TooOften(#[from] TooOften),
    /// The database, or the way to it.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A template.
    #[error(transparent)]
    Template(#[from] askama::Error),
    /// The socket that was to be told.
    #[error("the socket is closed")]
    Socket(Error),
}

impl AppError {
    /// As an answer over a socket.
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

    /// As an answer where nobody asked, such as when a socket begins: what a page cannot have now
    /// it may have in a moment, and comes back for.
    pub fn at_connect(self) -> Error {
        match self {
            // It would come back with the same text for ever.
            Self::Db(DbError::Unstorable) => self.over_socket(),
            Self::Db(error) if error.for_people().is_some() => {
                Error::Close(Close::new(Close::TRY_AGAIN, "too much to do at the moment"))
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
    fn from(fault: AppError) -> Self {
        match fault {
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

    fn said(error: Error) -> (Option<String>, String) {
        let Error::Invalid(Invalid { field, message }) = error else {
            panic!("not told: {error:?}")
        };
        (field, message)
    }

    #[test]
    fn a_person_is_told_what_they_can_mend_and_not_what_is_our_fault() {
        let invalid = AppError::from(Invalid::field("name", "Say who you are."));
        assert_eq!(said(invalid.over_socket()), (Some("name".into()), "Say who you are.".into()));
        let often = AppError::from(TooOften { retry_after: Duration::from_secs(60) });
        assert_eq!(said(often.over_socket()).1, "That was too often. Try again in a minute.");
        let busy = DbError::Busy.for_people().unwrap();
        assert_eq!(said(AppError::from(DbError::Busy).over_socket()), (None, busy.to_owned()));
        for ours in [AppError::from(DbError::Panicked), AppError::from(askama::Error::Fmt)] {
            assert!(matches!(ours.over_socket(), Error::Internal(_)));
        }
    }

    #[test]
    fn a_page_comes_back_for_what_it_may_have_in_a_moment_and_for_nothing_else() {
        for soon in [DbError::Busy, DbError::TimedOut, DbError::Closed] {
            let answer = AppError::from(soon).at_connect();
            assert!(
                matches!(&answer, Error::Close(close) if close.code() == Close::TRY_AGAIN),
                "{answer:?}"
            );
        }
        assert!(said(AppError::from(DbError::Unstorable).at_connect()).1.contains("U+0000"));
        assert!(matches!(AppError::from(DbError::Panicked).at_connect(), Error::Internal(_)));
        let closed = AppError::from(Error::Close(Close::policy("the room is gone"))).at_connect();
        assert!(
            matches!(&closed, Error::Close(close) if close.code() == Close::POLICY),
            "{closed:?}"
        );
    }

    #[test]
    fn a_page_by_http_is_told_the_same() {
        let refused: SiteError = AppError::from(Invalid::field("name", "Say who you are.")).into();
        assert!(matches!(refused, SiteError::Invalid(message) if message == "Say who you are."));
        let often: SiteError =
            AppError::from(TooOften { retry_after: Duration::from_secs(9) }).into();
        assert!(matches!(often, SiteError::TooMany { retry_after } if retry_after.as_secs() == 9));
        assert!(matches!(SiteError::from(AppError::from(DbError::Busy)), SiteError::Busy));
        let closed = AppError::from(Error::Close(Close::policy("the room is gone")));
        assert!(matches!(SiteError::from(closed), SiteError::Internal(_)));
    }
}
