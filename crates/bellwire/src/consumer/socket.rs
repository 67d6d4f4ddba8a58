//! The consumer's handle to its connection.

use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;

use crate::consumer::RawSocket;
use crate::feed::{Feed, FeedSource, erase};
use crate::outbound::ChannelName;
use crate::position::{FeedPosition, Seq};
use crate::topic::{Joinable, Named};
use crate::transport::EncodedFrame;
use crate::{Close, Consumer, Dialect, Error, Frame, Layer, Patch, Scope};

/// The handle of a consumer to its connection.
///
/// Frames are buffered, and written together when the handler ends, or earlier when the write
/// buffer is full.
pub struct Socket<C> {
    raw: RawSocket,
    consumer: PhantomData<fn(C)>,
}

impl<C: Consumer> Socket<C> {
    pub(crate) fn new(raw: RawSocket) -> Self {
        Self { raw, consumer: PhantomData }
    }

    /// The scope: the person, path and query of this connection.
    pub fn scope(&self) -> &Scope {
        &self.raw.scope
    }

    /// The address of this connection in the layer.
    pub fn channel(&self) -> ChannelName {
        self.raw.channel.name
    }

    /// The layer, to send to groups.
    pub fn layer(&self) -> &Layer {
        self.raw.layer()
    }

    /// The dialect of the browser.
    pub fn dialect(&self) -> Dialect {
        self.raw.dialect()
    }

    /// The audience of this connection; empty if there is none. See
    /// [`Live::audience`](crate::Live::audience).
    pub fn audience(&self) -> String {
        self.raw.outbound().reader.audience.as_deref().unwrap_or_default().to_owned()
    }

    /// Sends a frame, text or binary.
    ///
    /// # Errors
    /// Returns an error if the connection is lost, if a close was requested, or if the client reads
    /// nothing for too long.
    pub async fn send(&mut self, frame: Frame) -> Result<(), Error> {
        let frame = match frame {
            Frame::Text(text) => EncodedFrame::text(text.as_bytes()),
            Frame::Binary(bytes) => EncodedFrame::binary(&bytes),
        };
        self.raw.write(frame).await
    }

    /// Sends text.
    ///
    /// # Errors
    /// Those of [`send`](Self::send).
    pub async fn send_text(&mut self, text: impl AsRef<str>) -> Result<(), Error> {
        let frame = EncodedFrame::text(text.as_ref().as_bytes());
        self.raw.write(frame).await
    }

    /// Sends a value as JSON.
    ///
    /// # Errors
    /// Those of [`send`](Self::send), or if the value cannot be serialized.
    pub async fn send_json(&mut self, value: &(impl Serialize + Sync)) -> Result<(), Error> {
        let frame = EncodedFrame::text(&serde_json::to_vec(value)?);
        self.raw.write(frame).await
    }

    /// Sends a patch to this page only.
    ///
    /// # Errors
    /// Those of [`send`](Self::send).
    pub async fn patch(&mut self, patch: Patch) -> Result<(), Error> {
        self.raw.patch(patch).await
    }

    /// Joins a group: from now on its sends arrive here. Joining again has no effect.
    ///
    /// A group of another event type than the consumer's does not compile:
    ///
    /// ```compile_fail
    /// # use bellwire::{Consumer, Error, Frame, Socket, Topic};
    /// const NEWS: Topic<u32, String> = Topic::new("news");
    ///
    /// struct Reader;
    ///
    /// impl Consumer for Reader {
    ///     type Action = Frame;
    ///     type Event = u64; // not `String`
    ///     type Error = Error;
    ///
    ///     async fn receive(&mut self, socket: &mut Socket<Self>, _: Frame) -> Result<(), Error> {
    ///         socket.join(NEWS.of(7));
    ///         Ok(())
    ///     }
    /// }
    /// ```
    pub fn join(&mut self, group: impl Joinable<C::Event>) {
        self.raw.join_group(group.group_name());
    }

    /// Leaves a group. Its queued messages are dropped. If its feed is followed again, it continues
    /// at the position where it was left.
    pub fn leave(&mut self, group: impl Named) {
        let _ = self.raw.leave_group(group.group_name());
    }

    /// Joins a feed's group and subscribes to the feed. After the running handler, the page is
    /// brought up to date from its position; from then on no change is missed.
    pub fn follow<E, S: FeedSource>(&mut self, feed: &Feed<E, S>)
    where
        Feed<E, S>: Joinable<C::Event>,
    {
        let name = self.raw.join_group(feed.name());
        let since = self.raw.scope.since(&name);
        self.raw.outbound().subscriptions.follow(&name, since, erase(feed.source()));
    }

    /// Subscribes to a feed from number `seq`, for a handler that brings the page to that number
    /// itself.
    ///
    /// So that no change is missed, [`join`](Self::join) the feed first, then read the number and
    /// the content, send the content, and follow from that number.
    pub fn follow_from<E, S: FeedSource>(&mut self, feed: &Feed<E, S>, seq: Seq)
    where
        Feed<E, S>: Joinable<C::Event>,
    {
        let name = self.raw.join_group(feed.name());
        let position = FeedPosition { epoch: self.layer().epoch(), seq };
        self.raw.outbound().subscriptions.follow_from(&name, position, erase(feed.source()));
    }

    /// Makes the person of this socket present in a group, until the socket closes or
    /// [`untrack`](Self::untrack)s. Has no effect on a socket without a person.
    pub fn track(&mut self, group: impl Named) {
        self.raw.track_group(group.group_name(), None);
    }

    /// Makes the person of this socket present in a group, with facts about them for those who list
    /// the people: a name, or what they do. Tracking again replaces the facts.
    ///
    /// # Errors
    /// If the facts cannot be serialized as JSON.
    pub fn track_as(
        &mut self,
        group: impl Named,
        facts: &(impl Serialize + Sync),
    ) -> Result<(), Error> {
        let facts = serde_json::to_value(facts)?;
        self.raw.track_group(group.group_name(), Some(facts));
        Ok(())
    }

    /// Ends the presence of this socket's person in the group, unless another socket tracks it.
    pub fn untrack(&mut self, group: impl Named) {
        self.raw.untrack_group(group.group_name());
    }

    /// Closes the connection when the running handler ends.
    pub fn close(&mut self, close: Close) {
        self.raw.closing.get_or_insert(close);
    }

    pub(crate) fn raw(&mut self) -> &mut RawSocket {
        &mut self.raw
    }
}

impl<C> fmt::Debug for Socket<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket")
            .field("channel", &self.raw.channel.name)
            .field("scope", &self.raw.scope)
            .finish_non_exhaustive()
    }
}
