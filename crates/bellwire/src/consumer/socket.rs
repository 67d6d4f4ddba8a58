//! What a handler holds of its connection.

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

/// One connection, in the hands of its consumer.
///
/// What is sent leaves when the handler ends, together, or earlier when much has gathered.
pub struct Socket {
    pub(crate) channel: Arc<Channel>,
    pub(crate) bellwire: Bellwire,
    pub(crate) scope: Scope,
    /// The groups it joined.
    joined: Vec<GroupName>,
    /// The groups in which it makes its person present.
    tracked: Vec<GroupName>,
    /// What a handler asked for.
    pub(crate) closing: Option<Close>,
    /// The field that an error is shown beside, where it stays until it is taken back.
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

    /// Its way out. While it is held nothing else is written here.
    pub(crate) fn outbound(&self) -> MutexGuard<'_, Outbound> {
        self.channel.outbound()
    }

    /// Who connected, and where.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// This connection's own address.
    pub fn channel(&self) -> ChannelName {
        self.channel.name
    }

    /// The layer, for sending to groups.
    pub fn layer(&self) -> &Layer {
        self.bellwire.layer()
    }

    /// What the browser understands.
    pub fn dialect(&self) -> Dialect {
        self.outbound().dialect
    }

    /// Sends a frame, text or binary.
    ///
    /// # Errors
    /// When the connection is lost or told to close, or its reader takes nothing for too long.
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
    /// As [`send`](Self::send).
    pub async fn send_text(&mut self, text: impl AsRef<str>) -> Result<(), Error> {
        let frame = EncodedFrame::text(text.as_ref().as_bytes());
        self.write(frame).await
    }

    /// Sends a value as JSON.
    ///
    /// # Errors
    /// As [`send`](Self::send), or when the value has no JSON form.
    pub async fn send_json(&mut self, value: &(impl Serialize + Sync)) -> Result<(), Error> {
        let frame = EncodedFrame::text(&serde_json::to_vec(value)?);
        self.write(frame).await
    }

    /// Changes this one page.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn patch(&mut self, patch: Patch) -> Result<(), Error> {
        self.frames(self.dialect().patches(&[patch], None)).await
    }

    /// Joins a group: from now on its sends arrive here. Joining twice is joining once.
    pub fn join<E: Event>(&mut self, group: &Group<E>) {
        self.join_group(group.name());
    }

    /// Leaves a group. What waited from there is not delivered any more. Followed again, a feed
    /// goes on where it was left.
    pub fn leave<E: Event>(&mut self, group: &Group<E>) {
        let _ = self.leave_group(group.name());
    }

    /// Joins a group and follows its numbers. As soon as the running handler ends the consumer is
    /// asked to [catch up](crate::Consumer::catch_up) from where the page left off; from then on
    /// nothing is missed.
    pub fn follow<E: Event>(&mut self, feed: &Group<E>) {
        let feed = self.join_group(feed.name());
        self.outbound().subscriptions.follow(&feed, self.scope.since(&feed));
    }

    /// Follows a feed from number `seq`, for a handler that brings the page to that number itself.
    /// So that nothing falls in between, [`join`](Self::join) the group first, then read the number
    /// and what is to be shown, send that, and follow from there.
    pub fn follow_from<E: Event>(&mut self, feed: &Group<E>, seq: Seq) {
        let feed = self.join_group(feed.name());
        self.outbound().subscriptions.follow_from(&feed, seq);
    }

    /// Makes the person of this socket present in a group, until the socket closes or
    /// [`untrack`](Self::untrack)s. A socket of nobody in particular makes nobody present.
    pub fn track<E: Event>(&mut self, group: &Group<E>) {
        let group = group.name();
        if let Some(person) = self.scope.person()
            && !self.tracked.contains(group)
        {
            self.layer().presence().track(group, person, self.channel.name.number);
            self.tracked.push(group.clone());
        }
    }

    /// This socket does not stand for its person in the group any more.
    pub fn untrack<E: Event>(&mut self, group: &Group<E>) {
        self.untrack_group(group.name());
    }

    /// Closes the connection when the running handler ends.
    pub fn close(&mut self, close: Close) {
        self.closing.get_or_insert(close);
    }

    /// Returns the group's name, as its members share it.
    pub(crate) fn join_group(&mut self, group: &GroupName) -> GroupName {
        if let Some(joined) = self.joined.iter().find(|joined| *joined == group) {
            return joined.clone();
        }
        let group = self.layer().join(group, &self.channel);
        self.joined.push(group.clone());
        group
    }

    /// Returns whether it was in the group.
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

    /// Leaves everything that it was in.
    pub(crate) fn leave_all(&mut self) {
        for group in self.tracked.clone() {
            self.untrack_group(&group);
        }
        self.layer().disconnect(&self.channel, &self.joined);
        self.joined.clear();
        self.outbound().subscriptions = Subscriptions::default();
    }

    /// Tells the browser what was wrong with its ask.
    pub(crate) async fn error(
        &mut self,
        invalid: Invalid,
        client_id: Option<&str>,
    ) -> Result<(), Error> {
        self.write(self.dialect().error(&invalid, client_id)).await?;
        self.shown_error = Some(invalid.field);
        Ok(())
    }

    /// What was wrong is mended: the page shows it no longer.
    pub(crate) fn clear_error(&mut self) {
        if let Some(field) = self.shown_error.take()
            && let Some(frame) = self.dialect().clear_error(field.as_deref())
        {
            // A wire that is gone says so at the next flush.
            let _ = self.outbound().transport.write(Outgoing::Frame(frame));
        }
    }

    /// What was read for members of a group, as long as it is one. Returns whether all of it went
    /// out.
    pub(crate) async fn write_to_member(
        &mut self,
        group: &GroupName,
        frames: EncodedFrames,
    ) -> Result<bool, Error> {
        for frame in frames {
            self.ready().await?;
            let fed = {
                let mut outbound = self.outbound();
                self.channel
                    .queue
                    .if_member(group, || outbound.transport.write(Outgoing::Frame(frame)))
            };
            match fed {
                Some(fed) => fed.map_err(|_| Error::Close(Close::lost()))?,
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

    /// Waits for room for one more frame: when much has gathered the reader has to take some first,
    /// within its time. Whoever is told to close waits no longer.
    async fn ready(&mut self) -> Result<(), Error> {
        let patience = self.bellwire.limits().write;
        let channel = &self.channel;
        loop {
            let room = poll_fn(|cx| match channel.queue.poll_closed(cx) {
                Poll::Ready(()) => {
                    Poll::Ready(Err(channel.queue.closed().unwrap_or_else(Close::lost)))
                }
                Poll::Pending => {
                    channel.outbound().transport.poll_ready(cx).map_err(|_| Close::lost())
                }
            });
            match tokio::time::timeout(patience, room).await {
                Ok(room) => return room.map_err(Error::Close),
                // Slow, but alive.
                Err(_) if channel.outbound().transport.made_progress() => {}
                Err(_) => {
                    return Err(Error::Close(Close::new(Close::TRY_AGAIN, "too slow to read")));
                }
            }
        }
    }
}

/// However a connection ends, it is in no group afterwards.
impl Drop for Socket {
    fn drop(&mut self) {
        self.leave_all();
        // Somebody may hold the channel a moment longer; the line ends now.
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
