//! [`Journal`]: the last changes of a feed, kept in memory.

use std::collections::VecDeque;
use std::fmt;

use crate::feed::{CatchUp, FeedSource};
use crate::outbound::Render;
use crate::position::Seq;
use crate::sync::{Mutex, MutexGuard, PoisonError};
use crate::{Error, Patch};

/// A source that numbers changes itself and keeps the last ones in memory, for feeds whose changes
/// are in no table. [`Layer::journal`](crate::Layer::journal) makes it.
///
/// A page that missed more than it keeps, or that was opened before this process started, is
/// reloaded. A page without a position receives only what comes after it connects.
pub struct Journal {
    state: Mutex<State>,
    /// The number of changes that are kept.
    last: usize,
}

#[derive(Default)]
struct State {
    changes: VecDeque<Render>,
    head: Seq,
}

impl Journal {
    pub(crate) fn new(last: usize) -> Self {
        Self { state: Mutex::default(), last }
    }

    /// Numbers and keeps a change, and calls `publish` before the next one is numbered.
    pub(super) fn append(&self, render: Render, publish: impl FnOnce(Seq, Render)) -> Seq {
        let mut state = self.lock();
        state.head += 1;
        state.changes.push_back(render.clone());
        if state.changes.len() > self.last {
            state.changes.pop_front();
        }
        publish(state.head, render);
        state.head
    }

    /// The number of the last change.
    pub fn head(&self) -> Seq {
        self.lock().head
    }

    fn after(&self, since: Option<Seq>, audience: &str) -> CatchUp {
        let state = self.lock();
        let first = state.head - Seq::try_from(state.changes.len()).unwrap_or(Seq::MAX);
        let patches = match since {
            None => Vec::new(),
            Some(since) if (first..=state.head).contains(&since) => {
                let skipped = usize::try_from(since - first).unwrap_or(usize::MAX);
                state.changes.iter().skip(skipped).flat_map(|render| render(audience)).collect()
            }
            Some(_) => vec![Patch::reload()],
        };
        CatchUp { patches, seq: state.head }
    }

    // A panic while the lock is held leaves a valid list.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FeedSource for Journal {
    async fn catch_up(&self, since: Option<Seq>, audience: &str) -> Result<CatchUp, Error> {
        Ok(self.after(since, audience))
    }

    async fn reset(&self, _: &str) -> Result<CatchUp, Error> {
        Ok(CatchUp { patches: vec![Patch::reload()], seq: self.head() })
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("head", &self.head()).field("last", &self.last).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::Html;

    fn journal(changes: usize, last: usize) -> Journal {
        let journal = Journal::new(last);
        for number in 1..=changes {
            let render = Arc::new(move |audience: &str| {
                vec![Patch::append("#list", Html::text(&format!("{number}{audience}")))]
            });
            journal.append(render, |_, _| {});
        }
        journal
    }

    fn shown(journal: &Journal, since: Option<Seq>) -> (Vec<String>, Seq) {
        let CatchUp { patches, seq } = journal.after(since, "!");
        (patches.iter().map(|patch| patch.html.as_str().to_owned()).collect(), seq)
    }

    #[test]
    fn a_page_receives_the_changes_after_its_position_for_its_audience() {
        let journal = journal(5, 3);
        assert_eq!(shown(&journal, Some(2)), (vec!["3!".into(), "4!".into(), "5!".into()], 5));
        assert_eq!(shown(&journal, Some(4)), (vec!["5!".into()], 5));
        assert_eq!(shown(&journal, Some(5)), (vec![], 5));
        assert_eq!(shown(&journal, None), (vec![], 5), "it shows what it was rendered with");
    }

    #[test]
    fn a_page_that_missed_more_than_is_kept_is_reloaded() {
        for since in [0, 1, 6] {
            let CatchUp { patches, seq } = journal(5, 3).after(Some(since), "");
            assert_eq!((patches, seq), (vec![Patch::reload()], 5), "since {since}");
        }
    }
}
