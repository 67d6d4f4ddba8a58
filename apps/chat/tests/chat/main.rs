//! The chat's promises, through the site and the communicator, on real databases.

mod support;

mod conversation;
mod changes;
mod cost;
mod long_rooms;
mod moving;
mod outside;
mod pages;
mod private;
mod rooms;
mod search;
mod sockets;
mod truth;
