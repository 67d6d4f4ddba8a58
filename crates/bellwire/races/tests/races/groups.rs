//! Groups: delivery and order of sends.

use std::time::Duration;

use bellwire_races::harness::{Member, race};
use bellwire_races::{Html, Layer, Patch};
use shuttle::thread;

use super::{group, room};

#[test]
fn a_send_after_a_join_that_returned_reaches_the_joiner_exactly_once() {
    race(|| {
        let layer = Layer::memory();
        let others = (0..2).map(|other| {
            let member = Member::connect(&layer, &format!("other {other}"));
            thread::spawn(move || {
                member.join(&room());
                member.leave(&room());
            })
        });
        let others = others.collect::<Vec<_>>();
        let ada = Member::connect(&layer, "ada");
        ada.join(&room());
        group(&layer).send(1).unwrap();
        assert_eq!(ada.received().events, [1]);
        others.into_iter().for_each(|other| other.join().unwrap());
        group(&layer).send(2).unwrap();
        assert_eq!(ada.received().events, [2]);
    });
}

#[test]
fn a_send_after_a_leave_that_returned_does_not_reach_the_leaver() {
    race(|| {
        let layer = Layer::memory();
        let ada = Member::connect(&layer, "ada");
        ada.join(&room());
        let sender = {
            let layer = layer.clone();
            thread::spawn(move || group(&layer).send(1).unwrap())
        };
        let joiner = {
            let ben = Member::connect(&layer, "ben");
            thread::spawn(move || ben.join(&room()))
        };
        ada.leave(&room());
        group(&layer).send(2).unwrap();
        assert_eq!(ada.received().events, [0; 0], "neither later nor queued messages");
        sender.join().unwrap();
        joiner.join().unwrap();
        assert_eq!(ada.received().events, [0; 0]);
    });
}

#[test]
fn all_members_of_a_group_receive_concurrent_sends_in_one_order() {
    race(|| {
        let layer = Layer::memory();
        let members = ["ada", "ben"].map(|person| Member::connect(&layer, person));
        members.iter().for_each(|member| member.join(&room()));
        let late = {
            let eve = Member::connect(&layer, "eve");
            thread::spawn(move || {
                eve.join(&room());
                eve
            })
        };
        let senders = [[1, 2], [11, 12]].map(|numbers| {
            let room = group(&layer);
            thread::spawn(move || numbers.into_iter().for_each(|number| room.send(number).unwrap()))
        });
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        let [ada, ben] = members.map(|member| member.received().events);
        assert_eq!(ada, ben);
        for sent in [[1, 2], [11, 12]] {
            let from_one =
                ada.iter().copied().filter(|number| sent.contains(number)).collect::<Vec<_>>();
            assert_eq!(from_one, sent, "once each, and in the order of their sender");
        }
        let eve = late.join().unwrap().received().events;
        assert!(ada.ends_with(&eve), "{eve:?} is not the end of {ada:?}");
    });
}

#[test]
fn the_last_member_leaving_while_another_joins_never_loses_the_group() {
    race(|| {
        let layer = Layer::memory();
        let [ada, ben, eve] = ["ada", "ben", "eve"].map(|person| Member::connect(&layer, person));
        ada.join(&room());
        let joiners = [ben.clone(), eve.clone()].map(|joiner| {
            let layer = layer.clone();
            thread::spawn(move || {
                joiner.join(&room());
                group(&layer).send(1).unwrap();
                let received = joiner.received().events;
                assert!(received.contains(&1), "a send was lost: {received:?}");
                joiner.leave(&room());
            })
        });
        ada.leave(&room());
        joiners.into_iter().for_each(|joiner| joiner.join().unwrap());
        assert_eq!(layer.local_members(room()), 0);
        [ada, ben, eve].iter().for_each(|member| member.disconnect(&[room()]));
        assert_eq!((layer.local_groups(), layer.local_sockets()), (0, 0), "the layer is not empty");
    });
}

#[test]
fn nothing_leaks_when_sockets_connect_and_disconnect_concurrently() {
    race(|| {
        let layer = Layer::memory();
        let visits = ["ada", "ada", "ben"].map(|person| {
            let layer = layer.clone();
            thread::spawn(move || {
                let member = Member::connect(&layer, person);
                member.join(&room());
                member.disconnect(&[room()]);
            })
        });
        layer.remove_person("ada", room());
        visits.into_iter().for_each(|visit| visit.join().unwrap());
        assert_eq!((layer.local_groups(), layer.local_sockets()), (0, 0));
    });
}

#[test]
fn a_member_that_joins_while_state_is_shown_shows_each_key_once() {
    race(|| {
        let layer = Layer::memory();
        let ada = Member::connect(&layer, "ada");
        let setter = {
            let room = group(&layer);
            thread::spawn(move || room.state("ben", Html::text("x"), Duration::from_secs(4)))
        };
        ada.join(&room());
        setter.join().unwrap().unwrap();
        let (all, ben) = ("[data-bw-state=\"room.1\"]", "<span id=\"state--room.1--ben\">x</span>");
        let show_all = Patch::inner(all, Html::trusted(ben));
        let add = Patch::append(all, Html::trusted(ben));
        let mut shown = 0;
        for patch in ada.received().patches {
            assert!(patch == show_all || patch == add, "{patch:?}");
            shown = if patch == show_all { 1 } else { shown + 1 };
        }
        assert_eq!(shown, 1);
    });
}
