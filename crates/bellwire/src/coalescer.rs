//! Coalescer: merges values by key, and sends each key's merged value at most once per interval,
//! also while values keep arriving. It does not wait for silence, and calls no consumer.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

/// Merges values by key, such as a room, and sends the merged value at most once per interval, so
/// that a busy room costs the members of its groups little. It does not wait for a pause, as a
/// debouncer does.
///
/// ```
/// # use std::time::Duration;
/// use bellwire::{Coalescer, Html, Layer, Patch, Topic};
///
/// const POLL: Topic<u32> = Topic::new("poll");
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let votes = Coalescer::trailing(Duration::from_millis(250));
/// let poll = Layer::memory().group(POLL.of(1));
/// for _ in 0..1000 {
///     let members = poll.clone();
///     let send = move |count: u64| {
///         members.patch(Patch::inner("#votes", Html::text(&format!("{count} new votes"))));
///         std::future::ready(())
///     };
///     votes.put(1, |count| *count += 1, send);
/// }
/// # Ok(()) }
/// ```
///
/// One task runs for each key with a pending value, and ends when there is none.
pub struct Coalescer<K, T>(Arc<Inner<K, T>>);

struct Inner<K, T> {
    interval: Duration,
    leading: bool,
    /// The keys that have a task, with the pending value of each.
    pending: Mutex<HashMap<K, Option<T>>>,
}

impl<K, T> Coalescer<K, T>
where
    K: Hash + Eq + Clone + Send + 'static,
    T: Default + Send + 'static,
{
    /// A coalescer that sends one interval after the first value.
    pub fn trailing(interval: Duration) -> Self {
        Self::new(interval, false)
    }

    /// A coalescer that sends the first value immediately, and those of the following interval at
    /// the interval's end.
    pub fn leading(interval: Duration) -> Self {
        Self::new(interval, true)
    }

    fn new(interval: Duration, leading: bool) -> Self {
        Self(Arc::new(Inner { interval, leading, pending: Mutex::default() }))
    }

    /// Merges a value into the pending one of this key, and schedules `send` with the result.
    ///
    /// One `send` at a time runs for a key; values that arrive while it runs are merged for the
    /// next one. If several callers pass a `send`, the first one is called.
    pub fn put<F: Future<Output = ()> + Send + 'static>(
        &self,
        key: K,
        merge: impl FnOnce(&mut T),
        send: impl Fn(T) -> F + Send + 'static,
    ) {
        if self.0.merge(&key, merge) {
            let guard = RunGuard { inner: self.0.clone(), key };
            let first = (!self.0.leading).then(|| Instant::now() + self.0.interval);
            tokio::spawn(run(guard, first, send));
        }
    }
}

async fn run<K: Hash + Eq, T, F: Future<Output = ()>>(
    guard: RunGuard<K, T>,
    first: Option<Instant>,
    send: impl Fn(T) -> F,
) {
    let Inner { interval, leading, .. } = *guard.inner;
    if let Some(first) = first {
        sleep_until(first).await;
    }
    while let Some(value) = guard.inner.take(&guard.key) {
        send(value).await;
        if leading || guard.inner.is_pending(&guard.key) {
            sleep(interval).await;
        }
    }
}

impl<K: Hash + Eq + Clone, T: Default> Inner<K, T> {
    /// Returns whether a task has to be started.
    fn merge(&self, key: &K, merge: impl FnOnce(&mut T)) -> bool {
        let mut pending = self.lock();
        let is_new = !pending.contains_key(key);
        // Inserted after `merge`, which may panic: an entry means that a task runs or is started.
        let mut value = pending.get_mut(key).and_then(Option::take).unwrap_or_default();
        merge(&mut value);
        pending.insert(key.clone(), Some(value));
        is_new
    }
}

impl<K: Hash + Eq, T> Inner<K, T> {
    /// Takes the pending value. If there is none, the task ends, and the next value starts another.
    fn take(&self, key: &K) -> Option<T> {
        let mut pending = self.lock();
        let value = pending.get_mut(key).and_then(Option::take);
        if value.is_none() {
            pending.remove(key);
        }
        value
    }

