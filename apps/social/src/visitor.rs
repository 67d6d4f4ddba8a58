//! Who asks: somebody who is signed in, or anybody, from an address.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::OnceLock;
use std::time::Duration;

use bellwire::{ChannelName, Socket};
use bellwire_site::{Attempts, ClientAddress, SiteState, User};

use crate::SocialError;
use crate::forms::Author;

/// How often those who are not signed in may write from one address, and the time it counts for. A class behind one address can
/// still write; a flood is over after a second.
const WRITES: (usize, Duration) = (60, Duration::from_secs(60));

/// Whoever asks for something.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// The person, if they are signed in.
    pub user: Option<User>,
    address: IpAddr,
    /// The window they ask from, where it is live: it is answered by itself.
    pub(crate) window: Option<ChannelName>,
}

/// How often somebody who is signed in may write: more than anybody types, so it stops nothing but a script.
const WRITES_OF_A_PERSON: (usize, Duration) = (300, Duration::from_secs(60));

/// How much was written of late: by those who are not signed in by their addresses, by people by their ids.
#[derive(Default)]
struct Writes {
    strangers: OnceLock<Attempts<IpAddr>>,
    people: OnceLock<Attempts<i64>>,
}

impl Visitor {
    pub(crate) fn of_page(user: Option<User>, address: ClientAddress) -> Self {
        Self { user, address: address.network(), window: None }
    }

    pub(crate) fn of_window(user: Option<User>, socket: &Socket) -> Self {
        let address = socket.scope().address().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        Self { user, address, window: Some(socket.channel()) }
    }

    /// The name above what they write: of those who are signed in the one that they have here, whatever they typed, so that nobody
    /// signed in speaks in another's name.
    ///
    /// # Errors
    /// What is wrong with the name.
    pub(crate) fn author(&self, typed: &str) -> Result<Author, SocialError> {
        match &self.user {
            Some(user) => Ok(Author::known(&user.name)),
            None => Author::parse(typed),
        }
    }

    /// Counts something that is about to be written.
    ///
    /// # Errors
    /// That it is too much.
    pub(crate) fn writes(&self, site: &SiteState) -> Result<(), SocialError> {
        let writes = site.own::<Writes>();
        let clock = || site.clock().clone();
        let counted = match &self.user {
            Some(user) => {
                let (most, window) = WRITES_OF_A_PERSON;
                writes.people.get_or_init(|| Attempts::new(most, window, clock())).count(&user.id)
            }
            None => {
                let (most, window) = WRITES;
                writes.strangers.get_or_init(|| Attempts::new(most, window, clock())).count(&self.address)
            }
        };
        counted.map_err(SocialError::TooMany)
    }
}
