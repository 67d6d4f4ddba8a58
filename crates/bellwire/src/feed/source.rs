//! Sources of feeds: the storage in which an app numbers its changes.

use std::future::{Future, ready};
use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::position::{Epochs, Seq};
use crate::{Error, Patch};

/// The source of a feed: your own table, or a [`Journal`](crate::Journal).
///
/// The framework asks it when a page follows the feed, returns after an interruption, or missed a
/// number. Pages that stand at the same position are brought up to date by one call, whose result
/// they share, so the source must not depend on who asks.
///
/// ```
/// use bellwire::{CatchUp, Error, FeedSource, Html, Layer, Patch, Seq, Topic};
///
/// const LINES: Topic<u8> = Topic::new("lines");
///
/// /// A list that never changes.
/// struct Lines(&'static [&'static str]);
///
/// impl FeedSource for Lines {
///     async fn catch_up(&self, since: Option<Seq>, _: &str) -> Result<CatchUp, Error> {
///         let lines = self.0.iter().skip(usize::try_from(since.unwrap_or(0))?);
///         let patches = lines.map(|line| Patch::append("#lines", Html::text(line))).collect();
///         Ok(CatchUp { patches, seq: Seq::try_from(self.0.len())? })
///     }
/// }
///
/// let feed = Layer::memory().feed(LINES.of(1), Lines(&["one", "two"]));
/// # let _ = feed;
/// ```
pub trait FeedSource: Send + Sync + 'static {
    /// Returns everything after number `since` as patches, and the number reached.
    ///
    /// `since` is `None` if the page does not know its position. Then the patches must replace the
    /// whole list that the page may show. Also replace the list if `since` is too far behind. The
    /// patches are sent as one unit, so that a page is either brought up to date or not.
    ///
    /// `audience` is the one of [`Live::audience`](crate::Live::audience); empty by default.
    ///
    /// # Errors
    /// An error is logged and closes the connection with 1013, and the browser reconnects.
    fn catch_up(
        &self,
        since: Option<Seq>,
        audience: &str,
    ) -> impl Future<Output = Result<CatchUp, Error>> + Send;

    /// Returns the patches for a page whose position is not one of this history: a backup was
    /// restored, for example. By default they replace the whole list.
    ///
    /// # Errors
    /// As for [`catch_up`](Self::catch_up).
    fn reset(&self, audience: &str) -> impl Future<Output = Result<CatchUp, Error>> + Send {
        self.catch_up(None, audience)
    }

    /// Returns the epochs under which the feed was written. By default only positions of this
    /// process are known, and after a restart every page receives its list again.
    fn epochs(&self) -> impl Future<Output = Result<Epochs, Error>> + Send {
        ready(Ok(Epochs::default()))
    }
}

/// The changes that a page missed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatchUp {
    /// The changes, in the order in which to show them.
    pub patches: Vec<Patch>,
    /// The number of the last change among them.
    pub seq: Seq,
}

/// A [`FeedSource`] of any type.
pub(crate) trait ErasedSource: Send + Sync {
    fn catch_up<'a>(
        &'a self,
        since: Option<Seq>,
        audience: &'a str,
    ) -> BoxFuture<'a, Result<CatchUp, Error>>;
    fn reset<'a>(&'a self, audience: &'a str) -> BoxFuture<'a, Result<CatchUp, Error>>;
    fn epochs(&self) -> BoxFuture<'_, Result<Epochs, Error>>;
}

impl<S: FeedSource> ErasedSource for S {
    fn catch_up<'a>(
        &'a self,
        since: Option<Seq>,
        audience: &'a str,
    ) -> BoxFuture<'a, Result<CatchUp, Error>> {
        Box::pin(FeedSource::catch_up(self, since, audience))
    }

    fn reset<'a>(&'a self, audience: &'a str) -> BoxFuture<'a, Result<CatchUp, Error>> {
        Box::pin(FeedSource::reset(self, audience))
    }

    fn epochs(&self) -> BoxFuture<'_, Result<Epochs, Error>> {
        Box::pin(FeedSource::epochs(self))
    }
}

pub(crate) fn erase<S: FeedSource>(source: &Arc<S>) -> Arc<dyn ErasedSource> {
    source.clone()
}
