//! The layer: a hub in this process and, for several processes, a backplane between them.

mod backplane;
mod batch;
mod group_handle;
mod hub;
mod members;
mod presence;

use std::collections::HashSet;
use std::fmt;
use std::hash::{BuildHasher, RandomState};

pub use backplane::{Backplane, MalformedMessage};
pub use batch::batch;
pub use group_handle::{Event, Group};
pub use presence::{Presence, PresenceChange, PresenceChanges};

pub(crate) use batch::Batched;

use crate::group_name::Position;
use crate::layer_counters::{Counters, Counts};
use crate::outbound::{Body, Channel, Delivery, EncodedPatches, FlushList, Send};
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Arc, Mutex, PoisonError};
use crate::{ChannelName, Close, GroupName, Limits, Patch, Scope, Seq};

/// Carries sends to the members of groups: in this process through the hub, to other processes
/// through a [`Backplane`].
///
/// Cheap to clone. All its methods return immediately; a send that cannot be delivered right away
/// waits in each member's bounded queue, and a change [published in a batch](batch) until the batch
/// ends.
#[derive(Clone)]
pub struct Layer(Arc<Inner>);

struct Inner {
    hub: hub::Hub,
    backplane: Option<Box<dyn Backplane>>,
    /// A random number that distinguishes this process's channels from those of others.
    process: u64,
    numbers: AtomicU64,
    counters: Arc<Counters>,
    /// The groups that the backplane listens to.
    listening: Mutex<HashSet<GroupName>>,
    presence: Presence,
}

impl Layer {
    /// A layer in this process's memory.
    pub fn memory() -> Self {
        Self::new(None)
    }

    /// A layer across processes.
    pub fn with_backplane(backplane: impl Backplane) -> Self {
        Self::new(Some(Box::new(backplane)))
    }

    fn new(backplane: Option<Box<dyn Backplane>>) -> Self {
        let counters = Arc::<Counters>::default();
        Self(Arc::new(Inner {
            hub: hub::Hub::new(counters.clone()),
            backplane,
            process: RandomState::new().hash_one(std::process::id()),
            numbers: AtomicU64::new(1),
            counters,
            listening: Mutex::default(),
            presence: Presence::new(),
        }))
    }

    /// The group of this name, whose members exchange events of type `E`.
    pub fn group<E: Event>(&self, name: GroupName) -> Group<E> {
        Group::new(self.clone(), name)
    }

    /// The people who are present in each group.
    pub fn presence(&self) -> &Presence {
        &self.0.presence
    }

    /// The number of this process's sockets in the group.
    pub fn local_members(&self, group: &GroupName) -> usize {
        self.0.hub.size(group)
    }

    /// The number of this process's sockets.
    pub fn local_sockets(&self) -> usize {
        self.0.hub.len()
    }

    /// The number of groups with members in this process, including the internal ones of people,
    /// sessions and addresses.
    pub fn local_groups(&self) -> usize {
        self.0.hub.groups()
    }

    /// Sends a patch to one connection of this process; returns `false` if there is no such
    /// connection, or no longer.
    pub fn patch_channel(&self, channel: ChannelName, patch: Patch) -> bool {
        self.deliver_to(channel, Send::Patches(vec![patch], None))
    }

    /// Sends an event to one connection of this process; returns `false` if there is no such
    /// connection, or no longer.
    pub fn send_channel<E: Event>(&self, channel: ChannelName, event: E) -> bool {
        self.deliver_to(channel, Send::event(event))
    }

    /// Closes all sockets of a person, on every process, including those in their handshake. After
    /// this returns, nothing sent reaches the ones of this process.
    pub fn kick_person(&self, person: &str, close: Close) {
        self.send(&GroupName::reserved("person", person), Send::Close(close), None);
    }

    /// Closes all sockets that a session opened, on every process.
    pub fn kick_session(&self, session: &str, close: Close) {
        self.send(&GroupName::reserved("session", session), Send::Close(close), None);
    }

    /// Removes all sockets of a person from a group, on every process. Calls
    /// [`Consumer::removed`](crate::Consumer::removed) of each.
    pub fn remove_person(&self, person: &str, group: &GroupName) {
        self.send(&GroupName::reserved("person", person), Send::Remove(group.clone()), None);
    }

    /// Delivers a message that a backplane received from another process.
    ///
    /// # Errors
    /// If no process of this site can have sent it.
    pub fn receive(&self, group: &GroupName, message: &[u8]) -> Result<(), MalformedMessage> {
        let (send, except) = backplane::unpack(message)?;
        self.send_local(group, send, except);
        Ok(())
    }

    /// The counters of the layer's work so far.
    pub fn counts(&self) -> Counts {
        self.0.counters.read()
    }

    pub(crate) fn counters(&self) -> &Arc<Counters> {
        &self.0.counters
    }

    pub(crate) fn send(&self, group: &GroupName, send: Send, except: Option<ChannelName>) {
        self.0.counters.sent();
        if let Some(backplane) = &self.0.backplane
            && let Some(message) = backplane::pack(&send, except)
        {
            backplane.publish(group, message);
        }
        self.send_local(group, send, except);
    }

