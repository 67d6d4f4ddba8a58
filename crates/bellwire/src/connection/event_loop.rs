//! The per-connection event loop: selects between control messages, socket input and group
//! messages.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::{Instant, sleep, timeout};

use crate::connection::handler::{HandlerFailure, track_pending, until_closed};
use crate::connection::select::{Step, poll_next};
use crate::consumer::{ErasedConsumer, client_id};
use crate::group_name::Position;
use crate::layer::Batched;
use crate::outbound::{Channel, Delivery, Outbound, Overflow};
use crate::rate::{Decision, RateLimiter};
use crate::sync::Arc;
use crate::transport::{Incoming, Outgoing};
use crate::{Close, Error, Frame, GroupName, Invalid, Socket};

/// The message for the user after an internal error.
const SERVER_ERROR: &str = "Something went wrong on the server. The error has been logged.";
/// The reason of a close after an internal error.
const SERVER_ERROR_REASON: &str = "something went wrong on the server";

/// The attempts to catch up with a number that was published, and the pause between them: a
/// published change may become visible a moment later.
const CATCH_UPS: u32 = 5;
const CATCH_UP_PAUSE: Duration = Duration::from_millis(20);

/// The time limit of `disconnect`; a shutdown waits for it.
const DISCONNECT: Duration = Duration::from_secs(5);

/// A consumer and its socket.
pub(crate) struct Connection {
    consumer: Box<dyn ErasedConsumer>,
    socket: Socket,
    /// `None` if there is no limit.
    actions: Option<RateLimiter>,
    heartbeats: Option<RateLimiter>,
    /// Alternates precedence between socket input and group messages, so that neither starves the
    /// other.
    incoming_first: bool,
    /// Whether the last `receive` completed without waiting.
    immediate: bool,
}

impl Connection {
    pub(crate) fn open(consumer: Box<dyn ErasedConsumer>, socket: Socket) -> Self {
        let limits = socket.bellwire.limits();
        let [actions, heartbeats] =
            [limits.actions(), limits.heartbeats()].map(|quota| quota.map(RateLimiter::new));
        Self { consumer, socket, actions, heartbeats, incoming_first: true, immediate: false }
    }

    /// Runs the connection from `connect` to `disconnect`.
    pub(crate) fn run(self) -> impl Future<Output = Close> {
        Batched::new(self.run_handlers())
    }

    async fn run_handlers(mut self) -> Close {
        // Kicked, or the server stopped, during the handshake: no handler runs.
        if let Some(close) = self.socket.channel.queue.closed() {
            self.close_unopened(&close).await;
            return close;
        }
        let close = match self.connect().await {
            Ok(()) => self.serve().await,
            Err(close) => close,
        };
        self.socket.leave_all();
        // The close is sent first: the app's `disconnect` must not delay it.
        let close_sent = self.send_close(&close);
        match self.consumer.disconnect(&mut self.socket, close.clone(), DISCONNECT).await {
            Ok(()) => {
                tracing::debug!(scope = %self.socket.scope, code = close.code(), "Disconnected")
            }
            Err(failure) => drop(self.log_failure(&failure, "disconnect")),
        }
        if close_sent {
            self.await_close().await;
        }
        close
    }

    async fn connect(&mut self) -> Result<(), Close> {
        let (channel, time_limit) = self.handler_context();
        match until_closed(&channel, self.consumer.connect(&mut self.socket, time_limit)).await {
            Ok(()) => self.socket.closing.take().map_or(Ok(()), Err),
            Err(HandlerFailure::Error(Error::Close(close)) | HandlerFailure::Closed(close)) => {
                Err(close)
            }
            Err(HandlerFailure::Error(Error::Invalid(invalid))) => {
                Err(Close::policy(invalid.message))
            }
            Err(failure) => Err(self.log_failure(&failure, "connect")),
        }
    }

