//! The time, which tests may move on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

/// What time it is, for everything in the site that waits or expires.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    ahead: Arc<AtomicU64>,
}

impl Clock {
    /// A moment to measure from.
    pub fn now(&self) -> Instant {
        Instant::now() + self.ahead()
    }

    /// The date and time.
    pub fn date(&self) -> DateTime<Utc> {
        Utc::now() + self.ahead()
    }

    /// Moves this clock, and all its copies, on: for tests.
    #[cfg(feature = "testing")]
    pub fn advance(&self, by: Duration) {
        self.ahead.fetch_add(u64::try_from(by.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn ahead(&self) -> Duration {
        Duration::from_millis(self.ahead.load(Ordering::Relaxed))
    }
}
