//! The future of a handler: boxed, with a time limit and with its panics caught.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::task::unconstrained;
use tokio::time::sleep;

use crate::error::Error;
use crate::transport::Close;

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

fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}
