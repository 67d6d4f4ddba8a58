//! The layer: a hub in this process and, for several processes, a backplane between them.

mod backplane;
mod batch;
mod group_handle;
mod hub;
mod members;
mod presence;
mod state;
mod subscription;

use std::collections::HashSet;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::task::TaskTracker;

pub use backplane::{Backplane, MalformedMessage};
pub use batch::batch;
pub use group_handle::GroupHandle;
pub use presence::{Presence, PresenceChange, PresenceChanges, PresenceDifference, Present};
pub use subscription::{Message, Subscription};

pub(crate) use batch::Batched;

use crate::feed::{CatchUps, Journal};
use crate::layer_counters::{Counters, Counts};
use crate::outbound::{Body, Channel, ChannelName, Delivery, EncodedPatches, Send};
use crate::position::{Epoch, FeedPosition, Position};
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Arc, Mutex, PoisonError};
use crate::topic::{Event, Group, Named};
use crate::transport::EncodedFrame;
use crate::{Close, Error, GroupName, Html, Limits, Patch, Scope, TextId};

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
    states: state::States,
    catch_ups: CatchUps,
    journals: Journals,
    /// The epoch under which this process publishes.
    epoch: AtomicU64,
    /// The writes whose changes are still to be published.
    writes: TaskTracker,
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
            states: state::States::default(),
            catch_ups: CatchUps::default(),
            journals: Journals::default(),
            epoch: AtomicU64::new(Epoch::random().number().cast_unsigned()),
            writes: TaskTracker::new(),
        }))
    }

    /// The handle to send to a group.
    pub fn group<E>(&self, group: Group<E>) -> GroupHandle<E> {
        GroupHandle::new(self.clone(), group)
    }

    /// The group of all windows of a person, on every process. A connection is in the group of its
    /// [`Live::person`](crate::Live::person) from the start.
    pub fn person(&self, key: &str) -> GroupHandle {
        self.group(Group::new(GroupName::reserved("person", key)))
    }

    /// Receives everything that is sent to a group from now on, for tasks and tests.
    pub fn subscribe<E: Event>(&self, group: Group<E>) -> Subscription<E> {
        Subscription::new(self.clone(), group)
    }

    /// The epoch under which this process publishes; see [`Epoch`].
    pub fn epoch(&self) -> Epoch {
        let number = self.0.epoch.load(Ordering::Acquire).cast_signed();
        Epoch::from_number(number).unwrap_or_else(|| unreachable!("only epochs are stored"))
    }

    /// Takes a new epoch. Call it when a number is written that is lower than one published before:
    /// then the storage was replaced under the running process.
    pub fn renew_epoch(&self) {
        self.0.epoch.store(Epoch::random().number().cast_unsigned(), Ordering::Release);
    }

    /// The people who are present in each group.
    pub fn presence(&self) -> &Presence {
        &self.0.presence
    }

    /// The number of this process's sockets in the group.
    pub fn local_members(&self, group: impl Named) -> usize {
        self.0.hub.size(group.group_name())
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
        self.send_reserved("person", person, Send::Close(close));
    }

    /// Closes all sockets that a session opened, on every process.
    pub fn kick_session(&self, session: &str, close: Close) {
        self.send_reserved("session", session, Send::Close(close));
    }

    /// Removes all sockets of a person from a group, on every process. Calls
    /// [`Consumer::removed`](crate::Consumer::removed) of each.
    pub fn remove_person(&self, person: &str, group: impl Named) {
        self.send_reserved("person", person, Send::Remove(group.group_name().clone()));
    }

    fn send_reserved(&self, kind: &'static str, key: &str, send: Send) {
        // Only an event can fail.
        let _ = self.send(&GroupName::reserved(kind, key), send, None);
    }

    /// Closes one connection of this process; returns `false` if there is no such connection, or no
    /// longer.
    pub fn kick_channel(&self, channel: ChannelName, close: Close) -> bool {
        let found = self.local_channel(channel);
        if let Some(found) = &found {
            found.queue.close(close);
        }
        found.is_some()
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

    /// The journal of a feed, which keeps this many changes if it is new.
    pub(crate) fn journal_of(&self, feed: &GroupName, last: usize) -> std::sync::Arc<Journal> {
        let mut journals = self.0.journals.lock().unwrap_or_else(PoisonError::into_inner);
        let journal = journals.entry(feed.clone());
        journal.or_insert_with(|| std::sync::Arc::new(Journal::new(last))).clone()
    }

    pub(crate) fn writes(&self) -> &TaskTracker {
        &self.0.writes
    }

    pub(crate) fn catch_ups(&self) -> &CatchUps {
        &self.0.catch_ups
    }

    /// Sends to the members on every process.
    ///
    /// # Errors
    /// If an event has no JSON form.
    pub(crate) fn send(
        &self,
        group: &GroupName,
        send: Send,
        except: Option<ChannelName>,
    ) -> Result<(), Error> {
        self.0.counters.sent();
        if let Some(backplane) = &self.0.backplane {
            backplane.publish(group, backplane::pack(&send, except)?);
        } else if cfg!(debug_assertions)
            && let Send::Event(event) = &send
        {
            event.json()?;
        }
        self.send_local(group, send, except);
        Ok(())
    }

    pub(crate) fn send_local(&self, group: &GroupName, send: Send, except: Option<ChannelName>) {
        let seq = send.seq();
        if seq.is_some() {
            self.0.catch_ups.forget(group);
        }
        let buffered = if seq.is_some() && except.is_none() {
            batch::try_buffer(self, group)
        } else {
            batch::flush_buffered();
            false
        };
        match send {
            Send::Close(close) => self.0.hub.close(group, &close),
            Send::Remove(from) => self.remove_members(group, &from),
            Send::State(key, shown) => self.show_state(group, &key, shown),
            send => match self.body(group, send) {
                Body::Frames(frames) if buffered => {
                    frames.into_iter().for_each(|frames| self.0.hub.buffer(group, frames));
                }
                body => self.0.hub.deliver(Delivery::new(group.clone(), body), except),
            },
        }
    }

    pub(crate) fn set_state(&self, group: &GroupName, key: TextId, html: Html, ttl: Duration) {
        let _ = self.send(group, Send::State(key, Some((html, ttl))), None);
    }

    pub(crate) fn clear_state(&self, group: &GroupName, key: &TextId) {
        let _ = self.send(group, Send::State(key.clone(), None), None);
    }

    fn show_state(&self, group: &GroupName, key: &TextId, shown: Option<(Html, Duration)>) {
        let _order = self.0.states.in_order();
        let patch = match shown {
            Some((html, ttl)) => self.0.states.set(group, key, html, ttl),
            None => self.0.states.clear(group, key),
        };
        self.patch_local(group, patch);
    }

    /// Removes the state that has expired from the pages of this process.
    pub(crate) fn expire_states(&self) {
        let _order = self.0.states.in_order();
        for (group, patch) in self.0.states.take_expired(Instant::now()) {
            self.patch_local(&group, Some(patch));
        }
    }

    /// Sends the state of a group to a new member.
    fn send_state(&self, group: &GroupName, channel: &Arc<Channel>) {
        let _order = self.0.states.in_order();
        if let Some(patch) = self.0.states.current(group) {
            let body = self.body(group, Send::Patches(vec![patch], None));
            channel.deliver_now(Delivery::new(group.clone(), body));
        }
    }

    fn patch_local(&self, group: &GroupName, patch: Option<Patch>) {
        if let Some(patch) = patch {
            self.send_local(group, Send::Patches(vec![patch], None), None);
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
        let Some(found) = self.local_channel(channel) else { return false };
        let group = GroupName::reserved("channel", "");
        let body = self.body(&group, send);
        batch::flush_buffered();
        found.deliver_now(Delivery::new(group, body));
        true
    }

    /// Queues a frame for one connection, after everything that is queued for it.
    pub(crate) fn deliver_frame(&self, channel: &Arc<Channel>, frame: EncodedFrame) {
        batch::flush_buffered();
        let frames = vec![EncodedPatches::frame(frame, self.0.counters.clone())];
        let group = GroupName::reserved("channel", "");
        channel.deliver_now(Delivery::new(group, Body::Frames(frames)));
    }

    fn local_channel(&self, channel: ChannelName) -> Option<Arc<Channel>> {
        let is_local = channel.process == self.0.process;
        is_local.then(|| self.0.hub.channel(channel.number)).flatten()
    }

    /// The body of a delivery. Closes, removals and state have none.
    fn body(&self, group: &GroupName, send: Send) -> Body {
        let counters = self.0.counters.clone();
        let position =
            |seq| Position::new(group.clone(), FeedPosition { epoch: self.epoch(), seq });
        Body::Frames(vec![match send {
            Send::Event(event) => return Body::Event(event),
            Send::Patches(patches, seq) => {
                EncodedPatches::new(patches, seq.map(position), counters)
            }
            Send::Rendered(render, seq) => {
                EncodedPatches::rendered(render, position(seq), counters)
            }
            Send::Hint(seq) => EncodedPatches::hint(position(seq), counters),
            Send::Text(text) => EncodedPatches::text(&text, counters),
            Send::Close(_) | Send::Remove(_) | Send::State(..) => return Body::Frames(Vec::new()),
        }])
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
        self.send_state(&name, channel);
        name
    }

    /// A channel that belongs to no connection, for a subscription.
    fn open_channel(&self) -> Arc<Channel> {
        let number = self.0.numbers.fetch_add(1, Ordering::Relaxed);
        let name = ChannelName { process: self.0.process, number };
        Arc::new(Channel::new(name, &Scope::new("", ""), &Limits::default(), 0))
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
                self.0.catch_ups.forget(group);
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

/// The journals by the names of their feeds.
type Journals = Mutex<std::collections::HashMap<GroupName, std::sync::Arc<Journal>>>;

impl fmt::Debug for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Layer")
            .field("sockets", &self.local_sockets())
            .field("counts", &self.counts())
            .finish()
    }
}
