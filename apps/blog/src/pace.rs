//! How much may be written.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::OnceLock;
use std::time::Duration;

use bellwire_site::{Attempts, SiteState, User};

use crate::BlogError;

/// Comments from one address by people who are not signed in, and the time they count for.
const BY_STRANGERS: (usize, Duration) = (10, Duration::from_secs(5 * 60));
/// Comments of somebody who is signed in: more than anybody types, so it stops nothing but a script.
const BY_A_PERSON: (usize, Duration) = (100, Duration::from_secs(5 * 60));

/// What this process remembers of those who wrote: strangers by their addresses, people by their ids.
#[derive(Debug, Default)]
struct Written {
    strangers: OnceLock<Attempts<IpAddr>>,
    people: OnceLock<Attempts<i64>>,
}

/// Counts a comment.
///
/// # Errors
/// [`BlogError::TooMany`] when there were too many of this person, or of strangers from this address.
pub(crate) fn count(site: &SiteState, by: Option<&User>, from: Option<IpAddr>) -> Result<(), BlogError> {
    let written = site.own::<Written>();
    let clock = || site.clock().clone();
    let counted = match by {
        Some(user) => {
            let people = written.people.get_or_init(|| Attempts::new(BY_A_PERSON.0, BY_A_PERSON.1, clock()));
            people.count(&user.id)
        }
        None => {
            let strangers =
                written.strangers.get_or_init(|| Attempts::new(BY_STRANGERS.0, BY_STRANGERS.1, clock()));
            strangers.count(&from.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
        }
    };
    counted.map_err(|retry_after| BlogError::TooMany { retry_after })
}
