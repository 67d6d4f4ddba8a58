//! What a person sees when it does not go as asked.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use bellwire_db::{DbError, chain};

use crate::wait::{in_words, seconds};

/// Why a request was not answered as asked. As a response it is a page for browsers and a line of
/// text for programs.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// 401: only for those who are signed in.
    #[error("You are signed out. Sign in, then try again.")]
    Unauthorized,
    /// 403: not for this person, or not from that page.
    #[error("{0}")]
    Forbidden(String),
    /// 404: there is no such thing.
    #[error("There is nothing at this address.")]
    NotFound,
    /// 421: sent to us under a name that is not ours.
    #[error("{0}")]
    Misdirected(String),
    /// 422: understood, but it will not do.
    #[error("{0}")]
    Invalid(String),
    /// 429: too often.
    #[error("That was too often. Try again in {}.", in_words(*.retry_after))]
    TooMany {
        /// When it may be tried again.
        retry_after: Duration,
    },
    /// 503: too much to do at the moment.
    #[error("There is too much to do at the moment. Try again.")]
    Busy,
    /// 503: the database does not do what was asked, and will again. It has told the log.
    #[error("{}", .0.for_people().unwrap_or("That does not work at the moment. Try again."))]
    Unavailable(#[source] Arc<DbError>),
    /// 500: our own fault. Logged once; shown without detail.
    #[error("Something went wrong here. It was noted.")]
    Internal(#[source] Arc<dyn Error + Send + Sync>),
}

impl SiteError {
    /// Our own fault.
    pub fn internal(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Internal(Arc::from(error.into()))
    }

    /// What led to it, in a line for the log: the causes, and not the sentence for people.
    pub fn for_log(&self) -> String {
        self.source().map_or_else(|| self.to_string(), chain)
    }

    /// As an answer over a socket: the same sentence, or our own fault, which is logged there.
    ///
    /// ```
    /// use bellwire_web::SiteError;
    /// let refused = SiteError::Invalid("Not that way.".to_owned()).over_socket();
    /// assert!(matches!(refused, bellwire::Error::Invalid(invalid) if invalid.message == "Not that way."));
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

/// Why a response is an error page, left on it for whoever renders and logs it.
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

/// The sentence for an error that the router or an extractor made.
pub(crate) fn sentence(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST => "This request could not be understood.",
        StatusCode::NOT_FOUND => "There is nothing at this address.",
        StatusCode::METHOD_NOT_ALLOWED => "This address does not answer to that.",
        StatusCode::UNSUPPORTED_MEDIA_TYPE | StatusCode::UNPROCESSABLE_ENTITY => {
            "What was sent is not what the form here sends. Go back, load the page again, and try once more."
        }
        StatusCode::PAYLOAD_TOO_LARGE => "What was sent is too big.",
        StatusCode::SERVICE_UNAVAILABLE => "This took too long. Try again.",
        StatusCode::INTERNAL_SERVER_ERROR => "Something went wrong here. It was noted.",
        _ => "",
    }
}
