//! Tickers: one task per group that sends a patch to all watching sockets at a fixed interval, as
//! long as there are any. No consumer runs.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::layer::GroupHandle;
use crate::outbound::Send;
use crate::sync::{Arc, Mutex, MutexGuard, PoisonError};
use crate::{Consumer, GroupName, Layer, Patch, Socket};

/// A ticker: sends a patch, such as the time, to all watching sockets at a fixed interval. The
/// patch is made once per tick and encoded once per dialect; no handler runs.
///
/// One task serves all sockets of this process. It starts with the first socket that watches, and
/// ends at a tick that finds none. Ticks fall on multiples of the interval since 1970, so that
/// several processes tick at the same time; each process serves its own sockets.
///
/// ```
/// use std::time::Duration;
/// use bellwire::{Bellwire, Consumer, Error, Frame, Html, Patch, Socket, Ticker, Topic};
///
/// const CLOCK: Topic<u8> = Topic::new("clock");
///
/// struct Watcher(Ticker);
///
/// impl Consumer for Watcher {
///     type Action = Frame;
///     type Event = ();
///     type Error = Error;
///
///     async fn connect(&mut self, socket: &mut Socket<Self>) -> Result<(), Error> {
///         self.0.watch(socket);
///         Ok(())
///     }
///
///     async fn receive(&mut self, _: &mut Socket<Self>, _: Frame) -> Result<(), Error> {
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let bellwire = Bellwire::builder("http://127.0.0.1:8000").build()?;
/// let group = bellwire.layer().group(CLOCK.of(1));
/// let tick = || Patch::inner("#clock", Html::text("tick")).json_text("tick");
/// let ticker = Ticker::new(&group, Duration::from_millis(5), tick);
/// let mut browser = bellwire::testing::Communicator::connect(&bellwire, Watcher(ticker)).await;
/// assert_eq!(browser.receive_text().await, "tick");
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Ticker(Arc<Inner>);

struct Inner {
    layer: Layer,
    group: GroupName,
    interval: Duration,
    tick: Box<dyn Fn() -> Patch + std::marker::Send + Sync>,
    flag: TaskFlag,
}

impl Ticker {
    /// A ticker that sends the patch made by `tick` to this group, once per `interval`.
    ///
    /// # Panics
    /// If `interval` is zero.
    pub fn new<E>(
        group: &GroupHandle<E>,
        interval: Duration,
        tick: impl Fn() -> Patch + std::marker::Send + Sync + 'static,
    ) -> Self {
        assert!(!interval.is_zero(), "the interval of a ticker must not be zero");
        let (layer, group, tick) = (group.layer().clone(), group.name().clone(), Box::new(tick));
        Self(Arc::new(Inner { layer, group, interval, tick, flag: TaskFlag::default() }))
    }

    /// Sends the ticks to this socket until it closes or [leaves](Self::leave). Watching again has
    /// no effect.
    pub fn watch<C: Consumer>(&self, socket: &mut Socket<C>) {
        socket.raw().join_group(&self.0.group);
        if self.0.flag.try_start() {
            tokio::spawn(run(self.0.clone()));
        }
    }

    /// Stops sending to this socket.
    pub fn leave<C: Consumer>(&self, socket: &mut Socket<C>) {
        let _ = socket.raw().leave_group(&self.0.group);
    }

    /// Whether the task is running at this moment.
    pub fn is_running(&self) -> bool {
        *self.0.flag.lock()
    }
}

async fn run(ticker: Arc<Inner>) {
    let mut last = UNIX_EPOCH;
    loop {
        last = tick_after(last, ticker.interval, SystemTime::now).await;
        if ticker.flag.try_stop(|| ticker.layer.local_members(&ticker.group) > 0) {
            return;
        }
        // A tick that panics must not end the task.
        match catch_unwind(AssertUnwindSafe(|| (ticker.tick)())) {
            Ok(patch) => {
                ticker.layer.send_local(&ticker.group, Send::Patches(vec![patch], None), None)
            }
            Err(_) => tracing::error!(group = %ticker.group, "A tick panicked and is skipped"),
        }
    }
}

/// Whether the task runs: one task while any socket watches, never two.
#[derive(Debug, Default)]
pub(crate) struct TaskFlag(Mutex<bool>);

impl TaskFlag {
    /// Returns whether the task has to be started. The caller has joined the group before: a task
    /// that is about to end either finds the new member, or has cleared the flag already.
    pub(crate) fn try_start(&self) -> bool {
        !std::mem::replace(&mut *self.lock(), true)
    }

    /// Returns whether the task has to end, because there are no members. The next one starts
    /// another.
    pub(crate) fn try_stop(&self, has_members: impl FnOnce() -> bool) -> bool {
        let mut running = self.lock();
        *running = has_members();
        !*running
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for the next tick, and returns its time. The time is computed again for each tick, because
/// the wall clock may have been set.
async fn tick_after(
    last: SystemTime,
    interval: Duration,
    wall: impl Fn() -> SystemTime,
) -> SystemTime {
    let now = wall();
    let wait = until_next(interval, now);
    // If the wall clock is slightly behind the timer, the last tick seems to be in the future.
    let wait = if now + wait == last { wait + interval } else { wait };
    tokio::time::sleep(wait).await;
    now + wait
}

/// The time until the next multiple of the interval since 1970.
fn until_next(interval: Duration, now: SystemTime) -> Duration {
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let rest = interval.as_nanos() - now % interval.as_nanos();
    Duration::from_nanos(u64::try_from(rest).unwrap_or(u64::MAX))
}

impl fmt::Debug for Ticker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ticker({}, {:?})", self.0.group, self.0.interval)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[test]
    fn ticks_fall_on_multiples_of_the_interval() {
        let second = Duration::from_secs(1);
        let at = |millis| UNIX_EPOCH + Duration::from_millis(millis);
        assert_eq!(until_next(second, at(5_300)), Duration::from_millis(700));
        assert_eq!(until_next(second, at(5_000)), second, "this tick has passed");
        assert_eq!(until_next(second, at(5_999)), Duration::from_millis(1));
        assert_eq!(until_next(3 * second, at(7_000)), 2 * second);
    }

    #[tokio::test(start_paused = true)]
    async fn ticks_fall_on_multiples_again_after_the_clock_is_set() {
        let (second, start) = (Duration::from_secs(1), Instant::now());
        let mut last = UNIX_EPOCH;
        // Not set, set forward, set back, set back so little that the last tick is just in the
        // future, and set back by more than a tick.
        for (to, due) in
            [(5_300, 6), (5_300, 7), (5_700, 8), (5_450, 9), (5_445, 10), (3_700, 9), (3_700, 10)]
        {
            let set = Duration::from_millis(to);
            let wall = || UNIX_EPOCH + set + start.elapsed();
            last = tick_after(last, second, wall).await;
            assert_eq!(
                last.duration_since(UNIX_EPOCH).unwrap().as_millis(),
                due * 1_000,
                "set to {set:?}"
            );
            let late = wall().duration_since(last).expect("no tick is early");
            assert!(late < Duration::from_millis(10), "{late:?}");
        }
    }
}
