//! One rate limiter for each caller, bounded in memory.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

use super::{Decision, Quota, RateLimiter};

/// Keys kept at most. A key that counts is never evicted, or an attacker could clear it by trying
/// others: at the limit a new key has to wait.
const KEYS: usize = 50_000;

/// The shortest time between two evictions: each looks at all keys.
const SWEEP: Duration = Duration::from_secs(1);

/// Counts events by key, such as an address, against one [`Quota`] for each key.
#[derive(Debug)]
pub struct KeyedRateLimiter<K> {
    quota: Quota,
    limiters: HashMap<K, RateLimiter>,
    swept: Option<Instant>,
}

impl<K: Hash + Eq + Clone> KeyedRateLimiter<K> {
    /// Allows each key this quota.
    pub fn new(quota: Quota) -> Self {
        Self { quota, limiters: HashMap::new(), swept: None }
    }

    /// Counts an event of this key before it happens; see [`RateLimiter::take`].
    pub fn take(&mut self, key: &K, now: Instant) -> Decision {
        if self.limiters.len() >= KEYS && !self.limiters.contains_key(key) && !self.make_room(now) {
            return Decision::Throttle { retry_after: self.quota.period() };
        }
        let quota = self.quota;
        self.limiters.entry(key.clone()).or_insert_with(|| RateLimiter::new(quota)).take(now)
    }

    /// Takes back the last event of this key that was allowed: it did not happen, or was no
    /// failure.
    pub fn take_back(&mut self, key: &K, now: Instant) {
        if let Some(limiter) = self.limiters.get_mut(key) {
            limiter.take_back();
            if limiter.is_idle(now) {
                self.limiters.remove(key);
            }
        }
    }

    /// Forgets all events of a key.
    pub fn forget(&mut self, key: &K) {
        self.limiters.remove(key);
    }

    /// Evicts the keys that no longer count. Returns whether there is room for a new one.
    fn make_room(&mut self, now: Instant) -> bool {
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

    fn once() -> (KeyedRateLimiter<u32>, Instant) {
        (KeyedRateLimiter::new(Quota::at_most(1, PERIOD)), Instant::now())
    }

    #[test]
    fn each_key_counts_for_itself() {
        let (mut limiter, now) = once();
        assert_eq!(limiter.take(&1, now), Decision::Allow);
        assert!(limiter.take(&1, now).allowed().is_err());
        assert_eq!(limiter.take(&2, now), Decision::Allow);
        assert_eq!(limiter.take(&1, now + PERIOD), Decision::Allow);
    }

    #[test]
    fn success_forgets_the_failures() {
        let (mut limiter, now) = once();
        assert_eq!(limiter.take(&1, now), Decision::Allow);
        limiter.forget(&1);
        assert_eq!(limiter.take(&1, now), Decision::Allow);
    }

    #[test]
    fn what_is_taken_back_takes_no_memory() {
        let (mut limiter, now) = once();
        for _ in 0..5 {
            assert_eq!(limiter.take(&1, now), Decision::Allow);
            limiter.take_back(&1, now);
        }
        assert!(limiter.limiters.is_empty());
    }

    #[test]
    fn memory_is_bounded_and_no_key_that_counts_is_evicted() {
        let (mut limiter, now) = once();
        let all = u32::try_from(KEYS).unwrap();
        for key in 0..all {
            assert_eq!(limiter.take(&key, now), Decision::Allow);
        }
        for key in [all, all + 1] {
            assert_eq!(limiter.take(&key, now).allowed(), Err(PERIOD), "a new one waits");
        }
        assert!(limiter.take(&0, now).allowed().is_err(), "the oldest still counts");
        assert_eq!(limiter.take(&all, now + PERIOD), Decision::Allow);
        assert_eq!(limiter.limiters.len(), 1);
    }
}
