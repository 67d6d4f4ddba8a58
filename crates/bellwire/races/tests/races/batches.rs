//! What is published in one go is handed on in one go, and nobody can tell by the order.

use std::sync::Arc;

use bellwire_races::stage::{Member, race};
use bellwire_races::{Close, GroupName, Layer, Seq, batch};
use shuttle::sync::Mutex;
use shuttle::thread;

use super::{group, patch, room};

/// A source of truth that knows the last number, and lets nobody else publish meanwhile.
type Numbers = Arc<Mutex<Seq>>;

fn publish_next(layer: &Layer, numbers: &Numbers) {
    let mut number = numbers.lock().unwrap();
    *number += 1;
    group(layer).publish(*number, patch("#list", *number));
}

fn other() -> GroupName {
    GroupName::of("room", 2)
}

#[test]
fn all_members_hear_all_numbers_in_order_however_many_publish_in_one_go() {
    race(|| {
        let (layer, numbers) = (Layer::memory(), Numbers::default());
        let members = ["ada", "ben"].map(|person| Member::connect(&layer, person));
        members.iter().for_each(|member| member.join(&room()));
        let burst = |()| {
            let (layer, numbers) = (layer.clone(), numbers.clone());
            thread::spawn(move || batch(|| (0..2).for_each(|_| publish_next(&layer, &numbers))))
        };
        let bursts = [(), ()].map(burst);
        publish_next(&layer, &numbers);
        bursts.into_iter().for_each(|burst| burst.join().unwrap());
        for member in members {
            assert_eq!(member.heard().numbers, [1, 2, 3, 4, 5]);
        }
    });
}

#[test]
fn who_joins_meanwhile_hears_all_that_came_after_some_moment_and_who_leaves_nothing() {
    race(|| {
        let (layer, numbers) = (Layer::memory(), Numbers::default());
        let [ada, ben, eve] = ["ada", "ben", "eve"].map(|person| Member::connect(&layer, person));
        ada.join(&room());
        ben.join(&room());
        let burst = {
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
        assert_eq!(ben.heard().numbers, [0; 0]);
        [burst, joiner].into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(ada.heard().numbers, [1, 2, 3, 4]);
        let late = eve.heard().numbers;
        assert!(!late.is_empty(), "her own came after she had joined");
        assert!([1, 2, 3, 4].ends_with(&late), "{late:?} is what came after some moment");
        assert_eq!(ben.heard().numbers, [0; 0]);
    });
}

#[test]
fn what_one_says_in_several_groups_in_one_go_arrives_in_order() {
    race(|| {
        let layer = Layer::memory();
        let ada = Member::connect(&layer, "ada");
        [room(), other()].iter().for_each(|group| ada.join(group));
        let say = |group: GroupName, number| {
            layer.group::<u64>(group).publish(number, patch("#list", number))
        };
        let others = [room(), other()].map(|group| {
            let layer = layer.clone();
            thread::spawn(move || {
                let publish = |number| {
                    layer.group::<u64>(group.clone()).publish(number, patch("#list", number))
                };
                batch(|| [100, 101].into_iter().for_each(publish));
            })
        });
        batch(|| {
            for (group, number) in [(room(), 1), (room(), 2), (other(), 3), (room(), 4)] {
                say(group, number);
            }
        });
        let mut heard = ada.heard().numbers;
        let own = heard.iter().copied().filter(|number| *number < 100).collect::<Vec<_>>();
        assert_eq!(own, [1, 2, 3, 4], "and all of it is there when it is over");
        others.into_iter().for_each(|other| other.join().unwrap());
        heard.extend(ada.heard().numbers);
        assert_eq!(heard.len(), 8, "{heard:?}");
    });
}

#[test]
fn nothing_of_it_comes_after_a_kick_or_an_expulsion_that_returned() {
    race(|| {
        let (layer, numbers) = (Layer::memory(), Numbers::default());
        let [ada, ben, eve] = ["ada", "ben", "eve"].map(|person| Member::connect(&layer, person));
        [&ada, &ben, &eve].iter().for_each(|member| member.join(&room()));
        let burst = {
            let (layer, numbers) = (layer.clone(), numbers.clone());
            thread::spawn(move || batch(|| (0..2).for_each(|_| publish_next(&layer, &numbers))))
        };
        layer.remove_person("eve", &room());
        layer.kick_person("ben", Close::policy("out"));
        assert_eq!((eve.heard().numbers, ben.heard().numbers), (vec![], vec![]));
        burst.join().unwrap();
        assert_eq!((eve.heard().numbers, ben.heard().numbers), (vec![], vec![]));
        assert_eq!(ada.heard().numbers, [1, 2]);
    });
}

#[test]
fn who_joins_in_the_middle_of_it_hears_only_what_comes_after_the_join() {
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
        assert_eq!((ada.heard().numbers, eve.heard().numbers), (vec![1, 2], vec![2]));
    });
}
