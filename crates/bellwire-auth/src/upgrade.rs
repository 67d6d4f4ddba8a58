//! The door for sockets, and for streams of events where no socket gets through: each is known by
//! its person, its session and its address, and none outlives its session.

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

/// An extractor: this request asks for a socket, and one of our own pages does so.
///
/// It is [`bellwire_web::bellwire::Upgrade`] for whoever is signed in, and the only one a site has.
/// Its sockets count for their person and address, and close when the session ends: by signing out,
/// a new password, deactivation, or time. A handshake that was under way when that happened comes
/// to nothing.
///
/// A request that accepts `text/event-stream` gets the same consumer as an [`EventStream`], one
/// way: bellwire.js asks so where a network lets no socket through. What its page asks comes by the
/// actions of its forms.
///
/// ```
/// use axum::{Router, response::Response, routing::get};
/// use bellwire_auth::{Upgrade, User};
/// use bellwire_web::{SiteState, bellwire};
/// # struct Echo;
/// # impl bellwire::Consumer for Echo {
/// #     type Action = bellwire::Frame;
/// #     type Event = ();
/// #     async fn receive(&mut self, s: &mut bellwire::Socket, f: bellwire::Frame) -> Result<(), bellwire::Error> { s.send(f).await }
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
    line: Line,
    sessions: Sessions,
    user: Option<User>,
    /// The session with which it closes.
    session: Option<i64>,
}

/// The two ways to a page.
#[derive(Debug)]
enum Line {
    Socket(bellwire_web::bellwire::Upgrade),
    Stream(EventStream),
}

impl Line {
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

    /// The same for either.
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
        let line = Line::of(parts, &site).await?;
        let session = user.as_ref().map(User::session);
        Ok(Self { line, sessions: site.accounts().sessions().clone(), user, session })
    }
}

impl Upgrade {
    /// What is known of the connection so far.
    pub fn scope(&self) -> &Scope {
        match &self.line {
            Line::Socket(upgrade) => upgrade.scope(),
            Line::Stream(stream) => stream.scope(),
        }
    }

    /// The dialect for pages that do not ask for one; see
    /// [`bellwire_web::bellwire::Upgrade::dialect`].
    #[must_use]
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.line = self.line.map(|it| it.dialect(dialect), |it| it.dialect(dialect));
        self
    }

    /// Closes when this session ends. The sockets of somebody who is signed in do so anyway; those
    /// of an anonymous session, which may show what concerns nobody, only if the app says so.
    #[must_use]
    pub fn session(mut self, session: &Session) -> Self {
        if let (None, Some(key)) = (&self.user, session.key()) {
            self.line = self.line.map(|it| it.session(&*key), |it| it.session(&*key));
            self.session = session.id();
        }
        self
    }

    /// Selects the first of these subprotocols that the browser offers. A stream has none.
    #[must_use]
    pub fn protocols<'a>(mut self, known: impl IntoIterator<Item = &'a str>) -> Self {
        self.line = self.line.map(|it| it.protocols(known), |it| it);
        self
    }

    /// The selected subprotocol.
    pub fn protocol(&self) -> Option<&str> {
        match &self.line {
            Line::Socket(upgrade) => upgrade.protocol(),
            Line::Stream(_) => None,
        }
    }

    /// Adds a header to the response that switches protocols, or begins the stream.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.line = match self.line {
            Line::Socket(upgrade) => Line::Socket(upgrade.header(name, value)),
            Line::Stream(stream) => Line::Stream(stream.header(name, value)),
        };
        self
    }

    /// Switches protocols, or begins the stream, and lets the consumer run.
    pub fn run<C: Consumer>(self, consumer: C) -> Response {
        let Self { line, sessions, user, session } = self;
        let checked =
            Checked { consumer, sessions, session, is_somebody: user.is_some(), begun: false };
        match line {
            Line::Socket(upgrade) => upgrade.run(checked),
            Line::Stream(stream) => stream.run(checked),
        }
    }
}

impl fmt::Debug for Upgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upgrade")
            .field("line", &self.line)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// A consumer that is told of its connection only if the session did not end meanwhile. From
/// `connect` on the socket can be kicked, so a session that ends before is seen here, and one that
/// ends after takes the socket with it.
struct Checked<C> {
    consumer: C,
    sessions: Sessions,
    session: Option<i64>,
    /// Whether somebody is signed in by it.
    is_somebody: bool,
    /// Whether the consumer has heard of the connection, and so has to hear of its end.
    begun: bool,
}

impl<C: Consumer> Consumer for Checked<C> {
    type Action = C::Action;
    type Event = C::Event;

    async fn connect(&mut self, socket: &mut Socket) -> Result<(), Error> {
        if let Some(session) = self.session {
            match self.sessions.counts(session).await {
                Ok(true) => {}
                // An anonymous session has mostly become one that is signed in: the page comes back
                // with the new cookie.
                Ok(false) if !self.is_somebody => {
                    return Err(Error::Close(Close::new(
                        Close::TRY_AGAIN,
                        "The session was renewed.",
                    )));
                }
                Ok(false) => return Err(Error::Close(Close::policy("You are signed out."))),
                // Nobody can say at the moment; the page comes back.
                Err(SiteError::Busy | SiteError::Unavailable(_)) => {
                    return Err(Error::Close(Close::new(
                        Close::TRY_AGAIN,
                        "too much to do at the moment",
                    )));
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.begun = true;
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
        if self.begun {
            self.consumer.disconnect(socket, close).await;
        }
    }
}
