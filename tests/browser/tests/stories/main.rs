//! What people do and see, in the order in which they meet it.

mod home;
mod accounts;
mod talking;
mod beside;
mod company;
mod typing;
mod reading;
mod writing;
mod signed_out;
mod restarts;
mod no_sockets;
mod without_javascript;
mod pages;
mod plain_htmx;
mod playground;
mod away;
mod order;
mod wire;
mod accessible;
mod blog;
mod social;
