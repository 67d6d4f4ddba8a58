//! Errors of requests and actions: statuses, sentences for people and causes for the log.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bellwire::{Close, Refusal, WrapError};
use bellwire_db::{DbError, chain};
use sea_orm::DbErr;

use crate::too_often::TooOften;
use crate::wait::in_words;

/// The error of a request or of an action. As a response it is a page for browsers and a line of
/// text for programs; over a connection it is the same sentence.
///
/// An app's own errors hold it as their last resort:
///
/// ```
/// use bellwire::{Error, Refusal};
/// use bellwire_web::SiteError;
///
/// /// An error of the guest book.
/// #[derive(Debug, Refusal)]
/// enum GuestError {
///     #[refusal("There is no such page.", status = 404)]
///     NoPage,
///     #[refusal(other)]
///     Other(SiteError),
/// }
///
/// // Errors of validation, the database, templates and connections convert with `?`.
/// fn sign(name: &str) -> Result<(), GuestError> {
///     if name.is_empty() {
///         return Err(Refusal::field("name", "Enter your name.").into());
///     }
///     Ok(())
/// }
/// let over_socket = Error::from(sign("").unwrap_err());
/// assert!(matches!(over_socket, Error::Refused(refusal) if refusal.field.as_deref() == Some("name")));
/// assert_eq!(SiteError::from(GuestError::NoPage).status(), 404);
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum SiteError {
    /// 401: the person must sign in.
    Unauthorized,
    /// 403: this person, or the origin of the request, lacks permission.
    Forbidden(String),
    /// 404: the resource does not exist.
    NotFound,
    /// 421: the `Host` of the request is not one of this site.
    Misdirected(String),
    /// 422: the input is invalid.
    Invalid(String),
    /// A refusal with a field or a status of its own.
    Refused(Refusal),
    /// 429: the rate limit is exceeded.
    TooMany {
        /// The time to wait before a retry.
        retry_after: Duration,
    },
    /// 503: the server is busy.
    Busy,
    /// 503: a temporary error of the database, which has logged it.
    Unavailable(Arc<DbError>),
    /// The connection that a message was for closes, or is closed.
    Closed(Close),
    /// 500: an internal error. Logged once; shown without detail.
    Internal(Arc<dyn Error + Send + Sync>),
}

impl SiteError {
    /// Creates an internal error.
    pub fn internal(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Internal(Arc::from(error.into()))
    }

    /// Returns the causes as one line for the log, without the sentence for people.
    pub fn for_log(&self) -> String {
        match self {
            Self::Internal(cause) => chain(&**cause),
            Self::Unavailable(cause) => chain(&**cause),
            other => other.to_string(),
        }
    }

    /// The status of the response.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Misdirected(_) => StatusCode::MISDIRECTED_REQUEST,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Refused(refusal) => refusal.status,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy | Self::Unavailable(_) | Self::Closed(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Whether the same request may succeed later.
    pub fn is_temporary(&self) -> bool {
        self.retry_after().is_some()
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::TooMany { retry_after } => Some(*retry_after),
            Self::Refused(refusal) => refusal.retry_after,
            Self::Busy => Some(Duration::from_secs(1)),
            Self::Unavailable(_) => Some(Duration::from_secs(5)),
            _ => None,
        }
    }

    /// The error as a refusal; `None` for internal errors and closes.
    fn refusal(&self) -> Option<Refusal> {
        let refusal = match self {
            Self::Internal(_) | Self::Closed(_) => return None,
            Self::Refused(refusal) => return Some(refusal.clone()),
            // It is about a person's own speed, so it does not close a connection that opens.
            Self::TooMany { .. } => return Some(self.sentence()),
            other => other.sentence(),
        };
        Some(match self.retry_after() {
            Some(time) => refusal.retry_after(time),
            None => refusal,
        })
    }

    fn sentence(&self) -> Refusal {
        Refusal::general(self.to_string()).status(self.status())
    }
}

impl fmt::Display for SiteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unauthorized => f.write_str("You are signed out. Sign in, then try again."),
            Self::Forbidden(text) | Self::Misdirected(text) | Self::Invalid(text) => {
                f.write_str(text)
            }
            Self::NotFound => f.write_str("There is nothing at this address."),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::TooMany { retry_after } => {
                write!(f, "Too many requests. Try again in {}.", in_words(*retry_after))
            }
            Self::Busy => f.write_str("The server is busy. Please try again."),
            Self::Unavailable(cause) => f.write_str(
                cause.for_people().unwrap_or("Temporarily unavailable. Please try again."),
            ),
            Self::Closed(close) => f.write_str(close.reason()),
            Self::Internal(_) => {
                f.write_str("Something went wrong on the server. The error has been logged.")
            }
        }
    }
}

// `SiteError` does not implement `std::error::Error`, so that this conversion can exist.
impl From<SiteError> for bellwire::Error {
    fn from(error: SiteError) -> Self {
        match error {
            SiteError::Internal(cause) => Self::internal(cause),
            SiteError::Closed(close) => close.into(),
            other => match other.refusal() {
                Some(refusal) => refusal.into(),
                None => Self::refused(other.to_string()),
            },
        }
    }
}

impl From<bellwire::Error> for SiteError {
    fn from(error: bellwire::Error) -> Self {
        match error {
            bellwire::Error::Refused(refusal) => Self::Refused(refusal),
            bellwire::Error::Close(close) => Self::Closed(close),
            bellwire::Error::Internal(cause) => {
                Self::Internal(Arc::from(cause.into_boxed_dyn_error()))
            }
            other => Self::internal(other.to_string()),
        }
    }
}

