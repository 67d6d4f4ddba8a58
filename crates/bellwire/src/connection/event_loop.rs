//! Whose turn it is: one connection's loop.

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

/// What a person reads when it was our fault.
const OUR_FAULT: &str = "Something went wrong on our side. It was noted.";

/// How often catching up may fall short of a number that was seen, and how long to wait in between:
/// what was published may be visible a moment later.
const CATCH_UPS: u32 = 5;
const CATCH_UP_PAUSE: Duration = Duration::from_millis(20);

/// How long `disconnect` may take; a stop waits for it.
const DISCONNECT: Duration = Duration::from_secs(5);

/// A consumer and its socket.
pub(crate) struct Connection {
    consumer: Box<dyn ErasedConsumer>,
    socket: Socket,
    /// `None` where there is no limit.
    actions: Option<RateLimiter>,
    heartbeats: Option<RateLimiter>,
    /// Takes turns between what comes in and what members tell, so that neither starves the other.
    incoming_first: bool,
    /// Whether the last message was dealt with without a wait.
    prompt: bool,
}

impl Connection {
    pub(crate) fn open(consumer: Box<dyn ErasedConsumer>, socket: Socket) -> Self {
        let limits = socket.bellwire.limits();
        let [actions, heartbeats] =
            [limits.actions(), limits.heartbeats()].map(|quota| quota.map(RateLimiter::new));
        Self { consumer, socket, actions, heartbeats, incoming_first: true, prompt: false }
    }

    /// Lives the connection from `connect` to `disconnect`.
    pub(crate) fn run(self) -> impl Future<Output = Close> {
        Batched::new(self.live())
    }

    async fn live(mut self) -> Close {
        // Kicked, or stopped, during the handshake: the consumer never learns of it.
        if let Some(close) = self.socket.channel.queue.closed() {
            self.close_unopened(&close).await;
            return close;
        }
        let close = match self.connect().await {
            Ok(()) => self.serve().await,
            Err(close) => close,
        };
        self.socket.leave_all();
        // The browser is told first: what the app does at the end must not keep it waiting.
        let told = self.send_close(&close);
        match self.consumer.disconnect(&mut self.socket, close.clone(), DISCONNECT).await {
            Ok(()) => {
                tracing::debug!(scope = %self.socket.scope, code = close.code(), "Disconnected")
            }
            Err(end) => drop(self.log_failure(&end, "disconnect")),
        }
        if told {
            self.await_close().await;
        }
        close
    }

    async fn connect(&mut self) -> Result<(), Close> {
        let (channel, patience) = self.handler_terms();
        match until_closed(&channel, self.consumer.connect(&mut self.socket, patience)).await {
            Ok(()) => self.socket.closing.take().map_or(Ok(()), Err),
            Err(HandlerFailure::Error(Error::Close(close)) | HandlerFailure::Closed(close)) => {
                Err(close)
            }
            Err(HandlerFailure::Error(Error::Invalid(invalid))) => {
                Err(Close::policy(invalid.message))
            }
            Err(end) => Err(self.log_failure(&end, "connect")),
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
                Step::Overflow(lost) => self.lost(lost).await,
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

    /// What a handler runs under.
    fn handler_terms(&self) -> (Arc<Channel>, Duration) {
        (self.socket.channel.clone(), self.socket.bellwire.limits().handler)
    }

    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        let Self { socket: Socket { channel, bellwire, .. }, incoming_first, prompt, .. } = self;
        let outbound = &mut *channel.outbound();
        outbound.loop_idle = false;
        let next = poll_next(incoming_first, outbound, channel, cx);
        if matches!(next, Poll::Ready(Step::Incoming(_))) {
            channel.touch(bellwire.now());
        }
        // All that was gathered is written, at once, before a handler may take its time. One that
        // took none with the last message is believed to take none with the next: several asks that
        // came together are answered together. If it waits after all, what was gathered is written
        // then (`receive`).
        if *prompt && matches!(next, Poll::Ready(Step::Incoming(Incoming::Message(_)))) {
            return next;
        }
        let flushed = poll_flush(outbound, channel, bellwire.clock(), cx);
        if let Poll::Ready(Err(_)) = flushed {
            return Poll::Ready(Step::Close(Close::lost()));
        }
        let expected = matches!(next, Poll::Ready(Step::WriterBusy));
        outbound.loop_idle = flushed.is_ready() && (next.is_pending() || expected);
        if outbound.loop_idle && !expected {
            outbound.transport.idle();
        }
        if expected { Poll::Pending } else { next }
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
        let (channel, patience) = self.handler_terms();
        let (now, mut unwritten) = (self.socket.bellwire.clock(), true);
        let handler =
            until_closed(&channel, self.consumer.receive(&mut self.socket, frame, patience));
        // The answers to earlier asks do not wait for a handler that waits. An error is said by the
        // loop.
        let write = |cx: &mut Context<'_>| {
            unwritten =
                unwritten && poll_flush(&mut channel.outbound(), &channel, now, cx).is_pending();
        };
        let (result, prompt) = track_pending(handler, write).await;
        self.prompt = prompt;
        if result.is_ok() {
            self.socket.clear_error();
        }
        self.report(result, "receive", source).await
    }

