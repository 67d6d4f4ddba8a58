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
/// The time over which the return of connections is spread: for each of them, and at least and at
/// most in total. A new process accepts some thousand handshakes per second.
const RETURN: Duration = Duration::from_micros(500);
const SHORTEST_RETURN: Duration = Duration::from_secs(1);
const LONGEST_RETURN: Duration = Duration::from_secs(30);
/// The interval at which a shutdown looks for sockets that were still opening when it started.
const LOOK: Duration = Duration::from_millis(20);

impl Bellwire {
    /// Waits for `signal`, then starts to close all connections, and returns. Pass it to axum's
    /// graceful shutdown, which waits for open event streams and would otherwise never end:
    ///
    /// ```no_run
    /// use axum::{Router, routing::get};
    /// use bellwire::{Bellwire, shutdown_signal};
    /// use std::time::Duration;
    /// use tokio::net::TcpListener;
    ///
    /// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
    /// let bellwire = Bellwire::builder("http://127.0.0.1:8000").build()?;
    /// let app: Router = Router::new().route("/", get(async || "Hello"));
    /// let listener = TcpListener::bind("127.0.0.1:8000").await?;
    /// axum::serve(listener, app)
    ///     .with_graceful_shutdown(bellwire.closing(shutdown_signal(), Duration::from_secs(7)))
    ///     .await?;
    /// // Connections have ended, or the time has passed: close the database.
    /// bellwire.shutdown(Duration::from_secs(7)).await;
    /// # Ok(()) }
    /// ```
    ///
    /// The order of a shutdown: the signal; no new requests; every connection closes with 1012 and
    /// each `disconnect` runs; writes that were committed are published; the server returns; the app
    /// closes its database. [`serve`](crate::serve()) does all but the last.
    pub fn closing(
        &self,
        signal: impl Future<Output = ()> + Send + 'static,
        timeout: Duration,
    ) -> impl Future<Output = ()> + Send + 'static {
        let bellwire = self.clone();
        async move {
            signal.await;
            bellwire.0.stopping.store(true, Ordering::SeqCst);
            tokio::spawn(async move { bellwire.shutdown(timeout).await });
        }
    }

    /// Closes every connection with 1012, so that browsers reconnect by themselves, and waits until
    /// every `disconnect` has run and every [committed write](crate::Feed::commit) is published, or
    /// until `timeout` has passed. Returns whether all of them ended.
    ///
    /// New connections are refused from the call on. The close tells each browser how long to wait
    /// before it returns, so that they do not all return at once.
    pub async fn shutdown(&self, timeout: Duration) -> bool {
        self.0.stopping.store(true, Ordering::SeqCst);
        self.0.tasks.close();
        self.layer().writes().close();
        let all_closed = async {
            let channels = self.layer().channels();
            let batches = channels.chunks(BATCH);
            let longest = longest_pause(batches.len(), timeout);
            for batch in batches {
                batch.iter().for_each(|channel| channel.queue.close(restart(channels.len())));
                tokio::time::sleep(longest.mul_f64(random_fraction())).await;
            }
            // Sockets whose handshake was in progress when the shutdown started.
            loop {
                let late = self.layer().channels();
                late.iter().for_each(|channel| channel.queue.close(restart(late.len())));
                if tokio::time::timeout(LOOK, self.0.tasks.wait()).await.is_ok() {
                    break;
                }
            }
            self.layer().writes().wait().await;
        };
        tokio::time::timeout(timeout, all_closed).await.is_ok()
    }
}

/// The close of one of this many connections, with a random delay for its return in the reason.
fn restart(connections: usize) -> Close {
    let connections = u32::try_from(connections).unwrap_or(u32::MAX);
    let longest = (RETURN * connections).clamp(SHORTEST_RETURN, LONGEST_RETURN);
    let delay = longest.mul_f64(random_fraction()).as_millis();
    Close::new(Close::RESTART, format!("retry={delay}"))
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
    fn the_return_of_connections_is_spread_by_their_number() {
        let longest = |connections| {
            let delays = (0..200).map(|_| {
                let reason = restart(connections).reason().to_owned();
                reason.strip_prefix("retry=").unwrap().parse::<u64>().unwrap()
            });
            delays.max().unwrap()
        };
        assert!((500..=1_000).contains(&longest(1)));
        assert!((2_500..=5_000).contains(&longest(10_000)));
        assert!((15_000..=30_000).contains(&longest(10_000_000)));
    }

    #[test]
    fn pauses_are_randomized() {
        let pauses: Vec<_> = (0..100).map(|_| PAUSE.mul_f64(random_fraction())).collect();
        let (shortest, longest) = (pauses.iter().min().unwrap(), pauses.iter().max().unwrap());
        assert!(*longest <= PAUSE && *longest > PAUSE / 2 && *shortest < PAUSE / 2, "{pauses:?}");
    }
}
