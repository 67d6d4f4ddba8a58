//! Who hears what, and in which order.

use bellwire_races::Layer;
use bellwire_races::stage::{Member, race};
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
        group(&layer).send(1);
        assert_eq!(ada.heard().events, [1]);
        others.into_iter().for_each(|other| other.join().unwrap());
        group(&layer).send(2);
        assert_eq!(ada.heard().events, [2]);
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
            thread::spawn(move || group(&layer).send(1))
        };
        let joiner = {
            let ben = Member::connect(&layer, "ben");
            thread::spawn(move || ben.join(&room()))
        };
        ada.leave(&room());
        group(&layer).send(2);
        assert_eq!(ada.heard().events, [0; 0], "neither what comes later nor what was waiting");
        sender.join().unwrap();
        joiner.join().unwrap();
        assert_eq!(ada.heard().events, [0; 0]);
    });
}

#[test]
fn all_members_of_a_group_hear_racing_sends_in_one_order() {
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
            thread::spawn(move || numbers.into_iter().for_each(|number| room.send(number)))
        });
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        let [ada, ben] = members.map(|member| member.heard().events);
        assert_eq!(ada, ben);
        for sent in [[1, 2], [11, 12]] {
            let from_one =
                ada.iter().copied().filter(|number| sent.contains(number)).collect::<Vec<_>>();
            assert_eq!(from_one, sent, "each once, and those of one sender in order");
        }
        let eve = late.join().unwrap().heard().events;
        assert!(ada.ends_with(&eve), "{eve:?} is what came after some moment of {ada:?}");
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
                group(&layer).send(1);
                let heard = joiner.heard().events;
                assert!(heard.contains(&1), "a send was lost: {heard:?}");
                joiner.leave(&room());
            })
        });
        ada.leave(&room());
        joiners.into_iter().for_each(|joiner| joiner.join().unwrap());
        assert_eq!(layer.local_members(&room()), 0);
        [ada, ben, eve].iter().for_each(|member| member.disconnect(&[room()]));
        assert_eq!((layer.local_groups(), layer.local_sockets()), (0, 0), "nothing is left behind");
    });
}

#[test]
fn nothing_is_left_behind_when_sockets_come_and_go_at_once() {
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
        layer.remove_person("ada", &room());
        visits.into_iter().for_each(|visit| visit.join().unwrap());
        assert_eq!((layer.local_groups(), layer.local_sockets()), (0, 0));
    });
}
