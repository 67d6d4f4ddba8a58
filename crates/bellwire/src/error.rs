//! Errors that handlers return: refusals for the person, closes for the connection, and faults for
//! the log.

use std::fmt;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};

use crate::Close;

/// The header that marks a response as the answer to a form: `ok` or `refused`. A response without
/// it, such as a redirect to a sign-in page, answers nothing.
pub(crate) const ANSWER: HeaderName = HeaderName::from_static("bellwire-answer");
/// The name of the field that a refusal is about, percent-encoded.
const FIELD: HeaderName = HeaderName::from_static("bellwire-field");

/// The sentence for the person after a fault.
pub(crate) const FAULT: &str = "Something went wrong on the server. The error has been logged.";

/// An error of a handler, over a connection and by HTTP alike. The variant determines who hears of
/// it.
///
/// `?` converts every ordinary error, and an `anyhow::Error`, into [`Error::Internal`]:
///
/// ```
/// fn parse(number: &str) -> Result<u64, bellwire::Error> {
///     if number.is_empty() {
///         // Shown to the person, at the field `number`.
///         return Err(bellwire::Error::refuse("number", "Please type a number."));
///     }
///     // Logged.
///     Ok(number.parse()?)
/// }
/// assert!(matches!(parse("x"), Err(bellwire::Error::Internal(_))));
/// ```
///
/// An app with errors of its own derives [`Refusal`](derive@crate::Refusal) for them.
#[non_exhaustive]
pub enum Error {
    /// The request is invalid, not allowed, or not possible now. The person reads the sentence, and
    /// the connection stays open.
    Refused(Refusal),
    /// Closes the connection with this code and reason. By HTTP the status is 403 for
    /// [`Close::POLICY`], else 503.
    Close(Close),
    /// A fault of the server: logged once, and told to the person without details. The connection
    /// stays open. By HTTP the status is 500.
    Internal(anyhow::Error),
}

/// A refusal: a sentence for the person, the field that it is about, and the status that it has by
/// HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The field of the form or of the action's `data`; `None` if the sentence is about the whole
    /// request.
    pub field: Option<String>,
    /// The sentence for the person.
    pub message: String,
    /// The status of a response by HTTP. The default is 422.
    pub status: StatusCode,
    /// The time after which the same request may succeed; `None` if time does not help. A refusal
    /// with it closes a connection that is just being opened with [`Close::TRY_AGAIN`], so that the
    /// page returns by itself.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// A refusal of the value of `field`.
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..Self::general(message) }
    }

    /// A refusal of the request as a whole.
    pub fn general(message: impl Into<String>) -> Self {
        Self {
            field: None,
            message: message.into(),
            status: StatusCode::UNPROCESSABLE_ENTITY,
            retry_after: None,
        }
    }

    /// Sets the status of a response by HTTP.
    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Sets the time after which the same request may succeed.
    #[must_use]
    pub fn retry_after(mut self, time: Duration) -> Self {
        self.retry_after = Some(time);
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error {
    /// Refuses the value of `field`; `message` says why, in a sentence for the person.
    pub fn refuse(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Refused(Refusal::field(field, message))
    }

    /// Refuses the request as a whole; `message` says why, in a sentence for the person.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::Refused(Refusal::general(message))
    }

    /// A fault of the server, from any error or text.
    pub fn internal(error: impl Into<anyhow::Error>) -> Self {
        Self::Internal(error.into())
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Close> for Error {
    fn from(close: Close) -> Self {
        Self::Close(close)
    }
}

// `Error` does not implement `std::error::Error`, so that this conversion can exist. It covers
// `anyhow::Error` as well.
impl<E: Into<anyhow::Error>> From<E> for Error {
    fn from(error: E) -> Self {
        Self::Internal(error.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Close(close) => write!(f, "{} {}", close.code(), close.reason()),
            Self::Internal(error) => write!(f, "{error:#}"),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => write!(f, "{refusal:?}"),
            Self::Close(close) => write!(f, "{close:?}"),
            Self::Internal(error) => write!(f, "Internal({error:?})"),
        }
    }
}

/// A line of text with the status of the error. A fault is logged, in the span of the request.
impl IntoResponse for Error {
    fn into_response(self) -> Response {
        match self {
            Self::Refused(refusal) => refusal.into_response(),
            Self::Close(close) if close.code() == Close::POLICY => {
                Refusal::general(close.reason()).status(StatusCode::FORBIDDEN).into_response()
            }
            Self::Close(close) => {
                (StatusCode::SERVICE_UNAVAILABLE, format!("{}\n", close.reason())).into_response()
            }
            Self::Internal(error) => {
                tracing::error!(error = format!("{error:#}"), "A request failed");
                (StatusCode::INTERNAL_SERVER_ERROR, format!("{FAULT}\n")).into_response()
            }
        }
    }
}

/// A line of text with the status of the refusal, marked as the answer to the form.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status, format!("{}\n", self.message)).into_response();
        self.mark(&mut response);
        response
    }
}

