//! What a handler holds of its connection.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;

use crate::action::Frame;
use crate::bellwire::Bellwire;
use crate::error::{Error, Invalid};
use crate::feeds::Following;
use crate::layer::{Channel, ChannelName};
use crate::websocket::{Outgoing, Wire};
use crate::{Close, Dialect, Event, Group, GroupName, Layer, Patch, Scope};

/// One connection, in the hands of its consumer.
///
/// What is sent leaves when the handler ends, together, or earlier when much has gathered.
pub struct Socket {
    pub(crate) wire: Box<dyn Wire>,
    pub(crate) channel: Arc<Channel>,
    pub(crate) bellwire: Bellwire,
    pub(crate) scope: Scope,
    pub(crate) dialect: Dialect,
    pub(crate) joined: Vec<GroupName>,
    pub(crate) feeds: Vec<Following>,
    pub(crate) closing: Option<Close>,
}

impl Socket {
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
        self.dialect
    }

    /// Sends a frame, text or binary.
    ///
    /// # Errors
    /// When the connection is lost, or its reader takes nothing for too long.
    pub async fn send(&mut self, frame: Frame) -> Result<(), Error> {
        self.feed(match frame {
            Frame::Text(text) => Outgoing::Text(text.into()),
            Frame::Binary(bytes) => Outgoing::Binary(bytes),
        })
        .await
    }

    /// Sends text.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn send_text(&mut self, text: impl Into<String>) -> Result<(), Error> {
        self.feed(Outgoing::Text(text.into().into())).await
    }

    /// Sends a value as JSON.
    ///
    /// # Errors
    /// As [`send`](Self::send), or when the value has no JSON form.
    pub async fn send_json(&mut self, value: &(impl Serialize + Sync)) -> Result<(), Error> {
        let json = serde_json::to_vec(value)?;
        self.feed(Outgoing::Text(json.into())).await
    }

    /// Changes this one page.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn patch(&mut self, patch: Patch) -> Result<(), Error> {
        for frame in self.dialect.patches(&[patch], None) {
            self.feed(Outgoing::Text(frame)).await?;
        }
        Ok(())
    }

    /// Joins a group: from now on its sends arrive here. Joining twice is joining once.
    pub fn join<E: Event>(&mut self, group: &Group<E>) {
        self.join_name(group.name());
    }

    /// Leaves a group.
    pub fn leave<E: Event>(&mut self, group: &Group<E>) {
        self.bellwire.layer().leave(group.name(), &self.channel);
        self.forget(group.name());
    }

    /// Joins a group and follows its numbers. As soon as the running handler ends the consumer is asked to
    /// [catch up](crate::Consumer::catch_up) from where the page left off; from then on nothing is missed.
    pub fn follow<E: Event>(&mut self, feed: &Group<E>) {
        let feed = feed.name();
        self.join_name(feed);
        if self.feeds.iter().all(|following| following.feed != *feed) {
            let position = self.scope.since(feed);
            self.feeds.push(Following { feed: feed.clone(), position, behind: true });
        }
    }

    /// Closes the connection when the running handler ends.
    pub fn close(&mut self, close: Close) {
        self.closing.get_or_insert(close);
    }

    fn join_name(&mut self, group: &GroupName) {
        if !self.joined.contains(group) {
            self.joined.push(group.clone());
            self.bellwire.layer().join(group, &self.channel);
        }
    }

    /// The hub has taken this socket out of the group already.
    pub(crate) fn forget(&mut self, group: &GroupName) {
        self.joined.retain(|joined| joined != group);
        self.feeds.retain(|following| following.feed != *group);
    }

    /// Tells the browser what was wrong with its ask.
    pub(crate) async fn error(&mut self, invalid: &Invalid, client_id: Option<&str>) -> Result<(), Error> {
        self.feed(Outgoing::Text(self.dialect.error(invalid, client_id))).await
    }

    pub(crate) async fn frames(&mut self, frames: Vec<Bytes>) -> Result<(), Error> {
        for frame in frames {
            self.feed(Outgoing::Text(frame)).await?;
        }
        Ok(())
    }

    /// Adds to what goes out. When much has gathered the reader has to take some first, within its time.
    async fn feed(&mut self, out: Outgoing) -> Result<(), Error> {
        let wire = &mut self.wire;
        let room = poll_fn(|cx| wire.poll_ready(cx));
        match tokio::time::timeout(self.bellwire.limits().write, room).await {
            Ok(ready) => ready.and_then(|()| self.wire.feed(out)).map_err(|_| Error::Close(Close::lost())),
            Err(_) => Err(Error::Close(Close::new(Close::TRY_AGAIN, "too slow to read"))),
        }
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
