//! Every window is told that there is something new: at once when it was quiet, and at most five times a second when it is busy.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bellwire::{ChannelName, Group, GroupName, Layer, Patch};
use bellwire_site::SiteState;

use crate::Event;

/// How long changes are gathered after the last that was told. So often at most a list is read and rendered anew.
const GATHER: Duration = Duration::from_millis(200);

/// All windows.
pub(crate) fn windows(layer: &Layer) -> Group<Event> {
    layer.group(GroupName::of("social.windows", 0))
}

/// The windows in which this message is being edited.
pub(crate) fn editors(layer: &Layer, message: i64) -> Group<Event> {
    layer.group(GroupName::of("social.editors", message))
}

/// Tells those who edit this message, except in the window from where it was changed.
pub(crate) fn tell_editors(site: &SiteState, message: i64, by: Option<ChannelName>, note: Patch) {
    let editors = editors(site.bellwire().layer(), message);
    match by {
        Some(window) => editors.patch_except(window, note),
        None => editors.patch(note),
    }
}

#[derive(Default)]
struct News(Mutex<State>);

#[derive(Default)]
struct State {
    /// The number of the newest change, and of the one that was told last.
    newest: i64,
    told: i64,
    /// Whether somebody is about to tell.
    telling: bool,
}

impl News {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether nobody is about to tell it.
    fn put(&self, seq: i64) -> bool {
        let mut state = self.lock();
        state.newest = state.newest.max(seq);
        !std::mem::replace(&mut state.telling, true)
    }

    /// What is to be told, or the end of telling.
    fn take(&self) -> Option<i64> {
        let mut state = self.lock();
        state.telling = state.newest > state.told;
        state.told = state.newest;
        state.telling.then_some(state.newest)
    }
}

/// Tells every window of the change with this number.
pub(crate) fn tell(site: &SiteState, seq: i64) {
    let news = site.own::<News>();
    if news.put(seq) {
        let site = site.clone();
        tokio::spawn(async move {
            while let Some(seq) = news.take() {
                windows(site.bellwire().layer()).send(Event::Changed { seq });
                tokio::time::sleep(GATHER).await;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_changes_are_told_once_and_none_is_forgotten() {
        let news = News::default();
        assert!(news.put(1), "the first has to tell");
        assert!(!news.put(2) && !news.put(3), "somebody tells already");
        assert_eq!(news.take(), Some(3));
        assert!(!news.put(4));
        assert_eq!(news.take(), Some(4));
        assert_eq!(news.take(), None);
        assert!(news.put(5), "nobody tells any more");
    }
}
