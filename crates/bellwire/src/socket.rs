//! What a handler holds of its connection.

use std::fmt;
use std::future::poll_fn;
use std::task::Poll;

use serde::Serialize;

use crate::action::Frame;
use crate::bellwire::Bellwire;
use crate::error::{Error, Invalid};
use crate::feeds::Feeds;
use crate::frame::{Batch, Encoded};
use crate::layer::{Channel, ChannelName};
use crate::outlet::Outlet;
use crate::sync::{Arc, MutexGuard};
use crate::websocket::{Outgoing, Wire};
use crate::{Close, Dialect, Event, Group, GroupName, Layer, Patch, Scope, Seq};

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
    appeared: Vec<GroupName>,
    /// What a handler asked for.
    pub(crate) closing: Option<Close>,
    /// The field that an error is shown beside, where it stays until it is taken back.
    erred: Option<Option<String>>,
}

impl Socket {
    pub(crate) fn new(
        wire: Box<dyn Wire>,
        channel: Arc<Channel>,
        bellwire: Bellwire,
        scope: Scope,
        dialect: Dialect,
    ) -> Self {
        *channel.outlet() = Outlet::new(wire, dialect);
        let (joined, appeared) = (Vec::new(), Vec::new());
        Self { channel, bellwire, scope, joined, appeared, closing: None, erred: None }
    }

