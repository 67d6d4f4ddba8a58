//! Tests of the blog, through the site and the communicator, on real databases.

mod support;

mod pages;
mod search;
mod comments;
mod removal;
mod writing;
mod feeds;
mod sockets;
mod seeds;
