//! Feeds: every change is delivered once and in order.

use std::sync::{Arc, Mutex};

use bellwire_races::harness::{Handshake, Log, race};
use bellwire_races::{
    Bellwire, CatchUp, Consumer, Error, Frame, Group, GroupName, Limits, Seq, Socket,
};
use shuttle::sync::atomic::{AtomicU64, Ordering};
use shuttle::thread;

use super::{bellwire, group, patch};

/// The highest number that can be read from the source of truth.
type Source = Arc<AtomicU64>;

/// A consumer that follows a feed.
struct Reader {
    feed: Group<u64>,
    source: Source,
    log: Log,
}

impl Consumer for Reader {
    type Action = Frame;
    type Event = u64;

    async fn connect(&mut self, socket: &mut Socket) -> Result<(), Error> {
        socket.follow(&self.feed);
        Ok(())
    }

    async fn receive(&mut self, socket: &mut Socket, _: Frame) -> Result<(), Error> {
        socket.leave(&self.feed);
        socket.follow(&self.feed);
        Ok(())
    }

    async fn catch_up(
        &mut self,
        _: &mut Socket,
        _: &GroupName,
        since: Option<Seq>,
    ) -> Result<CatchUp, Error> {
        let seq = self.source.load(Ordering::SeqCst);
        let patches = (since.unwrap_or(0) + 1..=seq).map(|n| patch("#list", n)).collect();
        Ok(CatchUp { patches, seq })
    }

    async fn lagged(&mut self, _: &mut Socket) -> Result<(), Error> {
        self.log.note("lagged");
        Ok(())
    }

    async fn removed(&mut self, _: &mut Socket, _: &GroupName) -> Result<(), Error> {
        self.log.note("removed");
        Ok(())
    }
}

/// A consumer that catches up with this many changes as soon as it connects.
pub(crate) struct Talker(u64);

impl Talker {
    pub(crate) fn new(changes: u64) -> Self {
        Self(changes)
    }
}

impl Consumer for Talker {
    type Action = Frame;
    type Event = u64;

    async fn connect(&mut self, socket: &mut Socket) -> Result<(), Error> {
        socket.follow(&group(socket.layer()));
        Ok(())
    }

    async fn receive(&mut self, _: &mut Socket, _: Frame) -> Result<(), Error> {
        Ok(())
    }

    async fn catch_up(
        &mut self,
        _: &mut Socket,
        _: &GroupName,
        _: Option<Seq>,
    ) -> Result<CatchUp, Error> {
        Ok(CatchUp { patches: (1..=self.0).map(|n| patch("#list", n)).collect(), seq: self.0 })
    }
}

/// A handle with queues so small that they overflow.
fn with_small_queues() -> Bellwire {
    let limits = Limits { queue_messages: 2, ..Limits::default() };
    Bellwire::builder("http://127.0.0.1:8000").limits(limits).build().unwrap()
}

fn reader(bellwire: &Bellwire, source: &Source, log: &Log) -> Reader {
    Reader { feed: group(bellwire.layer()), source: source.clone(), log: log.clone() }
}

/// Publishes after the commit, as an app does.
fn publish(
    bellwire: &Bellwire,
    source: &Source,
    numbers: std::ops::RangeInclusive<u64>,
) -> thread::JoinHandle<()> {
    let (feed, source) = (group(bellwire.layer()), source.clone());
    thread::spawn(move || {
        for n in numbers {
            source.store(n, Ordering::SeqCst);
            feed.publish(n, patch("#list", n));
        }
    })
}

fn assert_each_number_once(bellwire: fn() -> Bellwire, query: &'static str, rejoin: bool) {
    race(move || {
        let (bellwire, source, log) = (bellwire(), Source::default(), Log::default());
        let publisher = publish(&bellwire, &source, 1..=5);
        let page =
            Handshake::start(&bellwire, "ada", query).open(reader(&bellwire, &source, &log), &log);
        if rejoin {
            page.send("leave and follow");
        }
        publisher.join().unwrap();
        log.wait_for("#list 5");
        page.disconnect();
        let _ = page.ended();
        assert_eq!(log.numbers("#list"), [1, 2, 3, 4, 5]);
        assert!(!log.all().contains(&"lagged".to_owned()), "feeds recover without `lagged`");
    });
}

#[test]
fn a_page_that_connects_during_publishing_receives_each_number_once_and_in_order() {
    assert_each_number_once(bellwire, "", false);
}

#[test]
fn a_returning_page_whose_queue_overflows_receives_each_number_once_and_in_order() {
    assert_each_number_once(with_small_queues, "since=room.1:0", false);
}

#[test]
fn a_page_that_leaves_and_follows_again_receives_each_number_once_and_in_order() {
    assert_each_number_once(with_small_queues, "since=room.1:0", true);
}

#[test]
fn numbers_published_out_of_order_are_delivered_in_commit_order() {
    race(|| {
        let (bellwire, source, log) = (bellwire(), Source::default(), Log::default());
        let page =
            Handshake::start(&bellwire, "ada", "").open(reader(&bellwire, &source, &log), &log);
        let publishers = [(); 2].map(|()| {
            let (feed, source) = (group(bellwire.layer()), source.clone());
            thread::spawn(move || {
                for _ in 0..2 {
                    let n = source.fetch_add(1, Ordering::SeqCst) + 1;
                    feed.publish(n, patch("#list", n));
                }
            })
        });
        publishers.into_iter().for_each(|publisher| publisher.join().unwrap());
        log.wait_for("#list 4");
        page.disconnect();
        let _ = page.ended();
        assert_eq!(log.numbers("#list"), [1, 2, 3, 4]);
    });
}

#[test]
fn changes_read_by_catch_up_are_not_sent_after_a_removal_returned() {
    race(|| {
        let (bellwire, source, log) = (bellwire(), Source::default(), Log::default());
        source.store(3, Ordering::SeqCst);
        let page =
            Handshake::start(&bellwire, "ada", "").open(reader(&bellwire, &source, &log), &log);
        page.block_writes(true);
        let feed = group(bellwire.layer());
        bellwire.layer().remove_person("ada", feed.name());
        let numbers = Arc::new(Mutex::new(log.numbers("#list")));
        page.block_writes(false);
        log.note("out");
        page.disconnect();
        let _ = page.ended();
        // A removal before the join is reported in the next iteration of the event loop. Nothing
        // was written in that case either.
        assert_eq!(log.numbers("#list"), *numbers.lock().unwrap(), "{:?}", log.all());
    });
}
