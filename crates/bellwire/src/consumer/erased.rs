//! Type-erased consumers, so that the event loop is compiled once instead of once per consumer.

use std::time::Duration;

use crate::connection::{HandlerFuture, with_timeout};
use crate::outbound::{Body, Delivery};
use crate::{CatchUp, Close, Consumer, Error, Frame, FromFrame, GroupName, Seq, Socket};

/// The handlers of a [`Consumer`], each boxed, with a time limit, and with its panics caught.
pub(crate) trait ErasedConsumer: Send {
    fn connect<'a>(
        &'a mut self,
        socket: &'a mut Socket,
        time_limit: Duration,
    ) -> HandlerFuture<'a, ()>;
    fn receive<'a>(
        &'a mut self,
        socket: &'a mut Socket,
        frame: Frame,
        time_limit: Duration,
    ) -> HandlerFuture<'a, ()>;
    fn event<'a>(
        &'a mut self,
        socket: &'a mut Socket,
        delivery: &'a Delivery,
        time_limit: Duration,
    ) -> HandlerFuture<'a, ()>;
    fn catch_up<'a>(
        &'a mut self,
        socket: &'a mut Socket,
        feed: &'a GroupName,
        since: Option<Seq>,
        time_limit: Duration,
    ) -> HandlerFuture<'a, CatchUp>;
    fn lagged<'a>(
        &'a mut self,
        socket: &'a mut Socket,
        time_limit: Duration,
    ) -> HandlerFuture<'a, ()>;
    fn removed<'a>(
        &'a mut self,
        socket: &'a mut Socket,
        group: &'a GroupName,
        time_limit: Duration,
    ) -> HandlerFuture<'a, ()>;
    fn disconnect<'a>(
        &'a mut self,
        socket: &'a mut Socket,
        close: Close,
        time_limit: Duration,
    ) -> HandlerFuture<'a, ()>;
}

impl<C: Consumer> ErasedConsumer for C {
    fn connect<'a>(
        &'a mut self,
        socket: &'a mut Socket,
        time_limit: Duration,
    ) -> HandlerFuture<'a, ()> {
        with_timeout(time_limit, Consumer::connect(self, socket))
    }

    fn receive<'a>(
        &'a mut self,
        socket: &'a mut Socket,
        frame: Frame,
        time_limit: Duration,
    ) -> HandlerFuture<'a, ()> {
        with_timeout(time_limit, async move {
            let action = C::Action::from_frame(frame).map_err(Error::Invalid)?;
            Consumer::receive(self, socket, action).await
        })
    }

    fn event<'a>(
        &'a mut self,
        socket: &'a mut Socket,
        delivery: &'a Delivery,
        time_limit: Duration,
    ) -> HandlerFuture<'a, ()> {
        with_timeout(time_limit, async move {
            let Body::Event(event) = &delivery.body else { return Ok(()) };
            match event.get::<C::Event>() {
                Some(event) => Consumer::event(self, socket, event).await,
                None => Err(OtherType(delivery.group.clone()).into()),
            }
        })
    }

    fn catch_up<'a>(
        &'a mut self,
        socket: &'a mut Socket,
        feed: &'a GroupName,
        since: Option<Seq>,
        time_limit: Duration,
    ) -> HandlerFuture<'a, CatchUp> {
        with_timeout(time_limit, Consumer::catch_up(self, socket, feed, since))
    }

    fn lagged<'a>(
        &'a mut self,
        socket: &'a mut Socket,
        time_limit: Duration,
    ) -> HandlerFuture<'a, ()> {
        with_timeout(time_limit, Consumer::lagged(self, socket))
    }

    fn removed<'a>(
        &'a mut self,
        socket: &'a mut Socket,
        group: &'a GroupName,
        time_limit: Duration,
    ) -> HandlerFuture<'a, ()> {
        with_timeout(time_limit, Consumer::removed(self, socket, group))
    }

    fn disconnect<'a>(
        &'a mut self,
        socket: &'a mut Socket,
        close: Close,
        time_limit: Duration,
    ) -> HandlerFuture<'a, ()> {
        with_timeout(time_limit, async move {
            Consumer::disconnect(self, socket, close).await;
            Ok(())
        })
    }
}

/// An event was sent to a group whose members exchange another type.
#[derive(Debug, thiserror::Error)]
#[error("an event of the group `{0}` does not have the event type of this consumer")]
struct OtherType(GroupName);
