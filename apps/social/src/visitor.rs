//! Who asks: somebody who is signed in, or anybody, from an address.

use std::net::IpAddr;
use std::time::Duration;

use bellwire_site::bellwire::rate::Quota;
use bellwire_site::bellwire::{ChannelName, Invalid, Socket};
use bellwire_site::{Budget, ClientAddress, SiteState, TooOften, User};

use crate::forms::Author;

const MINUTE: Duration = Duration::from_secs(60);
/// A class behind one address can still write; a flood is over after a second.
const STRANGERS: Quota = Quota::at_most(60, MINUTE);
/// More than anybody types, so it stops nothing but a script.
const PEOPLE: Quota = Quota::at_most(300, MINUTE);
/// What is written.
const WRITES: Budget = Budget::new("social.writes", STRANGERS).people(PEOPLE);

/// Whoever asks for something.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// The person, if they are signed in.
    pub user: Option<User>,
    address: Option<IpAddr>,
    /// The window they ask from, where it is live: it is answered by itself.
    pub(crate) window: Option<ChannelName>,
}

impl Visitor {
    pub(crate) fn of_page(user: Option<User>, address: ClientAddress) -> Self {
        Self { user, address: Some(address.network()), window: None }
    }

    pub(crate) fn of_window(user: Option<User>, socket: &Socket) -> Self {
        Self { user, address: socket.scope().address(), window: Some(socket.channel()) }
    }

    /// The name above what they write: of those who are signed in the one that they have here,
    /// whatever they typed, so that nobody signed in speaks in another's name.
    ///
    /// # Errors
    /// What is wrong with the name.
    pub(crate) fn author(&self, typed: &str) -> Result<Author, Invalid> {
        match &self.user {
            Some(user) => Ok(Author::known(&user.name)),
            None => Author::parse(typed),
        }
    }

    /// Counts something that is about to be written.
    ///
    /// # Errors
    /// That it is too much.
    pub(crate) fn writes(&self, site: &SiteState) -> Result<(), TooOften> {
        site.count(&WRITES, self.user.as_ref().map(|user| user.id), self.address)
    }
}
