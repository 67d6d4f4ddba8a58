//! `Accounts`: the state shared by the account pages, forms, sockets and commands.

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

/// The quota of failed sign-ins per name and address.
const SIGN_INS: Quota = Quota::at_most(10, Duration::from_secs(3 * 60));

/// The quota of failed sign-ins per address, for all names together.
const SIGN_INS_BY_ADDRESS: Quota = Quota::at_most(100, Duration::from_secs(3 * 60));

/// The quota of new accounts per address.
const SIGN_UPS: Quota = Quota::at_most(20, Duration::from_secs(60 * 60));

/// The accounts of a site. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Accounts {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) db: Db,
    sessions: Sessions,
    pub(crate) sign_up: SignUp,
    /// Refused as a part of passwords.
    site_name: String,
    pub(crate) clock: Clock,
    pub(crate) hasher: Hasher,
    pub(crate) sign_ins: SharedRateLimiter<(IpAddr, LoginTarget)>,
    pub(crate) sign_ins_by_address: SharedRateLimiter<IpAddr>,
    pub(crate) sign_ups: SharedRateLimiter<IpAddr>,
    /// Caches that there is an administrator. A site never returns to having none.
    pub(crate) administrator: AtomicBool,
}

/// The account that a sign-in attempt targets.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum LoginTarget {
    /// An existing person, by name or by e-mail address.
    User(i64),
    /// A name that no account has.
    Name(String),
}

impl LoginTarget {
    pub(crate) fn of(user: Option<i64>, typed: &str) -> Self {
        let name = || name::name_key(typed).chars().take(name::LONGEST_EMAIL).collect();
        user.map_or_else(|| Self::Name(name()), Self::User)
    }
}

/// Access to the accounts of a site, for its handlers.
pub trait SiteAccounts {
    /// The accounts and their sessions.
    ///
    /// # Panics
    /// If the site was built without accounts.
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

    /// Creates the accounts of a site. `secure` is whether the site is served over HTTPS; its
    /// cookie is then `Secure`. `site_name` is refused as a part of passwords.
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
            sign_ins_by_address: SharedRateLimiter::new(SIGN_INS_BY_ADDRESS, clock.clone()),
            sign_ups: SharedRateLimiter::new(SIGN_UPS, clock.clone()),
            administrator: AtomicBool::new(false),
            clock,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Checks the strength of a password off the event loop. `own` are the person's names and
    /// addresses.
    ///
    /// # Errors
    /// If the server is busy. The inner error is the reason why the password is refused.
    pub(crate) async fn check_password(
        &self,
        password: &str,
        own: &[&str],
    ) -> Result<Result<(), &'static str>, SiteError> {
        if let Err(reason) = strength::check_length(password) {
            return Ok(Err(reason));
        }
        let site = self.inner.site_name.as_str();
        let own: Vec<_> = own.iter().chain([&site]).map(|text| (*text).to_owned()).collect();
        let password = password.to_owned();
        self.inner.hasher.run(move || strength::check(&password, &own)).await
    }

    /// Whether the site has an administrator.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn has_administrator(&self) -> Result<bool, SiteError> {
        if self.inner.administrator.load(Ordering::Relaxed) {
            return Ok(true);
        }
        let has = users::has_administrator(self.inner.db.read()).await?;
        self.inner.administrator.store(has, Ordering::Relaxed);
        Ok(has)
    }

    /// Whether everyone may create an account.
    pub fn is_open(&self) -> bool {
        self.inner.sign_up == SignUp::Open
    }

    /// Prepares the task that closes the sockets of sessions ended by other processes, and ends
    /// expired sessions. Call this before the first socket opens, and run the task as long as the
    /// site serves.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn watch(&self) -> Result<Watch, DbError> {
        Watch::begin(self.sessions()).await
    }

    /// The sessions of all browsers.
    pub(crate) fn sessions(&self) -> &Sessions {
        &self.inner.sessions
    }
}