    /// Its way out. While it is held nothing else is written here.
    pub(crate) fn outlet(&self) -> MutexGuard<'_, Outlet> {
        self.channel.outlet()
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
        self.outlet().dialect
    }

    /// Sends a frame, text or binary.
    ///
    /// # Errors
    /// When the connection is lost or told to close, or its reader takes nothing for too long.
    pub async fn send(&mut self, frame: Frame) -> Result<(), Error> {
        self.feed(match frame {
            Frame::Text(text) => Encoded::text(text.as_bytes()),
            Frame::Binary(bytes) => Encoded::binary(&bytes),
        })
        .await
    }

    /// Sends text.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn send_text(&mut self, text: impl AsRef<str>) -> Result<(), Error> {
        let frame = Encoded::text(text.as_ref().as_bytes());
        self.feed(frame).await
    }

    /// Sends a value as JSON.
    ///
    /// # Errors
    /// As [`send`](Self::send), or when the value has no JSON form.
    pub async fn send_json(&mut self, value: &(impl Serialize + Sync)) -> Result<(), Error> {
        let frame = Encoded::text(&serde_json::to_vec(value)?);
        self.feed(frame).await
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

    /// Leaves a group. What waited from there is not delivered any more. Followed again, a feed goes on where it was left.
    pub fn leave<E: Event>(&mut self, group: &Group<E>) {
        let _ = self.leave_group(group.name());
    }

    /// Joins a group and follows its numbers. As soon as the running handler ends the consumer is asked to
    /// [catch up](crate::Consumer::catch_up) from where the page left off; from then on nothing is missed.
    pub fn follow<E: Event>(&mut self, feed: &Group<E>) {
        let feed = self.join_group(feed.name());
        self.outlet().feeds.follow(&feed, self.scope.since(&feed));
    }

    /// Follows a feed from number `seq`, for a handler that brings the page to that number itself. So that nothing falls in between,
    /// [`join`](Self::join) the group first, then read the number and what is to be shown, send that, and follow from there.
    pub fn follow_from<E: Event>(&mut self, feed: &Group<E>, seq: Seq) {
        let feed = self.join_group(feed.name());
        self.outlet().feeds.follow_from(&feed, seq);
    }

    /// Makes the person of this socket present in a group, until the socket closes or [`disappear`](Self::disappear)s. A socket
    /// of nobody in particular makes nobody present.
    pub fn appear<E: Event>(&mut self, group: &Group<E>) {
        let group = group.name();
        if let Some(person) = self.scope.person()
            && !self.appeared.contains(group)
        {
            self.layer().presence().appear(group, person, self.channel.name.number);
            self.appeared.push(group.clone());
        }
    }

    /// This socket does not stand for its person in the group any more.
    pub fn disappear<E: Event>(&mut self, group: &Group<E>) {
        self.vanish_from(group.name());
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
        let was_in = self.joined.contains(group) || self.appeared.contains(group);
        self.layer().leave(group, &self.channel);
        self.channel.mailbox.forget(group);
        self.joined.retain(|joined| joined != group);
        self.outlet().feeds.leave(group);
        self.vanish_from(group);
        was_in
    }

    fn vanish_from(&mut self, group: &GroupName) {
        let before = self.appeared.len();
        self.appeared.retain(|appeared| appeared != group);
        if let Some(person) = self.scope.person()
            && self.appeared.len() < before
        {
            let (socket, now) = (self.channel.name.number, self.bellwire.now());
            self.layer().presence().disappear(group, person, socket, now);
        }
    }

    /// Leaves everything that it was in.
    pub(crate) fn leave_all(&mut self) {
        for group in self.appeared.clone() {
            self.vanish_from(&group);
        }
        self.layer().disconnect(&self.channel, &self.joined);
        self.joined.clear();
        self.outlet().feeds = Feeds::default();
    }

    /// Tells the browser what was wrong with its ask.
    pub(crate) async fn error(&mut self, invalid: Invalid, client_id: Option<&str>) -> Result<(), Error> {
        self.feed(self.dialect().error(&invalid, client_id)).await?;
        self.erred = Some(invalid.field);
        Ok(())
    }

    /// What was wrong is mended: the page shows it no longer.
    pub(crate) fn take_error_back(&mut self) {
        if let Some(field) = self.erred.take()
            && let Some(frame) = self.dialect().no_error(field.as_deref())
        {
            // A wire that is gone says so at the next flush.
            let _ = self.outlet().wire.feed(Outgoing::Frame(frame));
        }
    }

    /// What was read for members of a group, as long as it is one. Returns whether all of it went out.
    pub(crate) async fn frames_of(&mut self, group: &GroupName, frames: Batch) -> Result<bool, Error> {
        for frame in frames {
            self.room().await?;
            let fed = {
                let mut outlet = self.outlet();
                self.channel.mailbox.unless_out_of(group, || outlet.wire.feed(Outgoing::Frame(frame)))
            };
            match fed {
                Some(fed) => fed.map_err(|_| Error::Close(Close::lost()))?,
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    async fn frames(&mut self, frames: Batch) -> Result<(), Error> {
        for frame in frames {
            self.feed(frame).await?;
        }
        Ok(())
    }

    async fn feed(&mut self, frame: Encoded) -> Result<(), Error> {
        self.room().await?;
        self.outlet().wire.feed(Outgoing::Frame(frame)).map_err(|_| Error::Close(Close::lost()))
    }

    /// Waits for room for one more frame: when much has gathered the reader has to take some first, within its time. Whoever is told
    /// to close waits no longer.
    async fn room(&mut self) -> Result<(), Error> {
        let patience = self.bellwire.limits().write;
        let channel = &self.channel;
        loop {
            let room = poll_fn(|cx| match channel.mailbox.poll_closed(cx) {
                Poll::Ready(()) => Poll::Ready(Err(channel.mailbox.closed().unwrap_or_else(Close::lost))),
                Poll::Pending => channel.outlet().wire.poll_ready(cx).map_err(|_| Close::lost()),
            });
            match tokio::time::timeout(patience, room).await {
                Ok(room) => return room.map_err(Error::Close),
                // Slow, but alive.
                Err(_) if channel.outlet().wire.flowed() => {}
                Err(_) => return Err(Error::Close(Close::new(Close::TRY_AGAIN, "too slow to read"))),
            }
        }
    }
}

/// However a connection ends, it is in no group afterwards.
impl Drop for Socket {
    fn drop(&mut self) {
        self.leave_all();
        // Somebody may hold the channel a moment longer; the line ends now.
        *self.outlet() = Outlet::default();
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