    async fn serve(&mut self) -> Close {
        loop {
            let outcome = match poll_fn(|cx| self.poll_step(cx)).await {
                Step::Incoming(Incoming::Message(frame)) => self.receive(frame).await,
                Step::Incoming(Incoming::Heartbeat) => self.heartbeat(),
                Step::Incoming(Incoming::Close(close) | Incoming::Broken(close))
                | Step::Close(close) => Err(close),
                Step::Event(delivery) => self.event(&delivery).await,
                Step::CatchUp => self.catch_up().await,
                Step::Control | Step::WriterBusy => Ok(()),
                Step::Overflow(overflow) => self.overflow(overflow).await,
                Step::Removed(group) => self.removed(group).await,
            };
            if let Err(close) =
                outcome.and_then(|()| self.socket.closing.take().map_or(Ok(()), Err))
            {
                return close;
            }
            // One busy connection must not starve the others on its thread.
            tokio::task::coop::consume_budget().await;
        }
    }

    /// The channel and the time limit of a handler.
    fn handler_context(&self) -> (Arc<Channel>, Duration) {
        (self.socket.channel.clone(), self.socket.bellwire.limits().handler)
    }

    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        let Self { socket: Socket { channel, bellwire, .. }, incoming_first, immediate, .. } = self;
        let outbound = &mut *channel.outbound();
        outbound.loop_idle = false;
        let next = poll_next(incoming_first, outbound, channel, cx);
        if matches!(next, Poll::Ready(Step::Incoming(_))) {
            channel.touch(bellwire.now());
        }
        // The write buffer is flushed before a handler runs, because the handler may wait. If the
        // last `receive` did not wait, the next one is expected not to wait either: actions that
        // arrive together are answered in one write. If it waits after all, `receive` flushes then.
        if *immediate && matches!(next, Poll::Ready(Step::Incoming(Incoming::Message(_)))) {
            return next;
        }
        let flushed = poll_flush(outbound, channel, bellwire.clock(), cx);
        if let Poll::Ready(Err(_)) = flushed {
            return Poll::Ready(Step::Close(Close::lost()));
        }
        let writer_busy = matches!(next, Poll::Ready(Step::WriterBusy));
        outbound.loop_idle = flushed.is_ready() && (next.is_pending() || writer_busy);
        if outbound.loop_idle && !writer_busy {
            outbound.transport.idle();
        }
        if writer_busy { Poll::Pending } else { next }
    }

    async fn receive(&mut self, frame: Frame) -> Result<(), Close> {
        match check_rate(&mut self.actions) {
            Decision::Allow => {}
            Decision::Throttle { .. } => {
                let invalid = Invalid::general("Too fast. Wait a moment.");
                return self.answer(invalid, id_source(&frame)).await;
            }
            Decision::Disconnect { .. } => return Err(Close::policy("too many actions")),
        }
        let source = id_source(&frame);
        let (channel, time_limit) = self.handler_context();
        let (now, mut unwritten) = (self.socket.bellwire.clock(), true);
        let handler =
            until_closed(&channel, self.consumer.receive(&mut self.socket, frame, time_limit));
        // The answers to earlier actions are written if this handler waits. A write error is
        // reported by the next flush of the loop.
        let write = |cx: &mut Context<'_>| {
            unwritten =
                unwritten && poll_flush(&mut channel.outbound(), &channel, now, cx).is_pending();
        };
        let (result, immediate) = track_pending(handler, write).await;
        self.immediate = immediate;
        if result.is_ok() {
            self.socket.clear_error();
        }
        self.report(result, "receive", source).await
    }

    /// Applies the rate limit to pings and pongs: each ping costs the server a pong.
    fn heartbeat(&mut self) -> Result<(), Close> {
        match check_rate(&mut self.heartbeats) {
            Decision::Disconnect { .. } => Err(Close::policy("too many pings")),
            Decision::Allow | Decision::Throttle { .. } => Ok(()),
        }
    }

    async fn event(&mut self, delivery: &Delivery) -> Result<(), Close> {
        let (channel, time_limit) = self.handler_context();
        let result =
            until_closed(&channel, self.consumer.event(&mut self.socket, delivery, time_limit))
                .await;
        self.report(result, "event", None).await
    }

    /// Brings one feed that is behind up to date, by the consumer's `catch_up`.
    async fn catch_up(&mut self) -> Result<(), Close> {
        let Some((feed, since)) = self.socket.outbound().subscriptions.take_behind() else {
            return Ok(());
        };
        self.socket.layer().counters().caught_up();
        let (channel, time_limit) = self.handler_context();
        let catch_up = self.consumer.catch_up(&mut self.socket, &feed, since, time_limit);
        let caught_up = match until_closed(&channel, catch_up).await {
            Ok(caught_up) => caught_up,
            Err(HandlerFailure::Error(Error::Close(close)) | HandlerFailure::Closed(close)) => {
                return Err(close);
            }
            Err(failure) => {
                self.log_failure(&failure, "catch_up");
                return Err(Close::new(Close::TRY_AGAIN, "could not catch up"));
            }
        };
        if self.socket.outbound().subscriptions.find(&feed).is_none() {
            return Ok(());
        }
        let position = Position { feed, seq: caught_up.seq };
        let frames = self.socket.dialect().patches(&caught_up.patches, Some(&position));
        // The person may have lost access to the group while the changes were read.
        if !self.socket.write_to_member(&position.feed, frames).await.map_err(into_close)? {
            return Ok(());
        }
        let attempts = {
            let mut outbound = self.socket.outbound();
            outbound.transport.note_position(&position.feed, position.seq);
            let Some(subscription) = outbound.subscriptions.find(&position.feed) else {
                return Ok(());
            };
            subscription.note_position(position.seq)
        };
        match attempts {
            0 => Ok(()),
            attempts @ 1..CATCH_UPS => {
                sleep(CATCH_UP_PAUSE * attempts).await;
                Ok(())
            }
            _ => {
                tracing::error!(
                    scope = %self.socket.scope,
                    feed = %position.feed,
                    "Catching up did not reach a published number"
                );
                Err(Close::new(Close::TRY_AGAIN, "could not catch up"))
            }
        }
    }

    async fn overflow(&mut self, overflow: Overflow) -> Result<(), Close> {
        let mut unnumbered = overflow.unnumbered;
        for group in &overflow.numbered {
            match self.socket.outbound().subscriptions.find(group) {
                Some(subscription) => subscription.behind = true,
                // A member without a subscription cannot catch up by number.
                None => unnumbered = true,
            }
        }
        if !unnumbered {
            return Ok(());
        }
        let (channel, time_limit) = self.handler_context();
        let result =
            until_closed(&channel, self.consumer.lagged(&mut self.socket, time_limit)).await;
        self.report(result, "lagged", None).await
    }

    async fn removed(&mut self, group: GroupName) -> Result<(), Close> {
        // The control message goes to all sockets of a person, since one that connects may be about
        // to join. A socket that is not in the group ignores it.
        if !self.socket.leave_group(&group) {
            return Ok(());
        }
        let (channel, time_limit) = self.handler_context();
        let removed = self.consumer.removed(&mut self.socket, &group, time_limit);
        let result = until_closed(&channel, removed).await;
        self.report(result, "removed", None).await
    }

    /// Reports a handler's failure: an invalid request to the browser, an internal error to the log
    /// and, without details, to the browser.
    async fn report(
        &mut self,
        result: Result<(), HandlerFailure>,
        handler: &str,
        source: Option<String>,
    ) -> Result<(), Close> {
        match result {
            Ok(()) => Ok(()),
            Err(HandlerFailure::Error(Error::Invalid(invalid))) => {
                self.answer(invalid, source).await
            }
            Err(HandlerFailure::Error(Error::Close(close)) | HandlerFailure::Closed(close)) => {
                Err(close)
            }
            Err(failure @ HandlerFailure::Error(Error::Internal(_))) => {
                self.log_failure(&failure, handler);
                self.answer(Invalid::general(SERVER_ERROR), source).await
            }
            Err(failure) => Err(self.log_failure(&failure, handler)),
        }
    }

    /// Sends an error to the browser. Boxed, so that an idle connection reserves no memory for it.
    fn answer(
        &mut self,
        invalid: Invalid,
        source: Option<String>,
    ) -> BoxFuture<'_, Result<(), Close>> {
        // The error is written before the next handler begins, even if that one never waits.
        self.immediate = false;
        Box::pin(async move {
            let id = source.as_deref().and_then(client_id);
            self.socket.error(invalid, id.as_deref()).await.map_err(into_close)
        })
    }

    /// Logs, once, a failure that only the developer can fix. Returns the close that it leads to.
    fn log_failure(&self, failure: &HandlerFailure, handler: &str) -> Close {
        let scope = &self.socket.scope;
        match failure {
            HandlerFailure::Error(error) => {
                tracing::error!(%scope, handler, ?error, "A handler failed")
            }
            HandlerFailure::Panic(message) => {
                tracing::error!(%scope, handler, message, "A handler panicked; its connection ends");
            }
            HandlerFailure::Timeout => {
                tracing::error!(%scope, handler, "A handler timed out; its connection ends")
            }
            HandlerFailure::Closed(close) => return close.clone(),
        }
        Close::new(Close::ERROR, SERVER_ERROR_REASON)
    }

    async fn close_unopened(&mut self, close: &Close) {
        self.socket.leave_all();
        if self.send_close(close) {
            self.await_close().await;
        }
    }

    /// Sends our half of the closing handshake, or the rest of it. Returns whether to wait for the
    /// peer's half.
    fn send_close(&mut self, close: &Close) -> bool {
        if close.code() == Close::LOST {
            return false;
        }
        // Fails if the peer closed first: its close is answered already.
        let transport = &mut self.socket.outbound().transport;
        let _ = transport.write(Outgoing::Close(close.clone()));
        let mut context = Context::from_waker(std::task::Waker::noop());
        !matches!(transport.poll_flush(&mut context), Poll::Ready(Err(_)))
    }

    /// Waits for the peer's half of the closing handshake, for a limited time: closing immediately
    /// would discard the last frames.
    async fn await_close(&mut self) {
        let channel = &self.socket.channel;
        let closed = async {
            // Flushed again to register a waker: `send_close` flushed without one.
            if poll_fn(|cx| channel.outbound().transport.poll_flush(cx)).await.is_err() {
                return;
            }
            poll_fn(|cx| {
                let transport = &mut channel.outbound().transport;
                while let Some(Incoming::Message(_) | Incoming::Heartbeat) =
                    ready!(transport.poll_receive(cx))
                {}
                Poll::Ready(())
            })
            .await;
            poll_fn(|cx| channel.outbound().transport.poll_close(cx)).await;
        };
        let _ = timeout(self.socket.bellwire.limits().close, closed).await;
    }
}

