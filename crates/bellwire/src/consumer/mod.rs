//! What an app writes for a socket.

mod action;
mod debouncer;
mod erased;
mod idempotency_key;
mod socket;
pub(crate) mod ticker;

use std::future::{Future, ready};

use crate::{Close, Error, Event, GroupName, Patch, Seq};

pub use action::{Action, FromFrame, JsonFrame};
pub use debouncer::Debouncer;
pub use idempotency_key::IdempotencyKey;
pub use socket::Socket;
pub use ticker::Ticker;

pub(crate) use action::client_id;
pub(crate) use erased::ErasedConsumer;

/// One connection's behaviour. Handlers run one at a time, in the order in which things happened to
/// this connection.
///
/// Implement it with plain `async fn`s. What an error does is said at [`Error`]; a panic ends this
/// one connection with 1011.
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
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let bellwire = bellwire::Bellwire::builder("http://127.0.0.1:8000").build()?;
/// let mut browser = bellwire::testing::Communicator::connect(&bellwire, Echo).await;
/// browser.send_text("Hello").await;
/// assert_eq!(browser.receive_text().await, "Hello");
/// browser.receive_nothing().await;
/// # Ok(()) }
/// ```
pub trait Consumer: Sized + Send + 'static {
    /// What the browser may ask.
    type Action: FromFrame;
    /// What members of a group tell each other; `()` where nothing is told.
    type Event: Event;

    /// The socket is open: join groups, follow feeds, greet.
    ///
    /// Who may connect at all is decided before the upgrade, in the route's handler. An error here
    /// closes the socket: [`Error::Close`] with its code, [`Error::Invalid`] with 1008 and the
    /// message, any other with 1011.
    fn connect(&mut self, socket: &mut Socket) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = socket;
        ready(Ok(()))
    }

    /// The browser asks for something.
    fn receive(
        &mut self,
        socket: &mut Socket,
        action: Self::Action,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// A member of a group told something.
    fn event(
        &mut self,
        socket: &mut Socket,
        event: &Self::Event,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = (socket, event);
        ready(Ok(()))
    }

    /// A feed has to be brought up to date from the source of truth: the page just came, or came
    /// back, or a number was missing.
    ///
    /// Returns everything after number `since` as patches, and the number reached. They leave as
    /// one, so that a browser is either brought up to date or not. `since` is `None` when the page
    /// does not say where it is: then the patches replace what it may show. So they should when it
    /// is too far behind. An error is logged and closes with 1013, and the browser tries again.
    fn catch_up(
        &mut self,
        socket: &mut Socket,
        feed: &GroupName,
        since: Option<Seq>,
    ) -> impl Future<Output = Result<CatchUp, Error>> + Send {
        let _ = (socket, since);
        ready(
            Ok(CatchUp { patches: Vec::new(), seq: 0 })
                .inspect(|_| tracing::warn!(%feed, "Nobody can catch up with this feed")),
        )
    }

    /// Events or unnumbered patches were dropped because this reader was too slow. What they said
    /// has to be shown anew; by default the socket closes with 1013 and the page comes back fresh.
    fn lagged(&mut self, socket: &mut Socket) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = socket;
        ready(Err(Error::Close(Close::new(Close::TRY_AGAIN, "too slow for what was sent"))))
    }

    /// The person was taken out of this group; nothing more comes from it. By default the socket
    /// closes with 1008.
    fn removed(
        &mut self,
        socket: &mut Socket,
        group: &GroupName,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let _ = (socket, group);
        ready(Err(Error::Close(Close::policy("removed"))))
    }

    /// The socket is closed or lost, and has left its groups. Runs exactly once for every `connect`
    /// that was begun, whatever happened.
    fn disconnect(&mut self, socket: &mut Socket, close: Close) -> impl Future<Output = ()> + Send {
        let _ = (socket, close);
        ready(())
    }
}

/// What a page missed.
#[derive(Debug)]
pub struct CatchUp {
    /// The changes, in the order in which they are to be shown.
    pub patches: Vec<Patch>,
    /// The number of the last change that they contain.
    pub seq: Seq,
}
