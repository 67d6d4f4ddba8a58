//! [`RateLimiter`]: counts the events of one caller.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::quota::{Kind, Quota};

/// The decision of a rate limiter about one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Decision {
    /// The event is within the quota.
    Allow,
    /// The event exceeds the quota. Refuse it and tell the caller when to try again.
    Throttle {
        /// The time until an event is allowed again.
        retry_after: Duration,
    },
    /// The caller has sent another second's worth of events since it was throttled. Close the
    /// connection. Only a quota [per second](Quota::per_second) leads to this decision.
    Disconnect {
        /// The time until an event is allowed again.
        retry_after: Duration,
    },
}

impl Decision {
    /// Converts the decision into a result.
    ///
    /// # Errors
    /// Returns `retry_after` if the event is not allowed.
    pub fn allowed(self) -> Result<(), Duration> {
        match self {
            Self::Allow => Ok(()),
            Self::Throttle { retry_after } | Self::Disconnect { retry_after } => Err(retry_after),
        }
    }
}

/// A rate limiter that counts the events of one caller against a [`Quota`].
#[derive(Debug, Clone)]
pub struct RateLimiter(State);

#[derive(Debug, Clone)]
enum State {
    Window(Window),
    Bucket(Bucket),
}

impl RateLimiter {
    /// Creates a limiter without counted events.
    pub fn new(quota: Quota) -> Self {
        Self(match quota.0 {
            Kind::Window { most, period } => {
                State::Window(Window { most, period, times: VecDeque::new() })
            }
            Kind::Bucket { rate, burst } => State::Bucket(Bucket::new(rate, burst)),
        })
    }

    /// Counts an event before it happens, so that concurrent events cannot exceed the quota.
    pub fn take(&mut self, now: Instant) -> Decision {
        match &mut self.0 {
            State::Window(window) => window.take(now),
            State::Bucket(bucket) => bucket.take(now),
        }
    }

    /// Takes back the last allowed event, for an event that did not happen or should not count.
    pub fn take_back(&mut self) {
        match &mut self.0 {
            State::Window(window) => drop(window.times.pop_back()),
            State::Bucket(bucket) => bucket.tokens = (bucket.tokens + 1.0).min(bucket.burst),
        }
    }

    /// Returns whether no event counts any more, so that the limiter equals a new one.
    pub fn is_idle(&self, now: Instant) -> bool {
        match &self.0 {
            State::Window(window) => {
                window.times.back().is_none_or(|last| now.duration_since(*last) >= window.period)
            }
            State::Bucket(bucket) => bucket.tokens_at(now) >= bucket.burst,
        }
    }
}

/// A sliding window: the times of the counted events.
#[derive(Debug, Clone)]
struct Window {
    most: u32,
    period: Duration,
    times: VecDeque<Instant>,
}

impl Window {
    fn take(&mut self, now: Instant) -> Decision {
        let Self { most, period, times } = self;
        while times.front().is_some_and(|time| now.duration_since(*time) >= *period) {
            times.pop_front();
        }
        if times.len() < *most as usize {
            times.push_back(now);
            return Decision::Allow;
        }
        let passed = times.front().map_or(Duration::ZERO, |first| now.duration_since(*first));
        Decision::Throttle { retry_after: *period - passed }
    }
}

/// A token bucket. Below zero it counts refused events, up to one more than a second's worth. The
/// bound keeps a persistent caller from waiting ever longer.
#[derive(Debug, Clone)]
struct Bucket {
    rate: f32,
    burst: f32,
    tokens: f32,
    refilled: Option<Instant>,
}

impl Bucket {
    #[allow(clippy::cast_precision_loss, reason = "a rate needs no more than 24 bits")]
    fn new(rate: u32, burst: u32) -> Self {
        let (rate, burst) = (rate as f32, burst.max(1) as f32);
        Self { rate, burst, tokens: burst, refilled: None }
    }

    fn tokens_at(&self, now: Instant) -> f32 {
        let passed =
            self.refilled.map_or(0.0, |refilled| now.duration_since(refilled).as_secs_f32());
        (self.tokens + passed * self.rate).min(self.burst)
    }