    pub(crate) fn send_local(&self, group: &GroupName, send: Send, except: Option<ChannelName>) {
        let buffered = match send {
            Send::Patches(_, Some(_)) if except.is_none() => batch::try_buffer(self, group),
            _ => {
                batch::flush_buffered();
                false
            }
        };
        match send {
            Send::Close(close) => self.0.hub.close(group, &close),
            Send::Remove(from) => self.remove_members(group, &from),
            Send::Patches(patches, seq) if buffered => {
                self.0.hub.buffer(group, self.frames(group, patches, seq))
            }
            send => {
                if let Some(delivery) = self.delivery(group.clone(), send) {
                    self.0.hub.deliver(delivery, except);
                }
            }
        }
    }

    /// Flushes the changes of this group that a batch buffers.
    fn flush_buffered(&self, group: &GroupName) {
        self.0.hub.flush_buffered(group);
    }

    /// Whether both are the same layer.
    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Removes the members of `owner` from `group`, and drops their queued messages of it.
    fn remove_members(&self, owner: &GroupName, group: &GroupName) {
        for member in self.0.hub.members(owner) {
            self.leave(group, &member);
            member.queue.remove_from(group);
        }
    }

    fn deliver_to(&self, channel: ChannelName, send: Send) -> bool {
        let local = (channel.process == self.0.process)
            .then(|| self.0.hub.channel(channel.number))
            .flatten();
        let Some(found) = local else { return false };
        let Some(delivery) = self.delivery(GroupName::reserved("channel", ""), send) else {
            return false;
        };
        batch::flush_buffered();
        found.deliver(&Arc::new(delivery), &mut FlushList::default());
        true
    }

    /// The delivery of a send to members; `None` for closes and removals, which are not queued.
    fn delivery(&self, group: GroupName, send: Send) -> Option<Delivery> {
        let body = match send {
            Send::Event(event) => Body::Event(event),
            Send::Patches(patches, seq) => Body::Frames(vec![self.frames(&group, patches, seq)]),
            Send::Text(text) => {
                Body::Frames(vec![EncodedPatches::text(&text, self.0.counters.clone())])
            }
            Send::Close(_) | Send::Remove(_) => return None,
        };
        Some(Delivery::new(group, body))
    }

    fn frames(&self, group: &GroupName, patches: Vec<Patch>, seq: Option<Seq>) -> EncodedPatches {
        let position = seq.map(|seq| Position { feed: group.clone(), seq });
        EncodedPatches::new(patches, position, self.0.counters.clone())
    }

    /// Registers a connection before its handshake. From now on it can be kicked, and counts toward
    /// the limits.
    pub(crate) fn connect(&self, scope: &Scope, limits: &Limits, now: u64) -> Arc<Channel> {
        let number = self.0.numbers.fetch_add(1, Ordering::Relaxed);
        let name = ChannelName { process: self.0.process, number };
        let channel = Arc::new(Channel::new(name, scope, limits, now));
        self.0.hub.add(&channel);
        channel.owners().for_each(|label| self.update_listening(label));
        channel
    }

    pub(crate) fn disconnect(&self, channel: &Channel, groups: &[GroupName]) {
        for group in groups {
            self.leave(group, channel);
        }
        self.0.hub.remove(channel);
        channel.owners().for_each(|label| self.update_listening(label));
    }

    /// Returns the group's name, shared by its members.
    pub(crate) fn join(&self, group: &GroupName, channel: &Arc<Channel>) -> GroupName {
        let (name, is_first) = self.0.hub.join(group, channel);
        if is_first {
            self.update_listening(group);
        }
        name
    }

    pub(crate) fn leave(&self, group: &GroupName, channel: &Channel) {
        if self.0.hub.leave(group, channel.name) {
            self.update_listening(group);
        }
    }

    /// Makes the backplane listen to a group while it has members here. Reads the current size
    /// instead of reacting to one change, so that concurrent joins and leaves end in the right
    /// state.
    fn update_listening(&self, group: &GroupName) {
        let Some(backplane) = &self.0.backplane else { return };
        let mut listening = self.0.listening.lock().unwrap_or_else(PoisonError::into_inner);
        match (self.0.hub.size(group) > 0, listening.contains(group)) {
            (true, false) => {
                listening.insert(group.clone());
                backplane.listen(group);
            }
            (false, true) => {
                listening.remove(group);
                backplane.ignore(group);
            }
            _ => {}
        }
    }

    /// The number of this process's sockets with the label `kind` and this key.
    pub(crate) fn sockets_of(&self, kind: &'static str, key: &str) -> usize {
        self.0.hub.size(&GroupName::reserved(kind, key))
    }

    pub(crate) fn channels(&self) -> Vec<Arc<Channel>> {
        self.0.hub.all()
    }
}

impl fmt::Debug for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Layer")
            .field("sockets", &self.local_sockets())
            .field("counts", &self.counts())
            .finish()
    }
}
