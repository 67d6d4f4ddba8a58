//! `Upgrade` extractor: a WebSocket, with server-sent events as fallback. Connections are bound to
//! the user's session and close when it ends.

use std::fmt;

use axum::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use bellwire_web::bellwire::{
    CatchUp, Close, Consumer, Dialect, Error, EventStream, GroupName, Scope, Seq, Socket,
    UpgradeRejection,
};

use crate::{Session, SiteError, SiteState, User};
use crate::{Sessions, SignedIn, SiteAccounts};

/// An extractor for WebSocket requests from the site's own pages.
///
/// It wraps [`bellwire_web::bellwire::Upgrade`] and adds the session; site apps use only this one.
/// Its sockets count towards the limits of their person and address. They close when the session
/// ends: by signing out, a password change, deactivation or expiry. If that happens during the
/// handshake, the socket closes before the consumer's `connect` runs.
///
/// A request that accepts `text/event-stream` gets the same consumer as an [`EventStream`], which
/// only sends. bellwire.js uses it if the network blocks WebSockets; the page then sends its
/// actions by HTTP, with its forms.
///
/// ```
/// use axum::{Router, response::Response, routing::get};
/// use bellwire_auth::{Upgrade, User};
/// use bellwire_web::{SiteState, bellwire};
/// # struct Echo;
/// # impl bellwire::Consumer for Echo {
/// #     type Action = bellwire::Frame;
/// #     type Event = ();
/// #     async fn receive(
/// #         &mut self,
/// #         socket: &mut bellwire::Socket,
/// #         frame: bellwire::Frame,
/// #     ) -> Result<(), bellwire::Error> {
/// #         socket.send(frame).await
/// #     }
/// # }
///
/// async fn echo(_: User, upgrade: Upgrade) -> Response {
///     upgrade.run(Echo)
/// }
///
/// fn routes(_: &SiteState) -> Router<SiteState> {
///     Router::new().route("/ws/echo/", get(echo))
/// }
/// ```
pub struct Upgrade {
    transport: Transport,
    sessions: Sessions,
    user: Option<User>,
    /// The session whose end closes the connection.
    session: Option<i64>,
}

/// The two transports to a page.
#[derive(Debug)]
enum Transport {
    Socket(bellwire_web::bellwire::Upgrade),
    Stream(EventStream),
}

impl Transport {
    async fn of(parts: &mut Parts, site: &SiteState) -> Result<Self, UpgradeRejection> {
        let bellwire = site.bellwire();
        let stream =
            <EventStream as OptionalFromRequestParts<_>>::from_request_parts(parts, bellwire)
                .await?;
        match stream {
            Some(stream) => Ok(Self::Stream(stream)),
            None => bellwire_web::bellwire::Upgrade::from_request_parts(parts, bellwire)
                .await
                .map(Self::Socket),
        }
    }

    /// Applies the function that fits the transport.
    fn map(
        self,
        socket: impl FnOnce(bellwire_web::bellwire::Upgrade) -> bellwire_web::bellwire::Upgrade,
        stream: impl FnOnce(EventStream) -> EventStream,
    ) -> Self {
        match self {
            Self::Socket(upgrade) => Self::Socket(socket(upgrade)),
            Self::Stream(events) => Self::Stream(stream(events)),
        }
    }
}

impl<S> FromRequestParts<S> for Upgrade
where
    SiteState: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = UpgradeRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, UpgradeRejection> {
        let site = SiteState::from_ref(state);
        let user = parts.extensions.get::<SignedIn>().map(|signed_in| signed_in.user.clone());
        let transport = Transport::of(parts, &site).await?;
        let session = user.as_ref().map(User::session);
        Ok(Self { transport, sessions: site.accounts().sessions().clone(), user, session })
    }
}

impl Upgrade {
    /// The scope of the connection.
    pub fn scope(&self) -> &Scope {
        match &self.transport {
            Transport::Socket(upgrade) => upgrade.scope(),
            Transport::Stream(stream) => stream.scope(),
        }
    }

