//! Whose turn it is: one connection's loop.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::timeout;

use crate::action::{Frame, Receive, client_id};
use crate::error::{Error, Invalid};
use crate::feeds::deal;
use crate::handler::{End, guarded};
use crate::layer::{Body, Channel, Delivery, Lost, Mail, Taken};
use crate::pace::{Pace, Verdict};
use crate::socket::Socket;
use crate::websocket::{Incoming, Outgoing, Wire};
use crate::{Bellwire, Close, Consumer, Dialect, GroupName, Scope};

/// What a person reads when it was our fault.
const OUR_FAULT: &str = "Something went wrong on our side. It was noted.";

/// A consumer and its socket.
pub(crate) struct Connection<C> {
    consumer: C,
    socket: Socket,
    pace: Pace,
    /// Takes turns between what comes in and what members tell, so that neither starves the other.
    incoming_first: bool,
}

/// What is next for this connection.
enum Turn {
    Incoming(Incoming),
    Event(Arc<Delivery>),
    Behind,
    Lost(Lost),
    Expelled(GroupName),
    Close(Close),
}

impl<C: Consumer> Connection<C> {
    pub(crate) fn open(
        consumer: C,
        bellwire: Bellwire,
        wire: Box<dyn Wire>,
        scope: Scope,
        dialect: Dialect,
    ) -> Self {
        bellwire.keep();
        let limits = *bellwire.limits();
        let channel = bellwire.layer().connect(scope.person(), scope.session(), &limits, bellwire.now());
        let socket = Socket {
            wire,
            channel,
            bellwire,
            scope,
            dialect,
            joined: Vec::new(),
            feeds: Vec::new(),
            closing: None,
        };
        Self { consumer, socket, pace: Pace::new(&limits), incoming_first: true }
    }

    /// Lives the connection from `connect` to `disconnect`.
    pub(crate) async fn run(mut self) -> Close {
        let close = match self.connect().await {
            Ok(()) => self.serve().await,
            Err(close) => close,
        };
        let Socket { bellwire, channel, joined, .. } = &self.socket;
        bellwire.layer().disconnect(channel, joined);
        // The browser is told first: what the app does at the end must not keep it waiting.
        let farewell = self.say_farewell(&close);
        let disconnect =
            guarded(self.patience(), self.consumer.disconnect(&mut self.socket, close.clone()).map(Ok)).await;
        if let Err(end) = disconnect {
            self.note(&end, "disconnect");
        }
        if farewell {
            self.wait_for_farewell().await;
        }
        close
    }

    pub(crate) fn channel(&self) -> Arc<Channel> {
        self.socket.channel.clone()
    }

    async fn connect(&mut self) -> Result<(), Close> {
        match guarded(self.patience(), self.consumer.connect(&mut self.socket)).await {
            Ok(()) => self.socket.closing.take().map_or(Ok(()), Err),
            Err(End::Error(Error::Close(close))) => Err(close),
            Err(End::Error(Error::Invalid(invalid))) => Err(Close::policy(invalid.message)),
            Err(end) => Err(self.note(&end, "connect")),
        }
    }

