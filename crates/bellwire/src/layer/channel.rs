//! One connection, as the rest of the process sees it.

use std::fmt;

use super::delivery::Delivery;
use super::mailbox::Mailbox;
use super::sleepers::Sleepers;
use crate::outlet::Outlet;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Arc, Mutex, MutexGuard, PoisonError};
use crate::{GroupName, Limits, Scope};

/// The address of one connection, unique among all processes and never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct ChannelName {
    pub(crate) process: u64,
    pub(crate) number: u64,
}

impl fmt::Display for ChannelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "specific.{:016x}!{}", self.process, self.number)
    }
}

/// What the hub and the keeper hold of a connection.
pub(crate) struct Channel {
    pub(crate) name: ChannelName,
    pub(crate) mailbox: Mailbox,
    outlet: Mutex<Outlet>,
    /// Whose it is; by these it can be kicked, from every process.
    owners: [Option<GroupName>; 2],
    /// Where it comes from.
    address: Option<GroupName>,
    /// When something came in last, in milliseconds of the process's clock.
    heard: AtomicU64,
    /// Since when the other side accepts nothing although something waits; 0 when it does.
    stuck: AtomicU64,
}

impl Channel {
    pub(crate) fn new(name: ChannelName, scope: &Scope, limits: &Limits, now: u64) -> Self {
        let label = |kind, key: Option<&str>| key.map(|key| GroupName::reserved(kind, key));
        let address = scope.address().map(|address| address.to_string());
        Self {
            name,
            mailbox: Mailbox::new(limits.queue_messages, limits.queue_bytes),
            outlet: Mutex::new(Outlet::default()),
            owners: [label("person", scope.person()), label("session", scope.session())],
            address: label("address", address.as_deref()),
            heard: AtomicU64::new(now),
            stuck: AtomicU64::new(0),
        }
    }

    /// The groups that stand for whose it is.
    pub(crate) fn owners(&self) -> impl Iterator<Item = &GroupName> {
        self.owners.iter().flatten()
    }

    /// Every group that it is in because of what it is.
    pub(crate) fn labels(&self) -> impl Iterator<Item = &GroupName> {
        self.owners().chain(&self.address)
    }

    /// Adds one more; `false` when the queue overflowed and was dropped. Whoever has to be written to is added to `sleepers`.
    pub(crate) fn deliver(self: &Arc<Self>, delivery: &Arc<Delivery>, sleepers: &mut Sleepers) -> bool {
        let pushed = self.mailbox.push(delivery);
        if pushed.first {
            sleepers.add(self);
        }
        pushed.fits
    }

    /// Wakes a loop without which nothing can be written; returns whether this is another.
    pub(crate) fn rests_or_rouse(&self) -> bool {
        let rests = self.outlet().has_room();
        if !rests {
            self.mailbox.rouse();
        }
        rests
    }

    /// Writes what waits, or wakes the loop where that has more to do than to write.
    pub(crate) fn write_mail(&self) {
        if !self.outlet().write_mail(self) {
            self.mailbox.rouse();
        }
    }

    /// Taken before the mailbox's lock where both are.
    pub(crate) fn outlet(&self) -> MutexGuard<'_, Outlet> {
        // A panic while the lock is held leaves frames that are still whole.
        self.outlet.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn hear(&self, now: u64) {
        self.heard.store(now, Ordering::Relaxed);
    }

    pub(crate) fn heard(&self) -> u64 {
        self.heard.load(Ordering::Relaxed)
    }

    /// Notes whether the other side took all that waits for it, or at least some: the time since it last did is what counts.
    pub(crate) fn writes(&self, all: bool, some: bool, now: impl FnOnce() -> u64) {
        let stuck = self.stuck.load(Ordering::Relaxed);
        match (all, some || stuck == 0) {
            (true, _) if stuck != 0 => self.stuck.store(0, Ordering::Relaxed),
            (false, true) => self.stuck.store(now().max(1), Ordering::Relaxed),
            _ => {}
        }
    }

    pub(crate) fn stuck_since(&self) -> Option<u64> {
        Some(self.stuck.load(Ordering::Relaxed)).filter(|since| *since != 0)
    }
}
