//! Access: kicks and removals.

use bellwire_races::harness::{Handshake, Log, Page, race};
use bellwire_races::{Bellwire, Close, Consumer, Error, Frame, GroupHandle, GroupName, Socket};
use shuttle::thread;

use super::{ROOM, bellwire, group, patch, room};

/// A member of a room that joins again after a removal.
struct Member {
    room: GroupHandle<u64>,
    log: Log,
}

impl Consumer for Member {
    type Action = Frame;
    type Event = u64;
    type Error = Error;

    async fn connect(&mut self, socket: &mut Socket<Self>) -> Result<(), Error> {
        socket.join(&self.room);
        self.log.note("joined");
        Ok(())
    }

    async fn receive(&mut self, socket: &mut Socket<Self>, _: Frame) -> Result<(), Error> {
        socket.leave(&self.room);
        socket.join(&self.room);
        self.log.note("left and joined");
        Ok(())
    }

    async fn event(&mut self, _: &mut Socket<Self>, event: &u64) -> Result<(), Error> {
        self.log.note(format!("event {event}"));
        Ok(())
    }

    async fn removed(&mut self, socket: &mut Socket<Self>, group: &GroupName) -> Result<(), Error> {
        self.log.note(format!("removed {group}"));
        socket.join(&self.room);
        self.log.note("rejoined");
        Ok(())
    }

    async fn disconnect(&mut self, _: &mut Socket<Self>, _: Close) {
        self.log.note("disconnected");
    }
}

fn open(handshake: Handshake, room: &GroupHandle<u64>, log: &Log) -> Page {
    handshake.open(Member { room: room.clone(), log: log.clone() }, log)
}

/// A page of Ada's that has joined the room.
fn joined_page() -> (Bellwire, GroupHandle<u64>, Log, Page) {
    let (bellwire, log) = (bellwire(), Log::default());
    let room = group(bellwire.layer());
    let page = open(Handshake::start(&bellwire, "ada", ""), &room, &log);
    log.wait_for("joined");
    (bellwire, room, log, page)
}

/// The log lines from `from` on and before `to`. Empty if `to` comes first.
fn between(log: &Log, from: &str, to: &str) -> Vec<String> {
    let lines = log.all();
    let end = lines.iter().position(|line| line == to).unwrap_or(lines.len());
    lines[..end].iter().skip_while(|line| *line != from).cloned().collect()
}

fn spawn_sender(room: &GroupHandle<u64>) -> thread::JoinHandle<()> {
    let room = room.clone();
    thread::spawn(move || {
        room.patch(patch("#list", 1));
        room.send(2).unwrap();
        room.patch(patch("#list", 3));
    })
}

fn is_empty(bellwire: &Bellwire) -> bool {
    (bellwire.layer().local_groups(), bellwire.layer().local_sockets()) == (0, 0)
}

#[test]
fn nothing_arrives_after_a_kick_returned_and_only_its_first_reason_is_sent() {
    race(|| {
        let (bellwire, log) = (bellwire(), Log::default());
        let room = group(bellwire.layer());
        let page = open(Handshake::start(&bellwire, "ada", ""), &room, &log);
        let sender = spawn_sender(&room);
        let layer = bellwire.layer();
        layer.kick_person("ada", Close::policy("first"));
        log.note("kicked");
        layer.kick_person("ada", Close::policy("second"));
        room.patch(patch("#list", 99));
        room.send(99).unwrap();
        assert_eq!(page.ended(), Close::policy("first"));
        sender.join().unwrap();
        let after = between(&log, "kicked", "");
        assert!(
            !after.iter().any(|line| line.starts_with("#list") || line == "event 99"),
            "{after:?}"
        );
        assert_eq!(log.all().iter().filter(|line| line.starts_with("close")).count(), 1);
        assert!(is_empty(&bellwire));
    });
}

#[test]
fn a_kick_after_a_reservation_closes_the_socket_however_its_handshake_ends() {
    race(|| {
        let (bellwire, log) = (bellwire(), Log::default());
        let room = group(bellwire.layer());
        let [handshake, broken] = [(); 2].map(|()| Handshake::start(&bellwire, "ada", ""));
        let kicker = {
            let layer = bellwire.layer().clone();
            thread::spawn(move || layer.kick_person("ada", Close::policy("out")))
        };
        let breaker = thread::spawn(move || drop(broken));
        let page = open(handshake, &room, &log);
        // Nothing else ends the page: if it stays open, the test deadlocks.
        assert_eq!(page.ended(), Close::policy("out"));
        kicker.join().unwrap();
        breaker.join().unwrap();
        assert!(is_empty(&bellwire));
    });
}

#[test]
fn a_kick_closes_a_socket_whose_writes_are_blocked() {
    race(|| {
        let (bellwire, log) = (bellwire(), Log::default());
        let page = Handshake::start(&bellwire, "ada", "").open(super::feeds::Talker::new(8), &log);
        page.block_writes(true);
        let kicker = {
            let layer = bellwire.layer().clone();
            thread::spawn(move || layer.kick_person("ada", Close::policy("out")))
        };
        assert_eq!(page.ended(), Close::policy("out"));
        kicker.join().unwrap();
    });
}

