//! Tickers: one task while there are watchers, and never two.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bellwire_races::Layer;
use bellwire_races::harness::{Member, TaskFlag, race};
use shuttle::thread;

use super::room;

/// The number of checks of the task in a race. The thread then ends as if the task continued.
const CHECKS: usize = 3;

#[test]
fn a_watcher_that_joins_as_the_last_one_leaves_is_served_by_exactly_one_task() {
    race(|| {
        let layer = Layer::memory();
        let (flag, tasks) = (Arc::new(TaskFlag::default()), Arc::new(AtomicUsize::new(0)));
        let watch = {
            let (flag, tasks, layer) = (flag.clone(), tasks.clone(), layer.clone());
            move |member: &Member| {
                member.join(&room());
                if flag.try_start() {
                    tasks.fetch_add(1, Ordering::SeqCst);
                    let (flag, tasks, layer) = (flag.clone(), tasks.clone(), layer.clone());
                    return Some(thread::spawn(move || {
                        for _ in 0..CHECKS {
                            if flag.try_stop(&layer, &room()) {
                                tasks.fetch_sub(1, Ordering::SeqCst);
                                return;
                            }
                        }
                    }));
                }
                None
            }
        };
        let (ada, ben, eve) = (
            Member::connect(&layer, "ada"),
            Member::connect(&layer, "ben"),
            Member::connect(&layer, "eve"),
        );
        let first = watch(&ada);
        let joiner = {
            let watch = watch.clone();
            thread::spawn(move || {
                let task = watch(&ben);
                (ben, task)
            })
        };
        ada.leave(&room());
        let other = watch(&eve);
        eve.leave(&room());
        let (ben, next) = joiner.join().unwrap();
        [first, next, other].into_iter().flatten().for_each(|task| task.join().unwrap());
        assert_eq!(tasks.load(Ordering::SeqCst), 1, "Ben watches");
        ben.leave(&room());
        assert!(flag.try_stop(&layer, &room()), "no watcher is left");
    });
}
