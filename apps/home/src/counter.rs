//! The demo counter. It is shown as a bell: each click increments the count in every open window.

use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use bellwire_site::SiteState;
use bellwire_site::bellwire::{Coalescer, GroupHandle, Html, Patch, Topic};

const DEMO: Topic<u8> = Topic::new("home.demo");

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
    group: GroupHandle,
    rings: AtomicU64,
    windows: AtomicUsize,
    /// The scheduled updates of either number.
    updates: Coalescer<Number, ()>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Number {
    Rings,
    Windows,
}

impl DemoCounter {
    /// The counter of a site.
    pub(crate) fn of(site: &SiteState) -> Self {
        (*site.own_or(|| Self::new(site))).clone()
    }

    fn new(site: &SiteState) -> Self {
        let inner = Inner {
            group: site.bellwire().layer().group(DEMO.of(0)),
            rings: AtomicU64::default(),
            windows: AtomicUsize::default(),
            updates: Coalescer::trailing(UPDATE_DELAY),
        };
        Self { inner: Arc::new(inner) }
    }

    /// The group of the open windows.
    pub(crate) fn group(&self) -> &GroupHandle {
        &self.inner.group
    }

    pub(crate) fn rings(&self) -> u64 {
        self.inner.rings.load(Ordering::Relaxed)
    }

    pub(crate) fn windows(&self) -> usize {
        self.inner.windows.load(Ordering::Relaxed)
    }

    pub(crate) fn increment(&self) {
        self.inner.rings.fetch_add(1, Ordering::Relaxed);
        self.update(Number::Rings);
    }

    pub(crate) fn opened(&self) {
        self.inner.windows.fetch_add(1, Ordering::Relaxed);
        self.update(Number::Windows);
    }

    pub(crate) fn closed(&self) {
        self.inner.windows.fetch_sub(1, Ordering::Relaxed);
        self.update(Number::Windows);
    }

    /// The patches that show both numbers.
    pub(crate) fn patches(&self) -> [Patch; 2] {
        [self.patch(Number::Rings), self.patch(Number::Windows)]
    }

    fn patch(&self, number: Number) -> Patch {
        let (selector, number) = match number {
            Number::Rings => ("#rings", self.rings().to_string()),
            Number::Windows => ("#windows", self.windows().to_string()),
        };
        Patch::inner(selector, Html::text(&number))
    }

    /// Sends the number to every window after [`UPDATE_DELAY`].
    fn update(&self, number: Number) {
        let counter = self.clone();
        let send = move |()| {
            counter.group().patch(counter.patch(number));
            ready(())
        };
        self.inner.updates.put(number, |()| {}, send);
    }
}
