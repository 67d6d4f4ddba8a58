//! The ground on which races are run: a scheduler, a clock that stands still, and connections as a
//! test can hold them.

mod member;
mod page;

use std::io::Write;
use std::time::Duration;

use shuttle::scheduler::{PctScheduler, RandomScheduler, ReplayScheduler, Scheduler};
use shuttle::{Config, MaxSteps, Runner};

use crate::Bellwire;

pub use member::{Heard, Member};
pub use page::{Page, Promise, Sight};

/// How many schedules of each kind a test tries, unless the environment asks for more.
const SCHEDULES: usize = 2000;
/// The longest that it tries schedules of one kind, unless the environment asks for a number. All
/// races together then take a minute at most, two at a time.
const TIME: Duration = Duration::from_millis(1_700);
/// Asks for another number of schedules, however long they take.
const MORE: &str = "BELLWIRE_TEST_RACES";
/// Asks for the one schedule that a failed test has printed.
const REPLAY: &str = "BELLWIRE_TEST_SCHEDULE";

/// Where the schedulers begin, so that a run is the same every time; more schedules are the same
/// ones and then others.
const SEED: u64 = 20_26;
/// How often a thread that would go on is held back for others to pass, where it matters most
/// (PCT's depth).
const DEPTH: usize = 4;
/// How many turns one race may take: whoever waits for what never comes takes them all.
const STEPS: usize = 50_000;
/// Room for a connection's loop, which a build without optimisation makes deep.
const STACK: usize = 512 * 1024;

/// Runs the same race under many schedules: any at all, and those in which few threads are held
/// back at the worst moments (PCT).
///
/// # Panics
/// When one of them breaks a promise, deadlocks or does not end. The schedule is printed;
/// `BELLWIRE_TEST_SCHEDULE` runs it again.
pub fn race(test: impl Fn() + Send + Sync + Clone + 'static) {
    if let Ok(schedule) = std::env::var(REPLAY) {
        run(ReplayScheduler::new_from_encoded(&schedule), None, test);
        return;
    }
    let more = std::env::var(MORE).ok();
    let more =
        more.map(|more| more.parse().unwrap_or_else(|_| panic!("{MORE}={more} is no number")));
    let (schedules, time) = more.map_or((SCHEDULES, Some(TIME)), |more| (more, None));
    let done = run(RandomScheduler::new_from_seed(SEED, schedules), time, test.clone())
        + run(PctScheduler::new_from_seed(SEED, DEPTH, schedules), time, test);
    tell(done, 2 * schedules);
}

/// Tells `bin/test` how many of the intended schedules were tried.
fn tell(done: usize, intended: usize) {
    let Some(file) = std::env::var_os("BELLWIRE_TEST_FIGURES") else { return };
    let file = std::fs::OpenOptions::new().create(true).append(true).open(file);
    let told = file.and_then(|mut file| {
        file.write_all(format!("schedules of races\t{done}\t{intended}\n").as_bytes())
    });
    told.unwrap_or_else(|error| panic!("BELLWIRE_TEST_FIGURES cannot be written: {error}"));
}

/// Whether a ticker has a task, as those who watch and the task itself decide it.
#[derive(Default, Debug)]
pub struct TaskFlag(crate::consumer::ticker::TaskFlag);

impl TaskFlag {
    /// Somebody has joined; returns whether a task has to begin.
    pub fn try_start(&self) -> bool {
        self.0.try_start()
    }

    /// The task looks; returns whether it has to end.
    pub fn try_stop(&self, layer: &crate::Layer, group: &crate::GroupName) -> bool {
        self.0.try_stop(|| layer.local_members(group) > 0)
    }
}

/// One look of the keeper at who is no longer present.
pub fn sweep(bellwire: &Bellwire, now: u64, grace: u64) {
    bellwire.layer().presence().sweep(now, grace);
}

/// Runs schedules until there are no more or the time is over. Returns how many.
fn run(
    scheduler: impl Scheduler + 'static,
    time: Option<Duration>,
    test: impl Fn() + Send + Sync + 'static,
) -> usize {
    // Handlers are given so much time and no more; here time stands still, and nothing is ever run
    // on this runtime. It is never dropped: it would wake whoever a failed race left behind.
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
