//! Consumers: the handlers that an app writes for a connection.

mod action;
mod coalescer;
mod erased;
mod idempotency_key;
mod socket;
pub(crate) mod group_ticker;

use std::future::{Future, ready};

use crate::{Close, Error, Event, GroupName, Patch, Seq};

pub use action::{Action, FromFrame, JsonFrame};
pub use coalescer::Coalescer;
pub use group_ticker::Ticker;
pub use idempotency_key::IdempotencyKey;
pub use socket::Socket;

pub(crate) use action::client_id;
pub(crate) use erased::ErasedConsumer;

/// The behavior of one connection. Handlers run one at a time, in the order of the connection's
/// events.
///
/// Implement it with plain `async fn`s. For the effect of an error, see [`Error`]; a panic closes
/// this one connection with 1011.
///
/// ```
/// use bellwire::{Consumer, Error, Frame, Socket};
///
/// struct Echo;
///
/// impl Consumer for Echo {
///     type Action = Frame;
///     type Event = ();
///
///     async fn receive(&mut self, socket: &mut Socket, frame: Frame) -> Result<(), Error> {
///         socket.send(frame).await
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let bellwire = bellwire::Bellwire::builder("http://127.0.0.1:8000").build()?;
/// let mut browser = bellwire::testing::Communicator::connect(&bellwire, Echo).await;
/// browser.send_text("Hello").await;
/// assert_eq!(browser.receive_text().await, "Hello");
/// browser.receive_nothing().await;
/// # Ok(()) }
/// ```
pub trait Consumer: Sized + Send + 'static {
    /// The actions that a browser may send.
    type Action: FromFrame;
    /// The events that members of a group exchange; `()` if there are none.
    type Event: Event;

    /// Runs when the socket is open: join groups, follow feeds, send a greeting.
    ///
    /// Check permissions before the upgrade, in the route's handler. An error here closes the
    /// socket: [`Error::Close`] with its code, [`Error::Invalid`] with 1008 and the message, any
    /// other with 1011.
    fn connect(&mut self, socket: &mut Socket) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = socket;
        ready(Ok(()))
    }

    /// Runs for each action from the browser.
    fn receive(
        &mut self,
        socket: &mut Socket,
        action: Self::Action,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Runs for each event sent to a group of this socket, or to its channel.
    fn event(
        &mut self,
        socket: &mut Socket,
        event: &Self::Event,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = (socket, event);
        ready(Ok(()))
    }

    /// Runs when a feed has to be brought up to date from the source of truth, the storage in which
    /// the app numbers its changes: the page has just connected or reconnected, or a number was
    /// missing.
    ///
    /// Returns everything after number `since` as patches, and the number reached. The patches are
    /// sent as one unit, so that a browser is either brought up to date or not. `since` is `None`
    /// if the page does not know its position: then the patches must replace the whole list that it
    /// may show. Also replace the list if `since` is too far behind. An error is logged and closes
    /// with 1013, and the browser reconnects.
    fn catch_up(
        &mut self,
        socket: &mut Socket,
        feed: &GroupName,
        since: Option<Seq>,
    ) -> impl Future<Output = Result<CatchUp, Error>> + Send {
        let _ = (socket, since);
        ready(
            Ok(CatchUp { patches: Vec::new(), seq: 0 })
                .inspect(|_| tracing::warn!(%feed, "The consumer has no `catch_up` for this feed")),
        )
    }

    /// Runs after events or unnumbered patches were dropped because this reader was too slow.
    ///
    /// Override this to send their content again. By default, the socket closes with 1013, and the
    /// page reconnects and catches up.
    fn lagged(&mut self, socket: &mut Socket) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = socket;
        ready(Err(Error::Close(Close::new(Close::TRY_AGAIN, "too slow: messages were dropped"))))
    }

    /// Runs after the person was removed from this group; nothing more arrives from it. By default
    /// the socket closes with 1008.
    fn removed(
        &mut self,
        socket: &mut Socket,
        group: &GroupName,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = (socket, group);
        ready(Err(Error::Close(Close::policy("removed"))))
    }

    /// Runs when the socket is closed or lost, after it has left its groups: exactly once for every
    /// `connect` that began, whatever happened.
    fn disconnect(&mut self, socket: &mut Socket, close: Close) -> impl Future<Output = ()> + Send {
        let _ = (socket, close);
        ready(())
    }
}

/// The changes that a page missed.
#[derive(Debug)]
pub struct CatchUp {
    /// The changes, in the order in which to show them.
    pub patches: Vec<Patch>,
    /// The number of the last change among them.
    pub seq: Seq,
}
