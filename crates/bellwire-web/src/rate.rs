//! The budget of an action: the app states it, and its site counts.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bellwire::rate::Quota;
use bellwire_db::Clock;

use crate::errors::SiteError;
use crate::rate_limiter::SharedRateLimiter;
use crate::state::SiteState;

/// How often something may be done. An app states it, and [`SiteState::count`] counts it for its
/// site.
///
/// ```
/// use bellwire::rate::Quota;
/// use bellwire_web::{Budget, SiteError, SiteState};
/// use std::net::IpAddr;
/// use std::time::Duration;
///
/// const PERIOD: Duration = Duration::from_secs(5 * 60);
/// const COMMENTS: Budget =
///     Budget::new("blog.comments", Quota::at_most(10, PERIOD)).people(Quota::at_most(100, PERIOD));
///
/// fn comment(site: &SiteState, by: Option<i64>, from: IpAddr) -> Result<(), SiteError> {
///     site.count(&COMMENTS, by, Some(from))?;
///     Ok(()) // and then it is written
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Budget {
    name: &'static str,
    strangers: Quota,
    people: Quota,
}

impl Budget {
    /// The same quota for each person who is signed in, and for all others together from one
    /// address. The name tells it from other budgets of the site.
    pub const fn new(name: &'static str, quota: Quota) -> Self {
        Self { name, strangers: quota, people: quota }
    }

    /// Another quota for each person who is signed in, from wherever.
    #[must_use]
    pub const fn people(mut self, quota: Quota) -> Self {
        self.people = quota;
        self
    }
}

/// The budget is used up.
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
    /// Counts something that is about to be done: by the person with this number, or else by
    /// whoever is at an address. Unknown addresses count as one.
    ///
    /// # Errors
    /// When the budget is used up.
    pub fn count(
        &self,
        budget: &Budget,
        by: Option<i64>,
        from: Option<IpAddr>,
    ) -> Result<(), TooOften> {
        self.own_or(Budgets::default).of(budget, self.clock()).count(by, from)
    }
}

/// The budgets that were counted so far.
#[derive(Debug, Default)]
struct Budgets(Mutex<HashMap<Budget, Arc<Spent>>>);

impl Budgets {
    fn of(&self, budget: &Budget, clock: &Clock) -> Arc<Spent> {
        let mut budgets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        budgets.entry(*budget).or_insert_with(|| Arc::new(Spent::new(budget, clock))).clone()
    }
}

/// The spent part of a budget. Each of the two is bounded by itself: no crowd of addresses refuses
/// somebody who is signed in.
#[derive(Debug)]
struct Spent {
    people: SharedRateLimiter<i64>,
    strangers: SharedRateLimiter<IpAddr>,
}

impl Spent {
    fn new(budget: &Budget, clock: &Clock) -> Self {
        Self {
            people: SharedRateLimiter::new(budget.people, clock.clone()),
            strangers: SharedRateLimiter::new(budget.strangers, clock.clone()),
        }
    }

    fn count(&self, person: Option<i64>, from: Option<IpAddr>) -> Result<(), TooOften> {
        let counted = match person {
            Some(id) => self.people.take(&id),
            None => self.strangers.take(&from.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))),
        };
        counted.map_err(|retry_after| TooOften { retry_after })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const ONCE: Quota = Quota::at_most(1, MINUTE);
    const BOWS: Budget = Budget::new("bows", ONCE);
    const WAVES: Budget = Budget::new("waves", ONCE).people(Quota::at_most(2, MINUTE));

    #[test]
    fn people_count_by_themselves_and_strangers_by_their_addresses() {
        let clock = Clock::default();
        let waves = Spent::new(&WAVES, &clock);
        let [here, there] =
            [[192, 0, 2, 1], [192, 0, 2, 2]].map(|address| Some(IpAddr::from(address)));
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
        let waves = Spent::new(&WAVES, &Clock::default());
        assert!(waves.count(None, None).is_ok() && waves.count(None, None).is_err());
    }

    #[test]
    fn people_may_as_much_as_strangers_where_nothing_else_is_said() {
        let bows = Spent::new(&BOWS, &Clock::default());
        assert!(bows.count(Some(1), None).is_ok() && bows.count(Some(1), None).is_err());
        assert!(bows.count(None, None).is_ok());
    }

    #[test]
    fn each_budget_is_spent_by_itself() {
        let (budgets, clock) = (Budgets::default(), Clock::default());
        for budget in [WAVES, BOWS] {
            assert!(budgets.of(&budget, &clock).count(None, None).is_ok());
            assert!(budgets.of(&budget, &clock).count(None, None).is_err());
        }
    }
}
