//! People, not sockets.

use bellwire_races::stage::{Page, Promise, Sight, race, sweep};
use bellwire_races::{
    Bellwire, Consumer, Error, Frame, Group, PresenceChange, PresenceChanges, Socket,
};
use shuttle::future::block_on;
use shuttle::thread;

use super::{bellwire, group, room};

/// Is present for as long as its page is open.
struct Visitor(Group<u64>, Sight);

impl Consumer for Visitor {
    type Action = Frame;
    type Event = u64;

    async fn connect(&mut self, socket: &mut Socket) -> Result<(), Error> {
        socket.track(&self.0);
        self.1.note("here");
        Ok(())
    }

    async fn receive(&mut self, _: &mut Socket, _: Frame) -> Result<(), Error> {
        Ok(())
    }
}

/// A person opens a page.
fn open(bellwire: &Bellwire) -> (Page, Sight) {
    let sight = Sight::default();
    let visitor = Visitor(group(bellwire.layer()), sight.clone());
    (Promise::take(bellwire, "ada", "").open(visitor, &sight), sight)
}

fn leave(page: Page) {
    page.leave();
    let _ = page.ended();
}

/// All that was told so far, each person's arrival as true. Every wait has an end: the last change
/// is made by the test.
fn told(changes: &mut PresenceChanges, until: usize) -> Vec<bool> {
    (0..until)
        .map(|_| matches!(block_on(changes.next()), Some(PresenceChange::Arrived { .. })))
        .collect()
}

#[test]
fn several_sockets_of_a_person_that_come_and_go_count_once_and_leave_no_ghost() {
    race(|| {
        let bellwire = bellwire();
        let presence = bellwire.layer().presence().clone();
        let mut changes = presence.changes();
        let visits = [(); 2].map(|()| {
            let bellwire = bellwire.clone();
            thread::spawn(move || leave(open(&bellwire).0))
        });
        let (page, sight) = open(&bellwire);
        // Within the grace nobody goes, however often the keeper looks.
        sweep(&bellwire, 0, 1000);
        assert!(presence.count(&room()) <= 1, "counted twice");
        visits.into_iter().for_each(|visit| visit.join().unwrap());
        sight.until("here");
        sweep(&bellwire, 5000, 1000);
        assert_eq!(presence.count(&room()), 1, "one page is still open");
        leave(page);
        assert_eq!(presence.count(&room()), 1, "still within the grace");
        sweep(&bellwire, 1000, 1000);
        assert_eq!(presence.count(&room()), 0, "a ghost");
        assert_eq!(told(&mut changes, 2), [true, false], "came once, and went once");
    });
}

#[test]
fn who_comes_back_while_the_grace_ends_is_present_and_told_so() {
    race(|| {
        let bellwire = bellwire();
        let presence = bellwire.layer().presence().clone();
        let mut changes = presence.changes();
        leave(open(&bellwire).0);
        let heartbeat = {
            let bellwire = bellwire.clone();
            thread::spawn(move || sweep(&bellwire, 1000, 1000))
        };
        let (page, sight) = open(&bellwire);
        heartbeat.join().unwrap();
        sight.until("here");
        sweep(&bellwire, 5000, 1000);
        assert_eq!(presence.count(&room()), 1, "she is here");
        leave(page);
        // Whether the keeper or the page came first, the last word is that she is gone once and for
        // all.
        sweep(&bellwire, 9000, 1000);
        assert_eq!(presence.count(&room()), 0);
        let first = told(&mut changes, 2);
        assert_eq!(first, [true, false]);
    });
}
