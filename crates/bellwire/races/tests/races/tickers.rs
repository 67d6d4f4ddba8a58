//! A ticker's task: there while anybody watches, and never twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bellwire_races::Layer;
use bellwire_races::stage::{Member, TaskFlag, race};
use shuttle::thread;

use super::room;

/// How often the task looks in a race; as it ends then, it would go on.
const LOOKS: usize = 3;

#[test]
fn of_the_last_who_leaves_and_the_next_who_comes_the_next_is_told_by_one_task() {
    race(|| {
        let layer = Layer::memory();
        let (turn, tasks) = (Arc::new(TaskFlag::default()), Arc::new(AtomicUsize::new(0)));
        let watch = {
            let (turn, tasks, layer) = (turn.clone(), tasks.clone(), layer.clone());
            move |member: &Member| {
                member.join(&room());
                if turn.try_start() {
                    tasks.fetch_add(1, Ordering::SeqCst);
                    let (turn, tasks, layer) = (turn.clone(), tasks.clone(), layer.clone());
                    return Some(thread::spawn(move || {
                        for _ in 0..LOOKS {
                            if turn.try_stop(&layer, &room()) {
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
        let comes = {
            let watch = watch.clone();
            thread::spawn(move || {
                let task = watch(&ben);
                (ben, task)
            })
        };
        ada.leave(&room());
        let other = watch(&eve);
        eve.leave(&room());
        let (ben, next) = comes.join().unwrap();
        [first, next, other].into_iter().flatten().for_each(|task| task.join().unwrap());
        assert_eq!(tasks.load(Ordering::SeqCst), 1, "Ben watches");
        ben.leave(&room());
        assert!(turn.try_stop(&layer, &room()), "and then nobody");
    });
}
