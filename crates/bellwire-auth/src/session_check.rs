//! The check of a connection's session when it opens.

use bellwire_web::bellwire::{Close, Error, Handler, HandlerLayer, Scope};

use crate::session::{RequestSession, Sessions};

/// The layer around the consumers of a site: a connection that is bound to a session opens only if
/// the session is still valid.
///
/// From the handshake on, the end of the session closes the connection. A session that ended before
/// is noticed here. Connections of signed-in people are always bound to their session; those of an
/// anonymous visitor only if the app says so ([`Session::bind`](crate::Session::bind)), because they may
/// show public content.
#[derive(Debug)]
pub(crate) struct SessionCheck {
    sessions: Sessions,
    session: Option<i64>,
    is_anonymous: bool,
}

impl SessionCheck {
    /// The check of the session with which a request opens a connection.
    pub(crate) fn new(sessions: Sessions, session: &RequestSession) -> Self {
        let is_anonymous = session.anonymous_id().is_some();
        Self { sessions, session: session.id(), is_anonymous }
    }
}

impl HandlerLayer for SessionCheck {
    async fn before(&mut self, handler: Handler, scope: &Scope) -> Result<(), Error> {
        let bound = scope.session().and(self.session);
        let (Handler::Connect, Some(session)) = (handler, bound) else { return Ok(()) };
        match self.sessions.is_valid(session).await {
            Ok(true) => Ok(()),
            // It has usually been replaced by signing in: the page reconnects with the new cookie.
            Ok(false) if self.is_anonymous => {
                Err(Close::new(Close::TRY_AGAIN, "The session was renewed.").into())
            }
            Ok(false) => Err(Close::policy("You are signed out.").into()),
            Err(error) => Err(error.into()),
        }
    }
}
