//! Batches: numbered publishes are buffered and flushed together, without a change of their order.

use std::sync::Arc;

use bellwire_races::harness::{Member, race};
use bellwire_races::{Close, GroupName, Layer, Seq, batch};
use shuttle::sync::Mutex;
use shuttle::thread;

use super::{ROOM, feed, patch, room};

/// A source of truth with the last number. Its lock is held while the number is published.
type Numbers = Arc<Mutex<Seq>>;

fn publish_next(layer: &Layer, numbers: &Numbers) {
    let mut number = numbers.lock().unwrap();
    *number += 1;
    feed(layer, 1).publish(*number, patch("#list", *number));
}

fn other() -> GroupName {
    ROOM.of(2).name().clone()
}

#[test]
fn all_members_receive_all_numbers_in_order_from_concurrent_batches() {
    race(|| {
        let (layer, numbers) = (Layer::memory(), Numbers::default());
        let members = ["ada", "ben"].map(|person| Member::connect(&layer, person));
        members.iter().for_each(|member| member.join(&room()));
        let spawn = |()| {
            let (layer, numbers) = (layer.clone(), numbers.clone());
            thread::spawn(move || batch(|| (0..2).for_each(|_| publish_next(&layer, &numbers))))
        };
        let publishers = [(), ()].map(spawn);
        publish_next(&layer, &numbers);
        publishers.into_iter().for_each(|publisher| publisher.join().unwrap());
        for member in members {
            assert_eq!(member.received().numbers, [1, 2, 3, 4, 5]);
        }
    });
}

#[test]
fn a_member_that_joins_during_a_batch_receives_all_later_numbers_and_one_that_leaves_none() {
    race(|| {
        let (layer, numbers) = (Layer::memory(), Numbers::default());
        let [ada, ben, eve] = ["ada", "ben", "eve"].map(|person| Member::connect(&layer, person));
        ada.join(&room());
        ben.join(&room());
        let publisher = {
            let (layer, numbers) = (layer.clone(), numbers.clone());
            thread::spawn(move || batch(|| (0..3).for_each(|_| publish_next(&layer, &numbers))))
        };
        let joiner = {
            let (layer, numbers, eve) = (layer.clone(), numbers.clone(), eve.clone());
            thread::spawn(move || {
                eve.join(&room());
                publish_next(&layer, &numbers);
            })
        };
        ben.leave(&room());
        assert_eq!(ben.received().numbers, [0; 0]);
        [publisher, joiner].into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(ada.received().numbers, [1, 2, 3, 4]);
        let late = eve.received().numbers;
        assert!(!late.is_empty(), "her own change came after her join");
        assert!([1, 2, 3, 4].ends_with(&late), "{late:?} has no gap after the first number");
        assert_eq!(ben.received().numbers, [0; 0]);
    });
}

#[test]
fn a_batch_across_several_groups_arrives_in_order() {
    race(|| {
        let layer = Layer::memory();
        let ada = Member::connect(&layer, "ada");
        [room(), other()].iter().for_each(|group| ada.join(group));
        let others = [1, 2].map(|room| {
            let feed = feed(&layer, room);
            thread::spawn(move || {
                let publish = |number| feed.publish(number, patch("#list", number));
                batch(|| [100, 101].into_iter().for_each(publish));
            })
        });
        batch(|| {
            for (room, number) in [(1, 1), (1, 2), (2, 3), (1, 4)] {
                feed(&layer, room).publish(number, patch("#list", number));
            }
        });
        let mut received = ada.received().numbers;
        let own = received.iter().copied().filter(|number| *number < 100).collect::<Vec<_>>();
        assert_eq!(own, [1, 2, 3, 4], "all of it is delivered when the batch ends");
        others.into_iter().for_each(|other| other.join().unwrap());
        received.extend(ada.received().numbers);
        assert_eq!(received.len(), 8, "{received:?}");
    });
}

#[test]
fn no_part_of_a_batch_arrives_after_a_kick_or_a_removal_returned() {
    race(|| {
        let (layer, numbers) = (Layer::memory(), Numbers::default());
        let [ada, ben, eve] = ["ada", "ben", "eve"].map(|person| Member::connect(&layer, person));
        [&ada, &ben, &eve].iter().for_each(|member| member.join(&room()));
        let publisher = {
            let (layer, numbers) = (layer.clone(), numbers.clone());
            thread::spawn(move || batch(|| (0..2).for_each(|_| publish_next(&layer, &numbers))))
        };
        layer.remove_person("eve", room());
        layer.kick_person("ben", Close::policy("out"));
        assert_eq!((eve.received().numbers, ben.received().numbers), (vec![], vec![]));
        publisher.join().unwrap();
        assert_eq!((eve.received().numbers, ben.received().numbers), (vec![], vec![]));
        assert_eq!(ada.received().numbers, [1, 2]);
    });
}

#[test]
fn a_member_that_joins_in_the_middle_of_a_batch_receives_only_later_changes() {
    race(|| {
        let (layer, numbers) = (Layer::memory(), Numbers::default());
        let [ada, eve] = ["ada", "eve"].map(|person| Member::connect(&layer, person));
        ada.join(&room());
        batch(|| {
            publish_next(&layer, &numbers);
            let joiner = {
                let eve = eve.clone();
                thread::spawn(move || eve.join(&room()))
            };
            joiner.join().unwrap();
            publish_next(&layer, &numbers);
        });
        assert_eq!((ada.received().numbers, eve.received().numbers), (vec![1, 2], vec![2]));
    });
}
