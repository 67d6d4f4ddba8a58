//! The chat's promises, through the site and the communicator, on real databases.

mod support;

mod conversation;
mod cost;
mod pages;
mod sockets;
mod truth;
