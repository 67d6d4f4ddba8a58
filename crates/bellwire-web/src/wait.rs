//! Formats waiting times for people and for `Retry-After`.

use std::time::Duration;

/// Returns a duration in whole seconds, rounded up.
pub fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// Formats a duration in words: `3 minutes`.
pub fn in_words(wait: Duration) -> String {
    match seconds(wait) {
        0 | 1 => "a second".to_owned(),
        seconds @ 2..=59 => format!("{seconds} seconds"),
        60 => "a minute".to_owned(),
        seconds => format!("{} minutes", seconds.div_ceil(60)),
    }
}
