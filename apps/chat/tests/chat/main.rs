//! Tests of the chat through the site and the communicator, on real databases.

mod support;

mod conversation;
mod changes;
mod cost;
mod counts;
mod finding;
mod long_rooms;
mod moving;
mod outside;
mod pages;
mod private;
mod rights;
mod rooms;
mod search;
mod sockets;
mod truth;
