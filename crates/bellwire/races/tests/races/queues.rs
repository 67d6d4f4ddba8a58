//! What waits for one socket, and who wakes its loop.

use bellwire_races::stage::{Member, race};
use bellwire_races::{Close, Layer};
use shuttle::future::block_on;
use shuttle::thread;

use super::{group, patch, room};

#[test]
fn either_everything_comes_or_what_is_lost_is_named() {
    race(|| {
        let layer = Layer::memory();
        let ada = Member::with_room_for(&layer, "ada", 2);
        ada.join(&room());
        let publisher = {
            let room = group(&layer);
            thread::spawn(move || (1..=4).for_each(|seq| room.publish(seq, patch("#list", seq))))
        };
        let teller = {
            let room = group(&layer);
            thread::spawn(move || (1..=2).for_each(|event| room.send(event)))
        };
        let mut heard = ada.heard();
        publisher.join().unwrap();
        teller.join().unwrap();
        let rest = ada.heard();
        heard.numbers.extend(rest.numbers);
        heard.events.extend(rest.events);
        heard.lost.extend(rest.lost);
        heard.lost_events |= rest.lost_events;
        assert!(heard.numbers == [1, 2, 3, 4] || heard.lost.contains(&room()), "{heard:?}");
        assert!(heard.events == [1, 2] || heard.lost_events, "{heard:?}");
    });
}

#[test]
fn what_was_lost_of_a_group_that_was_left_is_not_asked_for() {
    race(|| {
        let layer = Layer::memory();
        let ada = Member::with_room_for(&layer, "ada", 1);
        ada.join(&room());
        let publisher = {
            let room = group(&layer);
            thread::spawn(move || (1..=2).for_each(|seq| room.publish(seq, patch("#list", seq))))
        };
        ada.leave(&room());
        publisher.join().unwrap();
        let heard = ada.heard();
        assert!(heard.lost.is_empty() && heard.numbers.is_empty(), "{heard:?}");
    });
}

#[test]
fn a_loop_that_went_to_sleep_is_woken_by_whatever_comes() {
    race(|| {
        let layer = Layer::memory();
        let ada = Member::connect(&layer, "ada");
        ada.join(&room());
        let (teller, pinger) = {
            let (room, ada) = (group(&layer), ada.clone());
            let teller = thread::spawn(move || room.send(1));
            (teller, thread::spawn(move || ada.ping()))
        };
        let heard = block_on(ada.hears(|heard| heard.events == [1] && heard.pings == 1));
        assert!(heard.closes.is_empty());
        // Two orders at once: who obeys one has to look for the other.
        let (expeller, again) = {
            let (layer, ada) = (layer.clone(), ada.clone());
            let expeller = thread::spawn(move || layer.remove_person("ada", &super::room()));
            (expeller, thread::spawn(move || ada.ping()))
        };
        block_on(ada.hears(|heard| heard.removed == [super::room()] && heard.pings == 1));
        [teller, pinger, expeller, again].into_iter().for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn a_loop_and_its_handler_are_woken_by_the_order_to_close() {
    race(|| {
        let layer = Layer::memory();
        let ada = Member::connect(&layer, "ada");
        ada.join(&room());
        let teller = {
            let room = group(&layer);
            thread::spawn(move || (1..=2).for_each(|event| room.send(event)))
        };
        let kicker = {
            let layer = layer.clone();
            thread::spawn(move || layer.kick_person("ada", Close::policy("out")))
        };
        // A handler that runs waits for the close alone; then it is the loop's turn again.
        block_on(ada.closed());
        let heard = block_on(ada.hears(|heard| !heard.closes.is_empty()));
        assert_eq!(heard.events, [0; 0], "the order outranks all mail");
        teller.join().unwrap();
        kicker.join().unwrap();
    });
}
