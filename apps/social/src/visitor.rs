//! The sender of an action: a signed-in user, or an anonymous visitor identified by address.

use std::net::IpAddr;
use std::time::Duration;

use bellwire_site::bellwire::rate::Quota;
use bellwire_site::bellwire::{ChannelName, Consumer, Refusal, Socket};
use bellwire_site::{Budget, ClientAddress, SiteState, TooOften, User};

use crate::forms::Author;

const MINUTE: Duration = Duration::from_secs(60);
/// Per address: enough for a school class behind one address; a flood is stopped after a second.
const STRANGERS: Quota = Quota::at_most(60, MINUTE);
/// Per user: more than a person can type, so it stops scripts only.
const PEOPLE: Quota = Quota::at_most(300, MINUTE);
/// The rate limit for adding, changing and deleting messages.
const WRITES: Budget = Budget::new("social.writes", STRANGERS).people(PEOPLE);

/// The sender of an action.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// The user, if signed in.
    pub user: Option<User>,
    address: Option<IpAddr>,
    /// The socket that the action came from, if any. It receives its own answer and no note.
    pub(crate) window: Option<ChannelName>,
}

impl Visitor {
    pub(crate) fn of_page(user: Option<User>, address: ClientAddress) -> Self {
        Self { user, address: Some(address.network()), window: None }
    }

    pub(crate) fn of_window(user: Option<User>, socket: &Socket<impl Consumer>) -> Self {
        Self { user, address: socket.scope().address(), window: Some(socket.channel()) }
    }

    /// The author name for their messages. A signed-in user's name always replaces the submitted
    /// one, so that no user can write under another's name.
    ///
    /// # Errors
    /// The submitted name is invalid.
    pub(crate) fn author(&self, submitted: &str) -> Result<Author, Refusal> {
        match &self.user {
            Some(user) => Ok(Author::known(&user.name)),
            None => Author::parse(submitted),
        }
    }

    /// Counts a write against the rate limit.
    ///
    /// # Errors
    /// The limit is exceeded.
    pub(crate) fn count_write(&self, site: &SiteState) -> Result<(), TooOften> {
        site.count(&WRITES, self.user.as_ref().map(|user| user.id), self.address)
    }
}
