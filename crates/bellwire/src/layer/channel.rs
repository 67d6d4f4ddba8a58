//! One connection, as the rest of the process sees it.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use super::mailbox::Mailbox;
use crate::{GroupName, Limits};

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
    pub(crate) person: Option<GroupName>,
    pub(crate) session: Option<GroupName>,
    /// When something came in last, in milliseconds of the process's clock.
    heard: AtomicU64,
    /// Since when the other side accepts nothing although something waits; 0 when it does.
    stuck: AtomicU64,
}

impl Channel {
    pub(crate) fn new(
        name: ChannelName,
        person: Option<GroupName>,
        session: Option<GroupName>,
        limits: &Limits,
        now: u64,
    ) -> Self {
        let mailbox = Mailbox::new(limits.queue_messages, limits.queue_bytes);
        Self { name, mailbox, person, session, heard: AtomicU64::new(now), stuck: AtomicU64::new(0) }
    }

    pub(crate) fn hear(&self, now: u64) {
        self.heard.store(now, Ordering::Relaxed);
    }

    pub(crate) fn heard(&self) -> u64 {
        self.heard.load(Ordering::Relaxed)
    }

    /// Notes whether the other side takes what waits for it; the time of the first refusal stays.
    pub(crate) fn writes(&self, flowing: bool, now: u64) {
        if flowing {
            if self.stuck.load(Ordering::Relaxed) != 0 {
                self.stuck.store(0, Ordering::Relaxed);
            }
        } else {
            let _ = self.stuck.compare_exchange(0, now.max(1), Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    pub(crate) fn stuck_since(&self) -> Option<u64> {
        Some(self.stuck.load(Ordering::Relaxed)).filter(|since| *since != 0)
    }
}
