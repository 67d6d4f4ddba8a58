//! [`Feed`]: the handle to a numbered group and its source.

use std::fmt;
use std::ops::Deref;
use std::panic::resume_unwind;
use std::sync::Arc;

use crate::feed::{FeedSource, Journal};
use crate::layer::GroupHandle;
use crate::outbound::{Render, Send};
use crate::position::{FeedPosition, Seq};
use crate::topic::{Event, Group, Joinable, Named, NoEvents};
use crate::{GroupName, Layer, Patch};

/// A group whose changes are numbered, and the source from which a page receives those that it
/// missed. [`Layer::feed`](crate::Layer::feed) makes it; cheap to clone.
///
/// A feed is also a [group](GroupHandle), so everything that can be sent to a group can be sent to
/// it.
///
/// ```
/// use bellwire::{Html, Layer, Patch, Topic};
///
/// const BIDS: Topic<u32> = Topic::new("bids");
///
/// let layer = Layer::memory();
/// // The last 100 changes, kept in memory.
/// let bids = layer.journal(BIDS.of(7), 100);
/// bids.append(Patch::append("#bids", Html::text("Ada: 120")));
/// ```
pub struct Feed<E = NoEvents, S = Journal> {
    group: GroupHandle<E>,
    source: Arc<S>,
}

/// A change that was written, to be published; see [`Feed::commit`].
#[derive(Debug)]
pub struct Change<T = ()> {
    /// The number of the change.
    pub seq: Seq,
    /// The patch that shows it.
    pub patch: Patch,
    /// The result for the caller.
    pub value: T,
}

impl Layer {
    /// The feed of a group, whose changes are numbered in `source`.
    pub fn feed<E, S: FeedSource>(&self, group: Group<E>, source: S) -> Feed<E, S> {
        Feed::new(self.group(group), Arc::new(source))
    }

    /// The feed of a group, whose changes are numbered here and of which the `last` ones are kept in
    /// memory. The same group has the same journal until the process ends; `last` counts at the
    /// first call.
    pub fn journal<E>(&self, group: Group<E>, last: usize) -> Feed<E, Journal> {
        let journal = self.journal_of(group.name(), last);
        Feed::new(self.group(group), journal)
    }
}

impl<E, S: FeedSource> Feed<E, S> {
    fn new(group: GroupHandle<E>, source: Arc<S>) -> Self {
        Self { group, source }
    }

    /// The source.
    pub fn source(&self) -> &Arc<S> {
        &self.source
    }

    /// Publishes a patch as change number `seq`. Each follower receives it once and in order; one
    /// that misses earlier numbers receives them first, from the source. Publish in the order of
    /// the commits.
    ///
    /// A connection's publishes are delivered as a [`batch`](crate::batch()), when it waits again or
    /// sends anything else to a group or a channel.
    pub fn publish(&self, seq: Seq, patch: Patch) {
        self.group.send_raw(Send::Patches(vec![patch], Some(seq)), None);
    }

    /// Publishes change number `seq`, rendered once for each audience that is present; see
    /// [`Live::audience`](crate::Live::audience). Other processes render it from the source.
    pub fn publish_by(
        &self,
        seq: Seq,
        render: impl Fn(&str) -> Patch + std::marker::Send + Sync + 'static,
    ) {
        let render = Arc::new(move |audience: &str| vec![render(audience)]);
        self.group.send_raw(Send::Rendered(render, seq), None);
    }

    /// Runs a write to its end and publishes its change, also if the caller is dropped meanwhile: by
    /// a kick, a stop, a time limit, or because the client has gone. What is committed is then
    /// always published.
    ///
    /// The write runs on a task of its own, for which a shutdown waits.
    ///
    /// ```
    /// # use bellwire::{Change, Error, Html, Layer, Patch, Topic};
    /// # const BIDS: Topic<u32> = Topic::new("bids");
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Error> {
    /// # let bids = Layer::memory().journal(BIDS.of(7), 100);
    /// let amount = bids
    ///     .commit(async {
    ///         // begin, insert, take the next number, commit
    ///         let patch = Patch::append("#bids", Html::text("Ada: 120"));
    ///         Ok::<_, Error>(Change { seq: 1, patch, value: 120 })
    ///     })
    ///     .await?;
    /// assert_eq!(amount, 120);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of the write; nothing is published then.
    ///
    /// # Panics
    /// If the write panics, or outside of a tokio runtime.
    pub async fn commit<T, Err>(
        &self,
        write: impl Future<Output = Result<Change<T>, Err>> + std::marker::Send + 'static,
    ) -> Result<T, Err>
    where
        E: 'static,
        T: std::marker::Send + 'static,
        Err: std::marker::Send + 'static,
    {
        let feed = self.clone();
        let written = self.group.layer().writes().spawn(async move {
            let Change { seq, patch, value } = write.await?;
            feed.publish(seq, patch);
            Ok(value)
        });
        match written.await {
            Ok(result) => result,
            // The task is never aborted, so it panicked.
            Err(error) => resume_unwind(error.into_panic()),
        }
    }

    /// The position of change number `seq`, for the attribute `data-seq` of the list in a page. The
    /// element also has `data-feed`, with the name of the feed.
    ///
    /// # Errors
    /// Those of [`FeedSource::epochs`].
    pub async fn position(&self, seq: Seq) -> Result<FeedPosition, crate::Error> {
        Ok(self.source.epochs().await?.position(seq, self.group.layer().epoch()))
    }
}

impl<E> Feed<E, Journal> {
    /// Numbers a patch, keeps it in the journal, and publishes it. Returns its number.
    pub fn append(&self, patch: Patch) -> Seq {
        self.append_by(move |_| patch.clone())
    }

    /// Numbers a change, keeps it, and publishes it, rendered once for each audience that is
    /// present. Returns its number.
    pub fn append_by(
        &self,
        render: impl Fn(&str) -> Patch + std::marker::Send + Sync + 'static,
    ) -> Seq {
        let render: Render = Arc::new(move |audience: &str| vec![render(audience)]);
        // Under the journal's lock, so that changes are published in the order of their numbers.
        self.source.append(render, |seq, render| {
            self.group.send_raw(Send::Rendered(render, seq), None);
        })
    }

    /// The position of the journal's last change, for the attribute `data-seq` of the list in a
    /// page that shows all changes so far.
    pub fn head(&self) -> FeedPosition {
        FeedPosition { epoch: self.group.layer().epoch(), seq: self.source.head() }
    }
}

impl<E, S> Deref for Feed<E, S> {
    type Target = GroupHandle<E>;

    fn deref(&self) -> &GroupHandle<E> {
        &self.group
    }
}

impl<E, S> Clone for Feed<E, S> {
    fn clone(&self) -> Self {
        Self { group: self.group.clone(), source: self.source.clone() }
    }
}

impl<E, S> fmt::Debug for Feed<E, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Feed({})", self.group.name())
    }
}

impl<E, S> Named for Feed<E, S> {
    fn group_name(&self) -> &GroupName {
        self.group.name()
    }
}

impl<E: Event, S> Joinable<E> for Feed<E, S> {}
impl<E: Event, S> Joinable<E> for Feed<NoEvents, S> {}
