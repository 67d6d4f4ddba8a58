//! Hub: the group memberships of this process's sockets.

use std::collections::HashMap;

use crate::layer::members::Members;
use crate::outbound::{Channel, Delivery, EncodedPatches};
use crate::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use crate::{ChannelName, Close, Counters, GroupName};

/// Groups and their local members.
pub(crate) struct Hub {
    channels: RwLock<HashMap<u64, Arc<Channel>>>,
    counters: Arc<Counters>,
    /// The outer lock is taken for writing only to add or remove a group, so that sends to
    /// different groups run in parallel; the inner one gives all members of a group the same order.
    groups: RwLock<HashMap<GroupName, Mutex<Members>>>,
}

impl Hub {
    pub(crate) fn new(counters: Arc<Counters>) -> Self {
        Self { channels: RwLock::default(), counters, groups: RwLock::default() }
    }

    pub(crate) fn add(&self, channel: &Arc<Channel>) {
        write(&self.channels).insert(channel.name.number, channel.clone());
        for label in channel.labels() {
            self.join(label, channel);
        }
    }

    pub(crate) fn remove(&self, channel: &Channel) {
        for label in channel.labels() {
            self.leave(label, channel.name);
        }
        write(&self.channels).remove(&channel.name.number);
    }

    pub(crate) fn channel(&self, number: u64) -> Option<Arc<Channel>> {
        read(&self.channels).get(&number).cloned()
    }

    /// All connections at this moment.
    pub(crate) fn all(&self) -> Vec<Arc<Channel>> {
        read(&self.channels).values().cloned().collect()
    }

    pub(crate) fn len(&self) -> usize {
        read(&self.channels).len()
    }

    /// The number of groups.
    pub(crate) fn groups(&self) -> usize {
        read(&self.groups).len()
    }

    /// Returns the group's name, shared by its members so that comparing it is a pointer
    /// comparison, and whether the channel is this process's first in the group.
    pub(crate) fn join(&self, group: &GroupName, channel: &Arc<Channel>) -> (GroupName, bool) {
        if let Some((name, members)) = read(&self.groups).get_key_value(group) {
            let mut members = lock(members);
            members.add(name, channel, &self.counters);
            // The group may be empty: its last member has left, and it is not removed yet.
            return (name.clone(), members.len() == 1);
        }
        let mut groups = write(&self.groups);
        let entry = groups.entry(group.clone());
        let name = entry.key().clone();
        let members = entry.or_default().get_mut().unwrap_or_else(PoisonError::into_inner);
        members.add(&name, channel, &self.counters);
        (name, members.len() == 1)
    }

    /// Returns whether the channel was this process's last in the group.
    pub(crate) fn leave(&self, group: &GroupName, channel: ChannelName) -> bool {
        let empty = read(&self.groups).get(group).is_some_and(|members| {
            let mut members = lock(members);
            members.remove(channel);
            members.is_empty()
        });
        empty && self.remove_if_empty(group)
    }

    fn remove_if_empty(&self, group: &GroupName) -> bool {
        let mut groups = write(&self.groups);
        // Another channel may have joined between the two locks.
        let empty = groups
            .get_mut(group)
            .is_some_and(|m| m.get_mut().unwrap_or_else(PoisonError::into_inner).is_empty());
        if empty {
            groups.remove(group);
        }
        empty
    }

    pub(crate) fn size(&self, group: &GroupName) -> usize {
        read(&self.groups).get(group).map_or(0, |members| lock(members).len())
    }

    /// Queues a delivery for every member except `except`, after the buffered changes.
    pub(crate) fn deliver(&self, mut delivery: Delivery, except: Option<ChannelName>) {
        let groups = read(&self.groups);
        let Some((name, members)) = groups.get_key_value(&delivery.group) else { return };
        delivery.group = name.clone();
        let mut members = lock(members);
        members.flush_buffered(name, &self.counters);
        members.deliver(delivery, except, &self.counters);
    }

    /// Buffers a numbered change until it is [flushed](Self::flush_buffered), or until anything
    /// else is sent to the group.
    pub(crate) fn buffer(&self, group: &GroupName, change: EncodedPatches) {
        if let Some((name, members)) = read(&self.groups).get_key_value(group) {
            lock(members).buffer(name, change, &self.counters);
        }
    }

    pub(crate) fn flush_buffered(&self, group: &GroupName) {
        if let Some((name, members)) = read(&self.groups).get_key_value(group) {
            lock(members).flush_buffered(name, &self.counters);
        }
    }

    /// Closes the sockets of all members.
    pub(crate) fn close(&self, group: &GroupName, close: &Close) {
        for member in self.members(group) {
            member.queue.close(close.clone());
        }
    }

    pub(crate) fn members(&self, group: &GroupName) -> Vec<Arc<Channel>> {
        read(&self.groups).get(group).map(|members| lock(members).all()).unwrap_or_default()
    }
}

// A panic elsewhere while a lock was held leaves valid maps.
fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
