//! Rate limiters by key, with bounded memory.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

use super::{Decision, Quota, RateLimiter};

/// The maximum number of keys. Active keys are never evicted, because an attacker could otherwise
/// reset a key by using others. At the maximum, a new key is throttled.
const KEYS: usize = 50_000;

/// The shortest time between two evictions, because each scans all keys.
const SWEEP: Duration = Duration::from_secs(1);

/// A rate limiter that counts events by key, such as an address, against one [`Quota`] per key.
#[derive(Debug)]
pub struct KeyedRateLimiter<K> {
    quota: Quota,
    limiters: HashMap<K, RateLimiter>,
    swept: Option<Instant>,
}

impl<K: Hash + Eq + Clone> KeyedRateLimiter<K> {
    /// Creates a limiter that allows each key this quota.
    pub fn new(quota: Quota) -> Self {
        Self { quota, limiters: HashMap::new(), swept: None }
    }

    /// Counts an event of this key before it happens; see [`RateLimiter::take`]. A new key is
    /// throttled while the maximum of 50,000 keys is reached.
    pub fn take(&mut self, key: &K, now: Instant) -> Decision {
        let is_full = self.limiters.len() >= KEYS;
        if is_full && !self.limiters.contains_key(key) && !self.evict_idle(now) {
            return Decision::Throttle { retry_after: self.quota.period() };
        }
        let quota = self.quota;
        self.limiters.entry(key.clone()).or_insert_with(|| RateLimiter::new(quota)).take(now)
    }

    /// Takes back the last allowed event of this key, for an event that did not happen or should
    /// not count, such as a successful attempt.
    pub fn take_back(&mut self, key: &K, now: Instant) {
        if let Some(limiter) = self.limiters.get_mut(key) {
            limiter.take_back();
            if limiter.is_idle(now) {
                self.limiters.remove(key);
            }
        }
    }

    /// Removes all counted events of a key.
    pub fn forget(&mut self, key: &K) {
        self.limiters.remove(key);
    }

    /// Evicts idle keys. Returns whether a new key fits.
    fn evict_idle(&mut self, now: Instant) -> bool {
        if self.swept.is_none_or(|swept| now.duration_since(swept) >= SWEEP) {
            self.swept = Some(now);
            self.limiters.retain(|_, limiter| !limiter.is_idle(now));
        }
        self.limiters.len() < KEYS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_secs(180);

    fn one_event_per_period() -> (KeyedRateLimiter<u32>, Instant) {
        (KeyedRateLimiter::new(Quota::at_most(1, PERIOD)), Instant::now())
    }

    #[test]
    fn each_key_is_counted_separately() {
        let (mut limiter, now) = one_event_per_period();
        assert_eq!(limiter.take(&1, now), Decision::Allow);
        assert!(limiter.take(&1, now).allowed().is_err());
        assert_eq!(limiter.take(&2, now), Decision::Allow);
        assert_eq!(limiter.take(&1, now + PERIOD), Decision::Allow);
    }

    #[test]
    fn forgetting_a_key_resets_its_count() {
        let (mut limiter, now) = one_event_per_period();
        assert_eq!(limiter.take(&1, now), Decision::Allow);
        limiter.forget(&1);
        assert_eq!(limiter.take(&1, now), Decision::Allow);
    }

    #[test]
    fn events_taken_back_use_no_memory() {
        let (mut limiter, now) = one_event_per_period();
        for _ in 0..5 {
            assert_eq!(limiter.take(&1, now), Decision::Allow);
            limiter.take_back(&1, now);
        }
        assert!(limiter.limiters.is_empty());
    }

    #[test]
    fn memory_is_bounded_and_no_active_key_is_evicted() {
        let (mut limiter, now) = one_event_per_period();
        let all = u32::try_from(KEYS).unwrap();
        for key in 0..all {
            assert_eq!(limiter.take(&key, now), Decision::Allow);
        }
        for key in [all, all + 1] {
            assert_eq!(limiter.take(&key, now).allowed(), Err(PERIOD), "a new key is throttled");
        }
        assert!(limiter.take(&0, now).allowed().is_err(), "the oldest key is still counted");
        assert_eq!(limiter.take(&all, now + PERIOD), Decision::Allow);
        assert_eq!(limiter.limiters.len(), 1);
    }
}
