//! Integration tests of the framework, through the communicator and over real sockets.

mod support;

mod access;
mod answers;
mod bounds;
mod batches;
mod consumers;
mod events;
mod feeds;
mod groups;
mod handler_layers;
mod tickers;
mod layers;
mod logs;
mod origins;
mod serve;
mod sockets;
