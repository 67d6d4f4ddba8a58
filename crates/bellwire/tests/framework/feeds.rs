//! Feeds: numbered changes are delivered once, in order and without gaps.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use bellwire::testing::{Communicator, PATIENCE, within};
use bellwire::{
    Bellwire, CatchUp, Change, Consumer, Dialect, Epoch, Epochs, Error, Feed, FeedPosition,
    FeedSource, Frame, Html, Journal, Limits, NoEvents, Patch, Seq, Socket, Topic,
};
use futures_util::FutureExt;
use futures_util::future::join_all;
use serde_json::Value;
use tokio::sync::{Semaphore, mpsc};

use crate::support::{Lines, Member, bellwire, with_limits};

async fn receive_lines(browser: &mut Communicator, count: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for _ in 0..count {
        let frame: Value = browser.receive_json().await;
        lines.push(frame["html"].as_str().unwrap().to_owned());
    }
    browser.receive_nothing().await;
    lines
}

/// A source with the lines `1` to `count`.
fn lines(count: usize) -> Lines {
    let lines = Lines::default();
    for line in 1..=count {
        lines.write(&line.to_string());
    }
    lines
}

/// A page that returns at this position.
async fn returning(bellwire: &Bellwire, at: &str, lines: &Lines) -> Communicator {
    let builder = Communicator::to(bellwire, &format!("/?since=room:{at}"));
    builder.connect(Member::follower(lines)).await
}

#[tokio::test]
async fn a_new_page_receives_all_changes_and_then_new_ones() {
    let (bellwire, lines) = (bellwire(), lines(2));
    let mut page = Communicator::connect(&bellwire, Member::follower(&lines)).await;
    assert_eq!(receive_lines(&mut page, 2).await, ["1", "2"]);
    lines.publish(bellwire.layer(), "3");
    assert_eq!(receive_lines(&mut page, 1).await, ["3"]);
}

#[tokio::test]
async fn a_returning_page_receives_exactly_the_changes_it_missed() {
    let (bellwire, lines) = (bellwire(), lines(4));
    let epoch = bellwire.layer().epoch();
    let mut page = returning(&bellwire, &format!("{epoch}.2"), &lines).await;
    let (third, fourth): (Value, Value) = (page.receive_json().await, page.receive_json().await);
    assert_eq!(
        (&third["html"], &third["seq"], &third["position"]),
        (&"3".into(), &Value::Null, &Value::Null),
        "only the last patch has the position"
    );
    assert_eq!(
        (&fourth["html"], &fourth["seq"], &fourth["feed"], &fourth["position"]),
        (&"4".into(), &4.into(), &"room".into(), &format!("room:{epoch}.4").into())
    );
    page.receive_nothing().await;
    assert_eq!(lines.reads(), [Some(2)]);
}

#[tokio::test]
async fn followers_at_one_position_are_brought_up_to_date_by_one_read_and_one_rendering() {
    const PAGES: u64 = 20;
    let (bellwire, lines) = (bellwire(), lines(3));
    let at = format!("{}.1", bellwire.layer().epoch());
    // Half of them wait for the read in progress, and half of them return a moment later.
    let together = (0..PAGES / 2).map(|_| returning(&bellwire, &at, &lines));
    let mut pages = join_all(together).await;
    for _ in 0..PAGES / 2 {
        pages.push(returning(&bellwire, &at, &lines).await);
    }
    for page in &mut pages {
        assert_eq!(receive_lines(page, 2).await, ["2", "3"]);
    }
    let counts = bellwire.layer().counts();
    assert_eq!((counts.catch_ups, counts.feed_reads, counts.encodings), (PAGES, 1, 1));
    assert_eq!(lines.reads(), [Some(1)]);

    lines.publish(bellwire.layer(), "4");
    for page in &mut pages {
        assert_eq!(receive_lines(page, 1).await, ["4"]);
    }
    let mut later = returning(&bellwire, &at, &lines).await;
    assert_eq!(receive_lines(&mut later, 3).await, ["2", "3", "4"]);
    assert_eq!(lines.reads(), [Some(1); 2], "a change ends the use of an earlier result");
}