    fn take(&mut self, now: Instant) -> Decision {
        self.tokens = (self.tokens_at(now) - 1.0).max(-self.rate - 1.0);
        self.refilled = Some(now);
        match self.tokens {
            tokens if tokens >= 0.0 => Decision::Allow,
            tokens if tokens >= -self.rate => Decision::Throttle { retry_after: self.wait() },
            _ => Decision::Disconnect { retry_after: self.wait() },
        }
    }

    /// The time until the next token is available.
    fn wait(&self) -> Duration {
        Duration::try_from_secs_f32((1.0 - self.tokens) / self.rate).unwrap_or(Duration::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_secs(180);

    #[test]
    fn a_burst_is_allowed_then_the_rate_applies_and_a_persistent_caller_is_disconnected() {
        let mut limiter = RateLimiter::new(Quota::per_second(10, 20));
        let now = Instant::now();
        assert!((0..20).all(|_| limiter.take(now) == Decision::Allow));
        assert!((0..10).all(|_| matches!(limiter.take(now), Decision::Throttle { .. })));
        assert!(matches!(limiter.take(now), Decision::Disconnect { .. }));
        assert_eq!(limiter.take(now + Duration::from_secs(3)), Decision::Allow);
    }

    #[test]
    fn a_bucket_allows_again_after_retry_after() {
        let mut limiter = RateLimiter::new(Quota::per_second(10, 1));
        let now = Instant::now();
        assert_eq!(limiter.take(now), Decision::Allow);
        let wait = limiter.take(now).allowed().unwrap_err();
        assert!(wait > Duration::from_millis(190) && wait < Duration::from_millis(210), "{wait:?}");
        assert_eq!(limiter.take(now + wait), Decision::Allow);
    }

    #[test]
    fn the_wait_does_not_grow_after_a_disconnect() {
        let mut limiter = RateLimiter::new(Quota::per_second(10, 20));
        let now = Instant::now();
        while !matches!(limiter.take(now), Decision::Disconnect { .. }) {}
        let first = limiter.take(now);
        assert!((0..10_000).all(|_| limiter.take(now) == first));
        assert_eq!(limiter.take(now + Duration::from_secs(2)), Decision::Allow);
    }

    #[test]
    fn a_bucket_with_a_rate_of_zero_never_refills() {
        let mut limiter = RateLimiter::new(Quota::per_second(0, 1));
        let now = Instant::now();
        assert_eq!(limiter.take(now), Decision::Allow);
        assert_eq!(limiter.take(now + PERIOD), Decision::Disconnect { retry_after: Duration::MAX });
    }

    #[test]
    fn a_window_throttles_until_its_first_event_expires() {
        let mut limiter = RateLimiter::new(Quota::at_most(3, PERIOD));
        let now = Instant::now();
        let later = now + PERIOD / 4;
        assert!(
            [now, later, later]
                .map(|time| limiter.take(time))
                .iter()
                .all(|d| *d == Decision::Allow)
        );
        for _ in 0..3 {
            let expected = Decision::Throttle { retry_after: PERIOD - PERIOD / 4 };
            assert_eq!(limiter.take(later), expected, "refused events do not count");
        }
        assert_eq!(limiter.take(now + PERIOD), Decision::Allow);
        assert!(limiter.take(now + PERIOD).allowed().is_err(), "the later events still count");
    }

    #[test]
    fn an_event_taken_back_does_not_count() {
        for quota in [Quota::at_most(2, PERIOD), Quota::per_second(1, 2)] {
            let mut limiter = RateLimiter::new(quota);
            let now = Instant::now();
            for _ in 0..5 {
                assert_eq!(limiter.take(now), Decision::Allow);
                assert!(!limiter.is_idle(now));
                limiter.take_back();
                assert!(limiter.is_idle(now));
            }
            assert!(limiter.take(now).allowed().is_ok() && limiter.take(now).allowed().is_ok());
            assert!(limiter.take(now).allowed().is_err());
            assert!(limiter.is_idle(now + PERIOD));
        }
    }
}
