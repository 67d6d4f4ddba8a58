//! Catch-ups in progress and recent ones: all pages that stand at one position of a feed are
//! brought up to date by one read and one rendering.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use tokio::time::Instant;

use crate::feed::ErasedSource;
use crate::handler_future::{HandlerFailure, with_timeout};
use crate::layer_counters::Counters;
use crate::outbound::EncodedPatches;
use crate::position::{Epoch, FeedPosition, Position, Seq};
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{Arc, Mutex, MutexGuard, PoisonError};
use crate::{Error, GroupName};

/// The time for which a result is kept for further pages: after a restart they return over some
/// seconds. A change of the feed drops it at once.
const KEPT: Duration = Duration::from_secs(10);
/// The interval at which results that are too old are dropped.
const SWEEP: Duration = Duration::from_secs(1);
/// The bytes of all results that are kept. Beyond it, all are dropped.
const KEPT_BYTES: usize = 8 * 1024 * 1024;

/// The result of a catch-up, shared by all who wait for it.
type Outcome = Result<Arc<EncodedPatches>, Arc<HandlerFailure>>;
type Running = Shared<BoxFuture<'static, Outcome>>;

/// The catch-ups of one process.
#[derive(Default)]
pub(crate) struct CatchUps {
    feeds: Mutex<Feeds>,
    /// The number of feeds in it: a publish takes the lock only if there are any.
    count: AtomicUsize,
}

#[derive(Default)]
struct Feeds {
    by_name: HashMap<GroupName, FeedReads>,
    kept_bytes: usize,
    last_sweep: Option<Instant>,
}

/// The reads of one feed.
#[derive(Default)]
struct FeedReads {
    /// The highest published number that a page of these reads knows of.
    head: Seq,
    reads: Vec<Read>,
}

struct Read {
    from: From,
    state: State,
    /// The connections that wait for it.
    waiting: usize,
}

/// The start of a catch-up. Reads with the same start have the same result.
#[derive(Clone, PartialEq, Eq)]
struct From {
    since: Option<FeedPosition>,
    audience: Arc<str>,
}

enum State {
    Running(Running),
    Done(Arc<EncodedPatches>, Instant),
}

/// A request to bring a page up to date.
pub(crate) struct Request {
    pub(crate) feed: GroupName,
    pub(crate) since: Option<FeedPosition>,
    /// The highest published number that the page knows of.
    pub(crate) head: Seq,
    pub(crate) audience: Arc<str>,
    pub(crate) source: Arc<dyn ErasedSource>,
    /// The current epoch of the process.
    pub(crate) epoch: Epoch,
    pub(crate) time_limit: Duration,
    pub(crate) counters: Arc<Counters>,
}

impl CatchUps {
    /// Answers a request: by a recent result, by a read in progress, or by a new one.
    pub(crate) async fn get(&self, request: Request) -> Outcome {
        let feed = request.feed.clone();
        let from = From { since: request.since, audience: request.audience.clone() };
        let running = match self.lock().begin(&feed, &from, request) {
            State::Done(result, _) => return Ok(result),
            State::Running(running) => running,
        };
        let waiting = Waiting { catch_ups: self, feed: &feed, running: &running };
        self.count_feeds();
        let outcome = running.clone().await;
        self.lock().end(&feed, &running, &outcome);
        drop(waiting);
        outcome
    }

    /// Drops the reads of a feed that has a new change, or that may have one of which this process
    /// has not heard. Reads in progress go on for the pages that wait for them: those have joined
    /// the group and receive the change by it. A page that joins later needs another read.
    pub(crate) fn forget(&self, feed: &GroupName) {
        if self.count.load(Ordering::Acquire) == 0 {
            return;
        }
        self.lock().forget(feed);
        self.count_feeds();
    }

    fn count_feeds(&self) {
        self.count.store(self.lock().by_name.len(), Ordering::Release);
    }

