//! Connections: the event loop, handlers and the heartbeat.

mod event_loop;
mod handler;
mod heartbeat;
mod select;

pub(crate) use event_loop::Connection;
pub(crate) use handler::{HandlerFuture, with_timeout};
pub(crate) use heartbeat::start as start_heartbeat;