    async fn serve(&mut self) -> Close {
        loop {
            let outcome = match self.turn().await {
                Turn::Incoming(Incoming::Message(frame)) => self.receive(frame).await,
                Turn::Incoming(Incoming::Heartbeat) => Ok(()),
                Turn::Incoming(Incoming::Close(close)) | Turn::Close(close) => Err(close),
                Turn::Event(delivery) => self.event(&delivery).await,
                Turn::Behind => self.catch_up().await,
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

    /// How long a handler may take.
    fn patience(&self) -> Duration {
        self.socket.bellwire.limits().handler
    }

    async fn turn(&mut self) -> Turn {
        poll_fn(|cx| self.poll_turn(cx)).await
    }

    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Turn> {
        if let Poll::Ready(close) = self.socket.channel.mailbox.poll_close(cx) {
            return Poll::Ready(Turn::Close(close));
        }
        let turn = if self.socket.feeds.iter().any(|following| following.behind) {
            Poll::Ready(Turn::Behind)
        } else {
            self.incoming_first = !self.incoming_first;
            if self.incoming_first {
                self.poll_incoming(cx).or_then(|| self.poll_mail(cx))
            } else {
                self.poll_mail(cx).or_then(|| self.poll_incoming(cx))
            }
        };
        self.poll_flush(cx, turn)
    }

    /// Nothing is read while nothing can be written: who does not take answers may not ask.
    fn poll_incoming(&mut self, cx: &mut Context<'_>) -> Poll<Turn> {
        match self.socket.wire.poll_ready(cx) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(_)) => return Poll::Ready(Turn::Close(Close::lost())),
            Poll::Pending => return Poll::Pending,
        }
        self.socket.wire.poll_receive(cx).map(|incoming| {
            self.socket.channel.hear(self.socket.bellwire.now());
            incoming.map_or(Turn::Close(Close::lost()), Turn::Incoming)
        })
    }

    /// Hands what waits to the wire, and stops at what needs the consumer.
    fn poll_mail(&mut self, cx: &mut Context<'_>) -> Poll<Turn> {
        let Socket { wire, channel, feeds, dialect, .. } = &mut self.socket;
        if !matches!(wire.poll_ready(cx), Poll::Ready(Ok(()))) {
            return Poll::Pending;
        }
        let mut broken = false;
        let taken = channel.mailbox.poll_take(cx, |mail| {
            let (fed, left) = deal(mail, wire.as_mut(), feeds, *dialect);
            broken |= !fed;
            left
        });
        if broken {
            return Poll::Ready(Turn::Close(Close::lost()));
        }
        match taken {
            Taken::Close(close) => Poll::Ready(Turn::Close(close)),
            Taken::Lost(lost) => Poll::Ready(Turn::Lost(lost)),
            Taken::Stopped(Mail::Expelled(group)) => Poll::Ready(Turn::Expelled(group)),
            Taken::Stopped(Mail::Delivery(delivery)) if matches!(delivery.body, Body::Event(_)) => {
                Poll::Ready(Turn::Event(delivery))
            }
            Taken::Stopped(_) => Poll::Ready(Turn::Behind),
            Taken::Empty => Poll::Pending,
        }
    }

    /// Writes all that was gathered, at once, before a handler may take its time.
    fn poll_flush(&mut self, cx: &mut Context<'_>, turn: Poll<Turn>) -> Poll<Turn> {
        let Socket { wire, channel, bellwire, .. } = &mut self.socket;
        let flushed = wire.poll_flush(cx);
        channel.writes(flushed.is_ready(), bellwire.now());
        match flushed {
            Poll::Ready(Err(_)) => return Poll::Ready(Turn::Close(Close::lost())),
            Poll::Ready(Ok(())) if turn.is_pending() => wire.idle(),
            _ => {}
        }
        turn
    }

    async fn receive(&mut self, frame: Frame) -> Result<(), Close> {
        match self.pace.verdict() {
            Verdict::Fine => {}
            Verdict::TooFast => {
                let invalid = Invalid { field: None, message: "Too fast. Wait a moment.".into() };
                return self.answer(&invalid, id_in(&frame)).await;
            }
            Verdict::Enough => return Err(Close::policy("too many actions")),
        }
        let id = id_in(&frame);
        let result = match C::Action::receive(frame) {
            Ok(action) => guarded(self.patience(), self.consumer.receive(&mut self.socket, action)).await,
            Err(invalid) => Err(End::Error(Error::Invalid(invalid))),
        };
        self.settle(result, "receive", id).await
    }

    async fn event(&mut self, delivery: &Delivery) -> Result<(), Close> {
        let Body::Event(event) = &delivery.body else { return Ok(()) };
        let Some(event) = event.get::<C::Event>() else {
            tracing::error!(scope = %self.socket.scope, group = %delivery.group, "An event has another type than this consumer's");
            return Ok(());
        };
        let result = guarded(self.patience(), self.consumer.event(&mut self.socket, event)).await;
        self.settle(result, "event", None).await
    }

    /// Brings one feed that is behind up to date.
    async fn catch_up(&mut self) -> Result<(), Close> {
        let Some(following) = self.socket.feeds.iter_mut().find(|following| following.behind) else {
            return Ok(());
        };
        following.behind = false;
        let (feed, since) = (following.feed.clone(), following.position);
        self.socket.layer().counters().caught_up();
        let caught_up =
            match guarded(self.patience(), self.consumer.catch_up(&mut self.socket, &feed, since)).await {
                Ok(caught_up) => caught_up,
                Err(End::Error(Error::Close(close))) => return Err(close),
                Err(end) => {
                    self.note(&end, "catch_up");
                    return Err(Close::new(Close::TRY_AGAIN, "could not catch up"));
                }
            };
        let place = crate::dialect::Place { feed: feed.clone(), seq: caught_up.seq };
        let frames = self.socket.dialect.patches(&caught_up.patches, Some(&place));
        if let Some(following) = self.socket.feeds.iter_mut().find(|following| following.feed == feed) {
            following.position = Some(caught_up.seq);
        }
        match self.socket.frames(frames).await {
            Err(Error::Close(close)) => Err(close),
            _ => Ok(()),
        }
    }

    async fn lost(&mut self, lost: Lost) -> Result<(), Close> {
        if lost.numbered {
            self.socket.feeds.iter_mut().for_each(|following| following.behind = true);
        }
        if !lost.unnumbered {
            return Ok(());
        }
        let result = guarded(self.patience(), self.consumer.lagged(&mut self.socket)).await;
        self.settle(result, "lagged", None).await
    }

    async fn expelled(&mut self, group: GroupName) -> Result<(), Close> {
        self.socket.forget(&group);
        let result = guarded(self.patience(), self.consumer.expelled(&mut self.socket, &group)).await;
        self.settle(result, "expelled", None).await
    }

    /// Says what came of a handler to the one who can mend it.
    async fn settle(
        &mut self,
        result: Result<(), End>,
        handler: &str,
        id: Option<String>,
    ) -> Result<(), Close> {
        match result {
            Ok(()) => Ok(()),
            Err(End::Error(Error::Invalid(invalid))) => self.answer(&invalid, id).await,
            Err(End::Error(Error::Close(close))) => Err(close),
            Err(end @ End::Error(Error::Internal(_))) => {
                self.note(&end, handler);
                self.answer(&Invalid { field: None, message: OUR_FAULT.into() }, id).await
            }
            Err(end) => Err(self.note(&end, handler)),
        }
    }

    async fn answer(&mut self, invalid: &Invalid, id: Option<String>) -> Result<(), Close> {
        match self.socket.error(invalid, id.as_deref()).await {
            Err(Error::Close(close)) => Err(close),
            _ => Ok(()),
        }
    }

    /// Logs, once, what nobody but the developer can mend.
    fn note(&self, end: &End, handler: &str) -> Close {
        let scope = &self.socket.scope;
        match end {
            End::Error(error) => tracing::error!(%scope, handler, ?error, "A handler failed"),
            End::Panic(message) => {
                tracing::error!(%scope, handler, message, "A handler panicked; its connection ends")
            }
            End::Timeout => tracing::error!(%scope, handler, "A handler took too long; its connection ends"),
        }
        Close::new(Close::ERROR, "something went wrong on our side")
    }

    /// Sends our half of the closing handshake, or what is left to send of it. Returns whether it makes sense to wait for theirs.
    fn say_farewell(&mut self, close: &Close) -> bool {
        if close.code() == Close::LOST {
            return false;
        }
        // Refused when the other side closed first: its close is answered already.
        let _ = self.socket.wire.feed(Outgoing::Close(close.clone()));
        let mut context = Context::from_waker(std::task::Waker::noop());
        !matches!(self.socket.wire.poll_flush(&mut context), Poll::Ready(Err(_)))
    }

    /// Waits for the other side's half, within its time: who closes at once would have the last frames thrown away.
    async fn wait_for_farewell(&mut self) {
        let wire = &mut self.socket.wire;
        let over = async {
            poll_fn(|cx| {
                while let Some(Incoming::Message(_) | Incoming::Heartbeat) =
                    std::task::ready!(wire.poll_receive(cx))
                {}
                Poll::Ready(())
            })
            .await;
            poll_fn(|cx| wire.poll_close(cx)).await;
        };
        let _ = timeout(self.socket.bellwire.limits().close, over).await;
    }
}

fn id_in(frame: &Frame) -> Option<String> {
    match frame {
        Frame::Text(text) if text.contains("client_id") => client_id(text),
        _ => None,
    }
}

/// `or_then` for polls: the first that is ready.
trait OrThen<T> {
    fn or_then(self, next: impl FnOnce() -> Poll<T>) -> Poll<T>;
}

impl<T> OrThen<T> for Poll<T> {
    fn or_then(self, next: impl FnOnce() -> Poll<T>) -> Poll<T> {
        if self.is_ready() { self } else { next() }
    }
}