    /// Sets the dialect for pages that do not request one; see
    /// [`bellwire_web::bellwire::Upgrade::dialect`].
    #[must_use]
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.transport = self.transport.map(|it| it.dialect(dialect), |it| it.dialect(dialect));
        self
    }

    /// Closes the connection when this session ends. Connections of signed-in people always do.
    /// Those of an anonymous session do so only if the app calls this, because they may show public
    /// content.
    #[must_use]
    pub fn session(mut self, session: &Session) -> Self {
        if let (None, Some(key)) = (&self.user, session.key()) {
            self.transport = self.transport.map(|it| it.session(&*key), |it| it.session(&*key));
            self.session = session.id();
        }
        self
    }

    /// Selects the first of these subprotocols that the browser offers. Event streams have none.
    #[must_use]
    pub fn protocols<'a>(mut self, known: impl IntoIterator<Item = &'a str>) -> Self {
        self.transport = self.transport.map(|it| it.protocols(known), |it| it);
        self
    }

    /// The selected subprotocol.
    pub fn protocol(&self) -> Option<&str> {
        match &self.transport {
            Transport::Socket(upgrade) => upgrade.protocol(),
            Transport::Stream(_) => None,
        }
    }

    /// Adds a header to the response that switches protocols or begins the stream.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.transport = match self.transport {
            Transport::Socket(upgrade) => Transport::Socket(upgrade.header(name, value)),
            Transport::Stream(stream) => Transport::Stream(stream.header(name, value)),
        };
        self
    }

    /// Switches protocols or begins the stream, and runs the consumer.
    pub fn run<C: Consumer>(self, consumer: C) -> Response {
        let Self { transport, sessions, user, session } = self;
        let is_signed_in = user.is_some();
        let bound = SessionBound { consumer, sessions, session, is_signed_in, connected: false };
        match transport {
            Transport::Socket(upgrade) => upgrade.run(bound),
            Transport::Stream(stream) => stream.run(bound),
        }
    }
}

impl fmt::Debug for Upgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upgrade")
            .field("transport", &self.transport)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// A consumer that connects only if its session is still valid. From `connect` on the layer can
/// close the socket: a session that ended before is detected here, and one that ends later closes
/// the socket.
struct SessionBound<C> {
    consumer: C,
    sessions: Sessions,
    session: Option<i64>,
    /// Whether a person is signed in.
    is_signed_in: bool,
    /// Whether the consumer's `connect` was called, so that `disconnect` must be called too.
    connected: bool,
}

impl<C: Consumer> Consumer for SessionBound<C> {
    type Action = C::Action;
    type Event = C::Event;

    async fn connect(&mut self, socket: &mut Socket) -> Result<(), Error> {
        if let Some(session) = self.session {
            match self.sessions.is_valid(session).await {
                Ok(true) => {}
                // An anonymous session has usually been replaced by signing in: the page reconnects
                // with the new cookie.
                Ok(false) if !self.is_signed_in => {
                    return Err(Error::Close(Close::new(
                        Close::TRY_AGAIN,
                        "The session was renewed.",
                    )));
                }
                Ok(false) => return Err(Error::Close(Close::policy("You are signed out."))),
                // The database cannot answer now: the page reconnects.
                Err(SiteError::Busy | SiteError::Unavailable(_)) => {
                    return Err(Error::Close(Close::new(Close::TRY_AGAIN, "The server is busy.")));
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.connected = true;
        self.consumer.connect(socket).await
    }

    async fn receive(&mut self, socket: &mut Socket, action: C::Action) -> Result<(), Error> {
        self.consumer.receive(socket, action).await
    }

    async fn event(&mut self, socket: &mut Socket, event: &C::Event) -> Result<(), Error> {
        self.consumer.event(socket, event).await
    }

    async fn catch_up(
        &mut self,
        socket: &mut Socket,
        feed: &GroupName,
        since: Option<Seq>,
    ) -> Result<CatchUp, Error> {
        self.consumer.catch_up(socket, feed, since).await
    }

    async fn lagged(&mut self, socket: &mut Socket) -> Result<(), Error> {
        self.consumer.lagged(socket).await
    }

    async fn removed(&mut self, socket: &mut Socket, group: &GroupName) -> Result<(), Error> {
        self.consumer.removed(socket, group).await
    }

    async fn disconnect(&mut self, socket: &mut Socket, close: Close) {
        if self.connected {
            self.consumer.disconnect(socket, close).await;
        }
    }
}
