//! Layers around consumers: code that runs before and after each handler, such as a check of the
//! session, or a log.

use std::future::{Future, ready};

use crate::consumer::driver::Driver;
use crate::consumer::handler::Handler;
use crate::consumer::raw_socket::RawSocket;
use crate::handler_future::{HandlerFailure, HandlerFuture, with_timeout};
use crate::outbound::Delivery;
use crate::{Close, Error, Frame, GroupName, Scope};

/// Code around the handlers of a connection, whatever its consumer.
/// [`Live::layer`](crate::Live::layer) adds it.
///
/// ```
/// use bellwire::{Close, Error, Handler, HandlerLayer, Scope};
///
/// /// Closes a connection that opens while the shop is closed.
/// struct OpeningHours(fn() -> bool);
///
/// impl HandlerLayer for OpeningHours {
///     async fn before(&mut self, handler: Handler, _: &Scope) -> Result<(), Error> {
///         match handler {
///             Handler::Connect if !(self.0)() => Err(Close::policy("We are closed.").into()),
///             _ => Ok(()),
///         }
///     }
/// }
/// ```
pub trait HandlerLayer: Send + 'static {
    /// Runs before a handler. After an error the handler does not run, and the error has the same
    /// effect as one of the handler. Without `connect` there is no `disconnect` either.
    fn before(
        &mut self,
        handler: Handler,
        scope: &Scope,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = (handler, scope);
        ready(Ok(()))
    }

    /// Runs after a handler that ended; not after one that panicked, timed out or was dropped.
    fn after(&mut self, handler: Handler, scope: &Scope, result: &Result<(), Error>) {
        let _ = (handler, scope, result);
    }
}

/// A driver inside a layer.
pub(crate) struct Layered<L> {
    layer: L,
    driver: Box<dyn Driver>,
    /// Whether the consumer's `connect` has begun.
    connected: bool,
}

impl<L: HandlerLayer> Layered<L> {
    pub(crate) fn new(layer: L, driver: Box<dyn Driver>) -> Self {
        Self { layer, driver, connected: false }
    }

    /// Runs the layer before a handler.
    async fn before(&mut self, handler: Handler) -> Result<(), HandlerFailure> {
        let Self { layer, driver, .. } = self;
        let socket = driver.socket();
        let time_limit = socket.bellwire.limits().handler;
        with_timeout(time_limit, layer.before(handler, &socket.scope)).await
    }

    /// Runs the layer after a handler that ended.
    fn after(
        &mut self,
        handler: Handler,
        result: Result<(), HandlerFailure>,
    ) -> Result<(), HandlerFailure> {
        let result = match result {
            Ok(()) => Ok(()),
            Err(HandlerFailure::Error(error)) => Err(error),
            Err(failure) => return Err(failure),
        };
        self.layer.after(handler, &self.driver.socket().scope, &result);
        result.map_err(HandlerFailure::Error)
    }
}

impl<L: HandlerLayer> Driver for Layered<L> {
    fn socket(&mut self) -> &mut RawSocket {
        self.driver.socket()
    }

    fn connect(&mut self) -> HandlerFuture<'_, ()> {
        Box::pin(async move {
            self.before(Handler::Connect).await?;
            self.connected = true;
            let result = self.driver.connect().await;
            self.after(Handler::Connect, result)
        })
    }

    fn receive(&mut self, frame: Frame) -> HandlerFuture<'_, ()> {
        Box::pin(async move {
            self.before(Handler::Receive).await?;
            let result = self.driver.receive(frame).await;
            self.after(Handler::Receive, result)
        })
    }

    fn event<'a>(&'a mut self, delivery: &'a Delivery) -> HandlerFuture<'a, ()> {
        Box::pin(async move {
            self.before(Handler::Event).await?;
            let result = self.driver.event(delivery).await;
            self.after(Handler::Event, result)
        })
    }

    fn lagged(&mut self) -> HandlerFuture<'_, ()> {
        Box::pin(async move {
            self.before(Handler::Lagged).await?;
            let result = self.driver.lagged().await;
            self.after(Handler::Lagged, result)
        })
    }

    fn removed<'a>(&'a mut self, group: &'a GroupName) -> HandlerFuture<'a, ()> {
        Box::pin(async move {
            self.before(Handler::Removed).await?;
            let result = self.driver.removed(group).await;
            self.after(Handler::Removed, result)
        })
    }

    fn disconnect(&mut self, close: Close) -> HandlerFuture<'_, ()> {
        Box::pin(async move {
            if !self.connected {
                return Ok(());
            }
            self.before(Handler::Disconnect).await?;
            let result = self.driver.disconnect(close).await;
            self.after(Handler::Disconnect, result)
        })
    }
}
