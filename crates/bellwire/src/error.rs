//! What a handler may answer when it does not go as asked.

use std::fmt;

use crate::Close;

/// What went wrong in a handler, said to the one who can mend it.
///
/// Every ordinary error becomes [`Error::Internal`] by `?`, as with `anyhow`:
///
/// ```
/// fn parse(number: &str) -> Result<u64, bellwire::Error> {
///     if number.is_empty() {
///         return Err(bellwire::Error::invalid("number", "Please type a number."));   // told to the browser
///     }
///     Ok(number.parse()?)                                                            // logged
/// }
/// assert!(matches!(parse("x"), Err(bellwire::Error::Internal(_))));
/// ```
pub enum Error {
    /// The browser asked for something it may not have or cannot mean. It is told so; the
    /// connection lives.
    Invalid(Invalid),
    /// The connection ends, with this code and reason.
    Close(Close),
    /// Our own fault: logged once with the scope, told to the browser without details; the
    /// connection lives.
    Internal(Box<dyn std::error::Error + Send + Sync>),
}

/// A sentence for the person, and the field it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// The field of the form or of the action's `data`; `None` when it is about the whole.
    pub field: Option<String>,
    /// What to say.
    pub message: String,
}

impl Invalid {
    /// The value of `field` will not do.
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: Some(field.into()), message: message.into() }
    }

    /// What was asked will not do, as a whole.
    pub fn general(message: impl Into<String>) -> Self {
        Self { field: None, message: message.into() }
    }
}

impl Error {
    /// The value of `field` will not do; `message` says why, in a sentence for the person who typed
    /// it.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(Invalid::field(field, message))
    }

    /// What was asked will not do, as a whole.
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

// `Error` itself is no `std::error::Error`, so that this conversion can exist.
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
