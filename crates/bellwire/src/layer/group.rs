//! Many sockets under one name.

use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::GroupName;
use crate::Seq;
use crate::outbound::Send;
use crate::{ChannelName, Layer, Patch};

/// What members of a group tell each other. Serde carries it to other processes.
pub trait Event: Serialize + DeserializeOwned + std::marker::Send + Sync + 'static {}

impl<T: Serialize + DeserializeOwned + std::marker::Send + Sync + 'static> Event for T {}

/// A group as a sender sees it: from a consumer, a view, or a command.
///
/// ```
/// use bellwire::{Bellwire, GroupName, Html, Patch};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let bellwire = Bellwire::builder("http://127.0.0.1:8000").build()?;
/// let room = bellwire.layer().group::<String>(GroupName::of("chat.room", 7));
/// room.send("somebody came in".to_owned());                            // reaches each member's `event`
/// room.patch(Patch::inner("#topic", Html::text("Lunch?")));            // straight to each member's browser
/// room.publish(43, Patch::append("#messages-list", Html::text("Hi"))); // the same, as number 43 of the feed
/// # Ok(()) }
/// ```
pub struct Group<E> {
    layer: Layer,
    name: GroupName,
    event: PhantomData<fn(E)>,
}

impl<E: Event> Group<E> {
    pub(crate) fn new(layer: Layer, name: GroupName) -> Self {
        Self { layer, name, event: PhantomData }
    }

    pub(crate) fn layer(&self) -> &Layer {
        &self.layer
    }

    /// The group's name.
    pub fn name(&self) -> &GroupName {
        &self.name
    }

    /// Every member's consumer gets the event.
    pub fn send(&self, event: E) {
        self.layer.send(&self.name, Send::event(event), None);
    }

    /// Every member's consumer but one gets the event: usually the sender's own
    /// [`Socket::channel`](crate::Socket::channel).
    pub fn send_except(&self, channel: ChannelName, event: E) {
        self.layer.send(&self.name, Send::event(event), Some(channel));
    }

    /// Every member's browser gets the patch, and no handler wakes.
    pub fn patch(&self, patch: Patch) {
        self.layer.send(&self.name, Send::Patches(vec![patch], None), None);
    }

    /// The same, but one member's.
    pub fn patch_except(&self, channel: ChannelName, patch: Patch) {
        self.layer.send(&self.name, Send::Patches(vec![patch], None), Some(channel));
    }

    /// Every member's browser gets this text as it is, and no handler wakes. What members in the
    /// json dialect get in place of a patch is said by [`Patch::json_text`].
    pub fn text(&self, text: impl Into<Box<str>>) {
        self.layer.send(&self.name, Send::Text(text.into()), None);
    }

    /// Every follower's browser gets the patch as change number `seq` of this feed: in order, once,
    /// and with [`Consumer::catch_up`](crate::Consumer::catch_up) where a number is missing.
    /// Publish in the order of the commits.
    ///
    /// What a connection publishes before it waits again is handed on together, and before it sends
    /// anything else to a group or a channel: [`batch`](crate::batch).
    pub fn publish(&self, seq: Seq, patch: Patch) {
        self.layer.send(&self.name, Send::Patches(vec![patch], Some(seq)), None);
    }
}

impl<E> Clone for Group<E> {
    fn clone(&self) -> Self {
        Self { layer: self.layer.clone(), name: self.name.clone(), event: PhantomData }
    }
}

impl<E> fmt::Debug for Group<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Group({})", self.name)
    }
}