    fn is_pending(&self, key: &K) -> bool {
        self.lock().get(key).is_some_and(Option::is_some)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Option<T>>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The guard of a key's task. It removes the key if `send` panics.
struct RunGuard<K: Hash + Eq, T> {
    inner: Arc<Inner<K, T>>,
    key: K,
}

impl<K: Hash + Eq, T> Drop for RunGuard<K, T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.inner.lock().remove(&self.key);
        }
    }
}

impl<K, T> fmt::Debug for Coalescer<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Coalescer").field("interval", &self.0.interval).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;
    use tokio::time::advance;

    use super::*;

    const INTERVAL: Duration = Duration::from_millis(200);

    struct Case {
        coalescer: Coalescer<u64, Vec<u32>>,
        sender: mpsc::UnboundedSender<(Vec<u32>, u128)>,
        start: Instant,
    }

    impl Case {
        fn new(
            coalescer: Coalescer<u64, Vec<u32>>,
        ) -> (Self, mpsc::UnboundedReceiver<(Vec<u32>, u128)>) {
            let (sender, sent) = mpsc::unbounded_channel();
            (Self { coalescer, sender, start: Instant::now() }, sent)
        }

        fn put(&self, key: u64, number: u32) {
            let (sender, start) = (self.sender.clone(), self.start);
            self.coalescer.put(
                key,
                |pending| pending.push(number),
                move |values| {
                    let sender = sender.clone();
                    async move {
                        assert_ne!(values, [13], "a test's panic");
                        sender.send((values, start.elapsed().as_millis())).unwrap();
                    }
                },
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_trailing_coalescer_sends_once_for_all_values_of_an_interval() {
        let (case, mut sent) = Case::new(Coalescer::trailing(INTERVAL));
        case.put(1, 1);
        advance(INTERVAL / 2).await;
        case.put(1, 2);
        assert_eq!(sent.recv().await.unwrap(), (vec![1, 2], 200));
        advance(INTERVAL / 2).await;
        case.put(1, 3);
        assert_eq!(sent.recv().await.unwrap(), (vec![3], 500), "an interval after the first");
    }

    #[tokio::test(start_paused = true)]
    async fn a_leading_coalescer_sends_immediately_and_then_once_per_interval() {
        let (case, mut sent) = Case::new(Coalescer::leading(INTERVAL));
        case.put(1, 1);
        assert_eq!(sent.recv().await.unwrap(), (vec![1], 0));
        case.put(1, 2);
        case.put(1, 3);
        assert_eq!(sent.recv().await.unwrap(), (vec![2, 3], 200), "no value is lost");
        advance(INTERVAL * 2).await;
        tokio::task::yield_now().await;
        case.put(1, 4);
        assert_eq!(sent.recv().await.unwrap(), (vec![4], 600), "immediately, after a pause");
    }

    #[tokio::test(start_paused = true)]
    async fn each_key_is_sent_separately_and_nothing_is_kept_afterwards() {
        for coalescer in [Coalescer::trailing(INTERVAL), Coalescer::leading(INTERVAL)] {
            let (case, mut sent) = Case::new(coalescer);
            case.put(1, 1);
            case.put(2, 2);
            let mut values = [sent.recv().await.unwrap().0, sent.recv().await.unwrap().0];
            values.sort();
            assert_eq!(values, [[1], [2]]);
            advance(INTERVAL * 2).await;
            for _ in 0..5 {
                tokio::task::yield_now().await;
            }
            assert!(case.coalescer.0.lock().is_empty());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_loses_the_pending_values_and_no_later_ones() {
        let (case, mut sent) = Case::new(Coalescer::trailing(INTERVAL));
        case.put(1, 13);
        advance(INTERVAL).await;
        for _ in 0..5 {
            tokio::task::yield_now().await;
        }
        case.put(1, 1);
        assert_eq!(sent.recv().await.unwrap().0, [1]);
    }
}
