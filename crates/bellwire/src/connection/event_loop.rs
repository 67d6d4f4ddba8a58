//! The per-connection event loop: selects between control messages, socket input and group
//! messages.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::{Instant, sleep, timeout};

use crate::connection::handler::{track_pending, until_closed};
use crate::connection::remedy::remedy;
use crate::connection::select::{Step, poll_next};
use crate::consumer::{Driver, RawSocket, client_id};
use crate::error::{Error, FAULT, Refusal};
use crate::feed::Request;
use crate::handler_future::{HandlerFailure, HandlerFuture};
use crate::layer::Batched;
use crate::outbound::{Behind, Channel, Delivery, Outbound, Overflow};
use crate::position::Position;
use crate::rate::{Decision, RateLimiter};
use crate::sync::Arc;
use crate::transport::{Incoming, Outgoing};
use crate::{Bellwire, Close, Frame, GroupName, Handler};

/// The reason of a close after an internal error.
const SERVER_ERROR_REASON: &str = "something went wrong on the server";

/// The attempts to catch up with a number that was published, and the pause between them: a
/// published change may become visible a moment later.
const CATCH_UPS: u32 = 5;
const CATCH_UP_PAUSE: Duration = Duration::from_millis(20);

/// A consumer with its socket, and what the event loop needs of them.
pub(crate) struct Connection {
    driver: Box<dyn Driver>,
    channel: Arc<Channel>,
    bellwire: Bellwire,
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
    pub(crate) fn open(mut driver: Box<dyn Driver>) -> Self {
        let socket = driver.socket();
        socket.hello();
        let (channel, bellwire) = (socket.channel.clone(), socket.bellwire.clone());
        let limits = bellwire.limits();
        let [actions, heartbeats] =
            [limits.actions(), limits.heartbeats()].map(|quota| quota.map(RateLimiter::new));
        let (incoming_first, immediate) = (true, false);
        Self { driver, channel, bellwire, actions, heartbeats, incoming_first, immediate }
    }

    fn socket(&mut self) -> &mut RawSocket {
        self.driver.socket()
    }

    /// Runs the connection from `connect` to `disconnect`.
    pub(crate) fn run(self) -> impl Future<Output = Close> {
        Batched::new(self.run_handlers())
    }

    async fn run_handlers(mut self) -> Close {
        // Kicked, or the server stopped, during the handshake: no handler runs.
        if let Some(close) = self.channel.queue.closed() {
            self.close_unopened(&close).await;
            return close;
        }
        let close = match self.connect().await {
            Ok(()) => self.serve().await,
            Err(close) => close,
        };
        self.socket().leave_all();
        // The close is sent first: the app's `disconnect` must not delay it.
        let close_sent = self.send_close(&close);
        self.log_close(&close);
        if let Err(failure) = self.driver.disconnect(close.clone()).await {
            self.log_failure(&failure, Handler::Disconnect);
        }
        if close_sent {
            self.await_close().await;
        }
        close
    }

    async fn connect(&mut self) -> Result<(), Close> {
        let (channel, now) = (self.channel.clone(), self.bellwire.clock());
        match run(&channel, now, self.driver.connect()).await.0 {
            Ok(()) => self.requested_close(),
            Err(HandlerFailure::Error(Error::Close(close)) | HandlerFailure::Closed(close)) => {
                Err(close)
            }
            Err(HandlerFailure::Error(Error::Refused(refusal))) => Err(close_of(refusal)),
            Err(failure) => Err(self.log_failure(&failure, Handler::Connect)),
        }
    }