#[test]
fn a_page_that_pauses_reading_receives_everything_in_order_and_is_not_write_blocked_afterwards() {
    race(|| {
        let (_bellwire, room, log, page) = joined_page();
        page.block_flush(true);
        let sender = {
            let room = room.clone();
            thread::spawn(move || (1..=3).for_each(|n| room.patch(patch("#list", n))))
        };
        page.block_flush(false);
        sender.join().unwrap();
        room.patch(patch("#list", 100));
        log.wait_for("#list 100");
        while page.is_write_blocked() {
            thread::yield_now();
        }
        page.disconnect();
        let _ = page.ended();
        assert_eq!(log.numbers("#list"), [1, 2, 3, 100]);
    });
}

#[test]
fn a_page_that_is_kicked_while_not_reading_receives_the_close_when_it_reads_again() {
    race(|| {
        let (bellwire, room, log, page) = joined_page();
        page.block_flush(true);
        page.block_writes(true);
        room.patch(patch("#list", 1));
        let kicker = {
            let layer = bellwire.layer().clone();
            thread::spawn(move || layer.kick_person("ada", Close::policy("out")))
        };
        log.wait_for("disconnected");
        page.block_flush(false);
        assert_eq!(page.ended(), Close::policy("out"));
        kicker.join().unwrap();
        assert!(log.all().iter().any(|line| line.starts_with("close 1008")), "{:?}", log.all());
    });
}

#[test]
fn no_group_message_arrives_after_a_removal_returned_until_the_group_is_joined_again() {
    race(|| {
        let (bellwire, room, log, page) = joined_page();
        let sender = spawn_sender(&room);
        bellwire.layer().remove_person("ada", room.name());
        log.note("out");
        sender.join().unwrap();
        log.wait_for("rejoined");
        let meanwhile = between(&log, "out", "rejoined");
        assert!(!meanwhile.iter().any(|line| line.starts_with("#list")), "{meanwhile:?}");
        // The new join is effective.
        room.patch(patch("#list", 100));
        log.wait_for("#list 100");
        page.disconnect();
        let _ = page.ended();
        assert_eq!(log.numbers("#list").last(), Some(&100));
        assert!(is_empty(&bellwire));
    });
}

#[test]
fn a_socket_that_rejoins_during_a_removal_is_out_until_notified_and_then_stays_a_member() {
    race(|| {
        let (bellwire, room, log, page) = joined_page();
        page.send("leave and join");
        bellwire.layer().remove_person("ada", room.name());
        log.note("out");
        room.patch(patch("#list", 99));
        log.wait_for("rejoined");
        let meanwhile = between(&log, "out", "rejoined");
        assert!(!meanwhile.contains(&"#list 99".to_owned()), "{meanwhile:?}");
        // Leaving drops queued messages, so it must be done before the message that must arrive.
        log.wait_for("left and joined");
        room.patch(patch("#list", 100));
        log.wait_for("#list 100");
        page.disconnect();
        let _ = page.ended();
    });
}

#[test]
fn a_removal_does_not_notify_sockets_of_the_person_outside_the_group() {
    race(|| {
        let (bellwire, log) = (bellwire(), Log::default());
        let other = bellwire.layer().group(ROOM.of(2));
        let page = open(Handshake::start(&bellwire, "ada", ""), &other, &log);
        log.wait_for("joined");
        let sender = spawn_sender(&other);
        bellwire.layer().remove_person("ada", room());
        sender.join().unwrap();
        other.patch(patch("#list", 100));
        log.wait_for("#list 100");
        page.disconnect();
        let _ = page.ended();
        assert_eq!(log.numbers("#list"), [1, 3, 100]);
        assert!(!log.all().contains(&"removed room.1".to_owned()), "{:?}", log.all());
    });
}

#[test]
fn a_socket_that_is_removed_while_it_connects_does_not_stay_a_member() {
    race(|| {
        let (bellwire, log) = (bellwire(), Log::default());
        let room = group(bellwire.layer());
        let handshake = Handshake::start(&bellwire, "ada", "");
        let remover = {
            let (layer, room, log) = (bellwire.layer().clone(), room.clone(), log.clone());
            thread::spawn(move || {
                layer.remove_person("ada", room.name());
                log.note("out");
                room.patch(patch("#list", 99));
            })
        };
        let page = open(handshake, &room, &log);
        remover.join().unwrap();
        log.wait_for("joined");
        page.disconnect();
        let _ = page.ended();
        let lines = log.all();
        let position = |line: &str| lines.iter().position(|logged| logged == line);
        let join = position("rejoined")
            .or_else(|| position("joined").filter(|at| Some(*at) > position("out")));
        assert!(
            position("#list 99").is_none_or(|at| join.is_some_and(|join| join < at)),
            "{lines:?}"
        );
    });
}
