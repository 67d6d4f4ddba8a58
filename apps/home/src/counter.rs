//! The demo counter. It is shown as a bell: each click increments the count in every open window.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bellwire_site::SiteState;
use bellwire_site::bellwire::{Group, GroupName, Html, Patch};

/// The delay before a change of either number is sent. Changes within it share one update: a
/// thousand browsers that reconnect after a restart cause a few updates, not a thousand.
const UPDATE_DELAY: Duration = Duration::from_millis(50);

/// The number of clicks since this process started, and the number of windows open now.
#[derive(Debug, Clone)]
pub(crate) struct DemoCounter {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    group: Group<()>,
    rings: Mutex<u64>,
    windows: AtomicUsize,
    /// Whether an update of the count is scheduled.
    rings_scheduled: AtomicBool,
    /// Whether an update of the number of windows is scheduled.
    windows_scheduled: AtomicBool,
}

impl DemoCounter {
    /// The counter of a site.
    pub(crate) fn of(site: &SiteState) -> Self {
        (*site.own_or(|| Self::new(site))).clone()
    }

    fn new(site: &SiteState) -> Self {
        let group = site.bellwire().layer().group(GroupName::of("home.demo", 0));
        let (rings, windows, rings_scheduled, windows_scheduled) = Default::default();
        let inner = Inner { group, rings, windows, rings_scheduled, windows_scheduled };
        Self { inner: Arc::new(inner) }
    }

    /// The group of the open windows.
    pub(crate) fn group(&self) -> &Group<()> {
        &self.inner.group
    }

    /// The patches that show both numbers.
    pub(crate) fn patches(&self) -> [Patch; 2] {
        [number("#rings", self.rings()), number("#windows", self.windows())]
    }

    pub(crate) fn rings(&self) -> u64 {
        *self.lock_rings()
    }

    fn lock_rings(&self) -> MutexGuard<'_, u64> {
        self.inner.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn windows(&self) -> usize {
        self.inner.windows.load(Ordering::Relaxed)
    }

    pub(crate) fn increment(&self) {
        *self.lock_rings() += 1;
        self.schedule(|inner| &inner.rings_scheduled, |counter| number("#rings", counter.rings()));
    }

    pub(crate) fn opened(&self) {
        self.inner.windows.fetch_add(1, Ordering::Relaxed);
        self.update_windows();
    }

    pub(crate) fn closed(&self) {
        self.inner.windows.fetch_sub(1, Ordering::Relaxed);
        self.update_windows();
    }

    fn update_windows(&self) {
        self.schedule(
            |inner| &inner.windows_scheduled,
            |counter| number("#windows", counter.windows()),
        );
    }

    /// Sends one patch to every window after [`UPDATE_DELAY`], unless one is scheduled already.
    fn schedule(&self, scheduled: fn(&Inner) -> &AtomicBool, patch: fn(&Self) -> Patch) {
        if scheduled(&self.inner).swap(true, Ordering::AcqRel) {
            return;
        }
        let counter = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(UPDATE_DELAY).await;
            scheduled(&counter.inner).store(false, Ordering::Release);
            counter.inner.group.patch(patch(&counter));
        });
    }
}

fn number(selector: &'static str, number: impl ToString) -> Patch {
    Patch::inner(selector, Html::text(&number.to_string()))
}
