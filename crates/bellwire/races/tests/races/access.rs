//! Who is out, is out.

use bellwire_races::stage::{Page, Promise, Sight, race};
use bellwire_races::{Bellwire, Close, Consumer, Error, Frame, Group, GroupName, Socket};
use shuttle::thread;

use super::{bellwire, group, patch, room};

/// Sits in a room, and comes back into it when it is taken out.
struct Member {
    room: Group<u64>,
    sight: Sight,
}

impl Consumer for Member {
    type Action = Frame;
    type Event = u64;

    async fn connect(&mut self, socket: &mut Socket) -> Result<(), Error> {
        socket.join(&self.room);
        self.sight.note("joined");
        Ok(())
    }

    async fn receive(&mut self, socket: &mut Socket, _: Frame) -> Result<(), Error> {
        socket.leave(&self.room);
        socket.join(&self.room);
        self.sight.note("left and joined");
        Ok(())
    }

    async fn event(&mut self, _: &mut Socket, event: &u64) -> Result<(), Error> {
        self.sight.note(format!("event {event}"));
        Ok(())
    }

    async fn removed(&mut self, socket: &mut Socket, group: &GroupName) -> Result<(), Error> {
        self.sight.note(format!("expelled {group}"));
        socket.join(&self.room);
        self.sight.note("rejoined");
        Ok(())
    }

    async fn disconnect(&mut self, _: &mut Socket, _: Close) {
        self.sight.note("disconnected");
    }
}

fn open(promise: Promise, room: &Group<u64>, sight: &Sight) -> Page {
    promise.open(Member { room: room.clone(), sight: sight.clone() }, sight)
}

/// Ada's page, which sits in the room.
fn sits() -> (Bellwire, Group<u64>, Sight, Page) {
    let (bellwire, sight) = (bellwire(), Sight::default());
    let room = group(bellwire.layer());
    let page = open(Promise::take(&bellwire, "ada", ""), &room, &sight);
    sight.until("joined");
    (bellwire, room, sight, page)
}

/// What was seen from the first note on and before the other, which may as well have come first:
/// then there was no time between them.
fn between(sight: &Sight, from: &str, to: &str) -> Vec<String> {
    let seen = sight.all();
    let end = seen.iter().position(|seen| seen == to).unwrap_or(seen.len());
    seen[..end].iter().skip_while(|seen| *seen != from).cloned().collect()
}

fn sends(room: &Group<u64>) -> thread::JoinHandle<()> {
    let room = room.clone();
    thread::spawn(move || {
        room.patch(patch("#list", 1));
        room.send(2);
        room.patch(patch("#list", 3));
    })
}

fn is_empty(bellwire: &Bellwire) -> bool {
    (bellwire.layer().local_groups(), bellwire.layer().local_sockets()) == (0, 0)
}

#[test]
fn nothing_comes_after_a_kick_that_returned_and_its_first_reason_is_said_once() {
    race(|| {
        let (bellwire, sight) = (bellwire(), Sight::default());
        let room = group(bellwire.layer());
        let page = open(Promise::take(&bellwire, "ada", ""), &room, &sight);
        let sender = sends(&room);
        let layer = bellwire.layer();
        layer.kick_person("ada", Close::policy("first"));
        sight.note("kicked");
        layer.kick_person("ada", Close::policy("second"));
        room.patch(patch("#list", 99));
        room.send(99);
        assert_eq!(page.ended(), Close::policy("first"));
        sender.join().unwrap();
        let after = between(&sight, "kicked", "");
        assert!(
            !after.iter().any(|seen| seen.starts_with("#list") || seen == "event 99"),
            "{after:?}"
        );
        assert_eq!(sight.all().iter().filter(|seen| seen.starts_with("close")).count(), 1);
        assert!(is_empty(&bellwire));
    });
}

#[test]
fn a_kick_after_a_place_was_taken_closes_the_socket_whatever_became_of_its_handshake() {
    race(|| {
        let (bellwire, sight) = (bellwire(), Sight::default());
        let room = group(bellwire.layer());
        let [promise, broken] = [(); 2].map(|()| Promise::take(&bellwire, "ada", ""));
        let kicker = {
            let layer = bellwire.layer().clone();
            thread::spawn(move || layer.kick_person("ada", Close::policy("out")))
        };
        let breaks = thread::spawn(move || drop(broken));
        let page = open(promise, &room, &sight);
        // Nothing else ends it: an open page here is a deadlock.
        assert_eq!(page.ended(), Close::policy("out"));
        kicker.join().unwrap();
        breaks.join().unwrap();
        assert!(is_empty(&bellwire));
    });
}

#[test]
fn a_kick_closes_a_socket_that_waits_for_its_reader() {
    race(|| {
        let (bellwire, sight) = (bellwire(), Sight::default());
        let page = Promise::take(&bellwire, "ada", "").open(super::feeds::Talker::new(8), &sight);
        page.stall(true);
        let kicker = {
            let layer = bellwire.layer().clone();
            thread::spawn(move || layer.kick_person("ada", Close::policy("out")))
        };
        assert_eq!(page.ended(), Close::policy("out"));
        kicker.join().unwrap();
    });
}

