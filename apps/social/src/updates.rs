//! Notifies every window of changes: the first one immediately, then at most five times per second.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bellwire_site::SiteState;
use bellwire_site::bellwire::{ChannelName, Coalescer, Group, GroupName, Layer, Patch};

use crate::Event;

/// The interval of updates after a notification. It also bounds how often a list is read and
/// rendered.
const DEBOUNCE: Duration = Duration::from_millis(200);

/// The group of all windows.
pub(crate) fn windows(layer: &Layer) -> Group<Event> {
    layer.group(GroupName::of("social.windows", 0))
}

/// The group of the windows that edit this message.
pub(crate) fn editors(layer: &Layer, message: i64) -> Group<Event> {
    layer.group(GroupName::of("social.editors", message))
}

/// Sends a note to the windows that edit this message, except the window that changed it.
pub(crate) fn notify_editors(site: &SiteState, message: i64, by: Option<ChannelName>, note: Patch) {
    let editors = editors(site.bellwire().layer(), message);
    match by {
        Some(window) => editors.patch_except(window, note),
        None => editors.patch(note),
    }
}

/// The number of the newest change, and the coalescer that sends it.
struct Updates {
    newest: Arc<AtomicI64>,
    coalescer: Coalescer<(), ()>,
}

impl Default for Updates {
    fn default() -> Self {
        Self { newest: Arc::default(), coalescer: Coalescer::leading(DEBOUNCE) }
    }
}

/// Notifies every window of the change with this number, coalesced.
pub(crate) fn publish(site: &SiteState, seq: i64) {
    let updates = site.own::<Updates>();
    updates.newest.fetch_max(seq, Ordering::AcqRel);
    let (newest, windows) = (updates.newest.clone(), windows(site.bellwire().layer()));
    let send = move |()| {
        windows.send(Event::Changed { seq: newest.load(Ordering::Acquire) });
        std::future::ready(())
    };
    updates.coalescer.put((), |()| {}, send);
}
