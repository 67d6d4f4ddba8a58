//! Feeds: every change is delivered once and in order.

use std::sync::{Arc, Mutex};

use bellwire_races::harness::{Handshake, Log, Member, Page, race};
use bellwire_races::{
    Bellwire, CatchUp, Consumer, Error, Feed, FeedSource, Frame, GroupName, Layer, Limits, Seq,
    Socket,
};
use shuttle::sync::atomic::{AtomicI64, Ordering};
use shuttle::thread;

use super::{ROOM, bellwire, group, patch, room};

/// The source of truth: the highest number that can be read.
#[derive(Clone, Default)]
struct Source(Arc<AtomicI64>);

impl FeedSource for Source {
    async fn catch_up(&self, since: Option<Seq>, _: &str) -> Result<CatchUp, Error> {
        let seq = self.0.load(Ordering::SeqCst);
        let patches = (since.unwrap_or(0) + 1..=seq).map(|n| patch("#list", n)).collect();
        Ok(CatchUp { patches, seq })
    }
}

impl Source {
    fn feed(&self, bellwire: &Bellwire) -> Feed<u64, Self> {
        bellwire.layer().feed(ROOM.of(1), self.clone())
    }
}

/// A consumer that follows a feed.
struct Reader {
    feed: Feed<u64, Source>,
    log: Log,
}

impl Consumer for Reader {
    type Action = Frame;
    type Event = u64;
    type Error = Error;

    async fn connect(&mut self, socket: &mut Socket<Self>) -> Result<(), Error> {
        socket.follow(&self.feed);
        Ok(())
    }

    async fn receive(&mut self, socket: &mut Socket<Self>, _: Frame) -> Result<(), Error> {
        socket.leave(&self.feed);
        socket.follow(&self.feed);
        Ok(())
    }

    async fn lagged(&mut self, _: &mut Socket<Self>) -> Result<(), Error> {
        self.log.note("lagged");
        Ok(())
    }

    async fn removed(&mut self, _: &mut Socket<Self>, _: &GroupName) -> Result<(), Error> {
        self.log.note("removed");
        Ok(())
    }
}

/// A consumer that catches up with this many changes as soon as it connects.
pub(crate) struct Talker(Source);

impl Talker {
    pub(crate) fn new(changes: Seq) -> Self {
        Self(Source(Arc::new(AtomicI64::new(changes))))
    }
}

impl Consumer for Talker {
    type Action = Frame;
    type Event = u64;
    type Error = Error;

    async fn connect(&mut self, socket: &mut Socket<Self>) -> Result<(), Error> {
        let feed = socket.layer().feed(ROOM.of(1), self.0.clone());
        socket.follow(&feed);
        Ok(())
    }

    async fn receive(&mut self, _: &mut Socket<Self>, _: Frame) -> Result<(), Error> {
        Ok(())
    }
}

/// A consumer that publishes the next number for each frame.
struct Writer(Feed<u64, Source>);

impl Consumer for Writer {
    type Action = Frame;
    type Event = u64;
    type Error = Error;

    async fn connect(&mut self, socket: &mut Socket<Self>) -> Result<(), Error> {
        socket.follow(&self.0);
        Ok(())
    }

    async fn receive(&mut self, socket: &mut Socket<Self>, _: Frame) -> Result<(), Error> {
        let number = self.0.source().0.fetch_add(1, Ordering::SeqCst) + 1;
        socket.send_text(format!("{{\"selector\":\"wrote\",\"html\":\"{number}\"}}")).await?;
        self.0.publish(number, patch("#list", number));
        Ok(())
    }
}

/// A handle with queues so small that they overflow.
fn with_small_queues() -> Bellwire {
    let limits = Limits { queue_messages: 2, ..Limits::default() };
    Bellwire::builder("http://127.0.0.1:8000").limits(limits).build().unwrap()
}

/// A page that follows the feed: from its beginning, or as a page that returns at number 0.
fn open(bellwire: &Bellwire, source: &Source, log: &Log, returns: bool) -> Page {
    let query = match returns {
        true => format!("since=room.1:{}.0", bellwire.layer().epoch()),
        false => String::new(),
    };
    let reader = Reader { feed: source.feed(bellwire), log: log.clone() };
    Handshake::start(bellwire, "ada", &query).open(reader, log)
}

