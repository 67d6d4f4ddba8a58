//! A rate limiter shared by the handlers of a site.

use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bellwire::rate::{KeyedRateLimiter, Quota};

use bellwire_db::Clock;

/// A [`KeyedRateLimiter`] behind a lock, on the site's clock.
#[derive(Debug)]
pub struct SharedRateLimiter<K> {
    clock: Clock,
    limiter: Mutex<KeyedRateLimiter<K>>,
}

impl<K: Hash + Eq + Clone> SharedRateLimiter<K> {
    /// Creates a limiter with this quota for each key.
    pub fn new(quota: Quota, clock: Clock) -> Self {
        Self { clock, limiter: Mutex::new(KeyedRateLimiter::new(quota)) }
    }

    /// Counts an event before it happens.
    ///
    /// # Errors
    /// The time to wait, if the event exceeds the quota.
    pub fn take(&self, key: &K) -> Result<(), Duration> {
        self.lock().take(key, self.clock.now()).allowed()
    }

    /// Removes one event, which did not happen or was no failure.
    pub fn take_back(&self, key: &K) {
        self.lock().take_back(key, self.clock.now());
    }

    /// Removes all events of a key, for example after a success.
    pub fn forget(&self, key: &K) {
        self.lock().forget(key);
    }

    fn lock(&self) -> MutexGuard<'_, KeyedRateLimiter<K>> {
        self.limiter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_secs(180);

    #[test]
    fn the_limiter_uses_the_clock_of_the_site() {
        let clock = Clock::default();
        let limiter = SharedRateLimiter::new(Quota::at_most(1, PERIOD), clock.clone());
        assert!(limiter.take(&1).is_ok());
        let wait = limiter.take(&1).unwrap_err();
        assert!(wait <= PERIOD && wait > PERIOD / 2, "{wait:?}");
        clock.advance(PERIOD);
        assert!(limiter.take(&1).is_ok());
    }

    #[test]
    fn removed_events_do_not_count() {
        let limiter = SharedRateLimiter::new(Quota::at_most(1, PERIOD), Clock::default());
        assert!(limiter.take(&1).is_ok());
        limiter.take_back(&1);
        assert!(limiter.take(&1).is_ok());
        limiter.forget(&1);
        assert!(limiter.take(&1).is_ok() && limiter.take(&1).is_err());
    }
}
