//! Sessions: browsers that are known again by a cookie, anonymous or signed in, and the data that
//! apps keep for them.
//!
//! There is one table and one cookie. A request with the cookie is recognised once, by
//! [`Sessions::recognise`]. An anonymous session begins where an app asks for one
//! ([`Session::begin`]); signing in moves its data into a new session with another id; signing out
//! removes session and data.

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

pub(super) use begin::{NewSession, Old};
pub(super) use device::{Device, name as device_name};
pub(super) use ended::EndReason;
pub use extract::Session;
pub(crate) use request::RequestSession;
pub(super) use table::{Model, SessionFilter, of};
pub(super) use token::Token;
pub use watch::Watch;

use bellwire_web::SharedRateLimiter;

/// New anonymous sessions from one address, and the time they count for. Pages are served beyond
/// it, and nothing is kept.
const MADE: Quota = Quota::at_most(120, Duration::from_secs(60));

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
    made: SharedRateLimiter<IpAddr>,
}

impl Sessions {
    /// `secure` is whether the site is served by https.
    pub(super) fn new(db: Db, bellwire: Bellwire, secure: bool, clock: Clock) -> Self {
        let made = SharedRateLimiter::new(MADE, clock.clone());
        Self { inner: Arc::new(Inner { db, bellwire, secure, clock, made }) }
    }
}

/// The key under which the sockets of a session are closed.
pub(crate) fn session_key(session: i64) -> String {
    format!("session.{session}")
}
