//! One connection, as the rest of the process sees it.

use std::fmt;

use crate::outbound::queue::Queue;
use crate::outbound::{Delivery, FlushList, Outbound};
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
    pub(crate) queue: Queue,
    outbound: Mutex<Outbound>,
    /// Whose it is; by these it can be kicked, from every process.
    owners: [Option<GroupName>; 2],
    /// Where it comes from.
    address: Option<GroupName>,
    /// When something came in last, in milliseconds of the process's clock.
    last_seen: AtomicU64,
    /// Since when the other side accepts nothing although something waits; 0 when it does.
    write_blocked: AtomicU64,
}

impl Channel {
    pub(crate) fn new(name: ChannelName, scope: &Scope, limits: &Limits, now: u64) -> Self {
        let label = |kind, key: Option<&str>| key.map(|key| GroupName::reserved(kind, key));
        let address = scope.address().map(|address| address.to_string());
        Self {
            name,
            queue: Queue::new(limits.queue_messages, limits.queue_bytes),
            outbound: Mutex::new(Outbound::default()),
            owners: [label("person", scope.person()), label("session", scope.session())],
            address: label("address", address.as_deref()),
            last_seen: AtomicU64::new(now),
            write_blocked: AtomicU64::new(0),
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

    /// Adds one more; `false` when the queue overflowed and was dropped. Whoever has to be written
    /// to is added to `flush_list`.
    pub(crate) fn deliver(
        self: &Arc<Self>,
        delivery: &Arc<Delivery>,
        flush_list: &mut FlushList,
    ) -> bool {
        let pushed = self.queue.push(delivery);
        if pushed.first {
            flush_list.add(self);
        }
        pushed.fits
    }

    /// Wakes a loop without which nothing can be written; returns whether this is another.
    pub(crate) fn can_write_or_wake(&self) -> bool {
        let rests = self.outbound().can_write();
        if !rests {
            self.queue.wake_loop();
        }
        rests
    }

    /// Writes what waits, or wakes the loop where that has more to do than to write.
    pub(crate) fn write_queued(&self) {
        if !self.outbound().write_queued(self) {
            self.queue.wake_loop();
        }
    }

    /// Taken before the mailbox's lock where both are.
    pub(crate) fn outbound(&self) -> MutexGuard<'_, Outbound> {
        // A panic while the lock is held leaves frames that are still whole.
        self.outbound.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn touch(&self, now: u64) {
        self.last_seen.store(now, Ordering::Relaxed);
    }

    pub(crate) fn last_seen(&self) -> u64 {
        self.last_seen.load(Ordering::Relaxed)
    }

    /// Notes whether the other side took all that waits for it, or at least some: the time since it
    /// last did is what counts.
    pub(crate) fn note_write(&self, all: bool, some: bool, now: impl FnOnce() -> u64) {
        let write_blocked = self.write_blocked.load(Ordering::Relaxed);
        match (all, some || write_blocked == 0) {
            (true, _) if write_blocked != 0 => self.write_blocked.store(0, Ordering::Relaxed),
            (false, true) => self.write_blocked.store(now().max(1), Ordering::Relaxed),
            _ => {}
        }
    }

    pub(crate) fn write_blocked_since(&self) -> Option<u64> {
        Some(self.write_blocked.load(Ordering::Relaxed)).filter(|since| *since != 0)
    }
}