    // A panic while the lock is held leaves valid entries.
    fn lock(&self) -> MutexGuard<'_, Feeds> {
        self.feeds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Feeds {
    /// The state of this read, which is begun if there is none.
    fn begin(&mut self, feed: &GroupName, from: &From, request: Request) -> State {
        let now = Instant::now();
        self.drop_old(now);
        let feed = self.by_name.entry(feed.clone()).or_default();
        feed.head = feed.head.max(request.head);
        if let Some(read) = feed.reads.iter_mut().find(|read| read.from == *from) {
            match &read.state {
                State::Running(running) => {
                    read.waiting += 1;
                    return State::Running(running.clone());
                }
                State::Done(result, at)
                    if result.seq() >= Some(feed.head) && is_fresh(*at, now) =>
                {
                    return State::Done(result.clone(), *at);
                }
                // It is too old, or lacks a number that was published before the read began.
                State::Done(result, _) => self.kept_bytes -= result.bytes(),
            }
        }
        feed.reads.retain(|read| read.from != *from);
        let running = read(request).boxed().shared();
        let state = State::Running(running.clone());
        feed.reads.push(Read { from: from.clone(), state, waiting: 1 });
        State::Running(running)
    }

    /// Keeps the result of a read that succeeded, unless the feed has changed since or the result
    /// lacks a published number.
    fn end(&mut self, feed: &GroupName, running: &Running, outcome: &Outcome) {
        let Some(reads) = self.by_name.get_mut(feed) else { return };
        let head = reads.head;
        // It may be forgotten or ended, and another read with the same start may have begun.
        let Some(index) = reads.reads.iter().position(|read| read.is(running)) else { return };
        match outcome {
            Ok(result) if result.seq().is_some_and(|seq| seq >= head) => {
                reads.reads[index].state = State::Done(result.clone(), Instant::now());
                self.kept_bytes += result.bytes();
            }
            _ => drop(reads.reads.remove(index)),
        }
        if self.kept_bytes > KEPT_BYTES {
            self.retain(|_| false);
        }
    }

    fn forget(&mut self, feed: &GroupName) {
        for read in self.by_name.remove(feed).unwrap_or_default().reads {
            if let State::Done(result, _) = read.state {
                self.kept_bytes -= result.bytes();
            }
        }
    }

    fn drop_old(&mut self, now: Instant) {
        if self.last_sweep.is_none_or(|last| now.saturating_duration_since(last) >= SWEEP) {
            self.last_sweep = Some(now);
            self.retain(|at| is_fresh(at, now));
        }
    }

    /// Keeps only these results, and all reads in progress.
    fn retain(&mut self, keep: impl Fn(Instant) -> bool) {
        let mut bytes = 0;
        self.by_name.retain(|_, reads| {
            reads.reads.retain(|read| match &read.state {
                State::Running(_) => true,
                State::Done(result, at) => {
                    let kept = keep(*at);
                    bytes += if kept { result.bytes() } else { 0 };
                    kept
                }
            });
            !reads.reads.is_empty()
        });
        self.kept_bytes = bytes;
    }

    /// Drops a read in progress for which nobody waits any more.
    fn stop_waiting(&mut self, feed: &GroupName, running: &Running) {
        let Some(reads) = self.by_name.get_mut(feed) else { return };
        reads.reads.retain_mut(|read| {
            if read.is(running) {
                read.waiting -= 1;
                return read.waiting > 0;
            }
            true
        });
        if reads.reads.is_empty() {
            self.by_name.remove(feed);
        }
    }
}

fn is_fresh(at: Instant, now: Instant) -> bool {
    now.saturating_duration_since(at) < KEPT
}

impl Read {
    /// Whether it is this read, which is still in progress.
    fn is(&self, running: &Running) -> bool {
        matches!(&self.state, State::Running(own) if own.ptr_eq(running))
    }
}

/// A connection that waits for a read.
struct Waiting<'a> {
    catch_ups: &'a CatchUps,
    feed: &'a GroupName,
    running: &'a Running,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.catch_ups.lock().stop_waiting(self.feed, self.running);
        self.catch_ups.count_feeds();
    }
}

/// Reads the changes, within the time limit and with panics caught.
async fn read(request: Request) -> Outcome {
    let Request { feed, since, audience, source, epoch, time_limit, counters, .. } = request;
    counters.read_feed();
    let changes = async {
        let epochs = source.epochs().await?;
        let mut caught_up = match since {
            Some(at) if !epochs.know(at, epoch) => source.reset(&audience).await?,
            since => source.catch_up(since.map(|at| at.seq), &audience).await?,
        };
        // The page has seen changes that the feed does not have: a backup was restored.
        if since.is_some_and(|at| epochs.know(at, epoch) && at.seq > caught_up.seq) {
            caught_up = source.reset(&audience).await?;
        }
        let at = epochs.position(caught_up.seq, epoch);
        Ok::<_, Error>((caught_up.patches, at))
    };
    let changes = with_timeout(time_limit, changes).await;
    let (patches, at) = changes.inspect_err(|failure| log(&feed, failure)).map_err(Arc::new)?;
    Ok(Arc::new(EncodedPatches::new(patches, Some(Position::new(feed, at)), counters.clone())))
}

/// Logs that a feed could not be read: once, however many pages wait for it.
fn log(feed: &GroupName, failure: &HandlerFailure) {
    match failure {
        HandlerFailure::Error(error) => tracing::error!(%feed, ?error, "A feed could not be read"),
        HandlerFailure::Panic(message) => {
            tracing::error!(%feed, message, "The source of a feed panicked");
        }
        HandlerFailure::Timeout => tracing::error!(%feed, "Reading a feed timed out"),
        HandlerFailure::Closed(_) => {}
    }
}