impl Refusal {
    /// Marks a response as this refusal, for bellwire.js: then its form is answered, whatever the
    /// body contains.
    pub fn mark(&self, response: &mut Response) {
        let headers = response.headers_mut();
        if let Some(time) = self.retry_after {
            headers.insert(header::RETRY_AFTER, time.as_secs().max(1).into());
        }
        // The same request may succeed later, or as another person, so the form is not answered.
        if self.status.is_server_error()
            || matches!(self.status, StatusCode::UNAUTHORIZED | StatusCode::TOO_MANY_REQUESTS)
        {
            return;
        }
        headers.insert(ANSWER, HeaderValue::from_static("refused"));
        let field = self.field.as_deref().map(percent_encoded);
        if let Some(field) = field.and_then(|field| HeaderValue::from_str(&field).ok()) {
            headers.insert(FIELD, field);
        }
    }
}

fn percent_encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

/// An error type that accepts errors of another type with `?`, as the last resort of a derived
/// [`Refusal`](derive@crate::Refusal).
///
/// It is `From` by another name: an error that derives `Refusal` converts into its last resort, so
/// it cannot also be made from everything that does.
pub trait WrapError<E> {
    /// Converts the error.
    fn wrap(error: E) -> Self;
}

impl<E: Into<anyhow::Error>> WrapError<E> for Error {
    fn wrap(error: E) -> Self {
        Self::Internal(error.into())
    }
}

impl WrapError<Self> for Error {
    fn wrap(error: Self) -> Self {
        error
    }
}

impl WrapError<Refusal> for Error {
    fn wrap(refusal: Refusal) -> Self {
        refusal.into()
    }
}

impl WrapError<Close> for Error {
    fn wrap(close: Close) -> Self {
        close.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(error: impl Into<Error>) -> (u16, Option<String>, Option<String>) {
        let response = error.into().into_response();
        let header = |name: HeaderName| {
            response.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
        };
        (response.status().as_u16(), header(ANSWER), header(FIELD))
    }

    #[test]
    fn a_refusal_answers_the_form_with_its_status_and_field() {
        let refused = || Some("refused".to_owned());
        assert_eq!(response(Refusal::general("No.")), (422, refused(), None));
        assert_eq!(
            response(Refusal::field("your name", "No.").status(StatusCode::CONFLICT)),
            (409, refused(), Some("your%20name".into()))
        );
        assert_eq!(response(Close::policy("out")), (403, refused(), None));
    }

    #[test]
    fn an_error_that_may_pass_does_not_answer_the_form() {
        let busy = Refusal::general("Busy.").status(StatusCode::SERVICE_UNAVAILABLE);
        let response_to_busy = Error::from(busy.retry_after(Duration::from_millis(1500)));
        assert_eq!(response(response_to_busy), (503, None, None));
        assert_eq!(response(Close::new(Close::TRY_AGAIN, "later")), (503, None, None));
        let signed_out = Refusal::general("Sign in.").status(StatusCode::UNAUTHORIZED);
        assert_eq!(response(signed_out), (401, None, None));
        assert_eq!(response(anyhow::anyhow!("broken")), (500, None, None));
    }

    #[test]
    fn an_error_displays_what_its_hearer_needs() {
        assert_eq!(Error::refuse("name", "Too long.").to_string(), "Too long.");
        assert_eq!(Error::from(Close::policy("out")).to_string(), "1008 out");
        let chain = anyhow::anyhow!("no such file").context("cannot read the settings");
        assert_eq!(Error::from(chain).to_string(), "cannot read the settings: no such file");
    }
}
