//! Tests of the demos, through the site, over real sockets.

mod support;

mod live;
mod answers;
mod overview;
mod htmx;
mod lists;
mod pages;
