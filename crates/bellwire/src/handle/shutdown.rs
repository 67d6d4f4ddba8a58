//! The shutdown: closes all sockets in batches and waits for them.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use crate::sync::atomic::Ordering;
use crate::{Bellwire, Close};

/// How many sockets are closed at once at a stop; between batches there is a short pause, so that not all come back together.
const BATCH: usize = 256;
/// The longest pause between two batches. Each is shorter by chance, so that the batches of several processes do not keep step.
const PAUSE: Duration = Duration::from_millis(40);
/// What part of the time for a stop all pauses together may take at most: the last batch, too, is to have time to end.
const PAUSES: u32 = 4;
/// How often a stop looks for sockets that were still opening when it began.
const LOOK: Duration = Duration::from_millis(20);

impl Bellwire {
    /// Closes every socket with 1012, so that browsers come back by themselves, and waits until every `disconnect` has run, or until
    /// `patience` ends; returns whether all ended. New sockets are refused from now on.
    pub async fn shutdown(&self, patience: Duration) -> bool {
        self.0.stopping.store(true, Ordering::SeqCst);
        self.0.tasks.close();
        let all_closed = async {
            let channels = self.layer().channels();
            let batches = channels.chunks(BATCH);
            let most = longest_pause(batches.len(), patience);
            for batch in batches {
                batch.iter().for_each(|channel| {
                    channel.queue.close(Close::new(Close::RESTART, "restarting"))
                });
                tokio::time::sleep(most.mul_f64(chance())).await;
            }
            // A socket whose handshake was under way when the stop began.
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
        tokio::time::timeout(patience, all_closed).await.is_ok()
    }
}

/// How long to wait at most after each of so many batches.
fn longest_pause(batches: usize, patience: Duration) -> Duration {
    let batches = u32::try_from(batches).unwrap_or(u32::MAX).max(1);
    PAUSE.min(patience / PAUSES / batches)
}

/// A share of one that nobody can foretell: no two hashers are alike.
fn chance() -> f64 {
    RandomState::new().hash_one(()) as f64 / u64::MAX as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(7);

    #[test]
    fn pauses_are_short_and_all_together_leave_most_of_the_time_to_the_last_batch() {
        assert_eq!(longest_pause(8, PATIENCE), PAUSE);
        for batches in [0, 1, 8, 400, 100_000] {
            let all = longest_pause(batches, PATIENCE) * u32::try_from(batches).unwrap();
            assert!(all <= PATIENCE / PAUSES, "{batches} batches: {all:?}");
        }
    }

    #[test]
    fn pauses_do_not_keep_step() {
        let pauses: Vec<_> = (0..100).map(|_| PAUSE.mul_f64(chance())).collect();
        let (shortest, longest) = (pauses.iter().min().unwrap(), pauses.iter().max().unwrap());
        assert!(*longest <= PAUSE && *longest > PAUSE / 2 && *shortest < PAUSE / 2, "{pauses:?}");
    }
}
