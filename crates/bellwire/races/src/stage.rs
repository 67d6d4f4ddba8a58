//! The ground on which races are run: a scheduler, a clock that stands still, and connections as a test can hold them.

mod member;
mod page;

use shuttle::scheduler::{PctScheduler, RandomScheduler, ReplayScheduler, Scheduler};
use shuttle::{Config, MaxSteps, Runner};

use crate::Bellwire;

pub use member::{Heard, Member};
pub use page::{Page, Promise, Sight};

/// How many schedules of each kind a test tries, unless the environment asks for more.
const SCHEDULES: usize = 2000;
/// Asks for another number of schedules.
const MORE: &str = "BELLWIRE_TEST_RACES";
/// Asks for the one schedule that a failed test has printed.
const REPLAY: &str = "BELLWIRE_TEST_SCHEDULE";

/// Where the schedulers begin, so that a run is the same every time; more schedules are the same ones and then others.
const SEED: u64 = 20_26;
/// How often a thread that would go on is held back for others to pass, where it matters most (PCT's depth).
const DEPTH: usize = 4;
/// How many turns one race may take: whoever waits for what never comes takes them all.
const STEPS: usize = 50_000;
/// Room for a connection's loop, which a build without optimisation makes deep.
const STACK: usize = 512 * 1024;

/// Runs the same race under many schedules: any at all, and those in which few threads are held back at the worst moments (PCT).
///
/// # Panics
/// When one of them breaks a promise, deadlocks or does not end. The schedule is printed; `BELLWIRE_TEST_SCHEDULE` runs it again.
pub fn race(test: impl Fn() + Send + Sync + Clone + 'static) {
    if let Ok(schedule) = std::env::var(REPLAY) {
        return run(ReplayScheduler::new_from_encoded(&schedule), test);
    }
    let schedules = std::env::var(MORE)
        .map_or(SCHEDULES, |more| more.parse().unwrap_or_else(|_| panic!("{MORE}={more} is no number")));
    run(RandomScheduler::new_from_seed(SEED, schedules), test.clone());
    run(PctScheduler::new_from_seed(SEED, DEPTH, schedules), test);
}

/// Whether a ticker has a task, as those who watch and the task itself decide it.
#[derive(Default, Debug)]
pub struct Turn(crate::ticker::Turn);

impl Turn {
    /// Somebody has joined; returns whether a task has to begin.
    pub fn begins(&self) -> bool {
        self.0.begins()
    }

    /// The task looks; returns whether it has to end.
    pub fn ends(&self, layer: &crate::Layer, group: &crate::GroupName) -> bool {
        self.0.ends(|| layer.members_here(group) > 0)
    }
}

/// One look of the keeper at who is no longer present.
pub fn sweep(bellwire: &Bellwire, now: u64, grace: u64) {
    bellwire.layer().presence().sweep(now, grace);
}

fn run(scheduler: impl Scheduler + 'static, test: impl Fn() + Send + Sync + 'static) {
    // Handlers are given so much time and no more; here time stands still, and nothing is ever run on this runtime. It is never
    // dropped: it would wake whoever a failed race left behind.
    let clock = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let clock = Box::leak(Box::new(clock.unwrap_or_else(|error| panic!("no clock: {error}"))));
    let _entered = clock.enter();
    let mut config = Config::new();
    config.stack_size = STACK;
    config.max_steps = MaxSteps::FailAfter(STEPS);
    config.silence_warnings = true;
    Runner::new(scheduler, config).run(test);
}
