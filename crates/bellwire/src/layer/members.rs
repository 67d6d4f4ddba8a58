//! The members of one group, and what is handed to all of them.

use indexmap::IndexMap;

use super::channel::{Channel, ChannelName};
use super::counters::Counters;
use super::delivery::{Body, Delivery, Frames};
use super::sleepers::Sleepers;
use crate::GroupName;
use crate::sync::Arc;

/// How many changes are held back at most.
const HELD: usize = 64;

/// The members of one group in this process.
#[derive(Default)]
pub(super) struct Members {
    channels: IndexMap<u64, Arc<Channel>>,
    /// Numbered changes that a burst is about to hand on.
    held: Vec<Frames>,
}

impl Members {
    /// Adds one, who hears nothing of what was sent before.
    pub(super) fn add(&mut self, group: &GroupName, channel: &Arc<Channel>, counters: &Counters) {
        self.hand_on_held(group, counters);
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

    /// Keeps a change until the burst that it is of hands it on.
    pub(super) fn hold(&mut self, group: &GroupName, change: Frames, counters: &Counters) {
        self.held.push(change);
        if self.held.len() >= HELD {
            self.hand_on_held(group, counters);
        }
    }

    pub(super) fn hand_on_held(&mut self, group: &GroupName, counters: &Counters) {
        if !self.held.is_empty() {
            let changes = std::mem::take(&mut self.held);
            self.hand_on(Delivery::new(group.clone(), Body::Frames(changes)), None, counters);
        }
    }

    /// Hands a delivery to every member but one.
    pub(super) fn hand_on(&self, delivery: Delivery, except: Option<ChannelName>, counters: &Counters) {
        let delivery = Arc::new(delivery);
        let (mut members, mut sleepers) = (0, Sleepers::default());
        for member in self.channels.values().filter(|member| Some(member.name) != except) {
            members += 1;
            if !member.deliver(&delivery, &mut sleepers) {
                counters.overflowed();
            }
        }
        counters.delivered(members * u64::from(delivery.weight.messages()));
        sleepers.write_together();
    }
}
