//! The state of a connection that does not depend on the type of its consumer.

use std::future::poll_fn;
use std::task::Poll;

use crate::outbound::{Channel, Outbound, Reader, Subscriptions};
use crate::sync::{Arc, MutexGuard};
use crate::transport::{EncodedFrame, EncodedFrames, Outgoing, Transport};
use crate::{Bellwire, Close, Dialect, Error, GroupName, Layer, Patch, Refusal, Scope};

/// A connection, as the event loop sees it. Consumers see it as a [`Socket`](crate::Socket).
pub(crate) struct RawSocket {
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

impl RawSocket {
    pub(crate) fn new(
        transport: Box<dyn Transport>,
        channel: Arc<Channel>,
        bellwire: Bellwire,
        scope: Scope,
        reader: Reader,
    ) -> Self {
        *channel.outbound() = Outbound::new(transport, reader);
        let (joined, tracked) = (Vec::new(), Vec::new());
        Self { channel, bellwire, scope, joined, tracked, closing: None, shown_error: None }
    }

    /// Locks the outbound side: while the lock is held, nobody else writes to this socket.
    pub(crate) fn outbound(&self) -> MutexGuard<'_, Outbound> {
        self.channel.outbound()
    }

    pub(crate) fn layer(&self) -> &Layer {
        self.bellwire.layer()
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.outbound().reader.dialect
    }

    pub(crate) async fn patch(&mut self, patch: Patch) -> Result<(), Error> {
        for frame in self.dialect().patches(&[patch], None) {
            self.write(frame).await?;
        }
        Ok(())
    }

    /// Makes the person of this socket present in a group.
    pub(crate) fn track_group(&mut self, group: &GroupName, meta: Option<serde_json::Value>) {
        if let Some(person) = self.scope.person() {
            self.layer().presence().track(group, person, self.channel.name.number, meta);
            if !self.tracked.contains(group) {
                self.tracked.push(group.clone());
            }
        }
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

    pub(crate) fn untrack_group(&mut self, group: &GroupName) {
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
        refusal: Refusal,
        client_id: Option<&str>,
    ) -> Result<(), Error> {
        self.write(self.dialect().error(&refusal, client_id)).await?;
        self.shown_error = Some(refusal.field);
        Ok(())
    }

    /// Answers an accepted action, after everything that was queued for this socket by it.
    pub(crate) fn acknowledge(&self, client_id: &str) {
        let frame = self.dialect().answer(client_id);
        // The queue of a connection that closes is not sent any more.
        if self.closing.is_some() {
            let _ = self.outbound().transport.write(Outgoing::Frame(frame));
            return;
        }
        self.layer().deliver_frame(&self.channel, frame);
    }

    /// Tells a page that asks for it whom the connection is for.
    pub(crate) fn hello(&self) {
        let asks = self.scope.query("hello").next().is_some();
        if asks && let Some(frame) = self.dialect().hello(self.scope.identity.owner()) {
            // A lost transport reports its error at the next flush.
            let _ = self.outbound().transport.write(Outgoing::Frame(frame));
        }
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

    pub(crate) async fn write(&mut self, frame: EncodedFrame) -> Result<(), Error> {
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
impl Drop for RawSocket {
    fn drop(&mut self) {
        self.leave_all();
        // The channel may be held a moment longer; the transport is dropped now.
        *self.outbound() = Outbound::default();
    }
}
