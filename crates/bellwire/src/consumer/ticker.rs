//! What happens again and again to a group, as long as anybody is there to see it.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::outbound::Send;
use crate::sync::{Arc, Mutex, MutexGuard, PoisonError};
use crate::{Event, Group, GroupName, Layer, Patch, Socket};

/// Tells all who watch a group something every so often, such as the time: made once a tick,
/// encoded once a dialect, no handler woken.
///
/// One task does so for all sockets of this process. It begins with the first that watches, and
/// ends when it finds nobody at a tick; between them nothing is made. Ticks fall on whole multiples
/// of their pause since 1970, so that those of several processes fall together; each process ticks
/// for its own sockets.
///
/// ```
/// use std::time::Duration;
/// use bellwire::{Bellwire, Consumer, Error, Frame, GroupName, Html, Patch, Socket, Ticker};
///
/// struct Watcher(Ticker);
///
/// impl Consumer for Watcher {
///     type Action = Frame;
///     type Event = ();
///
///     async fn connect(&mut self, socket: &mut Socket) -> Result<(), Error> {
///         self.0.watch(socket);
///         Ok(())
///     }
///
///     async fn receive(&mut self, _: &mut Socket, _: Frame) -> Result<(), Error> {
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let bellwire = Bellwire::builder("http://127.0.0.1:8000").build()?;
/// let group = bellwire.layer().group::<()>(GroupName::of("clock", 1));
/// let pause = Duration::from_millis(5);
/// let ticker = Ticker::new(&group, pause, || Patch::inner("#clock", Html::text("tick")).json_text("tick"));
/// let mut browser = bellwire::testing::Communicator::connect(&bellwire, Watcher(ticker)).await;
/// assert_eq!(browser.receive_text().await, "tick");
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Ticker(Arc<Inner>);

struct Inner {
    layer: Layer,
    group: GroupName,
    pause: Duration,
    tick: Box<dyn Fn() -> Patch + std::marker::Send + Sync>,
    flag: TaskFlag,
}

impl Ticker {
    /// Tells this group what `tick` makes, every `pause`.
    ///
    /// # Panics
    /// When `pause` is no time at all.
    pub fn new<E: Event>(
        group: &Group<E>,
        pause: Duration,
        tick: impl Fn() -> Patch + std::marker::Send + Sync + 'static,
    ) -> Self {
        assert!(!pause.is_zero(), "a ticker needs a pause");
        let (layer, group, tick) = (group.layer().clone(), group.name().clone(), Box::new(tick));
        Self(Arc::new(Inner { layer, group, pause, tick, flag: TaskFlag::default() }))
    }

    /// From now on this socket is told, until it closes or [leaves](Self::leave). Watching twice is
    /// watching once.
    pub fn watch(&self, socket: &mut Socket) {
        socket.join_group(&self.0.group);
        if self.0.flag.try_start() {
            tokio::spawn(run(self.0.clone()));
        }
    }

    /// This socket is told nothing more.
    pub fn leave(&self, socket: &mut Socket) {
        let _ = socket.leave_group(&self.0.group);
    }

    /// Whether there is a task at this moment.
    pub fn is_running(&self) -> bool {
        *self.0.flag.lock()
    }
}

async fn run(ticker: Arc<Inner>) {
    let mut last = UNIX_EPOCH;
    loop {
        last = tick_after(last, ticker.pause, SystemTime::now).await;
        if ticker.flag.try_stop(|| ticker.layer.local_members(&ticker.group) > 0) {
            return;
        }
        // One bad tick is no reason to stand still.
        match catch_unwind(AssertUnwindSafe(|| (ticker.tick)())) {
            Ok(patch) => {
                ticker.layer.send_local(&ticker.group, Send::Patches(vec![patch], None), None)
            }
            Err(_) => tracing::error!(group = %ticker.group, "A tick panicked and is left out"),
        }
    }
}

/// Whether there is a task: one while anybody watches, never two.
#[derive(Debug, Default)]
pub(crate) struct TaskFlag(Mutex<bool>);

impl TaskFlag {
    /// Somebody watches, and has joined the group before: a task that is about to end finds the
    /// newcomer, or has said that it ended. Returns whether a task has to begin.
    pub(crate) fn try_start(&self) -> bool {
        !std::mem::replace(&mut *self.lock(), true)
    }

    /// Returns whether the task has to end, since nobody is there; whoever comes next begins
    /// another.
    pub(crate) fn try_stop(&self, anybody: impl FnOnce() -> bool) -> bool {
        let mut running = self.lock();
        *running = anybody();
        !*running
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for the next tick, and says when it is due. It is looked for anew each time, since the
/// clock of the wall may have been set meanwhile.
async fn tick_after(
    last: SystemTime,
    pause: Duration,
    wall: impl Fn() -> SystemTime,
) -> SystemTime {
    let now = wall();
    let wait = until_next(pause, now);
    // A clock that runs a little behind our timer shows the last one as still to come.
    let wait = if now + wait == last { wait + pause } else { wait };
    tokio::time::sleep(wait).await;
    now + wait
}

/// How long it is until the next whole multiple of the pause since 1970.
fn until_next(pause: Duration, now: SystemTime) -> Duration {
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let rest = pause.as_nanos() - now % pause.as_nanos();
    Duration::from_nanos(u64::try_from(rest).unwrap_or(u64::MAX))
}

impl fmt::Debug for Ticker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ticker({}, {:?})", self.0.group, self.0.pause)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[test]
    fn ticks_fall_on_whole_multiples_of_the_pause() {
        let second = Duration::from_secs(1);
        let at = |millis| UNIX_EPOCH + Duration::from_millis(millis);
        assert_eq!(until_next(second, at(5_300)), Duration::from_millis(700));
        assert_eq!(until_next(second, at(5_000)), second, "this one is over");
        assert_eq!(until_next(second, at(5_999)), Duration::from_millis(1));
        assert_eq!(until_next(3 * second, at(7_000)), 2 * second);
    }

    #[tokio::test(start_paused = true)]
    async fn ticks_fall_on_whole_multiples_again_after_the_clock_was_set() {
        let (second, begun) = (Duration::from_secs(1), Instant::now());
        let mut last = UNIX_EPOCH;
        // Never, forward, back, back by a hair that leaves the last tick still to come, and back by
        // more than a tick.
        for (to, due) in
            [(5_300, 6), (5_300, 7), (5_700, 8), (5_450, 9), (5_445, 10), (3_700, 9), (3_700, 10)]
        {
            let set = Duration::from_millis(to);
            let wall = || UNIX_EPOCH + set + begun.elapsed();
            last = tick_after(last, second, wall).await;
            assert_eq!(
                last.duration_since(UNIX_EPOCH).unwrap().as_millis(),
                due * 1_000,
                "set to {set:?}"
            );
            let late = wall().duration_since(last).expect("no tick comes before its time");
            assert!(late < Duration::from_millis(10), "{late:?}");
        }
    }
}
