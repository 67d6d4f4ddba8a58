//! The person, session and address behind a request.

use std::net::IpAddr;

/// The person, session and address behind a request, as keys.
///
/// Middleware that authenticates puts an `Identity` into the request's extensions.
/// [`Live`](crate::Live) reads it there, so that a connection counts for its person and address and
/// can be closed with its session; [`Answer`](crate::Answer) refuses the form of another person.
///
/// ```
/// use axum::{extract::Request, middleware::Next, response::Response};
/// use bellwire::Identity;
///
/// async fn authenticate(mut request: Request, next: Next) -> Response {
///     let identity = Identity::default().with_person("user.5").with_session("session.8");
///     request.extensions_mut().insert(identity);
///     next.run(request).await
/// }
/// # let _ = axum::middleware::from_fn::<_, (Request,)>(authenticate);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    pub(crate) person: Option<Box<str>>,
    pub(crate) session: Option<Box<str>>,
    pub(crate) visitor: Option<Box<str>>,
    pub(crate) address: Option<IpAddr>,
}

impl Identity {
    /// Sets the person: a key for [`Layer::kick_person`](crate::Layer::kick_person) and for the
    /// limit of sockets per person.
    #[must_use]
    pub fn with_person(mut self, key: impl Into<Box<str>>) -> Self {
        self.person = Some(key.into());
        self
    }

    /// Sets the session: a key for [`Layer::kick_session`](crate::Layer::kick_session).
    #[must_use]
    pub fn with_session(mut self, key: impl Into<Box<str>>) -> Self {
        self.session = Some(key.into());
        self
    }

    /// Sets the key of a visitor without an account, such as the one of an anonymous session, for
    /// whom pages are made. It has no effect if there is a person.
    #[must_use]
    pub fn with_visitor(mut self, key: impl Into<Box<str>>) -> Self {
        self.visitor = Some(key.into());
        self
    }

    /// Sets the address, for the limit of sockets per address. If limits count prefixes, pass the
    /// [`network`](crate::rate::network).
    #[must_use]
    pub fn with_address(mut self, address: IpAddr) -> Self {
        self.address = Some(address);
        self
    }

    /// The key of the person, if one is signed in.
    pub fn person(&self) -> Option<&str> {
        self.person.as_deref()
    }

    /// The key of the session, if there is one.
    pub fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }

    /// The key of whoever a page is for: the person, or else the visitor. It belongs into
    /// [`Head::person`](crate::assets::Head::person).
    pub fn owner(&self) -> Option<&str> {
        self.person.as_deref().or(self.visitor.as_deref())
    }

    /// The address, if it is known.
    pub fn address(&self) -> Option<IpAddr> {
        self.address
    }
}
