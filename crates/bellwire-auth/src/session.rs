//! Sessions, anonymous or signed in: one row and one cookie per browser, with the data that apps
//! store for it.
//!
//! [`Sessions::recognise`] looks the cookie up once per request. An anonymous session begins when
//! an app calls [`Session::begin`]. Signing in moves its data into a new session with another id.
//! Signing out deletes the session and its data.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bellwire_web::bellwire::Bellwire;
use bellwire_web::bellwire::rate::Quota;
use bellwire_web::db::{Clock, Db};

mod token;
mod cookie;
mod device;
mod data;
mod table;
mod ended;
mod request;
mod recognise;
mod begin;
mod end;
mod watch;
mod extract;

pub(super) use begin::{NewSession, PreviousSessions};
pub(super) use device::{Device, name as device_name};
pub(super) use ended::EndReason;
pub use extract::Session;
pub(crate) use request::RequestSession;
pub(super) use table::{Model, SessionFilter, of};
pub(super) use token::Token;
pub use watch::Watch;

use bellwire_web::SharedRateLimiter;

/// The quota of new anonymous sessions per address. Beyond it, pages are served without a session.
const NEW_SESSIONS: Quota = Quota::at_most(120, Duration::from_secs(60));

/// All sessions of a site. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Sessions {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    db: Db,
    bellwire: Bellwire,
    secure: bool,
    clock: Clock,
    new_sessions: SharedRateLimiter<IpAddr>,
}

impl Sessions {
    /// `secure` is whether the site is served over HTTPS.
    pub(super) fn new(db: Db, bellwire: Bellwire, secure: bool, clock: Clock) -> Self {
        let new_sessions = SharedRateLimiter::new(NEW_SESSIONS, clock.clone());
        Self { inner: Arc::new(Inner { db, bellwire, secure, clock, new_sessions }) }
    }
}

/// The key that identifies a session's sockets when they are closed.
pub(crate) fn session_key(session: i64) -> String {
    format!("session.{session}")
}
