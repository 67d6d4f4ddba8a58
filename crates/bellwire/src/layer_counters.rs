//! Running totals of the layer: sends, encodings, deliveries, writes, overflows and catch-ups.

use std::sync::atomic::{AtomicU64, Ordering};

/// Running totals of one process since it started.
#[derive(Debug, Default)]
pub struct Counters {
    sends: AtomicU64,
    encodings: AtomicU64,
    deliveries: AtomicU64,
    writes: AtomicU64,
    bytes: AtomicU64,
    overflows: AtomicU64,
    catch_ups: AtomicU64,
    feed_reads: AtomicU64,
    refusals: AtomicU64,
}

/// A snapshot of the [`Counters`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Counts {
    /// Sends to groups.
    pub sends: u64,
    /// Encodings of a group's patch: at most one per dialect.
    pub encodings: u64,
    /// Messages queued for members: one for each member that a send reaches.
    pub deliveries: u64,
    /// Write calls on sockets.
    pub writes: u64,
    /// Bytes that sockets have accepted.
    pub bytes: u64,
    /// Queues that were dropped because their reader was too slow.
    pub overflows: u64,
    /// Connections that were brought up to date in a feed.
    pub catch_ups: u64,
    /// Reads of a feed's source for them: pages at the same position share one.
    pub feed_reads: u64,
    /// Connections that were refused.
    pub refusals: u64,
}

macro_rules! counts {
    ($($bump:ident => $field:ident),* $(,)?) => {
        impl Counters {
            $(pub(crate) fn $bump(&self) {
                self.$field.fetch_add(1, Ordering::Relaxed);
            })*

            pub(crate) fn delivered(&self, members: u64) {
                self.deliveries.fetch_add(members, Ordering::Relaxed);
            }

            pub(crate) fn wrote_bytes(&self, bytes: usize) {
                self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
            }

            /// Returns the current totals.
            pub fn read(&self) -> Counts {
                Counts {
                    deliveries: self.deliveries.load(Ordering::Relaxed),
                    bytes: self.bytes.load(Ordering::Relaxed),
                    $($field: self.$field.load(Ordering::Relaxed),)*
                }
            }
        }
    };
}
counts!(
    sent => sends,
    encoded => encodings,
    wrote => writes,
    overflowed => overflows,
    caught_up => catch_ups,
    read_feed => feed_reads,
    refused => refusals,
);
