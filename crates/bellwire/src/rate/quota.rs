//! [`Quota`]: the number of events that a rate limiter allows.

use std::time::Duration;

/// The number of events that a [`RateLimiter`](super::RateLimiter) allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Quota(pub(super) Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Window { most: u32, period: Duration },
    Bucket { rate: u32, burst: u32 },
}

impl Quota {
    /// A sliding window: at most `most` events in any `period`. A refused event does not count.
    pub const fn at_most(most: u32, period: Duration) -> Self {
        Self(Kind::Window { most, period })
    }

    /// A token bucket: `rate` events per second on average, and `burst` at once. A refused event
    /// counts, so that a caller that continues is disconnected.
    pub const fn per_second(rate: u32, burst: u32) -> Self {
        Self(Kind::Bucket { rate, burst })
    }

    /// The time without events after which a limiter is back at its full quota.
    pub fn period(self) -> Duration {
        match self.0 {
            Kind::Window { period, .. } => period,
            Kind::Bucket { rate, burst } => {
                let seconds = f64::from(burst) / f64::from(rate);
                Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
            }
        }
    }
}
