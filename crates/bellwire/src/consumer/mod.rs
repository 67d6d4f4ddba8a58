//! Consumers: the handlers that an app writes for a connection.

mod action;
mod driver;
mod handler;
mod handler_layer;
mod idempotency_key;
mod raw_socket;
mod socket;
pub(crate) mod group_ticker;

use std::future::{Future, ready};

use crate::{Close, Error, Event, GroupName};

pub use action::{Action, ActionData, ActionSpec, FromFrame, JsonFrame};
pub use group_ticker::Ticker;
pub use handler::Handler;
pub use handler_layer::HandlerLayer;
pub use idempotency_key::IdempotencyKey;
pub use socket::Socket;

pub(crate) use action::client_id;
pub(crate) use driver::{ConsumerDriver, Driver};
pub(crate) use handler_layer::Layered;
pub(crate) use raw_socket::RawSocket;

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
///     type Error = Error;
///
///     async fn receive(&mut self, socket: &mut Socket<Self>, frame: Frame) -> Result<(), Error> {
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
    /// The error of the handlers: [`Error`], or an app's own, for which
    /// [`Refusal`](derive@crate::Refusal) is derived.
    type Error: Into<Error> + Send;

    /// Runs when the socket is open: join groups, follow feeds, send a greeting.
    ///
    /// Check permissions before the upgrade, in the route's handler. An error here closes the
    /// socket: [`Error::Close`] with its code, [`Error::Refused`] with 1008 and the sentence, or
    /// with 1013 if it says when to retry, any other with 1011.
    fn connect(
        &mut self,
        socket: &mut Socket<Self>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send {
        let _ = socket;
        ready(Ok(()))
    }

    /// Runs for each action from the browser. `Ok` answers an action that has a client id, so that
    /// the browser does not send it again; an error answers it with its sentence.
    fn receive(
        &mut self,
        socket: &mut Socket<Self>,
        action: Self::Action,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Runs for each event sent to a group of this socket, or to its channel.
    ///
    /// A refusal that says when to retry closes the socket with 1013, and the page reconnects.
    fn event(
        &mut self,
        socket: &mut Socket<Self>,
        event: &Self::Event,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send {
        let _ = (socket, event);
        ready(Ok(()))
    }

    /// Runs after events or unnumbered patches were dropped because this reader was too slow.
    ///
    /// Override this to send their content again. By default, the socket closes with 1013, and the
    /// page reconnects and catches up.
    fn lagged(
        &mut self,
        socket: &mut Socket<Self>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send {
        socket.close(Close::new(Close::TRY_AGAIN, "too slow: messages were dropped"));
        ready(Ok(()))
    }

    /// Runs after the person was removed from this group; nothing more arrives from it. By default
    /// the socket closes with 1008.
    fn removed(
        &mut self,
        socket: &mut Socket<Self>,
        group: &GroupName,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send {
        let _ = group;
        socket.close(Close::policy("removed"));
        ready(Ok(()))
    }

    /// Runs when the socket is closed or lost, after it has left its groups: exactly once for every
    /// `connect` that began, whatever happened.
    fn disconnect(
        &mut self,
        socket: &mut Socket<Self>,
        close: Close,
    ) -> impl Future<Output = ()> + Send {
        let _ = (socket, close);
        ready(())
    }
}