    /// A ping costs us a pong. Nobody needs many.
    fn heartbeat(&mut self) -> Result<(), Close> {
        match check_rate(&mut self.heartbeats) {
            Decision::Disconnect { .. } => Err(Close::policy("too many pings")),
            Decision::Allow | Decision::Throttle { .. } => Ok(()),
        }
    }

    async fn event(&mut self, delivery: &Delivery) -> Result<(), Close> {
        let (channel, patience) = self.handler_terms();
        let result =
            until_closed(&channel, self.consumer.event(&mut self.socket, delivery, patience)).await;
        self.report(result, "event", None).await
    }

    /// Brings one feed that is behind up to date.
    async fn catch_up(&mut self) -> Result<(), Close> {
        let Some((feed, since)) = self.socket.outbound().subscriptions.catch_up() else {
            return Ok(());
        };
        self.socket.layer().counters().caught_up();
        let (channel, patience) = self.handler_terms();
        let catch_up = self.consumer.catch_up(&mut self.socket, &feed, since, patience);
        let caught_up = match until_closed(&channel, catch_up).await {
            Ok(caught_up) => caught_up,
            Err(HandlerFailure::Error(Error::Close(close)) | HandlerFailure::Closed(close)) => {
                return Err(close);
            }
            Err(end) => {
                self.log_failure(&end, "catch_up");
                return Err(Close::new(Close::TRY_AGAIN, "could not catch up"));
            }
        };
        if self.socket.outbound().subscriptions.find(&feed).is_none() {
            return Ok(());
        }
        let position = Position { feed, seq: caught_up.seq };
        let frames = self.socket.dialect().patches(&caught_up.patches, Some(&position));
        // What was read may meanwhile be what they are no longer to see.
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
                tracing::error!(scope = %self.socket.scope, feed = %position.feed, "A published number is nowhere to be found");
                Err(Close::new(Close::TRY_AGAIN, "could not catch up"))
            }
        }
    }

    async fn lost(&mut self, lost: Overflow) -> Result<(), Close> {
        let mut unnumbered = lost.unnumbered;
        for group in &lost.numbered {
            match self.socket.outbound().subscriptions.find(group) {
                Some(subscription) => subscription.behind = true,
                // A member who does not follow the numbers cannot ask for them.
                None => unnumbered = true,
            }
        }
        if !unnumbered {
            return Ok(());
        }
        let (channel, patience) = self.handler_terms();
        let result = until_closed(&channel, self.consumer.lagged(&mut self.socket, patience)).await;
        self.report(result, "lagged", None).await
    }

    async fn removed(&mut self, group: GroupName) -> Result<(), Close> {
        // The order goes to all sockets of a person: one that connects may be about to join.
        // Whoever is not in the group has nothing to learn.
        if !self.socket.leave_group(&group) {
            return Ok(());
        }
        let (channel, patience) = self.handler_terms();
        let removed = self.consumer.removed(&mut self.socket, &group, patience);
        let result = until_closed(&channel, removed).await;
        self.report(result, "expelled", None).await
    }

    /// Says what came of a handler to the one who can mend it.
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
            Err(end @ HandlerFailure::Error(Error::Internal(_))) => {
                self.log_failure(&end, handler);
                self.answer(Invalid::general(OUR_FAULT), source).await
            }
            Err(end) => Err(self.log_failure(&end, handler)),
        }
    }

    /// Boxed: an idle connection does not keep room for what it rarely says.
    fn answer(
        &mut self,
        invalid: Invalid,
        source: Option<String>,
    ) -> BoxFuture<'_, Result<(), Close>> {
        // It leaves before the next handler begins, however long that one works without a wait.
        self.prompt = false;
        Box::pin(async move {
            let id = source.as_deref().and_then(client_id);
            self.socket.error(invalid, id.as_deref()).await.map_err(into_close)
        })
    }

    /// Logs, once, what nobody but the developer can mend.
    fn log_failure(&self, end: &HandlerFailure, handler: &str) -> Close {
        let scope = &self.socket.scope;
        match end {
            HandlerFailure::Error(error) => {
                tracing::error!(%scope, handler, ?error, "A handler failed")
            }
            HandlerFailure::Panic(message) => {
                tracing::error!(%scope, handler, message, "A handler panicked; its connection ends");
            }
            HandlerFailure::Timeout => {
                tracing::error!(%scope, handler, "A handler took too long; its connection ends")
            }
            HandlerFailure::Closed(close) => return close.clone(),
        }
        Close::new(Close::ERROR, "something went wrong on our side")
    }

    async fn close_unopened(&mut self, close: &Close) {
        self.socket.leave_all();
        if self.send_close(close) {
            self.await_close().await;
        }
    }

    /// Sends our half of the closing handshake, or what is left to send of it. Returns whether it
    /// makes sense to wait for theirs.
    fn send_close(&mut self, close: &Close) -> bool {
        if close.code() == Close::LOST {
            return false;
        }
        // Refused when the other side closed first: its close is answered already.
        let transport = &mut self.socket.outbound().transport;
        let _ = transport.write(Outgoing::Close(close.clone()));
        let mut context = Context::from_waker(std::task::Waker::noop());
        !matches!(transport.poll_flush(&mut context), Poll::Ready(Err(_)))
    }

    /// Waits for the other side's half, within its time: who closes at once would have the last
    /// frames thrown away.
    async fn await_close(&mut self) {
        let channel = &self.socket.channel;
        let over = async {
            // Once more, for a wake-up when there is room: nobody was there to be woken the first
            // time.
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
        let _ = timeout(self.socket.bellwire.limits().close, over).await;
    }
}

/// Writes what was gathered, and notes whether the reader takes it.
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

/// Reads the clock only where there is a limit.
fn check_rate(limiter: &mut Option<RateLimiter>) -> Decision {
    limiter.as_mut().map_or(Decision::Allow, |limiter| limiter.take(Instant::now().into_std()))
}

/// A frame of ours that cannot be sent ends the connection.
fn into_close(error: Error) -> Close {
    match error {
        Error::Close(close) => close,
        Error::Invalid(_) | Error::Internal(_) => {
            Close::new(Close::ERROR, "something went wrong on our side")
        }
    }
}

/// What a client id may be found in, should an error have to name it. Looked at only then.
fn id_source(frame: &Frame) -> Option<String> {
    match frame {
        Frame::Text(text) if text.contains("client_id") => Some(text.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the future of this function keeps.
    fn room<F>(_: impl Fn(Connection) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn an_idle_connection_keeps_no_room_for_what_it_hardly_ever_does() {
        let kept = room(Connection::run);
        assert!(kept <= 1_400, "every socket takes {kept} bytes for its loop");
    }
}