/// Flushes the write buffer, and records whether the peer accepts it.
fn poll_flush(
    outbound: &mut Outbound,
    channel: &Channel,
    now: impl FnOnce() -> u64,
    cx: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    let flushed = outbound.transport.poll_flush(cx);
    channel.note_write(flushed.is_ready(), outbound.transport.made_progress(), now);
    flushed
}

/// Applies a rate limit. Reads the clock only if there is one.
fn check_rate(limiter: &mut Option<RateLimiter>) -> Decision {
    limiter.as_mut().map_or(Decision::Allow, |limiter| limiter.take(Instant::now().into_std()))
}

/// The close after a frame could not be sent.
fn into_close(error: Error) -> Close {
    match error {
        Error::Close(close) => close,
        Error::Invalid(_) | Error::Internal(_) => Close::new(Close::ERROR, SERVER_ERROR_REASON),
    }
}

/// The text of a frame that may contain a client id. It is parsed only if an error has to name the
/// id.
fn id_source(frame: &Frame) -> Option<String> {
    match frame {
        Frame::Text(text) if text.contains("client_id") => Some(text.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The size of this function's future, in bytes.
    fn future_size<F>(_: impl Fn(Connection) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn the_future_of_an_idle_connection_is_small() {
        let size = future_size(Connection::run);
        assert!(size <= 1_400, "every socket takes {size} bytes for its event loop");
    }
}
