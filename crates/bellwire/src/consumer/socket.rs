//! The consumer's handle to its connection.

use std::fmt;
use std::future::poll_fn;
use std::task::Poll;

use serde::Serialize;

use crate::outbound::{Channel, Outbound, Subscriptions};
use crate::sync::{Arc, MutexGuard};
use crate::transport::{EncodedFrame, EncodedFrames, Outgoing, Transport};
use crate::{
    Bellwire, ChannelName, Close, Dialect, Error, Event, Frame, Group, GroupName, Invalid, Layer,
    Patch, Scope, Seq,
};

/// The handle of a consumer to its connection.
///
/// Frames are buffered, and written together when the handler ends, or earlier when the write
/// buffer is full.
pub struct Socket {
    pub(crate) channel: Arc<Channel>,
    pub(crate) bellwire: Bellwire,
    pub(crate) scope: Scope,
    /// The groups that it joined.
    joined: Vec<GroupName>,
    /// The groups in which this socket counts as presence of its person.
    tracked: Vec<GroupName>,
    /// The close that a handler requested.
    pub(crate) closing: Option<Close>,
    /// The field of the error that the page shows, until it is cleared.
    shown_error: Option<Option<String>>,
}

impl Socket {
    pub(crate) fn new(
        transport: Box<dyn Transport>,
        channel: Arc<Channel>,
        bellwire: Bellwire,
        scope: Scope,
        dialect: Dialect,
    ) -> Self {
        *channel.outbound() = Outbound::new(transport, dialect);
        let (joined, tracked) = (Vec::new(), Vec::new());
        Self { channel, bellwire, scope, joined, tracked, closing: None, shown_error: None }
    }

