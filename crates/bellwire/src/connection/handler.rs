//! Execution of a consumer's handlers: until its socket closes, and with what it waits for.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Context;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::task::unconstrained;
use tokio::time::sleep;

use crate::handler_future::{HandlerFailure, HandlerFuture};
use crate::outbound::Channel;
use crate::transport::Close;

/// The time that a handler has to finish after a close of its socket was requested. It cannot send
/// any more.
const CLOSE_GRACE: Duration = Duration::from_millis(500);

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
