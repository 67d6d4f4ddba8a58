//! Shutdown: closes all sockets in batches and waits for them to end.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use crate::sync::atomic::Ordering;
use crate::{Bellwire, Close};

/// The number of sockets closed at once during a shutdown. A short pause follows each batch, so
/// that the clients do not all reconnect at the same moment.
const BATCH: usize = 256;
/// The longest pause between two batches. Each pause is a random part of it, so that the batches of
/// several processes do not run in step.
const PAUSE: Duration = Duration::from_millis(40);
/// All pauses together take at most this fraction (one quarter) of the timeout, so that the last
/// batch has time to end as well.
const PAUSES: u32 = 4;
/// The interval at which a shutdown looks for sockets that were still opening when it started.
const LOOK: Duration = Duration::from_millis(20);

impl Bellwire {
    /// Closes every socket with 1012, so that browsers reconnect by themselves, and waits until
    /// every `disconnect` has run or `timeout` has passed. Returns whether all connections ended.
    ///
    /// New sockets are refused from the call on.
    pub async fn shutdown(&self, timeout: Duration) -> bool {
        self.0.stopping.store(true, Ordering::SeqCst);
        self.0.tasks.close();
        let all_closed = async {
            let channels = self.layer().channels();
            let batches = channels.chunks(BATCH);
            let longest = longest_pause(batches.len(), timeout);
            for batch in batches {
                batch.iter().for_each(|channel| {
                    channel.queue.close(Close::new(Close::RESTART, "restarting"))
                });
                tokio::time::sleep(longest.mul_f64(random_fraction())).await;
            }
            // Sockets whose handshake was in progress when the shutdown started.
            loop {
                self.layer()
                    .channels()
                    .iter()
                    .for_each(|c| c.queue.close(Close::new(Close::RESTART, "restarting")));
                if tokio::time::timeout(LOOK, self.0.tasks.wait()).await.is_ok() {
                    return;
                }
            }
        };
        tokio::time::timeout(timeout, all_closed).await.is_ok()
    }
}

/// The longest pause after each of `batches` batches.
fn longest_pause(batches: usize, timeout: Duration) -> Duration {
    let batches = u32::try_from(batches).unwrap_or(u32::MAX).max(1);
    PAUSE.min(timeout / PAUSES / batches)
}

/// A random number from 0 to 1: each hasher has its own random seed.
fn random_fraction() -> f64 {
    RandomState::new().hash_one(()) as f64 / u64::MAX as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(7);

    #[test]
    fn pauses_are_short_and_in_total_leave_most_of_the_timeout_to_the_last_batch() {
        assert_eq!(longest_pause(8, TIMEOUT), PAUSE);
        for batches in [0, 1, 8, 400, 100_000] {
            let all = longest_pause(batches, TIMEOUT) * u32::try_from(batches).unwrap();
            assert!(all <= TIMEOUT / PAUSES, "{batches} batches: {all:?}");
        }
    }

    #[test]
    fn pauses_are_randomized() {
        let pauses: Vec<_> = (0..100).map(|_| PAUSE.mul_f64(random_fraction())).collect();
        let (shortest, longest) = (pauses.iter().min().unwrap(), pauses.iter().max().unwrap());
        assert!(*longest <= PAUSE && *longest > PAUSE / 2 && *shortest < PAUSE / 2, "{pauses:?}");
    }
}
