//! Queues: the messages of one socket, and the wake-ups of its event loop.

use bellwire_races::harness::{Member, race};
use bellwire_races::{Close, Layer};
use shuttle::future::block_on;
use shuttle::thread;

use super::{feed, group, patch, room};

#[test]
fn every_message_arrives_or_its_loss_is_reported() {
    race(|| {
        let layer = Layer::memory();
        let ada = Member::with_queue_size(&layer, "ada", 2);
        ada.join(&room());
        let publisher = {
            let feed = feed(&layer, 1);
            thread::spawn(move || (1..=4).for_each(|seq| feed.publish(seq, patch("#list", seq))))
        };
        let sender = {
            let room = group(&layer);
            thread::spawn(move || (1..=2).for_each(|event| room.send(event).unwrap()))
        };
        let mut received = ada.received();
        publisher.join().unwrap();
        sender.join().unwrap();
        let rest = ada.received();
        received.numbers.extend(rest.numbers);
        received.events.extend(rest.events);
        received.lost.extend(rest.lost);
        received.lost_events |= rest.lost_events;
        assert!(
            received.numbers == [1, 2, 3, 4] || received.lost.contains(&room()),
            "{received:?}"
        );
        assert!(received.events == [1, 2] || received.lost_events, "{received:?}");
    });
}

#[test]
fn losses_of_a_group_that_was_left_are_not_reported() {
    race(|| {
        let layer = Layer::memory();
        let ada = Member::with_queue_size(&layer, "ada", 1);
        ada.join(&room());
        let publisher = {
            let feed = feed(&layer, 1);
            thread::spawn(move || (1..=2).for_each(|seq| feed.publish(seq, patch("#list", seq))))
        };
        ada.leave(&room());
        publisher.join().unwrap();
        let received = ada.received();
        assert!(received.lost.is_empty() && received.numbers.is_empty(), "{received:?}");
    });
}

#[test]
fn an_idle_event_loop_is_woken_by_any_message() {
    race(|| {
        let layer = Layer::memory();
        let ada = Member::connect(&layer, "ada");
        ada.join(&room());
        let (sender, pinger) = {
            let (room, ada) = (group(&layer), ada.clone());
            let sender = thread::spawn(move || room.send(1).unwrap());
            (sender, thread::spawn(move || ada.ping()))
        };
        let received = block_on(ada.receive_until(|got| got.events == [1] && got.pings == 1));
        assert!(received.closes.is_empty());
        // Two concurrent control messages: after taking one, the loop must check for the other.
        let (remover, again) = {
            let (layer, ada) = (layer.clone(), ada.clone());
            let remover = thread::spawn(move || layer.remove_person("ada", super::room()));
            (remover, thread::spawn(move || ada.ping()))
        };
        block_on(ada.receive_until(|got| got.removed == [super::room()] && got.pings == 1));
        [sender, pinger, remover, again].into_iter().for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn an_event_loop_and_its_handler_are_woken_by_a_close() {
    race(|| {
        let layer = Layer::memory();
        let ada = Member::connect(&layer, "ada");
        ada.join(&room());
        let sender = {
            let room = group(&layer);
            thread::spawn(move || (1..=2).for_each(|event| room.send(event).unwrap()))
        };
        let kicker = {
            let layer = layer.clone();
            thread::spawn(move || layer.kick_person("ada", Close::policy("out")))
        };
        // A running handler waits only for the close. Then the event loop continues.
        block_on(ada.closed());
        let received = block_on(ada.receive_until(|received| !received.closes.is_empty()));
        assert_eq!(received.events, [0; 0], "the close comes before all queued messages");
        sender.join().unwrap();
        kicker.join().unwrap();
    });
}
