//! Presence: people are counted, not sockets.

use bellwire_races::harness::{Handshake, Log, Page, race, sweep};
use bellwire_races::{
    Bellwire, Consumer, Error, Frame, GroupHandle, PresenceChange, PresenceChanges, Socket,
};
use shuttle::future::block_on;
use shuttle::thread;

use super::{bellwire, group, room};

/// A consumer that tracks its person while its page is open.
struct Visitor(GroupHandle<u64>, Log);

impl Consumer for Visitor {
    type Action = Frame;
    type Event = u64;
    type Error = Error;

    async fn connect(&mut self, socket: &mut Socket<Self>) -> Result<(), Error> {
        socket.track(&self.0);
        self.1.note("here");
        Ok(())
    }

    async fn receive(&mut self, _: &mut Socket<Self>, _: Frame) -> Result<(), Error> {
        Ok(())
    }
}

/// A person opens a page.
fn open(bellwire: &Bellwire) -> (Page, Log) {
    let log = Log::default();
    let visitor = Visitor(group(bellwire.layer()), log.clone());
    (Handshake::start(bellwire, "ada", "").open(visitor, &log), log)
}

fn leave(page: Page) {
    page.disconnect();
    let _ = page.ended();
}

/// The next `count` changes, with `true` for an arrival. No wait is endless, because the test makes
/// the last change.
fn next_changes(changes: &mut PresenceChanges, count: usize) -> Vec<bool> {
    (0..count)
        .map(|_| matches!(block_on(changes.next()), Some(PresenceChange::Arrived { .. })))
        .collect()
}

#[test]
fn concurrent_sockets_of_a_person_count_once_and_leave_no_stale_presence() {
    race(|| {
        let bellwire = bellwire();
        let presence = bellwire.layer().presence().clone();
        let mut changes = presence.changes();
        let visits = [(); 2].map(|()| {
            let bellwire = bellwire.clone();
            thread::spawn(move || leave(open(&bellwire).0))
        });
        let (page, log) = open(&bellwire);
        // Within the grace period no person is removed by the heartbeat's sweeps.
        sweep(&bellwire, 0, 1000);
        assert!(presence.count(room()) <= 1, "counted twice");
        visits.into_iter().for_each(|visit| visit.join().unwrap());
        log.wait_for("here");
        sweep(&bellwire, 5000, 1000);
        assert_eq!(presence.count(room()), 1, "one page is still open");
        leave(page);
        assert_eq!(presence.count(room()), 1, "still within the grace period");
        sweep(&bellwire, 1000, 1000);
        assert_eq!(presence.count(room()), 0, "stale presence");
        assert_eq!(next_changes(&mut changes, 2), [true, false], "one arrival and one leaving");
    });
}

#[test]
fn a_person_who_returns_as_the_grace_period_ends_is_reported_present() {
    race(|| {
        let bellwire = bellwire();
        let presence = bellwire.layer().presence().clone();
        let mut changes = presence.changes();
        leave(open(&bellwire).0);
        let heartbeat = {
            let bellwire = bellwire.clone();
            thread::spawn(move || sweep(&bellwire, 1000, 1000))
        };
        let (page, log) = open(&bellwire);
        heartbeat.join().unwrap();
        log.wait_for("here");
        sweep(&bellwire, 5000, 1000);
        assert_eq!(presence.count(room()), 1, "she is here");
        leave(page);
        // Whether the sweep or the page came first, the last change is that she left.
        sweep(&bellwire, 9000, 1000);
        assert_eq!(presence.count(room()), 0);
        assert_eq!(next_changes(&mut changes, 2), [true, false]);
    });
}
