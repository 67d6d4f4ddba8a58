//! Runs one handler of a consumer, and lets no fault of it out.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Either, select};
use tokio::task::unconstrained;
use tokio::time::sleep;

use crate::outbound::Channel;
use crate::{Close, Error};

/// How long a handler may go on when its socket was told to close. It cannot send any more; it may
/// finish what it began.
const CLOSE_GRACE: Duration = Duration::from_millis(500);

/// How a handler ended when it did not end well.
pub(crate) enum HandlerFailure {
    Error(Error),
    Panic(String),
    Timeout,
    /// Its socket was told to close, and it did not finish in time.
    Closed(Close),
}

/// A handler under way: boxed, so that an idle connection does not keep room for it.
pub(crate) type HandlerFuture<'a, T> =
    Pin<Box<dyn Future<Output = Result<T, HandlerFailure>> + Send + 'a>>;

/// Ends a handler shortly after its socket was told to close.
pub(crate) async fn until_closed<T>(
    channel: &Channel,
    handler: HandlerFuture<'_, T>,
) -> Result<T, HandlerFailure> {
    let told = pin!(async {
        poll_fn(|cx| channel.queue.poll_closed(cx)).await;
        // Boxed, since hardly any handler gets here; and without a budget, as below.
        Box::pin(unconstrained(sleep(CLOSE_GRACE))).await;
    });
    match select(handler, told).await {
        Either::Left((result, _)) => result,
        Either::Right(((), _)) => {
            Err(HandlerFailure::Closed(channel.queue.closed().unwrap_or_else(Close::lost)))
        }
    }
}

/// Runs a handler: caught, so that a panic is this connection's own, and bounded in time.
pub(crate) fn with_timeout<'a, T: 'a>(
    patience: Duration,
    handler: impl Future<Output = Result<T, Error>> + Send + 'a,
) -> HandlerFuture<'a, T> {
    Box::pin(async move {
        let mut handler = pin!(AssertUnwindSafe(handler).catch_unwind());
        let mut late = None;
        poll_fn(|cx| {
            if let Poll::Ready(result) = handler.as_mut().poll(cx) {
                return Poll::Ready(ended(result));
            }
            // Only for a handler that waits is a clock read and a timer set. Without a budget: a
            // handler that uses up the task's own is late as well.
            let late = late.get_or_insert_with(|| Box::pin(unconstrained(sleep(patience))));
            late.as_mut().poll(cx).map(|()| Err(HandlerFailure::Timeout))
        })
        .await
    })
}

fn ended<T>(result: Result<Result<T, Error>, Box<dyn Any + Send>>) -> Result<T, HandlerFailure> {
    match result {
        Ok(result) => result.map_err(HandlerFailure::Error),
        Err(panic) => Err(HandlerFailure::Panic(message_of(panic.as_ref()))),
    }
}

/// Returns the result of a handler, and whether it never had to wait. Each time it waits, `waits`
/// is called.
pub(crate) async fn track_pending<T>(
    handler: impl Future<Output = T>,
    mut waits: impl FnMut(&mut Context<'_>),
) -> (T, bool) {
    let (mut handler, mut prompt) = (pin!(handler), true);
    let result = poll_fn(|cx| {
        let polled = handler.as_mut().poll(cx);
        if polled.is_pending() {
            prompt = false;
            waits(cx);
        }
        polled
    })
    .await;
    (result, prompt)
}

fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}
