//! How much somebody may do of something: an app says it, and its site counts.

use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use crate::accounts::User;
use crate::clock::Clock;
use crate::errors::SiteError;
use crate::limits::Attempts;
use crate::state::SiteState;

/// So many, in so long.
pub type Bound = (usize, Duration);

/// How often something may be done: a type of an app, which [`SiteState::count`] counts for its site.
///
/// ```
/// use bellwire_site::{Bound, Rate, SiteError, SiteState, User};
/// use std::net::IpAddr;
/// use std::time::Duration;
///
/// struct Comments;
///
/// impl Rate for Comments {
///     const STRANGERS: Bound = (10, Duration::from_secs(5 * 60));
///     const PEOPLE: Bound = (100, Duration::from_secs(5 * 60));
/// }
///
/// fn comment(site: &SiteState, by: Option<&User>, from: IpAddr) -> Result<(), SiteError> {
///     site.count::<Comments>(by, Some(from))?;
///     Ok(()) // and then it is written
/// }
/// ```
pub trait Rate: 'static {
    /// Those who are not signed in, together, from one address.
    const STRANGERS: Bound;
    /// Somebody who is signed in, from wherever.
    const PEOPLE: Bound = Self::STRANGERS;
}

/// It was too often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too often")]
pub struct TooOften {
    /// When it may be tried again.
    pub retry_after: Duration,
}

impl From<TooOften> for SiteError {
    fn from(TooOften { retry_after }: TooOften) -> Self {
        Self::TooMany { retry_after }
    }
}

impl SiteState {
    /// Counts something that is about to be done: by a person, or else by whoever is at an address. Those whose addresses nobody knows count as
    /// one.
    ///
    /// # Errors
    /// When it was done too often.
    pub fn count<R: Rate>(&self, by: Option<&User>, from: Option<IpAddr>) -> Result<(), TooOften> {
        let done = self.kept(|| Done::<R>::new(self.clock()));
        done.count(by.map(|user| user.id), from)
    }
}

/// What was done of late. Each of the two is bounded by itself: no crowd of addresses keeps somebody from it who is signed in.
struct Done<R> {
    people: Attempts<i64>,
    strangers: Attempts<IpAddr>,
    of: PhantomData<fn() -> R>,
}

impl<R: Rate> Done<R> {
    fn new(clock: &Clock) -> Self {
        let (people, strangers) = (R::PEOPLE, R::STRANGERS);
        Self {
            people: Attempts::new(people.0, people.1, clock.clone()),
            strangers: Attempts::new(strangers.0, strangers.1, clock.clone()),
            of: PhantomData,
        }
    }

    fn count(&self, person: Option<i64>, from: Option<IpAddr>) -> Result<(), TooOften> {
        let counted = match person {
            Some(id) => self.people.count(&id),
            None => self.strangers.count(&from.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))),
        };
        counted.map_err(|retry_after| TooOften { retry_after })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    struct Waves;

    impl Rate for Waves {
        const STRANGERS: Bound = (1, MINUTE);
        const PEOPLE: Bound = (2, MINUTE);
    }

    #[test]
    fn people_count_by_themselves_and_strangers_by_their_addresses() {
        let clock = Clock::default();
        let waves = Done::<Waves>::new(&clock);
        let [here, there] = [[192, 0, 2, 1], [192, 0, 2, 2]].map(|address| Some(IpAddr::from(address)));
        assert!(waves.count(None, here).is_ok());
        let refused = waves.count(None, here).unwrap_err();
        assert!(refused.retry_after <= MINUTE && refused.retry_after > MINUTE / 2, "{refused:?}");
        assert!(waves.count(None, there).is_ok(), "others go on");
        assert!(waves.count(Some(1), here).is_ok() && waves.count(Some(1), there).is_ok());
        assert!(waves.count(Some(1), None).is_err(), "wherever they are");
        assert!(waves.count(Some(2), here).is_ok());
        clock.advance(MINUTE);
        assert!(waves.count(None, here).is_ok() && waves.count(Some(1), here).is_ok());
    }

    #[test]
    fn those_from_nowhere_count_as_one() {
        let waves = Done::<Waves>::new(&Clock::default());
        assert!(waves.count(None, None).is_ok() && waves.count(None, None).is_err());
    }

    struct Bows;

    impl Rate for Bows {
        const STRANGERS: Bound = (1, MINUTE);
    }

    #[test]
    fn people_may_as_much_as_strangers_where_nothing_else_is_said() {
        let bows = Done::<Bows>::new(&Clock::default());
        assert!(bows.count(Some(1), None).is_ok() && bows.count(Some(1), None).is_err());
        assert!(bows.count(None, None).is_ok());
    }
}