    /// Locks the outbound side: while the lock is held, nobody else writes to this socket.
    pub(crate) fn outbound(&self) -> MutexGuard<'_, Outbound> {
        self.channel.outbound()
    }

    /// The scope: the person, path and query of this connection.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The address of this connection in the layer.
    pub fn channel(&self) -> ChannelName {
        self.channel.name
    }

    /// The layer, to send to groups.
    pub fn layer(&self) -> &Layer {
        self.bellwire.layer()
    }

    /// The dialect of the browser.
    pub fn dialect(&self) -> Dialect {
        self.outbound().dialect
    }

    /// Sends a frame, text or binary.
    ///
    /// # Errors
    /// Returns an error if the connection is lost, if a close was requested, or if the client reads
    /// nothing for too long.
    pub async fn send(&mut self, frame: Frame) -> Result<(), Error> {
        self.write(match frame {
            Frame::Text(text) => EncodedFrame::text(text.as_bytes()),
            Frame::Binary(bytes) => EncodedFrame::binary(&bytes),
        })
        .await
    }

    /// Sends text.
    ///
    /// # Errors
    /// Those of [`send`](Self::send).
    pub async fn send_text(&mut self, text: impl AsRef<str>) -> Result<(), Error> {
        let frame = EncodedFrame::text(text.as_ref().as_bytes());
        self.write(frame).await
    }

    /// Sends a value as JSON.
    ///
    /// # Errors
    /// Those of [`send`](Self::send), or if the value cannot be serialized.
    pub async fn send_json(&mut self, value: &(impl Serialize + Sync)) -> Result<(), Error> {
        let frame = EncodedFrame::text(&serde_json::to_vec(value)?);
        self.write(frame).await
    }

    /// Sends a patch to this page only.
    ///
    /// # Errors
    /// Those of [`send`](Self::send).
    pub async fn patch(&mut self, patch: Patch) -> Result<(), Error> {
        self.frames(self.dialect().patches(&[patch], None)).await
    }

    /// Joins a group: from now on its sends arrive here. Joining again has no effect.
    pub fn join<E: Event>(&mut self, group: &Group<E>) {
        self.join_group(group.name());
    }

    /// Leaves a group. Its queued messages are dropped. If its feed is followed again, it continues
    /// at the position where it was left.
    pub fn leave<E: Event>(&mut self, group: &Group<E>) {
        let _ = self.leave_group(group.name());
    }

    /// Joins a group and subscribes to its feed. After the running handler, the consumer is asked
    /// to [catch up](crate::Consumer::catch_up) from the position of the page; from then on no
    /// change is missed.
    pub fn follow<E: Event>(&mut self, feed: &Group<E>) {
        let feed = self.join_group(feed.name());
        self.outbound().subscriptions.follow(&feed, self.scope.since(&feed));
    }

    /// Subscribes to a feed from number `seq`, for a handler that brings the page to that number
    /// itself.
    ///
    /// So that no change is missed, [`join`](Self::join) the group first, then read the number and
    /// the content, send the content, and follow from that number.
    pub fn follow_from<E: Event>(&mut self, feed: &Group<E>, seq: Seq) {
        let feed = self.join_group(feed.name());
        self.outbound().subscriptions.follow_from(&feed, seq);
    }

    /// Makes the person of this socket present in a group, until the socket closes or
    /// [`untrack`](Self::untrack)s. Has no effect on a socket without a person.
    pub fn track<E: Event>(&mut self, group: &Group<E>) {
        let group = group.name();
        if let Some(person) = self.scope.person()
            && !self.tracked.contains(group)
        {
            self.layer().presence().track(group, person, self.channel.name.number);
            self.tracked.push(group.clone());
        }
    }

    /// Ends the presence of this socket's person in the group, unless another socket tracks it.
    pub fn untrack<E: Event>(&mut self, group: &Group<E>) {
        self.untrack_group(group.name());
    }

    /// Closes the connection when the running handler ends.
    pub fn close(&mut self, close: Close) {
        self.closing.get_or_insert(close);
    }

    /// Joins a group. Returns the group's name, shared by its members.
    pub(crate) fn join_group(&mut self, group: &GroupName) -> GroupName {
        if let Some(joined) = self.joined.iter().find(|joined| *joined == group) {
            return joined.clone();
        }
        let group = self.layer().join(group, &self.channel);
        self.joined.push(group.clone());
        group
    }

    /// Leaves a group. Returns whether the socket was in it.
    pub(crate) fn leave_group(&mut self, group: &GroupName) -> bool {
        let was_in = self.joined.contains(group) || self.tracked.contains(group);
        self.layer().leave(group, &self.channel);
        self.channel.queue.discard(group);
        self.joined.retain(|joined| joined != group);
        self.outbound().subscriptions.leave(group);
        self.untrack_group(group);
        was_in
    }

    fn untrack_group(&mut self, group: &GroupName) {
        let before = self.tracked.len();
        self.tracked.retain(|tracked| tracked != group);
        if let Some(person) = self.scope.person()
            && self.tracked.len() < before
        {
            let (socket, now) = (self.channel.name.number, self.bellwire.now());
            self.layer().presence().untrack(group, person, socket, now);
        }
    }

    /// Leaves all groups.
    pub(crate) fn leave_all(&mut self) {
        for group in self.tracked.clone() {
            self.untrack_group(&group);
        }
        self.layer().disconnect(&self.channel, &self.joined);
        self.joined.clear();
        self.outbound().subscriptions = Subscriptions::default();
    }

    /// Sends the error that answers an action of the browser.
    pub(crate) async fn error(
        &mut self,
        invalid: Invalid,
        client_id: Option<&str>,
    ) -> Result<(), Error> {
        self.write(self.dialect().error(&invalid, client_id)).await?;
        self.shown_error = Some(invalid.field);
        Ok(())
    }

    /// Clears the error that the page shows, after a valid action.
    pub(crate) fn clear_error(&mut self) {
        if let Some(field) = self.shown_error.take()
            && let Some(frame) = self.dialect().clear_error(field.as_deref())
        {
            // A lost transport reports its error at the next flush.
            let _ = self.outbound().transport.write(Outgoing::Frame(frame));
        }
    }

    /// Writes frames for members of a group, as long as this socket is one. Returns whether all
    /// were written.
    pub(crate) async fn write_to_member(
        &mut self,
        group: &GroupName,
        frames: EncodedFrames,
    ) -> Result<bool, Error> {
        for frame in frames {
            self.ready().await?;
            let written = {
                let mut outbound = self.outbound();
                self.channel
                    .queue
                    .if_member(group, || outbound.transport.write(Outgoing::Frame(frame)))
            };
            match written {
                Some(written) => written.map_err(|_| Error::Close(Close::lost()))?,
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    async fn frames(&mut self, frames: EncodedFrames) -> Result<(), Error> {
        for frame in frames {
            self.write(frame).await?;
        }
        Ok(())
    }

    async fn write(&mut self, frame: EncodedFrame) -> Result<(), Error> {
        self.ready().await?;
        self.outbound()
            .transport
            .write(Outgoing::Frame(frame))
            .map_err(|_| Error::Close(Close::lost()))
    }

    /// Waits until the write buffer has capacity: when it is full, the reader has to accept some
    /// bytes first, within the limit. A requested close ends the wait.
    async fn ready(&mut self) -> Result<(), Error> {
        let write_limit = self.bellwire.limits().write;
        let channel = &self.channel;
        loop {
            let capacity = poll_fn(|cx| match channel.queue.poll_closed(cx) {
                Poll::Ready(()) => {
                    Poll::Ready(Err(channel.queue.closed().unwrap_or_else(Close::lost)))
                }
                Poll::Pending => {
                    channel.outbound().transport.poll_ready(cx).map_err(|_| Close::lost())
                }
            });
            match tokio::time::timeout(write_limit, capacity).await {
                Ok(result) => return result.map_err(Error::Close),
                // Slow, but alive.
                Err(_) if channel.outbound().transport.made_progress() => {}
                Err(_) => {
                    return Err(Error::Close(Close::new(Close::TRY_AGAIN, "too slow to read")));
                }
            }
        }
    }
}

/// However a connection ends, it leaves all its groups.
impl Drop for Socket {
    fn drop(&mut self) {
        self.leave_all();
        // The channel may be held a moment longer; the transport is dropped now.
        *self.outbound() = Outbound::default();
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket")
            .field("channel", &self.channel.name)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}