#[test]
fn a_page_that_takes_nothing_for_a_while_hears_everything_in_order_and_is_not_stuck_afterwards() {
    race(|| {
        let (_bellwire, room, sight, page) = sits();
        page.hold(true);
        let sender = {
            let room = room.clone();
            thread::spawn(move || (1..=3).for_each(|n| room.patch(patch("#list", n))))
        };
        page.hold(false);
        sender.join().unwrap();
        room.patch(patch("#list", 100));
        sight.until("#list 100");
        while page.is_stuck() {
            thread::yield_now();
        }
        page.leave();
        let _ = page.ended();
        assert_eq!(sight.numbers("#list"), [1, 2, 3, 100]);
    });
}

#[test]
fn a_page_that_takes_nothing_when_it_is_kicked_hears_the_close_when_it_does_again() {
    race(|| {
        let (bellwire, room, sight, page) = sits();
        page.hold(true);
        page.stall(true);
        room.patch(patch("#list", 1));
        let kicker = {
            let layer = bellwire.layer().clone();
            thread::spawn(move || layer.kick_person("ada", Close::policy("out")))
        };
        sight.until("disconnected");
        page.hold(false);
        assert_eq!(page.ended(), Close::policy("out"));
        kicker.join().unwrap();
        assert!(sight.all().iter().any(|seen| seen.starts_with("close 1008")), "{:?}", sight.all());
    });
}

#[test]
fn nothing_of_a_group_comes_after_an_expulsion_that_returned_until_it_is_joined_anew() {
    race(|| {
        let (bellwire, room, sight, page) = sits();
        let sender = sends(&room);
        bellwire.layer().remove_person("ada", room.name());
        sight.note("out");
        sender.join().unwrap();
        sight.until("rejoined");
        let meanwhile = between(&sight, "out", "rejoined");
        assert!(!meanwhile.iter().any(|seen| seen.starts_with("#list")), "{meanwhile:?}");
        // The new join counts.
        room.patch(patch("#list", 100));
        sight.until("#list 100");
        page.leave();
        let _ = page.ended();
        assert_eq!(sight.numbers("#list").last(), Some(&100));
        assert!(is_empty(&bellwire));
    });
}

#[test]
fn who_leaves_and_joins_while_being_expelled_is_out_until_told_and_then_in_for_good() {
    race(|| {
        let (bellwire, room, sight, page) = sits();
        page.say("leave and join");
        bellwire.layer().remove_person("ada", room.name());
        sight.note("out");
        room.patch(patch("#list", 99));
        sight.until("rejoined");
        let meanwhile = between(&sight, "out", "rejoined");
        assert!(!meanwhile.contains(&"#list 99".to_owned()), "{meanwhile:?}");
        // Leaving drops what waits, so it has to be over before anything is sent that has to come.
        sight.until("left and joined");
        room.patch(patch("#list", 100));
        sight.until("#list 100");
        page.leave();
        let _ = page.ended();
    });
}

#[test]
fn an_expulsion_says_nothing_to_those_sockets_of_the_person_that_are_not_in_the_group() {
    race(|| {
        let (bellwire, sight) = (bellwire(), Sight::default());
        let other = bellwire.layer().group::<u64>(GroupName::of("room", 2));
        let page = open(Promise::take(&bellwire, "ada", ""), &other, &sight);
        sight.until("joined");
        let sender = sends(&other);
        bellwire.layer().remove_person("ada", &room());
        sender.join().unwrap();
        other.patch(patch("#list", 100));
        sight.until("#list 100");
        page.leave();
        let _ = page.ended();
        assert_eq!(sight.numbers("#list"), [1, 3, 100]);
        assert!(!sight.all().contains(&"expelled room.1".to_owned()), "{:?}", sight.all());
    });
}

#[test]
fn a_socket_that_is_expelled_while_it_connects_does_not_stay_in() {
    race(|| {
        let (bellwire, sight) = (bellwire(), Sight::default());
        let room = group(bellwire.layer());
        let promise = Promise::take(&bellwire, "ada", "");
        let expeller = {
            let (layer, room, sight) = (bellwire.layer().clone(), room.clone(), sight.clone());
            thread::spawn(move || {
                layer.remove_person("ada", room.name());
                sight.note("out");
                room.patch(patch("#list", 99));
            })
        };
        let page = open(promise, &room, &sight);
        expeller.join().unwrap();
        sight.until("joined");
        page.leave();
        let _ = page.ended();
        let seen = sight.all();
        let position = |words: &str| seen.iter().position(|seen| seen == words);
        let let_in = position("rejoined")
            .or_else(|| position("joined").filter(|at| Some(*at) > position("out")));
        assert!(
            position("#list 99").is_none_or(|at| let_in.is_some_and(|let_in| let_in < at)),
            "{seen:?}"
        );
    });
}
