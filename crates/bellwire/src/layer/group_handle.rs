//! [`Group`]: a sender's handle to the sockets that joined a name. The sockets themselves are in
//! `hub.rs` and `members.rs`. [`Event`]: the type that members receive.

use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::GroupName;
use crate::Seq;
use crate::outbound::Send;
use crate::{ChannelName, Layer, Patch};

/// An event that members of a group exchange. Serde serializes it for other processes.
pub trait Event: Serialize + DeserializeOwned + std::marker::Send + Sync + 'static {}

impl<T: Serialize + DeserializeOwned + std::marker::Send + Sync + 'static> Event for T {}

/// A group as a sender sees it: from a consumer, a view, or a command.
///
/// ```
/// use bellwire::{Bellwire, GroupName, Html, Patch};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let bellwire = Bellwire::builder("http://127.0.0.1:8000").build()?;
/// let room = bellwire.layer().group::<String>(GroupName::of("chat.room", 7));
/// // Calls each member's `event`.
/// room.send("somebody came in".to_owned());
/// // Goes directly to each member's browser.
/// room.patch(Patch::inner("#topic", Html::text("Lunch?")));
/// // The same, as number 43 of the feed.
/// room.publish(43, Patch::append("#messages-list", Html::text("Hi")));
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

    /// Sends an event to every member's consumer.
    pub fn send(&self, event: E) {
        self.layer.send(&self.name, Send::event(event), None);
    }

    /// Sends an event to every member's consumer except `channel`, usually the sender's own
    /// [`Socket::channel`](crate::Socket::channel).
    pub fn send_except(&self, channel: ChannelName, event: E) {
        self.layer.send(&self.name, Send::event(event), Some(channel));
    }

    /// Sends a patch to every member's browser. No handler runs.
    pub fn patch(&self, patch: Patch) {
        self.layer.send(&self.name, Send::Patches(vec![patch], None), None);
    }

    /// Sends a patch to every member's browser except the one of `channel`.
    pub fn patch_except(&self, channel: ChannelName, patch: Patch) {
        self.layer.send(&self.name, Send::Patches(vec![patch], None), Some(channel));
    }

    /// Sends this text, unchanged, to every member's browser in all dialects. No handler runs. For
    /// text that only the json dialect receives in place of a patch, see [`Patch::json_text`].
    pub fn text(&self, text: impl Into<Box<str>>) {
        self.layer.send(&self.name, Send::Text(text.into()), None);
    }

    /// Sends a patch as change number `seq` of this feed. Each follower receives it once and in
    /// order; if earlier numbers are missing, [`Consumer::catch_up`](crate::Consumer::catch_up) of
    /// its consumer fills them first. Publish in the order of the commits.
    ///
    /// A connection's publishes are delivered as a [`batch`](crate::batch), when it waits again or
    /// sends anything else to a group or a channel.
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
