//! Error responses: statuses, sentences for people and causes for the log.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use bellwire_db::{DbError, chain};

use crate::wait::{in_words, seconds};

/// The error of a request. As a response it is a page for browsers and a line of text for programs.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// 401: the person must sign in.
    #[error("You are signed out. Sign in, then try again.")]
    Unauthorized,
    /// 403: this person, or the origin of the request, lacks permission.
    #[error("{0}")]
    Forbidden(String),
    /// 404: the resource does not exist.
    #[error("There is nothing at this address.")]
    NotFound,
    /// 421: the `Host` of the request is not one of this site.
    #[error("{0}")]
    Misdirected(String),
    /// 422: the input is invalid.
    #[error("{0}")]
    Invalid(String),
    /// 429: the rate limit is exceeded.
    #[error("Too many requests. Try again in {}.", in_words(*.retry_after))]
    TooMany {
        /// The time to wait before a retry.
        retry_after: Duration,
    },
    /// 503: the server is busy.
    #[error("The server is busy. Please try again.")]
    Busy,
    /// 503: a temporary error of the database, which has logged it.
    #[error("{}", .0.for_people().unwrap_or("Temporarily unavailable. Please try again."))]
    Unavailable(#[source] Arc<DbError>),
    /// 500: an internal error. Logged once; shown without detail.
    #[error("Something went wrong on the server. The error has been logged.")]
    Internal(#[source] Arc<dyn Error + Send + Sync>),
}

impl SiteError {
    /// Creates an internal error.
    pub fn internal(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Internal(Arc::from(error.into()))
    }

    /// Returns the causes as one line for the log, without the sentence for people.
    pub fn for_log(&self) -> String {
        self.source().map_or_else(|| self.to_string(), chain)
    }

    /// Converts the error to an answer over a socket: the same sentence, or an internal error,
    /// which the framework logs.
    ///
    /// ```
    /// use bellwire_web::SiteError;
    /// let error = SiteError::Invalid("Too short.".to_owned()).over_socket();
    /// assert!(matches!(error, bellwire::Error::Invalid(error) if error.message == "Too short."));
    /// ```
    pub fn over_socket(self) -> bellwire::Error {
        match self {
            Self::Internal(_) => self.into(),
            other => bellwire::Error::refused(other.to_string()),
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Misdirected(_) => StatusCode::MISDIRECTED_REQUEST,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy | Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn retry_after(&self) -> Option<HeaderValue> {
        match self {
            Self::TooMany { retry_after } => Some(seconds(*retry_after).into()),
            Self::Busy => Some(HeaderValue::from_static("1")),
            Self::Unavailable(_) => Some(HeaderValue::from_static("5")),
            _ => None,
        }
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

impl From<sea_orm::DbErr> for SiteError {
    fn from(error: sea_orm::DbErr) -> Self {
        DbError::from(error).into()
    }
}

impl From<askama::Error> for SiteError {
    fn from(error: askama::Error) -> Self {
        Self::internal(error)
    }
}

/// The error of a response, stored in its extensions for `page::finish`, which renders and logs it.
#[derive(Debug, Clone)]
pub(crate) struct ErrorInfo {
    pub(crate) text: String,
    pub(crate) cause: Option<Arc<dyn Error + Send + Sync>>,
}

impl IntoResponse for SiteError {
    fn into_response(self) -> Response {
        let (status, text, retry_after) = (self.status(), self.to_string(), self.retry_after());
        let mut response = (status, format!("{text}\n")).into_response();
        if let Some(retry_after) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, retry_after);
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
