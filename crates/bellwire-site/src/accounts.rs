//! People, their passwords and their sessions.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

mod account;
mod forms;
mod migrations;
mod name;
mod new_password;
mod operator;
mod over_socket;
mod password;
mod seeded;
mod session;
mod sign_in;
mod sign_up;
mod staff;
mod tickets;
pub mod users;
mod viewer;
mod views;

pub use forms::{Browser, SignInForm, SignUpForm};
pub use migrations::Migrator;
pub use name::name_key;
pub use operator::{OperatorError, Person};
pub use over_socket::{NoTicket, Refused, Ticket};
pub use session::Session;
pub(crate) use session::{Sessions, Watch};
pub use viewer::{MaybeUser, User, person_key, person_of};
pub(crate) use viewer::{SignedIn, remember};
pub(crate) use views::routes;

use axum::extract::FromRef;
use bellwire::Bellwire;
use bellwire::rate::Quota;
use bellwire_db::{Clock, Db};

pub(crate) use bellwire_web::next;

use crate::AccountLinks;
use crate::{SignUp, SiteError, SiteState};
use bellwire_web::SharedRateLimiter;
use password::Hasher;

/// Failed sign-ins for one name from one address, and the time they count for.
const SIGN_INS: Quota = Quota::at_most(10, Duration::from_secs(3 * 60));

/// Failed sign-ins from one address, whatever the names.
const STRANGERS: Quota = Quota::at_most(100, Duration::from_secs(3 * 60));

/// New accounts from one address, and the time they count for.
const SIGN_UPS: Quota = Quota::at_most(20, Duration::from_secs(60 * 60));

/// Everything about accounts that a request may need.
#[derive(Debug, Clone)]
pub struct Accounts {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    db: Db,
    sessions: Sessions,
    sign_up: SignUp,
    clock: Clock,
    hasher: Hasher,
    sign_ins: SharedRateLimiter<(IpAddr, Who)>,
    strangers: SharedRateLimiter<IpAddr>,
    sign_ups: SharedRateLimiter<IpAddr>,
    /// Whether an administrator was seen. There is no way back to having none.
    administrator: AtomicBool,
}

/// Whose password is tried.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Who {
    /// Somebody's, by whichever of their names.
    User(i64),
    /// Nobody's, who is called so.
    Name(String),
}

impl Who {
    fn of(user: Option<i64>, typed: &str) -> Self {
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
    pub(crate) fn links(&self) -> AccountLinks {
        AccountLinks { sign_in: "/accounts/login/", sign_up: self.is_open().then_some("/accounts/signup/") }
    }

    pub(crate) fn new(db: Db, bellwire: Bellwire, sign_up: SignUp, secure: bool, clock: Clock) -> Self {
        let inner = Inner {
            sessions: Sessions::new(db.clone(), bellwire, secure, clock.clone()),
            db,
            sign_up,
            hasher: Hasher::default(),
            sign_ins: SharedRateLimiter::new(SIGN_INS, clock.clone()),
            strangers: SharedRateLimiter::new(STRANGERS, clock.clone()),
            sign_ups: SharedRateLimiter::new(SIGN_UPS, clock.clone()),
            administrator: AtomicBool::new(false),
            clock,
        };
        Self { inner: Arc::new(inner) }
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

    /// The sessions of all browsers.
    pub(crate) fn sessions(&self) -> &Sessions {
        &self.inner.sessions
    }
}