    /// The close that a handler requested, if any.
    fn requested_close(&mut self) -> Result<(), Close> {
        self.socket().closing.take().map_or(Ok(()), Err)
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
            if let Err(close) = outcome.and_then(|()| self.requested_close()) {
                return close;
            }
            // One busy connection must not starve the others on its thread.
            tokio::task::coop::consume_budget().await;
        }
    }

    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        let Self { channel, bellwire, incoming_first, immediate, .. } = self;
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
        let client_id = match &frame {
            Frame::Text(text) => client_id(text),
            Frame::Binary(_) => None,
        };
        match check_rate(&mut self.actions) {
            Decision::Allow => {}
            Decision::Throttle { .. } => {
                return self.answer(Refusal::general("Too fast. Wait a moment."), client_id).await;
            }
            Decision::Disconnect { .. } => return Err(Close::policy("too many actions")),
        }
        let (channel, now) = (self.channel.clone(), self.bellwire.clock());
        let (result, immediate) = run(&channel, now, self.driver.receive(frame)).await;
        self.immediate = immediate;
        if result.is_ok() {
            self.socket().clear_error();
            if let Some(id) = &client_id {
                self.socket().acknowledge(id);
            }
        }
        self.report(result, Handler::Receive, client_id).await
    }

    /// Applies the rate limit to pings and pongs: each ping costs the server a pong.
    fn heartbeat(&mut self) -> Result<(), Close> {
        match check_rate(&mut self.heartbeats) {
            Decision::Disconnect { .. } => Err(Close::policy("too many pings")),
            Decision::Allow | Decision::Throttle { .. } => Ok(()),
        }
    }

    async fn event(&mut self, delivery: &Delivery) -> Result<(), Close> {
        let (channel, now) = (self.channel.clone(), self.bellwire.clock());
        let (result, _) = run(&channel, now, self.driver.event(delivery)).await;
        self.report(result, Handler::Event, None).await
    }

    /// Brings one feed that is behind up to date, from its source.
    async fn catch_up(&mut self) -> Result<(), Close> {
        let Some(behind) = self.channel.outbound().subscriptions.take_behind() else {
            return Ok(());
        };
        let feed = behind.feed.clone();
        let layer = self.bellwire.layer().clone();
        layer.counters().caught_up();
        let read = layer.catch_ups().get(self.request(behind));
        let (channel, now) = (self.channel.clone(), self.bellwire.clock());
        let (read, _) = run(&channel, now, Box::pin(async { Ok(read.await) })).await;
        let caught_up = match read {
            Ok(Ok(caught_up)) => caught_up,
            Err(HandlerFailure::Closed(close)) => return Err(close),
            // The read has logged its failure.
            Ok(Err(_)) | Err(_) => return Err(Close::new(Close::TRY_AGAIN, "could not catch up")),
        };
        if self.channel.outbound().subscriptions.find(&feed).is_none() {
            return Ok(());
        }
        let frames = caught_up.frames(&self.channel.outbound().reader);
        // The person may have lost access to the group while the changes were read.
        if !self.socket().write_to_member(&feed, frames).await.map_err(into_close)? {
            return Ok(());
        }
        let Some(position) = caught_up.position() else { return Ok(()) };
        self.reached(position).await
    }

    fn request(&self, behind: Behind) -> Request {
        let Behind { feed, since, head, source } = behind;
        let audience = self.channel.outbound().reader.audience.clone().unwrap_or_default();
        let layer = self.bellwire.layer();
        Request {
            feed,
            since,
            head,
            audience,
            source,
            epoch: layer.epoch(),
            time_limit: self.bellwire.limits().handler,
            counters: layer.counters().clone(),
        }
    }

    /// Records that the page has caught up to this position. A number that was published and is not
    /// reached becomes visible a moment later.
    async fn reached(&mut self, position: &Position) -> Result<(), Close> {
        let attempts = {
            let epoch = self.bellwire.layer().epoch();
            let mut outbound = self.channel.outbound();
            outbound.transport.note_position(position);
            let Some(subscription) = outbound.subscriptions.find(&position.feed) else {
                return Ok(());
            };
            subscription.note_position(position.at.seq, epoch)
        };
        match attempts {
            0 => Ok(()),
            attempts @ 1..CATCH_UPS => {
                sleep(CATCH_UP_PAUSE * attempts).await;
                Ok(())
            }
            _ => {
                tracing::error!(
                    scope = %self.socket().scope,
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
            match self.channel.outbound().subscriptions.find(group) {
                Some(subscription) => subscription.behind = true,
                // A member without a subscription cannot catch up by number.
                None => unnumbered = true,
            }
        }
        if !unnumbered {
            return Ok(());
        }
        let (channel, now) = (self.channel.clone(), self.bellwire.clock());
        let (result, _) = run(&channel, now, self.driver.lagged()).await;
        self.report(result, Handler::Lagged, None).await
    }

    async fn removed(&mut self, group: GroupName) -> Result<(), Close> {
        // The control message goes to all sockets of a person, since one that connects may be about
        // to join. A socket that is not in the group ignores it.
        if !self.socket().leave_group(&group) {
            return Ok(());
        }
        let (channel, now) = (self.channel.clone(), self.bellwire.clock());
        let (result, _) = run(&channel, now, self.driver.removed(&group)).await;
        self.report(result, Handler::Removed, None).await
    }

    /// Reports a handler's failure: a refusal to the browser, a fault to the log and, without
    /// details, to the browser.
    async fn report(
        &mut self,
        result: Result<(), HandlerFailure>,
        handler: Handler,
        client_id: Option<String>,
    ) -> Result<(), Close> {
        match result {
            Ok(()) => Ok(()),
            Err(HandlerFailure::Error(Error::Refused(refusal))) => {
                // Nobody asked, so nobody asks again: the page reconnects and receives its content.
                match refusal.retry_after.is_some() && handler != Handler::Receive {
                    true => Err(close_of(refusal)),
                    false => self.answer(refusal, client_id).await,
                }
            }
            Err(HandlerFailure::Error(Error::Close(close)) | HandlerFailure::Closed(close)) => {
                Err(close)
            }
            Err(failure @ HandlerFailure::Error(Error::Internal(_))) => {
                self.log_failure(&failure, handler);
                self.answer(Refusal::general(FAULT), client_id).await
            }
            Err(failure) => Err(self.log_failure(&failure, handler)),
        }
    }

    /// Sends an error to the browser. Boxed, so that an idle connection reserves no memory for it.
    fn answer(
        &mut self,
        refusal: Refusal,
        client_id: Option<String>,
    ) -> BoxFuture<'_, Result<(), Close>> {
        // The error is written before the next handler begins, even if that one never waits.
        self.immediate = false;
        Box::pin(async move {
            self.socket().error(refusal, client_id.as_deref()).await.map_err(into_close)
        })
    }

    /// Logs, once, a failure that only the developer can fix. Returns the close that it leads to.
    fn log_failure(&mut self, failure: &HandlerFailure, handler: Handler) -> Close {
        let (scope, handler) = (&self.driver.socket().scope, handler.name());
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

    /// Logs the end of a connection: in one line with its reason and remedy if the server ended it.
    fn log_close(&mut self, close: &Close) {
        let scope = &self.driver.socket().scope;
        match remedy(close) {
            Some(remedy) => tracing::info!(
                %scope,
                code = close.code(),
                reason = close.reason(),
                remedy,
                "A connection was closed by the server"
            ),
            None => tracing::debug!(%scope, code = close.code(), "Disconnected"),
        }
    }

    async fn close_unopened(&mut self, close: &Close) {
        self.socket().leave_all();
        self.log_close(close);
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
        let transport = &mut self.channel.outbound().transport;
        let _ = transport.write(Outgoing::Close(close.clone()));
        let mut context = Context::from_waker(std::task::Waker::noop());
        !matches!(transport.poll_flush(&mut context), Poll::Ready(Err(_)))
    }

    /// Waits for the peer's half of the closing handshake, for a limited time: closing immediately
    /// would discard the last frames.
    async fn await_close(&mut self) {
        let channel = &self.channel;
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
        let _ = timeout(self.bellwire.limits().close, closed).await;
    }
}

/// Runs a handler to its end, or shortly beyond a close of its socket. What was written before is
/// flushed if the handler waits; a write error is reported by the next flush of the loop. Returns
/// also whether the handler completed without waiting.
async fn run<T>(
    channel: &Channel,
    now: impl Fn() -> u64 + Copy,
    handler: HandlerFuture<'_, T>,
) -> (Result<T, HandlerFailure>, bool) {
    let mut unwritten = true;
    let flush = |cx: &mut Context<'_>| {
        unwritten = unwritten && poll_flush(&mut channel.outbound(), channel, now, cx).is_pending();
    };
    track_pending(until_closed(channel, handler), flush).await
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
        Error::Refused(_) | Error::Internal(_) => Close::new(Close::ERROR, SERVER_ERROR_REASON),
    }
}

/// The close after a refusal that answers nobody.
fn close_of(refusal: Refusal) -> Close {
    match refusal.retry_after {
        Some(_) => Close::new(Close::TRY_AGAIN, refusal.message),
        None => Close::policy(refusal.message),
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
