//! Errors that a handler can return.

use std::fmt;

use crate::Close;

/// An error returned by a handler. The variant determines whether the browser, the log or both
/// receive it.
///
/// `?` converts every ordinary error into [`Error::Internal`], as with `anyhow`:
///
/// ```
/// fn parse(number: &str) -> Result<u64, bellwire::Error> {
///     if number.is_empty() {
///         // Sent to the browser.
///         return Err(bellwire::Error::invalid("number", "Please type a number."));
///     }
///     // Logged.
///     Ok(number.parse()?)
/// }
/// assert!(matches!(parse("x"), Err(bellwire::Error::Internal(_))));
/// ```
pub enum Error {
    /// The request is invalid or not allowed. The browser receives the message; the connection
    /// stays open.
    Invalid(Invalid),
    /// Closes the connection with this code and reason.
    Close(Close),
    /// A server error: logged once with the scope, and reported to the browser without details.
    /// The connection stays open.
    Internal(Box<dyn std::error::Error + Send + Sync>),
}

/// A message for the user, and the field that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// The field of the form or of the action's `data`; `None` if the message is about the whole
    /// request.
    pub field: Option<String>,
    /// The message, a sentence for the user.
    pub message: String,
}

impl Invalid {
    /// An error about the value of `field`.
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: Some(field.into()), message: message.into() }
    }

    /// An error about the request as a whole.
    pub fn general(message: impl Into<String>) -> Self {
        Self { field: None, message: message.into() }
    }
}

impl Error {
    /// The value of `field` is invalid; `message` says why, in a sentence for the user.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(Invalid::field(field, message))
    }

    /// The request is refused as a whole; `message` says why, in a sentence for the user.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::Invalid(Invalid::general(message))
    }
}

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(invalid)
    }
}

impl From<Close> for Error {
    fn from(close: Close) -> Self {
        Self::Close(close)
    }
}

// `Error` does not implement `std::error::Error`, so that this conversion can exist.
impl<E: std::error::Error + Send + Sync + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        Self::Internal(Box::new(error))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(invalid) => write!(f, "{invalid:?}"),
            Self::Close(close) => write!(f, "{close:?}"),
            Self::Internal(error) => write!(f, "Internal({error:?})"),
        }
    }
}
