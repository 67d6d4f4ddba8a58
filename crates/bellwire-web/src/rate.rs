//! Budgets: rate limits of actions, declared by apps and counted per site.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};

use bellwire::rate::Quota;
use bellwire_db::Clock;

use crate::rate_limiter::SharedRateLimiter;
use crate::state::SiteState;
use crate::too_often::TooOften;

/// The rate limit of an action. An app declares it, and [`SiteState::count`] counts the actions of
/// a site.
///
/// ```
/// use bellwire::rate::Quota;
/// use bellwire_web::{Budget, SiteError, SiteState};
/// use std::net::IpAddr;
/// use std::time::Duration;
///
/// const PERIOD: Duration = Duration::from_secs(5 * 60);
/// const COMMENTS: Budget =
///     Budget::new("blog.comments", Quota::at_most(10, PERIOD))
///         .people(Quota::at_most(100, PERIOD));
///
/// fn comment(site: &SiteState, by: Option<i64>, from: IpAddr) -> Result<(), SiteError> {
///     site.count(&COMMENTS, by, Some(from))?;
///     Ok(()) // now write the comment
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Budget {
    name: &'static str,
    anonymous: Quota,
    people: Quota,
}

impl Budget {
    /// Creates a budget with the same quota for each signed-in person, and for all anonymous
    /// visitors of an address together. The name identifies the budget within a site.
    pub const fn new(name: &'static str, quota: Quota) -> Self {
        Self { name, anonymous: quota, people: quota }
    }

    /// Sets another quota for each signed-in person, at all addresses together.
    #[must_use]
    pub const fn people(mut self, quota: Quota) -> Self {
        self.people = quota;
        self
    }
}

impl SiteState {
    /// Counts an action before it happens: for the person with the id `by`, or else for the address
    /// `from`. Unknown addresses count as one address.
    ///
    /// # Errors
    /// If the budget is exhausted.
    pub fn count(
        &self,
        budget: &Budget,
        by: Option<i64>,
        from: Option<IpAddr>,
    ) -> Result<(), TooOften> {
        self.own_or(Budgets::default).of(budget, self.clock()).count(by, from)
    }
}

/// The budgets that have been used so far.
#[derive(Debug, Default)]
struct Budgets(Mutex<HashMap<Budget, Arc<Counters>>>);

impl Budgets {
    fn of(&self, budget: &Budget, clock: &Clock) -> Arc<Counters> {
        let mut budgets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        budgets.entry(*budget).or_insert_with(|| Arc::new(Counters::new(budget, clock))).clone()
    }
}

/// The counters of a budget. The two are limited separately: requests from many addresses do not
/// affect signed-in people.
#[derive(Debug)]
struct Counters {
    people: SharedRateLimiter<i64>,
    anonymous: SharedRateLimiter<IpAddr>,
}

impl Counters {
    fn new(budget: &Budget, clock: &Clock) -> Self {
        Self {
            people: SharedRateLimiter::new(budget.people, clock.clone()),
            anonymous: SharedRateLimiter::new(budget.anonymous, clock.clone()),
        }
    }

    fn count(&self, person: Option<i64>, from: Option<IpAddr>) -> Result<(), TooOften> {
        let counted = match person {
            Some(id) => self.people.take(&id),
            None => self.anonymous.take(&from.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))),
        };
        counted.map_err(|retry_after| TooOften { retry_after })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const ONCE: Quota = Quota::at_most(1, MINUTE);
    const UPLOADS: Budget = Budget::new("uploads", ONCE);
    const POSTS: Budget = Budget::new("posts", ONCE).people(Quota::at_most(2, MINUTE));

    #[test]
    fn signed_in_people_are_counted_by_id_and_anonymous_visitors_by_address() {
        let clock = Clock::default();
        let posts = Counters::new(&POSTS, &clock);
        let [here, there] =
            [[192, 0, 2, 1], [192, 0, 2, 2]].map(|address| Some(IpAddr::from(address)));
        assert!(posts.count(None, here).is_ok());
        let refused = posts.count(None, here).unwrap_err();
        assert!(refused.retry_after <= MINUTE && refused.retry_after > MINUTE / 2, "{refused:?}");
        assert!(posts.count(None, there).is_ok(), "other addresses are not affected");
        assert!(posts.count(Some(1), here).is_ok() && posts.count(Some(1), there).is_ok());
        assert!(posts.count(Some(1), None).is_err(), "from any address");
        assert!(posts.count(Some(2), here).is_ok());
        clock.advance(MINUTE);
        assert!(posts.count(None, here).is_ok() && posts.count(Some(1), here).is_ok());
    }

    #[test]
    fn unknown_addresses_count_as_one() {
        let posts = Counters::new(&POSTS, &Clock::default());
        assert!(posts.count(None, None).is_ok() && posts.count(None, None).is_err());
    }

    #[test]
    fn people_have_the_same_quota_by_default() {
        let uploads = Counters::new(&UPLOADS, &Clock::default());
        assert!(uploads.count(Some(1), None).is_ok() && uploads.count(Some(1), None).is_err());
        assert!(uploads.count(None, None).is_ok());
    }

    #[test]
    fn each_budget_is_counted_separately() {
        let (budgets, clock) = (Budgets::default(), Clock::default());
        for budget in [POSTS, UPLOADS] {
            assert!(budgets.of(&budget, &clock).count(None, None).is_ok());
            assert!(budgets.of(&budget, &clock).count(None, None).is_err());
        }
    }
}