#[tokio::test]
async fn a_page_at_a_position_of_an_unknown_history_receives_the_whole_list() {
    let (bellwire, lines) = (bellwire(), lines(3));
    for unknown in [format!("{}.2", Epoch::random()), "2".into(), "nonsense".into()] {
        let mut page = returning(&bellwire, &unknown, &lines).await;
        assert_eq!(receive_lines(&mut page, 3).await, ["1", "2", "3"], "{unknown}");
    }
    assert_eq!(lines.reads()[0], None);
}

#[tokio::test]
async fn a_page_of_an_earlier_process_receives_only_what_it_missed_if_the_feed_knows_its_epoch() {
    let (bellwire, lines, earlier) = (bellwire(), lines(3), Epoch::random());
    *lines.epochs.lock().unwrap() = Epochs::new([(earlier, 1)]);
    let mut page = returning(&bellwire, &format!("{earlier}.2"), &lines).await;
    assert_eq!(receive_lines(&mut page, 1).await, ["3"]);
    lines.publish(bellwire.layer(), "4");
    assert_eq!(receive_lines(&mut page, 1).await, ["4"], "the numbers go on");
    assert_eq!(lines.reads(), [Some(2)]);
}

#[tokio::test]
async fn a_page_that_has_seen_changes_which_a_restored_history_lacks_receives_the_whole_list() {
    let (bellwire, lines, earlier) = (bellwire(), lines(5), Epoch::random());
    *lines.epochs.lock().unwrap() = Epochs::new([(earlier, 1)]);
    lines.restore(3);
    let mut page = returning(&bellwire, &format!("{earlier}.5"), &lines).await;
    assert_eq!(receive_lines(&mut page, 3).await, ["1", "2", "3"], "nothing is written since");

    *lines.epochs.lock().unwrap() = Epochs::new([(earlier, 1), (bellwire.layer().epoch(), 4)]);
    for line in ["other 4", "other 5", "other 6"] {
        lines.publish(bellwire.layer(), line);
    }
    receive_lines(&mut page, 3).await;
    for seen in [4, 5] {
        let mut page = returning(&bellwire, &format!("{earlier}.{seen}"), &lines).await;
        let expected = ["1", "2", "3", "other 4", "other 5", "other 6"];
        assert_eq!(receive_lines(&mut page, 6).await, expected, "seen up to {seen}");
    }
    let mut page = returning(&bellwire, &format!("{earlier}.3"), &lines).await;
    let expected = ["other 4", "other 5", "other 6"];
    assert_eq!(receive_lines(&mut page, 3).await, expected, "it has seen nothing that was lost");
}

#[tokio::test]
async fn an_open_page_receives_the_whole_list_after_the_storage_was_replaced_under_the_process() {
    let (bellwire, lines) = (bellwire(), lines(5));
    let mut page = Communicator::connect(&bellwire, Member::follower(&lines)).await;
    receive_lines(&mut page, 5).await;
    lines.restore(3);
    bellwire.layer().renew_epoch();
    lines.publish(bellwire.layer(), "other 4");
    assert_eq!(receive_lines(&mut page, 4).await, ["1", "2", "3", "other 4"]);
    lines.publish(bellwire.layer(), "other 5");
    assert_eq!(receive_lines(&mut page, 1).await, ["other 5"]);
}

#[tokio::test]
async fn a_missing_number_is_filled_before_the_next_one_and_nothing_is_repeated() {
    let (bellwire, lines) = (bellwire(), Lines::default());
    let mut page = Communicator::connect(&bellwire, Member::follower(&lines)).await;
    let feed = lines.feed(bellwire.layer());
    feed.publish(lines.write("1"), Lines::patch("1"));
    let second = lines.write("2");
    let third = lines.write("3");
    feed.publish(third, Lines::patch("3"));
    feed.publish(second, Lines::patch("2"));
    feed.publish(third, Lines::patch("3"));
    assert_eq!(receive_lines(&mut page, 3).await, ["1", "2", "3"]);
}

