//! Whose turn it is: one connection's loop.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::{Instant, sleep, timeout};

use crate::action::{Frame, client_id};
use crate::dialect::Place;
use crate::erased::ErasedConsumer;
use crate::error::{Error, Invalid};
use crate::handler::{End, guarded, watched};
use crate::layer::{Channel, Delivery, InBursts, Lost};
use crate::outlet::Outlet;
use crate::rate::{Decision, RateLimiter};
use crate::socket::Socket;
use crate::sync::Arc;
use crate::turn::{Turn, poll_next};
use crate::websocket::{Incoming, Outgoing};
use crate::{Close, GroupName};

/// What a person reads when it was our fault.
const OUR_FAULT: &str = "Something went wrong on our side. It was noted.";

/// How often catching up may fall short of a number that was seen, and how long to wait in between: what was published may be
/// visible a moment later.
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
        InBursts::new(self.live())
    }

    async fn live(mut self) -> Close {
        // Kicked, or stopped, during the handshake: the consumer never learns of it.
        if let Some(close) = self.socket.channel.mailbox.closed() {
            self.say_farewell(&close).await;
            return close;
        }
        let close = match self.connect().await {
            Ok(()) => self.serve().await,
            Err(close) => close,
        };
        self.socket.leave_all();
        // The browser is told first: what the app does at the end must not keep it waiting.
        let told = self.feed_farewell(&close);
        match self.consumer.disconnect(&mut self.socket, close.clone(), DISCONNECT).await {
            Ok(()) => tracing::debug!(scope = %self.socket.scope, code = close.code(), "Disconnected"),
            Err(end) => drop(self.note(&end, "disconnect")),
        }
        if told {
            self.wait_for_farewell().await;
        }
        close
    }

    async fn connect(&mut self) -> Result<(), Close> {
        let (channel, patience) = self.terms();
        match guarded(&channel, self.consumer.connect(&mut self.socket, patience)).await {
            Ok(()) => self.socket.closing.take().map_or(Ok(()), Err),
            Err(End::Error(Error::Close(close)) | End::Closed(close)) => Err(close),
            Err(End::Error(Error::Invalid(invalid))) => Err(Close::policy(invalid.message)),
            Err(end) => Err(self.note(&end, "connect")),
        }
    }

    async fn serve(&mut self) -> Close {
        loop {
            let outcome = match poll_fn(|cx| self.poll_turn(cx)).await {
                Turn::Incoming(Incoming::Message(frame)) => self.receive(frame).await,
                Turn::Incoming(Incoming::Heartbeat) => self.heartbeat(),
                Turn::Incoming(Incoming::Close(close) | Incoming::Broken(close)) | Turn::Close(close) => {
                    Err(close)
                }
                Turn::Event(delivery) => self.event(&delivery).await,
                Turn::Behind => self.catch_up().await,
                Turn::Ordered | Turn::Expected => Ok(()),
                Turn::Lost(lost) => self.lost(lost).await,
                Turn::Expelled(group) => self.expelled(group).await,
            };
            if let Err(close) = outcome.and_then(|()| self.socket.closing.take().map_or(Ok(()), Err)) {
                return close;
            }
            // One busy connection must not starve the others on its thread.
            tokio::task::coop::consume_budget().await;
        }
    }

    /// What a handler runs under.
    fn terms(&self) -> (Arc<Channel>, Duration) {
        (self.socket.channel.clone(), self.socket.bellwire.limits().handler)
    }

    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Turn> {
        let Self { socket: Socket { channel, bellwire, .. }, incoming_first, prompt, .. } = self;
        let outlet = &mut *channel.outlet();
        outlet.resting = false;
        let next = poll_next(incoming_first, outlet, channel, cx);
        if matches!(next, Poll::Ready(Turn::Incoming(_))) {
            channel.hear(bellwire.now());
        }
        // All that was gathered is written, at once, before a handler may take its time. One that took none with the last message is
        // believed to take none with the next: several asks that came together are answered together. If it waits after all, what was
        // gathered is written then (`receive`).
        if *prompt && matches!(next, Poll::Ready(Turn::Incoming(Incoming::Message(_)))) {
            return next;
        }
        let flushed = poll_flush(outlet, channel, bellwire.clock(), cx);
        if let Poll::Ready(Err(_)) = flushed {
            return Poll::Ready(Turn::Close(Close::lost()));
        }
        let expected = matches!(next, Poll::Ready(Turn::Expected));
        outlet.resting = flushed.is_ready() && (next.is_pending() || expected);
        if outlet.resting && !expected {
            outlet.wire.idle();
        }
        if expected { Poll::Pending } else { next }
    }

    async fn receive(&mut self, frame: Frame) -> Result<(), Close> {
        match decide(&mut self.actions) {
            Decision::Allow => {}
            Decision::Throttle { .. } => {
                let invalid = Invalid::whole("Too fast. Wait a moment.");
                return self.answer(invalid, id_source(&frame)).await;
            }
            Decision::Disconnect { .. } => return Err(Close::policy("too many actions")),
        }
        let source = id_source(&frame);
        let (channel, patience) = self.terms();
        let (now, mut unwritten) = (self.socket.bellwire.clock(), true);
        let handler = guarded(&channel, self.consumer.receive(&mut self.socket, frame, patience));
        // The answers to earlier asks do not wait for a handler that waits. An error is said by the loop.
        let write = |cx: &mut Context<'_>| {
            unwritten = unwritten && poll_flush(&mut channel.outlet(), &channel, now, cx).is_pending();
        };
        let (result, prompt) = watched(handler, write).await;
        self.prompt = prompt;
        if result.is_ok() {
            self.socket.take_error_back();
        }
        self.settle(result, "receive", source).await
    }

    /// A ping costs us a pong. Nobody needs many.
    fn heartbeat(&mut self) -> Result<(), Close> {
        match decide(&mut self.heartbeats) {
            Decision::Disconnect { .. } => Err(Close::policy("too many pings")),
            Decision::Allow | Decision::Throttle { .. } => Ok(()),
        }
    }

    async fn event(&mut self, delivery: &Delivery) -> Result<(), Close> {
        let (channel, patience) = self.terms();
        let result = guarded(&channel, self.consumer.event(&mut self.socket, delivery, patience)).await;
        self.settle(result, "event", None).await
    }

    /// Brings one feed that is behind up to date.
    async fn catch_up(&mut self) -> Result<(), Close> {
        let Some((feed, since)) = self.socket.outlet().feeds.catch_up() else { return Ok(()) };
        self.socket.layer().counters().caught_up();
        let (channel, patience) = self.terms();
        let catch_up = self.consumer.catch_up(&mut self.socket, &feed, since, patience);
        let caught_up = match guarded(&channel, catch_up).await {
            Ok(caught_up) => caught_up,
            Err(End::Error(Error::Close(close)) | End::Closed(close)) => return Err(close),
            Err(end) => {
                self.note(&end, "catch_up");
                return Err(Close::new(Close::TRY_AGAIN, "could not catch up"));
            }
        };
        if self.socket.outlet().feeds.find(&feed).is_none() {
            return Ok(());
        }
        let place = Place { feed, seq: caught_up.seq };
        let frames = self.socket.dialect().patches(&caught_up.patches, Some(&place));
        // What was read may meanwhile be what they are no longer to see.
        if !self.socket.frames_of(&place.feed, frames).await.map_err(into_close)? {
            return Ok(());
        }
        let tries = {
            let mut outlet = self.socket.outlet();
            outlet.wire.reached(&place.feed, place.seq);
            let Some(following) = outlet.feeds.find(&place.feed) else { return Ok(()) };
            following.reached(place.seq)
        };
        match tries {
            0 => Ok(()),
            tries @ 1..CATCH_UPS => {
                sleep(CATCH_UP_PAUSE * tries).await;
                Ok(())
            }
            _ => {
                tracing::error!(scope = %self.socket.scope, feed = %place.feed, "A published number is nowhere to be found");
                Err(Close::new(Close::TRY_AGAIN, "could not catch up"))
            }
        }
    }

    async fn lost(&mut self, lost: Lost) -> Result<(), Close> {
        let mut unnumbered = lost.unnumbered;
        for group in &lost.numbered {
            match self.socket.outlet().feeds.find(group) {
                Some(following) => following.behind = true,
                // A member who does not follow the numbers cannot ask for them.
                None => unnumbered = true,
            }
        }
        if !unnumbered {
            return Ok(());
        }
        let (channel, patience) = self.terms();
        let result = guarded(&channel, self.consumer.lagged(&mut self.socket, patience)).await;
        self.settle(result, "lagged", None).await
    }

    async fn expelled(&mut self, group: GroupName) -> Result<(), Close> {
        // The order goes to all sockets of a person: one that connects may be about to join. Whoever is not in the group has
        // nothing to learn.
        if !self.socket.leave_group(&group) {
            return Ok(());
        }
        let (channel, patience) = self.terms();
        let expelled = self.consumer.expelled(&mut self.socket, &group, patience);
        let result = guarded(&channel, expelled).await;
        self.settle(result, "expelled", None).await
    }

    /// Says what came of a handler to the one who can mend it.
    async fn settle(
        &mut self,
        result: Result<(), End>,
        handler: &str,
        source: Option<String>,
    ) -> Result<(), Close> {
        match result {
            Ok(()) => Ok(()),
            Err(End::Error(Error::Invalid(invalid))) => self.answer(invalid, source).await,
            Err(End::Error(Error::Close(close)) | End::Closed(close)) => Err(close),
            Err(end @ End::Error(Error::Internal(_))) => {
                self.note(&end, handler);
                self.answer(Invalid::whole(OUR_FAULT), source).await
            }
            Err(end) => Err(self.note(&end, handler)),
        }
    }

    /// Boxed: an idle connection does not keep room for what it rarely says.
    fn answer(&mut self, invalid: Invalid, source: Option<String>) -> BoxFuture<'_, Result<(), Close>> {
        // It leaves before the next handler begins, however long that one works without a wait.
        self.prompt = false;
        Box::pin(async move {
            let id = source.as_deref().and_then(client_id);
            self.socket.error(invalid, id.as_deref()).await.map_err(into_close)
        })
    }

    /// Logs, once, what nobody but the developer can mend.
    fn note(&self, end: &End, handler: &str) -> Close {
        let scope = &self.socket.scope;
        match end {
            End::Error(error) => tracing::error!(%scope, handler, ?error, "A handler failed"),
            End::Panic(message) => {
                tracing::error!(%scope, handler, message, "A handler panicked; its connection ends");
            }
            End::Timeout => tracing::error!(%scope, handler, "A handler took too long; its connection ends"),
            End::Closed(close) => return close.clone(),
        }
        Close::new(Close::ERROR, "something went wrong on our side")
    }

    async fn say_farewell(&mut self, close: &Close) {
        self.socket.leave_all();
        if self.feed_farewell(close) {
            self.wait_for_farewell().await;
        }
    }

    /// Sends our half of the closing handshake, or what is left to send of it. Returns whether it makes sense to wait for theirs.
    fn feed_farewell(&mut self, close: &Close) -> bool {
        if close.code() == Close::LOST {
            return false;
        }
        // Refused when the other side closed first: its close is answered already.
        let wire = &mut self.socket.outlet().wire;
        let _ = wire.feed(Outgoing::Close(close.clone()));
        let mut context = Context::from_waker(std::task::Waker::noop());
        !matches!(wire.poll_flush(&mut context), Poll::Ready(Err(_)))
    }

    /// Waits for the other side's half, within its time: who closes at once would have the last frames thrown away.
    async fn wait_for_farewell(&mut self) {
        let channel = &self.socket.channel;
        let over = async {
            // Once more, for a wake-up when there is room: nobody was there to be woken the first time.
            if poll_fn(|cx| channel.outlet().wire.poll_flush(cx)).await.is_err() {
                return;
            }
            poll_fn(|cx| {
                let wire = &mut channel.outlet().wire;
                while let Some(Incoming::Message(_) | Incoming::Heartbeat) = ready!(wire.poll_receive(cx)) {}
                Poll::Ready(())
            })
            .await;
            poll_fn(|cx| channel.outlet().wire.poll_close(cx)).await;
        };
        let _ = timeout(self.socket.bellwire.limits().close, over).await;
    }
}

/// Writes what was gathered, and notes whether the reader takes it.
fn poll_flush(
    outlet: &mut Outlet,
    channel: &Channel,
    now: impl FnOnce() -> u64,
    cx: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    let flushed = outlet.wire.poll_flush(cx);
    channel.writes(flushed.is_ready(), outlet.wire.flowed(), now);
    flushed
}

/// Reads the clock only where there is a limit.
fn decide(limiter: &mut Option<RateLimiter>) -> Decision {
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
