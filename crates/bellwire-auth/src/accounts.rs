//! The accounts of a site: what their pages, forms and sockets share.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::FromRef;
use bellwire_web::bellwire::Bellwire;
use bellwire_web::bellwire::rate::Quota;
use bellwire_web::db::{Clock, Db, DbError};
use bellwire_web::{AccountLinks, SharedRateLimiter, SiteError, SiteState};

use crate::name;
use crate::password::Hasher;
use crate::session::{Sessions, Watch};
use crate::settings::SignUp;
use crate::strength;
use crate::users;

/// Failed sign-ins for one name from one address, and the time they count for.
const SIGN_INS: Quota = Quota::at_most(10, Duration::from_secs(3 * 60));

/// Failed sign-ins from one address, whatever the names.
const STRANGERS: Quota = Quota::at_most(100, Duration::from_secs(3 * 60));

/// New accounts from one address, and the time they count for.
const SIGN_UPS: Quota = Quota::at_most(20, Duration::from_secs(60 * 60));

/// Everything about accounts that a request may need.
#[derive(Debug, Clone)]
pub struct Accounts {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) db: Db,
    sessions: Sessions,
    pub(crate) sign_up: SignUp,
    /// Part of nobody's password.
    site_name: String,
    pub(crate) clock: Clock,
    pub(crate) hasher: Hasher,
    pub(crate) sign_ins: SharedRateLimiter<(IpAddr, Who)>,
    pub(crate) strangers: SharedRateLimiter<IpAddr>,
    pub(crate) sign_ups: SharedRateLimiter<IpAddr>,
    /// Whether an administrator was seen. There is no way back to having none.
    pub(crate) administrator: AtomicBool,
}

/// Whose password is tried.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Who {
    /// Somebody's, by whichever of their names.
    User(i64),
    /// Nobody's, who is called so.
    Name(String),
}

impl Who {
    pub(crate) fn of(user: Option<i64>, typed: &str) -> Self {
        let name = || name::name_key(typed).chars().take(name::LONGEST_EMAIL).collect();
        user.map_or_else(|| Self::Name(name()), Self::User)
    }
}

/// The accounts of a site, for its handlers.
pub trait SiteAccounts {
    /// People and their sessions.
    ///
    /// # Panics
    /// If the state was not made by a site with accounts.
    fn accounts(&self) -> &Accounts;
}

impl SiteAccounts for SiteState {
    fn accounts(&self) -> &Accounts {
        self.get().expect("a site is built with accounts")
    }
}

impl FromRef<SiteState> for Accounts {
    fn from_ref(site: &SiteState) -> Self {
        site.accounts().clone()
    }
}

impl Accounts {
    /// The paths of the account pages, for the shell.
    pub fn links(&self) -> AccountLinks {
        AccountLinks {
            sign_in: "/accounts/login/",
            sign_up: self.is_open().then_some("/accounts/signup/"),
        }
    }

    /// The accounts of a site. `secure` is whether it is served by https, which its cookie then
    /// says. No password may be its name.
    pub fn new(
        db: Db,
        bellwire: Bellwire,
        sign_up: SignUp,
        secure: bool,
        clock: Clock,
        site_name: String,
    ) -> Self {
        let inner = Inner {
            sessions: Sessions::new(db.clone(), bellwire, secure, clock.clone()),
            db,
            sign_up,
            site_name,
            hasher: Hasher::default(),
            sign_ins: SharedRateLimiter::new(SIGN_INS, clock.clone()),
            strangers: SharedRateLimiter::new(STRANGERS, clock.clone()),
            sign_ups: SharedRateLimiter::new(SIGN_UPS, clock.clone()),
            administrator: AtomicBool::new(false),
            clock,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Checks a password, off the event loop, for somebody with these names and addresses.
    ///
    /// # Errors
    /// When there is too much to do. What is wrong with the password is the answer.
    pub(crate) async fn check_password(
        &self,
        password: &str,
        own: &[&str],
    ) -> Result<Result<(), &'static str>, SiteError> {
        if let Err(why) = strength::check_length(password) {
            return Ok(Err(why));
        }
        let site = self.inner.site_name.as_str();
        let own: Vec<_> = own.iter().chain([&site]).map(|text| (*text).to_owned()).collect();
        let password = password.to_owned();
        self.inner.hasher.run(move || strength::check(&password, &own)).await
    }

    /// Whether somebody administers this site yet.
    ///
    /// # Errors
    /// When the database cannot say.
    pub async fn has_administrator(&self) -> Result<bool, SiteError> {
        if self.inner.administrator.load(Ordering::Relaxed) {
            return Ok(true);
        }
        let has = users::has_administrator(self.inner.db.read()).await?;
        self.inner.administrator.store(has, Ordering::Relaxed);
        Ok(has)
    }

    /// Whether everybody may make an account.
    pub fn is_open(&self) -> bool {
        self.inner.sign_up == SignUp::Open
    }

    /// Begins to watch for sessions that end on another process or expire. Begin before the first
    /// socket opens, and run it as long as the site serves.
    ///
    /// # Errors
    /// The database's.
    pub async fn watch(&self) -> Result<Watch, DbError> {
        Watch::begin(self.sessions()).await
    }

    /// The sessions of all browsers.
    pub(crate) fn sessions(&self) -> &Sessions {
        &self.inner.sessions
    }
}
