//! Test harness: a scheduler, a paused clock, and connections under the control of a test.

mod member;
mod page;

use std::io::Write;
use std::time::Duration;

use shuttle::scheduler::{PctScheduler, RandomScheduler, ReplayScheduler, Scheduler};
use shuttle::{Config, MaxSteps, Runner};

use crate::Bellwire;

pub use member::{Member, Received};
pub use page::{Handshake, Log, Page};

/// The number of schedules of each kind per test, unless the environment sets another one.
const SCHEDULES: usize = 2000;
/// The maximum time for schedules of one kind, unless the environment sets a number. All tests
/// together then take at most a minute, two at a time.
const TIME: Duration = Duration::from_millis(1_700);
/// The variable that sets another number of schedules, without a time limit.
const MORE: &str = "BELLWIRE_TEST_RACES";
/// The variable that selects the one schedule that a failed test printed.
const REPLAY: &str = "BELLWIRE_TEST_SCHEDULE";

/// The seed of the schedulers, so that runs are reproducible. A larger number of schedules starts
/// with the same ones.
const SEED: u64 = 20_26;
/// The depth of PCT: the number of times that a running thread is preempted at a critical point.
const DEPTH: usize = 4;
/// The maximum number of steps of one race. A thread that waits for ever uses them up.
const STEPS: usize = 50_000;
/// The stack size, in bytes. The event loop of an unoptimized build needs a deep stack.
const STACK: usize = 512 * 1024;

/// Runs a test under many schedules: random ones, and PCT schedules, which delay a few threads at
/// the worst moments.
///
/// # Panics
/// If the test fails, deadlocks or does not end under one of them. The schedule is printed, and
/// `BELLWIRE_TEST_SCHEDULE` runs it again.
pub fn race(test: impl Fn() + Send + Sync + Clone + 'static) {
    if let Ok(schedule) = std::env::var(REPLAY) {
        run(ReplayScheduler::new_from_encoded(&schedule), None, test);
        return;
    }
    let more = std::env::var(MORE).ok();
    let more =
        more.map(|more| more.parse().unwrap_or_else(|_| panic!("{MORE}={more} is not a number")));
    let (schedules, time) = more.map_or((SCHEDULES, Some(TIME)), |more| (more, None));
    let done = run(RandomScheduler::new_from_seed(SEED, schedules), time, test.clone())
        + run(PctScheduler::new_from_seed(SEED, DEPTH, schedules), time, test);
    report(done, 2 * schedules);
}

/// Reports to `bin/test` how many of the intended schedules were tried.
fn report(done: usize, intended: usize) {
    let Some(file) = std::env::var_os("BELLWIRE_TEST_FIGURES") else { return };
    let file = std::fs::OpenOptions::new().create(true).append(true).open(file);
    let written = file.and_then(|mut file| {
        file.write_all(format!("schedules of races\t{done}\t{intended}\n").as_bytes())
    });
    written
        .unwrap_or_else(|error| panic!("could not write the file BELLWIRE_TEST_FIGURES: {error}"));
}

/// The flag by which watchers and the task of a ticker agree whether the task runs.
#[derive(Default, Debug)]
pub struct TaskFlag(crate::consumer::group_ticker::TaskFlag);

impl TaskFlag {
    /// Called after a watcher joined. Returns whether the caller must start a task.
    pub fn try_start(&self) -> bool {
        self.0.try_start()
    }

    /// Called by the task. Returns whether the task must stop.
    pub fn try_stop(&self, layer: &crate::Layer, group: &crate::GroupName) -> bool {
        self.0.try_stop(|| layer.local_members(group) > 0)
    }
}

/// Runs one presence sweep of the heartbeat task at time `now`. Times are in milliseconds.
pub fn sweep(bellwire: &Bellwire, now: u64, grace: u64) {
    bellwire.layer().presence().sweep(now, grace);
}

/// Runs schedules until there are none left or the time has passed. Returns their number.
fn run(
    scheduler: impl Scheduler + 'static,
    time: Option<Duration>,
    test: impl Fn() + Send + Sync + 'static,
) -> usize {
    // Handlers have a timeout and need a clock. Here time is paused, and nothing runs on this
    // runtime. It is never dropped, because that would wake tasks that a failed test left behind.
    let clock =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let clock = Box::leak(Box::new(clock.unwrap_or_else(|error| panic!("no clock: {error}"))));
    let _entered = clock.enter();
    let mut config = Config::new();
    config.stack_size = STACK;
    config.max_steps = MaxSteps::FailAfter(STEPS);
    config.silence_warnings = true;
    config.max_time = time;
    Runner::new(scheduler, config).run(test)
}
