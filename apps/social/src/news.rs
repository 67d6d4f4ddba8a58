//! Every window is told that there is something new: at once when it was quiet, and at most five
//! times a second when it is busy.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bellwire_site::SiteState;
use bellwire_site::bellwire::{ChannelName, Debouncer, Group, GroupName, Layer, Patch};

use crate::Event;

/// How long changes are gathered after the last that was told. So often at most a list is read and
/// rendered anew.
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

/// The number of the newest change, and the sender that tells it.
struct News {
    newest: Arc<AtomicI64>,
    sender: Debouncer<(), ()>,
}

impl Default for News {
    fn default() -> Self {
        Self { newest: Arc::default(), sender: Debouncer::leading(GATHER) }
    }
}

/// Tells every window of the change with this number.
pub(crate) fn tell(site: &SiteState, seq: i64) {
    let news = site.own::<News>();
    news.newest.fetch_max(seq, Ordering::AcqRel);
    let (newest, windows) = (news.newest.clone(), windows(site.bellwire().layer()));
    let tell = move |()| {
        windows.send(Event::Changed { seq: newest.load(Ordering::Acquire) });
        std::future::ready(())
    };
    news.sender.put((), |()| {}, tell);
}
