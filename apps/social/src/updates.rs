//! Notifies every window of changes: the first one immediately, then at most five times per second.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bellwire_site::SiteState;
use bellwire_site::bellwire::{ChannelName, Coalescer, Patch};

use crate::Event;
use crate::models::{EDITORS, WINDOWS};

/// The interval of updates after a notification. It also bounds how often a list is read and
/// rendered.
const DEBOUNCE: Duration = Duration::from_millis(200);

/// Sends a note to the windows that edit this message, except the window that changed it.
pub(crate) fn notify_editors(site: &SiteState, message: i64, by: Option<ChannelName>, note: Patch) {
    let editors = site.bellwire().layer().group(EDITORS.of(message));
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
    let (newest, windows) = (updates.newest.clone(), site.bellwire().layer().group(WINDOWS.of(0)));
    let send = move |()| {
        let changed = Event::Changed { seq: newest.load(Ordering::Acquire) };
        if let Err(error) = windows.send(changed) {
            tracing::error!(%error, "Could not notify the windows of a change");
        }
        std::future::ready(())
    };
    updates.coalescer.put((), |()| {}, send);
}