#[tokio::test]
async fn a_slow_reader_catches_up_from_the_source_of_truth() {
    let limits = Limits { queue_messages: 8, ..Limits::default() };
    let (bellwire, lines) = (with_limits(limits), Lines::default());
    let mut page = Communicator::connect(&bellwire, Member::follower(&lines)).await;
    let expected: Vec<String> = (1..=100).map(|i| i.to_string()).collect();
    for line in &expected {
        lines.publish(bellwire.layer(), line);
    }
    assert!(bellwire.layer().counts().overflows > 0, "the queue was too short");
    assert_eq!(receive_lines(&mut page, 100).await, expected);
}

#[tokio::test]
async fn concurrent_writers_give_every_reader_the_same_order() {
    let (bellwire, lines) = (bellwire(), Lines::default());
    let mut pages = Vec::new();
    for _ in 0..5 {
        pages.push(Communicator::connect(&bellwire, Member::follower(&lines)).await);
    }
    let writers = (0..8).map(|writer| {
        let (feed, lines) = (lines.feed(bellwire.layer()), lines.clone());
        tokio::spawn(async move {
            for i in 0..25 {
                let line = format!("{writer}-{i}");
                let seq = lines.write(&line);
                // Another writer may publish in between.
                tokio::task::yield_now().await;
                feed.publish(seq, Lines::patch(&line));
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let first = receive_lines(&mut pages[0], 200).await;
    for page in &mut pages[1..] {
        assert_eq!(receive_lines(page, 200).await, first);
    }
}

const LIST: Topic<u8> = Topic::new("list");

/// Lines whose reads end once for each permit. Reports when they are read.
#[derive(Clone)]
struct GatedLines {
    lines: Lines,
    started: mpsc::UnboundedSender<()>,
    permits: Arc<Semaphore>,
}

impl FeedSource for GatedLines {
    async fn catch_up(&self, since: Option<Seq>, audience: &str) -> Result<CatchUp, Error> {
        let caught_up = self.lines.catch_up(since, audience).await;
        let _ = self.started.send(());
        self.permits.acquire().await.unwrap().forget();
        caught_up
    }
}

/// Follows the feed on any message; on `publish`, publishes a line and follows the feed again.
struct Hasty(Feed<NoEvents, GatedLines>);

impl Consumer for Hasty {
    type Action = String;
    type Event = ();
    type Error = Error;

    async fn receive(&mut self, socket: &mut Socket<Self>, text: String) -> Result<(), Error> {
        if text == "publish" {
            self.0.publish(self.0.source().lines.write("1"), Lines::patch("1"));
            socket.leave(&self.0);
        }
        socket.follow(&self.0);
        Ok(())
    }
}

#[tokio::test]
async fn a_page_that_follows_after_a_change_does_not_share_a_read_that_began_before_it() {
    let bellwire = bellwire();
    let (started, mut reads) = mpsc::unbounded_channel();
    let permits = Arc::new(Semaphore::new(0));
    let source = GatedLines { lines: Lines::default(), started, permits: permits.clone() };
    let feed = bellwire.layer().feed(LIST.of(1), source);
    let path = format!("/?since=list.1:{}.0", bellwire.layer().epoch());
    let connect = || Communicator::to(&bellwire, &path).connect(Hasty(feed.clone()));
    let (mut early, mut late) = (connect().await, connect().await);
    early.send_text("follow").await;
    within("the first read", reads.recv()).await;
    feed.publish(feed.source().lines.write("1"), Lines::patch("1"));
    late.send_text("follow").await;
    within("the second read", reads.recv()).await;
    permits.add_permits(2);
    for page in [&mut early, &mut late] {
        assert_eq!(receive_lines(page, 1).await, ["1"]);
    }
}

#[tokio::test]
async fn a_read_that_ended_before_a_change_is_not_the_result_of_one_that_began_after_it() {
    let bellwire = bellwire();
    let (started, mut reads) = mpsc::unbounded_channel();
    let permits = Arc::new(Semaphore::new(0));
    let source = GatedLines { lines: Lines::default(), started, permits: permits.clone() };
    let feed = bellwire.layer().feed(LIST.of(1), source);
    let path = format!("/?since=list.1:{}.0", bellwire.layer().epoch());
    let connect = || Communicator::to(&bellwire, &path).connect(Hasty(feed.clone()));
    let (mut hasty, mut other) = (connect().await, connect().await);
    for page in [&mut hasty, &mut other] {
        page.send_text("follow").await;
    }
    within("the first read", reads.recv()).await;
    // It runs in the same poll as the end of the first read, and so before the other page goes on.
    hasty.send_text("publish").await;
    permits.add_permits(1);
    within("the second read", reads.recv()).await;
    permits.add_permits(1);
    for page in [&mut hasty, &mut other] {
        assert_eq!(receive_lines(page, 1).await, ["1"]);
    }
    permits.add_permits(1);
    let mut late = connect().await;
    late.send_text("follow").await;
    assert_eq!(receive_lines(&mut late, 1).await, ["1"]);
}

#[tokio::test]
async fn a_committed_change_is_published_although_its_caller_is_dropped() {
    let (bellwire, lines) = (bellwire(), Lines::default());
    let mut page = Communicator::connect(&bellwire, Member::follower(&lines)).await;
    let (feed, go) = (lines.feed(bellwire.layer()), Arc::new(Semaphore::new(0)));
    let (written, may_write) = (lines.clone(), go.clone());
    let commit = feed.commit(async move {
        may_write.acquire().await?.forget();
        let change = Change { seq: written.write("1"), patch: Lines::patch("1"), value: () };
        Ok::<_, Error>(change)
    });
    assert!(commit.now_or_never().is_none(), "it waits, and its caller is dropped");
    page.receive_nothing().await;
    go.add_permits(1);
    assert_eq!(receive_lines(&mut page, 1).await, ["1"]);
}

#[tokio::test]
async fn a_commit_returns_its_value_and_publishes_nothing_after_an_error() {
    let (bellwire, lines) = (bellwire(), Lines::default());
    let mut page = Communicator::connect(&bellwire, Member::follower(&lines)).await;
    let feed = lines.feed(bellwire.layer());
    let refused = feed.commit(async { Err::<Change<u8>, _>(Error::refused("no")) }).await;
    assert_eq!(refused.unwrap_err().to_string(), "no");
    page.receive_nothing().await;
    let change = Change { seq: lines.write("1"), patch: Lines::patch("1"), value: 7 };
    assert_eq!(feed.commit(async { Ok::<_, Error>(change) }).await.unwrap(), 7);
    assert_eq!(receive_lines(&mut page, 1).await, ["1"]);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_for_a_commit_whose_caller_is_gone() {
    let (bellwire, lines) = (bellwire(), Lines::default());
    let (feed, written) = (lines.feed(bellwire.layer()), lines.clone());
    let commit = feed.commit(async move {
        tokio::time::sleep(PATIENCE / 2).await;
        Ok::<_, Error>(Change { seq: written.write("1"), patch: Lines::patch("1"), value: () })
    });
    assert!(commit.now_or_never().is_none());
    assert!(bellwire.shutdown(PATIENCE).await);
    assert_eq!(lines.write("2"), 2, "the first line is written");
}

/// A page that follows a journal.
struct JournalReader;

fn journal(bellwire: &Bellwire) -> Feed<NoEvents, Journal> {
    bellwire.layer().journal(LIST.of(1), 3)
}

impl Consumer for JournalReader {
    type Action = Frame;
    type Event = ();
    type Error = Error;

    async fn connect(&mut self, socket: &mut Socket<Self>) -> Result<(), Error> {
        let journal = socket.layer().journal(LIST.of(1), 3);
        socket.follow(&journal);
        Ok(())
    }

    async fn receive(&mut self, _: &mut Socket<Self>, _: Frame) -> Result<(), Error> {
        Ok(())
    }
}

/// A page of this audience that follows the journal.
async fn reader(bellwire: &Bellwire, path: &str, audience: Option<&str>) -> Communicator {
    let mut builder = Communicator::to(bellwire, path);
    if let Some(audience) = audience {
        builder = builder.audience(audience);
    }
    builder.connect(JournalReader).await
}

/// Counts the renderings for each audience.
#[derive(Clone, Default)]
struct Renderings(Arc<Mutex<HashMap<String, usize>>>);

impl Renderings {
    fn render(&self, audience: &str) -> Patch {
        *self.0.lock().unwrap().entry(audience.to_owned()).or_default() += 1;
        Patch::append("#list", Html::text(&format!("for `{audience}`")))
    }

    fn of(&self, audience: &str) -> usize {
        self.0.lock().unwrap().get(audience).copied().unwrap_or_default()
    }
}

#[tokio::test]
async fn a_change_is_rendered_once_for_each_audience_that_is_present() {
    let bellwire = bellwire();
    let audiences = [Some("en"), Some("de"), None];
    let mut pages = Vec::new();
    for audience in audiences.into_iter().cycle().take(12) {
        pages.push((audience.unwrap_or_default(), reader(&bellwire, "/", audience).await));
    }
    let renderings = Renderings::default();
    let (first, second) = (renderings.clone(), renderings.clone());
    journal(&bellwire).append_by(move |audience| first.render(audience));
    // A second number, published by hand.
    journal(&bellwire).publish_by(2, move |audience| second.render(audience));
    for (audience, page) in &mut pages {
        let expected = format!("for `{audience}`");
        assert_eq!(receive_lines(page, 2).await, [expected.clone(), expected]);
    }
    for audience in ["en", "de", ""] {
        assert_eq!(renderings.of(audience), 2, "once for each change: `{audience}`");
    }
    assert_eq!(renderings.of("fr"), 0, "nobody reads French");
}

#[tokio::test]
async fn a_journal_gives_a_returning_page_what_it_missed_and_reloads_one_that_missed_too_much() {
    let bellwire = bellwire();
    let journal = journal(&bellwire);
    for line in 1..=5 {
        assert_eq!(journal.append(Lines::patch(&line.to_string())), line);
    }
    assert_eq!(journal.head().to_string(), format!("{}.5", bellwire.layer().epoch()));
    let at = |seq: Seq| format!("/?since=list.1:{}.{seq}", bellwire.layer().epoch());
    let mut page = reader(&bellwire, &at(3), None).await;
    assert_eq!(receive_lines(&mut page, 2).await, ["4", "5"]);
    for path in [at(1), format!("/?since=list.1:{}.4", Epoch::random())] {
        let mut page = reader(&bellwire, &path, None).await;
        assert_eq!(page.receive_json::<Value>().await["reload"], true, "{path}");
        page.receive_nothing().await;
    }
    let mut new = reader(&bellwire, "/", None).await;
    new.receive_nothing().await;
    journal.append(Lines::patch("6"));
    assert_eq!(receive_lines(&mut new, 1).await, ["6"]);
}

/// As after a restart of a server with one busy room.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_windows_that_return_at_once_cost_one_read_and_one_rendering() {
    const WINDOWS: usize = 10_000;
    let (bellwire, lines) = (bellwire(), Lines::default());
    for number in 1..=50 {
        lines.publish(bellwire.layer(), &format!("line {number}"));
    }
    let at = FeedPosition { epoch: bellwire.layer().epoch(), seq: 40 };
    let before = bellwire.layer().counts();
    let path = format!("/?since=room:{at}");
    let windows = (0..WINDOWS).map(|_| {
        let window = Communicator::to(&bellwire, &path).dialect(Dialect::Htmx);
        window.connect(Member::follower(&lines))
    });
    let windows = join_all(windows).await;
    let after = bellwire.layer().counts();
    assert_eq!(lines.reads(), [Some(40)]);
    assert_eq!(after.feed_reads - before.feed_reads, 1);
    assert_eq!(after.encodings - before.encodings, 1);
    assert_eq!(after.catch_ups - before.catch_ups, WINDOWS as u64);
    for mut window in windows {
        let received = window.receive_text().await;
        assert!(received.contains("line 41") && received.contains("line 50"), "{received}");
        assert!(!received.contains("line 40"), "{received}");
    }
}
