//! How often someone may try.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::clock::Clock;

/// Keys remembered at most. None is forgotten while it counts, or others could be tried away: when there are so many,
/// a new one has to wait.
const KEYS: usize = 50_000;

/// How often room is made at most: it means looking at all of them.
const SWEEP: Duration = Duration::from_secs(1);

/// Counts attempts by key, such as an address, and refuses those beyond so many in so long.
///
/// ```
/// use bellwire_site::{Attempts, Clock};
/// use std::time::Duration;
/// let posts = Attempts::new(2, Duration::from_secs(60), Clock::default());
/// assert!(posts.count(&"ada").is_ok() && posts.count(&"ada").is_ok());
/// assert!(posts.count(&"ada").unwrap_err() <= Duration::from_secs(60));
/// assert!(posts.count(&"grace").is_ok());
/// ```
#[derive(Debug)]
pub struct Attempts<K> {
    most: usize,
    window: Duration,
    clock: Clock,
    recent: Mutex<Recent<K>>,
}

#[derive(Debug)]
struct Recent<K> {
    times: HashMap<K, VecDeque<Instant>>,
    swept: Option<Instant>,
}

impl<K: Hash + Eq + Clone> Attempts<K> {
    /// At most `most` in `window`.
    pub fn new(most: usize, window: Duration, clock: Clock) -> Self {
        let recent = Recent { times: HashMap::new(), swept: None };
        Self { most, window, clock, recent: Mutex::new(recent) }
    }

    /// Counts an attempt before it is made, so that many at once do not slip through.
    ///
    /// # Errors
    /// When there were too many: how long to wait.
    pub fn count(&self, key: &K) -> Result<(), Duration> {
        let now = self.clock.now();
        let mut recent = self.lock();
        if recent.times.len() >= KEYS && !recent.times.contains_key(key) {
            recent.make_room(now, self.window)?;
        }
        let times = recent.times.entry(key.clone()).or_default();
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

    /// Takes one count back: the attempt was not made, or was no failure.
    pub fn take_back(&self, key: &K) {
        let mut recent = self.lock();
        if let Some(times) = recent.times.get_mut(key) {
            times.pop_back();
            if times.is_empty() {
                recent.times.remove(key);
            }
        }
    }

    /// Forgets the attempts of a key: it succeeded.
    pub fn forget(&self, key: &K) {
        self.lock().times.remove(key);
    }

    fn lock(&self) -> MutexGuard<'_, Recent<K>> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Eq> Recent<K> {
    /// Forgets what no longer counts.
    ///
    /// # Errors
    /// When everything still counts: how long to wait.
    fn make_room(&mut self, now: Instant, window: Duration) -> Result<(), Duration> {
        if self.swept.is_none_or(|swept| now.duration_since(swept) >= SWEEP) {
            self.swept = Some(now);
            let counts = |times: &VecDeque<Instant>| {
                times.back().is_some_and(|time| now.duration_since(*time) < window)
            };
            self.times.retain(|_, times| counts(times));
        }
        if self.times.len() < KEYS { Ok(()) } else { Err(window) }
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
    fn what_is_taken_back_does_not_count() {
        let (attempts, _) = attempts(2);
        for _ in 0..5 {
            assert!(attempts.count(&1).is_ok());
            attempts.take_back(&1);
        }
        assert!(attempts.lock().times.is_empty());
        assert!(attempts.count(&1).is_ok() && attempts.count(&1).is_ok() && attempts.count(&1).is_err());
    }

    #[test]
    fn memory_is_bounded_and_nobody_is_tried_away() {
        let (attempts, clock) = attempts(1);
        let all = u32::try_from(KEYS).unwrap();
        for key in 0..all {
            assert!(attempts.count(&key).is_ok());
        }
        for key in [all, all + 1] {
            assert_eq!(attempts.count(&key), Err(WINDOW), "a new one waits");
        }
        assert!(attempts.count(&0).is_err(), "the oldest still counts");
        clock.advance(WINDOW);
        assert!(attempts.count(&all).is_ok());
        assert_eq!(attempts.lock().times.len(), 1);
    }
}
