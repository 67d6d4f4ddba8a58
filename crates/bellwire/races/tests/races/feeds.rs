//! Every change once and in order.

use std::sync::{Arc, Mutex};

use bellwire_races::stage::{Promise, Sight, race};
use bellwire_races::{
    Bellwire, CatchUp, Consumer, Error, Frame, Group, GroupName, Limits, Seq, Socket,
};
use shuttle::sync::atomic::{AtomicU64, Ordering};
use shuttle::thread;

use super::{bellwire, group, patch};

/// The highest number that can be read from the source of truth.
type Source = Arc<AtomicU64>;

/// Shows a feed.
struct Reader {
    feed: Group<u64>,
    source: Source,
    sight: Sight,
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
        self.sight.note("lagged");
        Ok(())
    }

    async fn removed(&mut self, _: &mut Socket, _: &GroupName) -> Result<(), Error> {
        self.sight.note("expelled");
        Ok(())
    }
}

/// Says so many things as soon as it connects.
pub(crate) struct Talker(u64);

impl Talker {
    pub(crate) fn new(things: u64) -> Self {
        Self(things)
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

/// With room for so few that they overflow.
fn narrow() -> Bellwire {
    let limits = Limits { queue_messages: 2, ..Limits::default() };
    Bellwire::builder("http://127.0.0.1:8000").limits(limits).build().unwrap()
}

fn reader(bellwire: &Bellwire, source: &Source, sight: &Sight) -> Reader {
    Reader { feed: group(bellwire.layer()), source: source.clone(), sight: sight.clone() }
}

/// Publishes after the commit, as an app does.
fn publishes(
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

fn reads_each_number_once(bellwire: fn() -> Bellwire, query: &'static str, again: bool) {
    race(move || {
        let (bellwire, source, sight) = (bellwire(), Source::default(), Sight::default());
        let publisher = publishes(&bellwire, &source, 1..=5);
        let page =
            Promise::take(&bellwire, "ada", query).open(reader(&bellwire, &source, &sight), &sight);
        if again {
            page.say("leave and follow");
        }
        publisher.join().unwrap();
        sight.until("#list 5");
        page.leave();
        let _ = page.ended();
        assert_eq!(sight.numbers("#list"), [1, 2, 3, 4, 5]);
        assert!(!sight.all().contains(&"lagged".to_owned()), "numbers make good what was lost");
    });
}

#[test]
fn a_reader_that_comes_while_numbers_are_published_writes_each_once_and_in_order() {
    reads_each_number_once(bellwire, "", false);
}

#[test]
fn a_reader_that_comes_back_and_overflows_writes_each_number_once_and_in_order() {
    reads_each_number_once(narrow, "since=room.1:0", false);
}

#[test]
fn a_reader_that_leaves_and_follows_again_writes_each_number_once_and_in_order() {
    reads_each_number_once(narrow, "since=room.1:0", true);
}

#[test]
fn numbers_that_are_published_in_another_order_than_they_were_committed_are_written_in_theirs() {
    race(|| {
        let (bellwire, source, sight) = (bellwire(), Source::default(), Sight::default());
        let page =
            Promise::take(&bellwire, "ada", "").open(reader(&bellwire, &source, &sight), &sight);
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
        sight.until("#list 4");
        page.leave();
        let _ = page.ended();
        assert_eq!(sight.numbers("#list"), [1, 2, 3, 4]);
    });
}

#[test]
fn what_a_catch_up_read_is_not_written_after_an_expulsion_that_returned() {
    race(|| {
        let (bellwire, source, sight) = (bellwire(), Source::default(), Sight::default());
        source.store(3, Ordering::SeqCst);
        let page =
            Promise::take(&bellwire, "ada", "").open(reader(&bellwire, &source, &sight), &sight);
        page.stall(true);
        let feed = group(bellwire.layer());
        bellwire.layer().remove_person("ada", feed.name());
        let seen = Arc::new(Mutex::new(sight.numbers("#list")));
        page.stall(false);
        sight.note("out");
        page.leave();
        let _ = page.ended();
        // An expulsion that came before it joined at all is told with the next turn; then nothing
        // was written either.
        assert_eq!(sight.numbers("#list"), *seen.lock().unwrap(), "{:?}", sight.all());
    });
}
