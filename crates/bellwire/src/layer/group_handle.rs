//! [`GroupHandle`]: a sender's handle to the sockets that joined a group. The sockets themselves
//! are in `hub.rs` and `members.rs`.

use std::fmt;
use std::time::Duration;

use crate::outbound::{ChannelName, Send};
use crate::topic::{Event, Group, Joinable, Named, NoEvents};
use crate::{Error, GroupName, Html, Layer, Patch};

/// A group as a sender sees it: from a consumer, a view, a task or a command.
///
/// ```
/// use bellwire::{Html, Layer, Patch, Topic};
///
/// const ROOM: Topic<u32, String> = Topic::new("chat.room");
///
/// let layer = Layer::memory();
/// let room = layer.group(ROOM.of(7));
/// // Calls each member's `event`.
/// room.send("somebody came in".to_owned())?;
/// // Goes directly to each member's browser.
/// room.patch(Patch::inner("#topic", Html::text("Lunch?")));
/// # Ok::<(), bellwire::Error>(())
/// ```
pub struct GroupHandle<E = NoEvents> {
    layer: Layer,
    group: Group<E>,
}

impl<E: Event> GroupHandle<E> {
    /// Sends an event to every member's consumer.
    ///
    /// # Errors
    /// If the event has no JSON form, which other processes need. It is checked if the layer has a
    /// backplane, and always in a debug build.
    pub fn send(&self, event: E) -> Result<(), Error> {
        self.layer.send(self.name(), Send::event(event), None)
    }

    /// Sends an event to every member's consumer except `channel`, usually the sender's own
    /// [`Socket::channel`](crate::Socket::channel).
    ///
    /// # Errors
    /// Those of [`send`](Self::send).
    pub fn send_except(&self, channel: ChannelName, event: E) -> Result<(), Error> {
        self.layer.send(self.name(), Send::event(event), Some(channel))
    }
}

impl<E> GroupHandle<E> {
    pub(crate) fn new(layer: Layer, group: Group<E>) -> Self {
        Self { layer, group }
    }

    pub(crate) fn layer(&self) -> &Layer {
        &self.layer
    }

    /// The group.
    pub fn group(&self) -> &Group<E> {
        &self.group
    }

    /// The group's name.
    pub fn name(&self) -> &GroupName {
        self.group.name()
    }

    /// Sends a patch to every member's browser. No handler runs.
    pub fn patch(&self, patch: Patch) {
        self.send_raw(Send::Patches(vec![patch], None), None);
    }

    /// Sends a patch to every member's browser except the one of `channel`.
    pub fn patch_except(&self, channel: ChannelName, patch: Patch) {
        self.send_raw(Send::Patches(vec![patch], None), Some(channel));
    }

    /// Sends this text, unchanged, to every member's browser in all dialects. No handler runs. For
    /// text that only the json dialect receives in place of a patch, see [`Patch::json_text`].
    pub fn text(&self, text: impl Into<Box<str>>) {
        self.send_raw(Send::Text(text.into()), None);
    }

    /// Shows `html` under `key` in every member's page until `ttl` has passed: who is typing, for
    /// example, or where a cursor is. The same key replaces what it showed; a member that joins
    /// later receives what is shown then.
    ///
    /// A page shows it in the element with the attribute `data-bw-state="<group>"`, each key in a
    /// `<span>` of its own. A key has 1 to 40 ASCII letters, digits, `-` or `_`. A group shows at
    /// most 1,000 keys; a further one is ignored and logged.
    ///
    /// # Errors
    /// If the key is invalid.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use bellwire::{Html, Layer, Topic};
    /// const TYPING: Topic<u32> = Topic::new("chat.typing");
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), bellwire::Error> {
    /// let room = Layer::memory().group(TYPING.of(7));
    /// room.state("user-5", Html::text("Ada is typing …"), Duration::from_secs(4))?;
    /// # Ok(()) }
    /// ```
    pub fn state(&self, key: &str, html: Html, ttl: Duration) -> Result<(), Error> {
        self.layer.set_state(self.name(), key.parse()?, html, ttl);
        Ok(())
    }

    /// Removes what is shown under `key`.
    ///
    /// # Errors
    /// If the key is invalid.
    pub fn clear_state(&self, key: &str) -> Result<(), Error> {
        self.layer.clear_state(self.name(), &key.parse()?);
        Ok(())
    }

    /// Sends anything but an event.
    pub(crate) fn send_raw(&self, send: Send, except: Option<ChannelName>) {
        // Only an event can fail.
        let _ = self.layer.send(self.name(), send, except);
    }
}

impl<E> Clone for GroupHandle<E> {
    fn clone(&self) -> Self {
        Self { layer: self.layer.clone(), group: self.group.clone() }
    }
}

impl<E> fmt::Debug for GroupHandle<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GroupHandle({})", self.name())
    }
}

impl<E> Named for GroupHandle<E> {
    fn group_name(&self) -> &GroupName {
        self.name()
    }
}

impl<E: Event> Joinable<E> for GroupHandle<E> {}
impl<E: Event> Joinable<E> for GroupHandle<NoEvents> {}
