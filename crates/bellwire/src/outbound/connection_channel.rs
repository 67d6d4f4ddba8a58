//! Channels, as in Django Channels: connections as the layer and the heartbeat see them, each with
//! a unique name and a queue. They are not the channels of tokio.

use std::fmt;

use crate::outbound::queue::Queue;
use crate::outbound::{Delivery, Outbound};
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Arc, Mutex, MutexGuard, PoisonError};
use crate::{GroupName, Limits, Scope};

/// The address of one connection, unique among all processes and never reused.
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

/// The part of a connection that the hub and the heartbeat hold.
pub(crate) struct Channel {
    pub(crate) name: ChannelName,
    pub(crate) queue: Queue,
    outbound: Mutex<Outbound>,
    /// The groups of its person and its session; through them every process can kick it.
    owners: [Option<GroupName>; 2],
    /// The group of its IP address.
    address: Option<GroupName>,
    /// The time of the last input, in milliseconds of the process's clock.
    last_seen: AtomicU64,
    /// The time since which the peer accepts no byte although some are buffered; 0 if it accepts.
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

    /// The groups of its person and its session.
    pub(crate) fn owners(&self) -> impl Iterator<Item = &GroupName> {
        self.owners.iter().flatten()
    }

    /// The groups of its person, session and address, which it is in from the start.
    pub(crate) fn labels(&self) -> impl Iterator<Item = &GroupName> {
        self.owners().chain(&self.address)
    }

    /// Queues a delivery for this channel alone, and wakes its event loop.
    pub(crate) fn deliver_now(&self, delivery: Delivery) {
        if self.queue.push(&Arc::new(delivery)).first {
            self.queue.wake_loop();
        }
    }

    /// Returns whether a publisher can write to the socket; wakes the event loop if it cannot.
    pub(crate) fn can_write_or_wake(&self) -> bool {
        let can_write = self.outbound().can_write();
        if !can_write {
            self.queue.wake_loop();
        }
        can_write
    }

    /// Writes the queued messages, or wakes the event loop if more has to be done than to write.
    pub(crate) fn write_queued(&self) {
        if !self.outbound().write_queued(self) {
            self.queue.wake_loop();
        }
    }

    /// Locks the outbound side. If both locks are needed, this one is taken before the queue's.
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

    /// Records whether the peer accepted all buffered bytes, or at least some: the write limit
    /// counts from the last accepted byte.
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
