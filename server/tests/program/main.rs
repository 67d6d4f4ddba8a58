//! The program as the operator sees it.

mod support;

mod serve;
mod user;
mod check;
mod store;
mod hard_times;
mod kills;
