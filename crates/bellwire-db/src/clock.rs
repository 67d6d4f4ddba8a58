//! The clock of a site, which tests can advance.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

/// The clock for all timeouts and expiry times of a site.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    ahead: Arc<AtomicU64>,
}

impl Clock {
    /// Returns the current instant, to measure durations from.
    pub fn now(&self) -> Instant {
        Instant::now() + self.ahead()
    }

    /// Returns the current date and time.
    pub fn date(&self) -> DateTime<Utc> {
        Utc::now() + self.ahead()
    }

    /// Advances this clock and all its copies. For tests.
    #[cfg(feature = "testing")]
    pub fn advance(&self, by: Duration) {
        self.ahead.fetch_add(u64::try_from(by.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn ahead(&self) -> Duration {
        Duration::from_millis(self.ahead.load(Ordering::Relaxed))
    }
}
