//! Members of one group, and the fan-out to them.

use indexmap::IndexMap;

use crate::outbound::{Body, Channel, Delivery, EncodedPatches, FlushList};
use crate::sync::Arc;
use crate::{ChannelName, Counters, GroupName};

/// The maximum number of buffered changes.
const BUFFERED: usize = 64;

/// The members of one group in this process.
#[derive(Default)]
pub(super) struct Members {
    channels: IndexMap<u64, Arc<Channel>>,
    /// Numbered changes of a batch that are not yet flushed.
    buffered: Vec<EncodedPatches>,
}

impl Members {
    /// Adds a member, which receives nothing that was sent before.
    pub(super) fn add(&mut self, group: &GroupName, channel: &Arc<Channel>, counters: &Counters) {
        self.flush_buffered(group, counters);
        self.channels.insert(channel.name.number, channel.clone());
    }

    pub(super) fn remove(&mut self, channel: ChannelName) {
        self.channels.swap_remove(&channel.number);
    }

    pub(super) fn len(&self) -> usize {
        self.channels.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.channels.is_empty()
    }

    pub(super) fn all(&self) -> Vec<Arc<Channel>> {
        self.channels.values().cloned().collect()
    }

    /// Buffers a change until its batch flushes it.
    pub(super) fn buffer(
        &mut self,
        group: &GroupName,
        change: EncodedPatches,
        counters: &Counters,
    ) {
        self.buffered.push(change);
        if self.buffered.len() >= BUFFERED {
            self.flush_buffered(group, counters);
        }
    }

    pub(super) fn flush_buffered(&mut self, group: &GroupName, counters: &Counters) {
        if !self.buffered.is_empty() {
            let changes = std::mem::take(&mut self.buffered);
            self.deliver(Delivery::new(group.clone(), Body::Frames(changes)), None, counters);
        }
    }

    /// Queues a delivery for every member except `except`.
    pub(super) fn deliver(
        &self,
        delivery: Delivery,
        except: Option<ChannelName>,
        counters: &Counters,
    ) {
        let delivery = Arc::new(delivery);
        let (mut members, mut flush_list) = (0, FlushList::default());
        for member in self.channels.values().filter(|member| Some(member.name) != except) {
            members += 1;
            if !flush_list.deliver(&delivery, member) {
                counters.overflowed();
            }
        }
        counters.delivered(members * u64::from(delivery.cost.messages()));
        flush_list.flush_soon();
    }
}
