//! Connections: the event loop, handlers and the heartbeat.

mod event_loop;
mod handler;
mod heartbeat;
mod remedy;
mod select;

pub(crate) use event_loop::Connection;
