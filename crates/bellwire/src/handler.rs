//! Runs one handler of a consumer, and lets no fault of it out.

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::timeout;

use crate::Error;

/// How a handler ended when it did not end well.
pub(crate) enum End {
    Error(Error),
    Panic(String),
    Timeout,
}

/// Runs a handler: boxed, so that an idle connection does not keep room for it; caught, so that a panic is this connection's own;
/// bounded in time.
pub(crate) async fn guarded<T>(
    patience: Duration,
    handler: impl Future<Output = Result<T, Error>> + Send,
) -> Result<T, End> {
    let handler: Pin<Box<dyn Future<Output = _> + Send + '_>> = Box::pin(timeout(patience, handler));
    match AssertUnwindSafe(handler).catch_unwind().await {
        Ok(Ok(result)) => result.map_err(End::Error),
        Ok(Err(_)) => Err(End::Timeout),
        Err(panic) => Err(End::Panic(message_of(panic.as_ref()))),
    }
}

fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}
