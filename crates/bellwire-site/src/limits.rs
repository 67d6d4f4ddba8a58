//! How often someone may try.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::clock::Clock;

/// Keys remembered at most. When there are more, the one that tried longest ago is forgotten, and may try anew.
const KEYS: usize = 10_000;

/// Counts attempts by key, and refuses those beyond so many in so long.
#[derive(Debug)]
pub(crate) struct Attempts<K> {
    most: usize,
    window: Duration,
    clock: Clock,
    recent: Mutex<HashMap<K, VecDeque<Instant>>>,
}

impl<K: Hash + Eq + Clone> Attempts<K> {
    pub(crate) fn new(most: usize, window: Duration, clock: Clock) -> Self {
        Self { most, window, clock, recent: Mutex::default() }
    }

    /// Counts an attempt before it is made, so that many at once do not slip through.
    ///
    /// # Errors
    /// When there were too many: how long to wait.
    pub(crate) fn count(&self, key: &K) -> Result<(), Duration> {
        let now = self.clock.now();
        let mut recent = self.lock();
        if recent.len() >= KEYS && !recent.contains_key(key) {
            self.make_room(&mut recent, now);
        }
        let times = recent.entry(key.clone()).or_default();
        while times.front().is_some_and(|time| now.duration_since(*time) >= self.window) {
            times.pop_front();
        }
        match times.front() {
            Some(first) if times.len() >= self.most => Err(self.window - now.duration_since(*first)),
            _ => {
                times.push_back(now);
                Ok(())
            }
        }
    }

    /// Forgets the attempts of a key: it succeeded.
    pub(crate) fn forget(&self, key: &K) {
        self.lock().remove(key);
    }

    fn make_room(&self, recent: &mut HashMap<K, VecDeque<Instant>>, now: Instant) {
        let fresh = |times: &VecDeque<Instant>| {
            times.back().is_some_and(|time| now.duration_since(*time) < self.window)
        };
        recent.retain(|_, times| fresh(times));
        if recent.len() >= KEYS
            && let Some(oldest) =
                recent.iter().min_by_key(|(_, times)| times.back()).map(|(key, _)| key.clone())
        {
            recent.remove(&oldest);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, VecDeque<Instant>>> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(180);

    fn attempts(most: usize) -> (Attempts<u32>, Clock) {
        let clock = Clock::default();
        (Attempts::new(most, WINDOW, clock.clone()), clock)
    }

    #[test]
    fn one_too_many_is_refused_until_the_window_has_passed_and_others_go_on() {
        let (attempts, clock) = attempts(3);
        for _ in 0..3 {
            assert!(attempts.count(&1).is_ok());
        }
        let wait = attempts.count(&1).unwrap_err();
        assert!(wait <= WINDOW && wait > WINDOW / 2, "{wait:?}");
        assert!(attempts.count(&2).is_ok());
        clock.advance(WINDOW);
        assert!(attempts.count(&1).is_ok());
    }

    #[test]
    fn success_forgets_the_failures() {
        let (attempts, _) = attempts(1);
        assert!(attempts.count(&1).is_ok());
        attempts.forget(&1);
        assert!(attempts.count(&1).is_ok());
    }

    #[test]
    fn memory_is_bounded_however_many_try() {
        let (attempts, _) = attempts(3);
        for key in 0..u32::try_from(KEYS).unwrap() + 50 {
            assert!(attempts.count(&key).is_ok());
        }
        assert_eq!(attempts.lock().len(), KEYS);
    }
}