/// Publishes after the commit, as an app does.
fn publish(
    bellwire: &Bellwire,
    source: &Source,
    numbers: std::ops::RangeInclusive<Seq>,
) -> thread::JoinHandle<()> {
    let (feed, source) = (source.feed(bellwire), source.clone());
    thread::spawn(move || {
        for n in numbers {
            source.0.store(n, Ordering::SeqCst);
            feed.publish(n, patch("#list", n));
        }
    })
}

fn assert_each_number_once(bellwire: fn() -> Bellwire, returns: bool, rejoins: bool) {
    race(move || {
        let (bellwire, source, log) = (bellwire(), Source::default(), Log::default());
        let publisher = publish(&bellwire, &source, 1..=5);
        let page = open(&bellwire, &source, &log, returns);
        if rejoins {
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
    assert_each_number_once(bellwire, false, false);
}

#[test]
fn a_returning_page_whose_queue_overflows_receives_each_number_once_and_in_order() {
    assert_each_number_once(with_small_queues, true, false);
}

#[test]
fn a_page_that_leaves_and_follows_again_receives_each_number_once_and_in_order() {
    assert_each_number_once(with_small_queues, true, true);
}

#[test]
fn pages_that_share_reads_each_receive_each_number_once_and_in_order() {
    race(|| {
        let (bellwire, source) = (bellwire(), Source::default());
        let publisher = publish(&bellwire, &source, 1..=2);
        let logs = [(); 3].map(|()| Log::default());
        let pages = logs.each_ref().map(|log| open(&bellwire, &source, log, true));
        publisher.join().unwrap();
        for (page, log) in pages.into_iter().zip(&logs) {
            log.wait_for("#list 2");
            page.disconnect();
            let _ = page.ended();
            assert_eq!(log.numbers("#list"), [1, 2]);
        }
        let counts = bellwire.layer().counts();
        assert!(counts.feed_reads <= counts.catch_ups, "{counts:?}");
    });
}

#[test]
fn an_answer_comes_after_the_change_that_its_action_published() {
    race(|| {
        let (bellwire, source, log) = (bellwire(), Source::default(), Log::default());
        let writer = Writer(source.feed(&bellwire));
        let page = Handshake::start(&bellwire, "ada", "").open(writer, &log);
        let other = {
            let (feed, source) = (source.feed(&bellwire), source.clone());
            thread::spawn(move || {
                let n = source.0.fetch_add(1, Ordering::SeqCst) + 1;
                feed.publish(n, patch("#list", n));
            })
        };
        page.send("{\"client_id\":\"c-1\"}");
        log.wait_for("answer c-1");
        let [number] = log.numbers("wrote").try_into().unwrap();
        let lines = log.all();
        let position = |line: &str| lines.iter().position(|logged| logged == line);
        let change = position(&format!("#list {number}"));
        assert!(change.is_some() && change < position("answer c-1"), "{lines:?}");
        other.join().unwrap();
        log.wait_for("#list 2");
        page.disconnect();
        let _ = page.ended();
        assert_eq!(log.numbers("#list"), [1, 2]);
    });
}

#[test]
fn concurrent_appends_to_a_journal_are_delivered_in_the_order_of_their_numbers() {
    race(|| {
        let (layer, ada) = {
            let layer = Layer::memory();
            let ada = Member::connect(&layer, "ada");
            (layer, ada)
        };
        ada.join(&room());
        let journal = layer.journal(ROOM.of(1), 10);
        let appenders = [(); 2].map(|()| {
            let journal = journal.clone();
            thread::spawn(move || [(); 2].map(|()| journal.append(patch("#list", 0))))
        });
        let numbers = appenders.map(|appender| appender.join().unwrap());
        assert!(numbers.iter().all(|[first, second]| first < second), "{numbers:?}");
        assert_eq!(ada.received().numbers, [1, 2, 3, 4]);
    });
}

#[test]
fn numbers_published_out_of_order_are_delivered_in_commit_order() {
    race(|| {
        let (bellwire, source, log) = (bellwire(), Source::default(), Log::default());
        let page = open(&bellwire, &source, &log, false);
        let publishers = [(); 2].map(|()| {
            let (feed, source) = (source.feed(&bellwire), source.clone());
            thread::spawn(move || {
                for _ in 0..2 {
                    let n = source.0.fetch_add(1, Ordering::SeqCst) + 1;
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
        source.0.store(3, Ordering::SeqCst);
        let page = open(&bellwire, &source, &log, false);
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
