//! A debounced sender: gathers what is to be told, and tells it once per interval.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

/// Gathers what is to be told under each key, such as a room, and tells it once per interval, so
/// that a busy room costs the members of its groups little.
///
/// ```
/// # use std::time::Duration;
/// use bellwire::{Bellwire, Debouncer, GroupName, Html, Patch};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let bellwire = Bellwire::builder("http://127.0.0.1:8000").build()?;
/// let votes = Debouncer::trailing(Duration::from_millis(250));
/// let poll = bellwire.layer().group::<()>(GroupName::of("poll", 1));
/// for _ in 0..1000 {
///     let members = poll.clone();
///     let tell = move |count: u64| {
///         members.patch(Patch::inner("#votes", Html::text(&format!("{count} new votes"))));
///         std::future::ready(())
///     };
///     votes.put(1, |count| *count += 1, tell);
/// }
/// # Ok(()) }
/// ```
///
/// One task runs for each key under which something waits, and ends when nothing does.
pub struct Debouncer<K, T>(Arc<Inner<K, T>>);

struct Inner<K, T> {
    interval: Duration,
    leading: bool,
    /// The keys that have a task, with what waits under each.
    waiting: Mutex<HashMap<K, Option<T>>>,
}

impl<K, T> Debouncer<K, T>
where
    K: Hash + Eq + Clone + Send + 'static,
    T: Default + Send + 'static,
{
    /// Tells an interval after the first of what is gathered.
    pub fn trailing(interval: Duration) -> Self {
        Self::new(interval, false)
    }

    /// Tells the first at once, and what comes within an interval after it at the end of that.
    pub fn leading(interval: Duration) -> Self {
        Self::new(interval, true)
    }

    fn new(interval: Duration, leading: bool) -> Self {
        Self(Arc::new(Inner { interval, leading, waiting: Mutex::default() }))
    }

    /// Adds to what waits under this key by `merge`, and sees to it that `tell` gets it. One `tell`
    /// at a time runs for a key; what comes while it runs is gathered for the next. If several
    /// callers bring one, that of the first is called.
    pub fn put<F: Future<Output = ()> + Send + 'static>(
        &self,
        key: K,
        merge: impl FnOnce(&mut T),
        tell: impl Fn(T) -> F + Send + 'static,
    ) {
        if self.0.merge(&key, merge) {
            let guard = RunGuard { inner: self.0.clone(), key };
            let first = (!self.0.leading).then(|| Instant::now() + self.0.interval);
            tokio::spawn(run(guard, first, tell));
        }
    }
}

async fn run<K: Hash + Eq, T, F: Future<Output = ()>>(
    guard: RunGuard<K, T>,
    first: Option<Instant>,
    tell: impl Fn(T) -> F,
) {
    let Inner { interval, leading, .. } = *guard.inner;
    if let Some(first) = first {
        sleep_until(first).await;
    }
    while let Some(gathered) = guard.inner.take(&guard.key) {
        tell(gathered).await;
        if leading || guard.inner.is_waiting(&guard.key) {
            sleep(interval).await;
        }
    }
}

impl<K: Hash + Eq + Clone, T: Default> Inner<K, T> {
    /// Returns whether a task has to begin.
    fn merge(&self, key: &K, merge: impl FnOnce(&mut T)) -> bool {
        let mut waiting = self.lock();
        let begins = !waiting.contains_key(key);
        // Inserted after `merge`, which may panic: an entry stands for a task that runs or begins.
        let mut gathered = waiting.get_mut(key).and_then(Option::take).unwrap_or_default();
        merge(&mut gathered);
        waiting.insert(key.clone(), Some(gathered));
        begins
    }
}

impl<K: Hash + Eq, T> Inner<K, T> {
    /// Returns what is to be told. If nothing waits, the task ends, and the next to come begins
    /// another.
    fn take(&self, key: &K) -> Option<T> {
        let mut waiting = self.lock();
        let gathered = waiting.get_mut(key).and_then(Option::take);
        if gathered.is_none() {
            waiting.remove(key);
        }
        gathered
    }

    fn is_waiting(&self, key: &K) -> bool {
        self.lock().get(key).is_some_and(Option::is_some)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Option<T>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The task's right to tell what waits under a key. A `tell` that panics gives it back.
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

impl<K, T> fmt::Debug for Debouncer<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Debouncer").field("interval", &self.0.interval).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;
    use tokio::time::advance;

    use super::*;

    const INTERVAL: Duration = Duration::from_millis(200);

    struct Case {
        debouncer: Debouncer<u64, Vec<u32>>,
        told: mpsc::UnboundedSender<(Vec<u32>, u128)>,
        begun: Instant,
    }

    impl Case {
        fn new(
            debouncer: Debouncer<u64, Vec<u32>>,
        ) -> (Self, mpsc::UnboundedReceiver<(Vec<u32>, u128)>) {
            let (told, heard) = mpsc::unbounded_channel();
            (Self { debouncer, told, begun: Instant::now() }, heard)
        }

        fn put(&self, key: u64, number: u32) {
            let (told, begun) = (self.told.clone(), self.begun);
            self.debouncer.put(
                key,
                |waiting| waiting.push(number),
                move |gathered| {
                    let told = told.clone();
                    async move {
                        assert_ne!(gathered, [13], "a test's panic");
                        told.send((gathered, begun.elapsed().as_millis())).unwrap();
                    }
                },
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_trailing_one_tells_once_for_all_that_came_in_an_interval() {
        let (case, mut heard) = Case::new(Debouncer::trailing(INTERVAL));
        case.put(1, 1);
        advance(INTERVAL / 2).await;
        case.put(1, 2);
        assert_eq!(heard.recv().await.unwrap(), (vec![1, 2], 200));
        advance(INTERVAL / 2).await;
        case.put(1, 3);
        assert_eq!(heard.recv().await.unwrap(), (vec![3], 500), "an interval after the first");
    }

    #[tokio::test(start_paused = true)]
    async fn a_leading_one_tells_at_once_and_then_once_per_interval() {
        let (case, mut heard) = Case::new(Debouncer::leading(INTERVAL));
        case.put(1, 1);
        assert_eq!(heard.recv().await.unwrap(), (vec![1], 0));
        case.put(1, 2);
        case.put(1, 3);
        assert_eq!(heard.recv().await.unwrap(), (vec![2, 3], 200), "none is forgotten");
        advance(INTERVAL * 2).await;
        tokio::task::yield_now().await;
        case.put(1, 4);
        assert_eq!(heard.recv().await.unwrap(), (vec![4], 600), "it was quiet");
    }

    #[tokio::test(start_paused = true)]
    async fn each_key_is_told_by_itself_and_nothing_is_kept_afterwards() {
        for debouncer in [Debouncer::trailing(INTERVAL), Debouncer::leading(INTERVAL)] {
            let (case, mut heard) = Case::new(debouncer);
            case.put(1, 1);
            case.put(2, 2);
            let mut told = [heard.recv().await.unwrap().0, heard.recv().await.unwrap().0];
            told.sort();
            assert_eq!(told, [[1], [2]]);
            advance(INTERVAL * 2).await;
            for _ in 0..5 {
                tokio::task::yield_now().await;
            }
            assert!(case.debouncer.0.lock().is_empty());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_costs_what_was_gathered_and_nothing_that_comes_later() {
        let (case, mut heard) = Case::new(Debouncer::trailing(INTERVAL));
        case.put(1, 13);
        advance(INTERVAL).await;
        for _ in 0..5 {
            tokio::task::yield_now().await;
        }
        case.put(1, 1);
        assert_eq!(heard.recv().await.unwrap().0, [1]);
    }
}