/// For commands and tests, which end with any error.
impl From<SiteError> for Box<dyn Error + Send + Sync> {
    fn from(error: SiteError) -> Self {
        error.for_log().into()
    }
}

impl From<Refusal> for SiteError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Close> for SiteError {
    fn from(close: Close) -> Self {
        Self::Closed(close)
    }
}

impl From<TooOften> for SiteError {
    fn from(TooOften { retry_after }: TooOften) -> Self {
        Self::TooMany { retry_after }
    }
}

impl From<DbError> for SiteError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Busy | DbError::Closed | DbError::TimedOut => Self::Busy,
            DbError::Unstorable => Self::Invalid(error.for_people().unwrap_or_default().to_owned()),
            error if error.for_people().is_some() => Self::Unavailable(Arc::new(error)),
            error => Self::internal(error),
        }
    }
}

impl From<DbErr> for SiteError {
    fn from(error: DbErr) -> Self {
        DbError::from(error).into()
    }
}

impl From<askama::Error> for SiteError {
    fn from(error: askama::Error) -> Self {
        Self::internal(error)
    }
}

/// The errors that an app's own error accepts with `?`.
macro_rules! wrapped {
    ($($error:ty),* $(,)?) => {
        $(impl WrapError<$error> for SiteError {
            fn wrap(error: $error) -> Self {
                error.into()
            }
        })*
    };
}
wrapped!(Self, bellwire::Error, Refusal, Close, TooOften, DbError, DbErr, askama::Error);

/// The error of a response, stored in its extensions for `page::finish`, which renders and logs it.
#[derive(Debug, Clone)]
pub(crate) struct ErrorInfo {
    pub(crate) text: String,
    pub(crate) cause: Option<Arc<dyn Error + Send + Sync>>,
}

impl IntoResponse for SiteError {
    fn into_response(self) -> Response {
        let (status, text) = (self.status(), self.to_string());
        let mut response = (status, format!("{text}\n")).into_response();
        let retry_after = self.retry_after();
        if let Some(mut refusal) = self.refusal() {
            refusal.retry_after = retry_after;
            refusal.mark(&mut response);
        }
        let cause = if let Self::Internal(cause) = self { Some(cause) } else { None };
        response.extensions_mut().insert(ErrorInfo { text, cause });
        response
    }
}

/// Returns the sentence for an error response of the router or of an extractor.
pub(crate) fn sentence(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST => "This request could not be understood.",
        StatusCode::NOT_FOUND => "There is nothing at this address.",
        StatusCode::METHOD_NOT_ALLOWED => "This address does not support this method.",
        StatusCode::UNSUPPORTED_MEDIA_TYPE | StatusCode::UNPROCESSABLE_ENTITY => {
            "The submitted form does not match this page. Go back, reload the page and try again."
        }
        StatusCode::PAYLOAD_TOO_LARGE => "The request is too large.",
        StatusCode::SERVICE_UNAVAILABLE => "The request took too long. Please try again.",
        StatusCode::INTERNAL_SERVER_ERROR => {
            "Something went wrong on the server. The error has been logged."
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(error: SiteError) -> Refusal {
        match bellwire::Error::from(error) {
            bellwire::Error::Refused(refusal) => refusal,
            other => panic!("not an answer for the person: {other:?}"),
        }
    }

    #[test]
    fn a_person_sees_the_errors_they_can_correct_and_no_internal_errors() {
        let invalid = answer(Refusal::field("name", "Enter your name.").into());
        assert_eq!(
            (invalid.field.as_deref(), &*invalid.message),
            (Some("name"), "Enter your name.")
        );
        let often = answer(TooOften { retry_after: Duration::from_secs(60) }.into());
        assert_eq!(often.message, "Too many requests. Try again in a minute.");
        assert_eq!(answer(DbError::Busy.into()).message, DbError::Busy.for_people().unwrap());
        for internal in [SiteError::from(DbError::Panicked), askama::Error::Fmt.into()] {
            let error = bellwire::Error::from(internal);
            assert!(matches!(error, bellwire::Error::Internal(_)), "{error:?}");
        }
    }

    #[test]
    fn a_page_reconnects_after_temporary_errors_only() {
        for temporary in [DbError::Busy, DbError::TimedOut, DbError::Closed] {
            assert!(answer(temporary.into()).retry_after.is_some());
        }
        let unstorable = answer(DbError::Unstorable.into());
        assert!(unstorable.message.contains("U+0000") && unstorable.retry_after.is_none());
        let often = answer(TooOften { retry_after: Duration::from_secs(9) }.into());
        assert_eq!(often.retry_after, None, "it is about the person, not about the server");
        let closed = bellwire::Error::from(SiteError::from(Close::policy("the room is gone")));
        assert!(matches!(closed, bellwire::Error::Close(close) if close.code() == Close::POLICY));
    }

    #[test]
    fn a_response_has_the_same_errors() {
        let headers = |error: SiteError| {
            let response = error.into_response();
            let header = |name: &str| {
                response.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
            };
            (response.status().as_u16(), header("bellwire-answer"), header("retry-after"))
        };
        let refused = || Some("refused".to_owned());
        let field = Refusal::field("name", "Enter your name.");
        assert_eq!(headers(field.into()), (422, refused(), None));
        assert_eq!(headers(SiteError::NotFound), (404, refused(), None));
        assert_eq!(headers(SiteError::Unauthorized), (401, None, None));
        let often = TooOften { retry_after: Duration::from_secs(9) };
        assert_eq!(headers(often.into()), (429, None, Some("9".into())));
        assert_eq!(headers(DbError::Busy.into()), (503, None, Some("1".into())));
    }
}
