//! Type-erased consumers, so that the event loop is compiled once instead of once per consumer.

use std::time::Duration;

use tracing::Instrument;

use crate::consumer::handler::Handler;
use crate::consumer::raw_socket::RawSocket;
use crate::handler_future::{HandlerFuture, with_timeout};
use crate::outbound::{Body, Delivery};
use crate::{Close, Consumer, Error, Frame, FromFrame, GroupName, Socket};

/// The time limit of `disconnect`; a shutdown waits for it.
const DISCONNECT: Duration = Duration::from_secs(5);

/// The handlers of a [`Consumer`] with its socket: each boxed, with a time limit, and with its
/// panics caught.
pub(crate) trait Driver: Send {
    fn socket(&mut self) -> &mut RawSocket;
    fn connect(&mut self) -> HandlerFuture<'_, ()>;
    fn receive(&mut self, frame: Frame) -> HandlerFuture<'_, ()>;
    fn event<'a>(&'a mut self, delivery: &'a Delivery) -> HandlerFuture<'a, ()>;
    fn lagged(&mut self) -> HandlerFuture<'_, ()>;
    fn removed<'a>(&'a mut self, group: &'a GroupName) -> HandlerFuture<'a, ()>;
    fn disconnect(&mut self, close: Close) -> HandlerFuture<'_, ()>;
}

/// A consumer and its socket.
pub(crate) struct ConsumerDriver<C> {
    consumer: C,
    socket: Socket<C>,
    time_limit: Duration,
}

impl<C: Consumer> ConsumerDriver<C> {
    pub(crate) fn new(consumer: C, socket: RawSocket) -> Self {
        let time_limit = socket.bellwire.limits().handler;
        Self { consumer, socket: Socket::new(socket), time_limit }
    }

    /// Runs a handler in a span with its name, so that its log lines tell where they come from.
    fn run<'a>(
        name: Handler,
        time_limit: Duration,
        handler: impl Future<Output = Result<(), Error>> + Send + 'a,
    ) -> HandlerFuture<'a, ()> {
        with_timeout(time_limit, handler.instrument(tracing::info_span!("handler", %name)))
    }
}

impl<C: Consumer> Driver for ConsumerDriver<C> {
    fn socket(&mut self) -> &mut RawSocket {
        self.socket.raw()
    }

    fn connect(&mut self) -> HandlerFuture<'_, ()> {
        let Self { consumer, socket, time_limit } = self;
        Self::run(Handler::Connect, *time_limit, async move {
            consumer.connect(socket).await.map_err(Into::into)
        })
    }

    fn receive(&mut self, frame: Frame) -> HandlerFuture<'_, ()> {
        let Self { consumer, socket, time_limit } = self;
        Self::run(Handler::Receive, *time_limit, async move {
            let action = C::Action::from_frame(frame)?;
            consumer.receive(socket, action).await.map_err(Into::into)
        })
    }

    fn event<'a>(&'a mut self, delivery: &'a Delivery) -> HandlerFuture<'a, ()> {
        let Self { consumer, socket, time_limit } = self;
        Self::run(Handler::Event, *time_limit, async move {
            let Body::Event(event) = &delivery.body else { return Ok(()) };
            match event.get::<C::Event>() {
                Some(event) => consumer.event(socket, &event).await.map_err(Into::into),
                None => Err(OtherType(delivery.group.clone()).into()),
            }
        })
    }

    fn lagged(&mut self) -> HandlerFuture<'_, ()> {
        let Self { consumer, socket, time_limit } = self;
        Self::run(Handler::Lagged, *time_limit, async move {
            consumer.lagged(socket).await.map_err(Into::into)
        })
    }

    fn removed<'a>(&'a mut self, group: &'a GroupName) -> HandlerFuture<'a, ()> {
        let Self { consumer, socket, time_limit } = self;
        Self::run(Handler::Removed, *time_limit, async move {
            consumer.removed(socket, group).await.map_err(Into::into)
        })
    }

    fn disconnect(&mut self, close: Close) -> HandlerFuture<'_, ()> {
        let Self { consumer, socket, .. } = self;
        Self::run(Handler::Disconnect, DISCONNECT, async move {
            consumer.disconnect(socket, close).await;
            Ok(())
        })
    }
}

/// An event was sent to a group whose members exchange another type.
#[derive(Debug, thiserror::Error)]
#[error("an event of the group `{0}` cannot be read as the event type of this consumer")]
struct OtherType(GroupName);
