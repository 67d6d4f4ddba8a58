//! What people do and see, in the order in which they meet it.

mod home;
mod accounts;
mod talking;
mod typing;
mod signed_out;
mod restarts;
mod without_javascript;
mod pages;
mod plain_htmx;
