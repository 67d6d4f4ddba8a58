//! Execution of a consumer's handlers, with a time limit and isolated panics.

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

/// The time that a handler has to finish after a close of its socket was requested. It cannot send
/// any more.
const CLOSE_GRACE: Duration = Duration::from_millis(500);

/// The failure of a handler.
pub(crate) enum HandlerFailure {
    Error(Error),
    Panic(String),
    Timeout,
    /// A close of its socket was requested, and it did not finish in time.
    Closed(Close),
}

/// A running handler: boxed, so that an idle connection reserves no memory for it.
pub(crate) type HandlerFuture<'a, T> =
    Pin<Box<dyn Future<Output = Result<T, HandlerFailure>> + Send + 'a>>;

/// Runs a handler, and ends it shortly after a close of its socket is requested.
pub(crate) async fn until_closed<T>(
    channel: &Channel,
    handler: HandlerFuture<'_, T>,
) -> Result<T, HandlerFailure> {
    let closed = pin!(async {
        poll_fn(|cx| channel.queue.poll_closed(cx)).await;
        // Boxed, since few handlers get here; and without tokio's budget, as below.
        Box::pin(unconstrained(sleep(CLOSE_GRACE))).await;
    });
    match select(handler, closed).await {
        Either::Left((result, _)) => result,
        Either::Right(((), _)) => {
            Err(HandlerFailure::Closed(channel.queue.closed().unwrap_or_else(Close::lost)))
        }
    }
}

/// Runs a handler with a time limit, and catches its panics, so that they end only this connection.
pub(crate) fn with_timeout<'a, T: 'a>(
    time_limit: Duration,
    handler: impl Future<Output = Result<T, Error>> + Send + 'a,
) -> HandlerFuture<'a, T> {
    Box::pin(async move {
        let mut handler = pin!(AssertUnwindSafe(handler).catch_unwind());
        let mut timer = None;
        poll_fn(|cx| {
            if let Poll::Ready(result) = handler.as_mut().poll(cx) {
                return Poll::Ready(into_result(result));
            }
            // The clock is read and a timer set only if the handler waits. The timer runs without
            // tokio's budget, so that it also expires for a handler that exhausts the task's
            // budget.
            let timer = timer.get_or_insert_with(|| Box::pin(unconstrained(sleep(time_limit))));
            timer.as_mut().poll(cx).map(|()| Err(HandlerFailure::Timeout))
        })
        .await
    })
}

fn into_result<T>(
    result: Result<Result<T, Error>, Box<dyn Any + Send>>,
) -> Result<T, HandlerFailure> {
    match result {
        Ok(result) => result.map_err(HandlerFailure::Error),
        Err(panic) => Err(HandlerFailure::Panic(message_of(panic.as_ref()))),
    }
}

/// Returns the result of a handler, and whether it completed without waiting. Calls `on_pending`
/// each time it waits.
pub(crate) async fn track_pending<T>(
    handler: impl Future<Output = T>,
    mut on_pending: impl FnMut(&mut Context<'_>),
) -> (T, bool) {
    let (mut handler, mut immediate) = (pin!(handler), true);
    let result = poll_fn(|cx| {
        let polled = handler.as_mut().poll(cx);
        if polled.is_pending() {
            immediate = false;
            on_pending(cx);
        }
        polled
    })
    .await;
    (result, immediate)
}

fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}
